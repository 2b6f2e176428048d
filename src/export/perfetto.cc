#include "export/perfetto.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <protozero/pbf_builder.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "export/gil_text.h"
#include "export/text.h"
#include "export/title.h"

namespace fthreadprof {
namespace {

// Field numbers of perfetto_trace.proto.
enum class Trace : uint32_t { kPacket = 1 };
enum class Packet : uint32_t {
  kTimestamp = 8,
  kSequenceId = 10,
  kTrackEvent = 11,
  kInternedData = 12,
  kSequenceFlags = 13,
  kDefaults = 59,
  kTrackDescriptor = 60,
  kPerfSample = 66,
};
enum class Defaults : uint32_t { kPerfSample = 12 };
enum class PerfSampleDefaults : uint32_t { kTimebase = 1 };
enum class Timebase : uint32_t { kFrequency = 2, kCounter = 4, kName = 10 };
enum class TrackDescriptor : uint32_t {
  kUuid = 1,
  kName = 2,
  kProcess = 3,
  kThread = 4,
  kParentUuid = 5
};
enum class ProcessDescriptor : uint32_t { kPid = 1, kCommandLine = 2, kName = 6 };
enum class ThreadDescriptor : uint32_t { kPid = 1, kTid = 2, kName = 5 };
enum class TrackEvent : uint32_t { kType = 9, kTrackUuid = 11, kCategories = 22, kName = 23 };
enum class InternedData : uint32_t {
  kFunctionNames = 5,
  kFrames = 6,
  kCallstacks = 7,
  kMappingPaths = 17,
  kSourcePaths = 18,
  kMappings = 19,
};
enum class InternedString : uint32_t { kIid = 1, kText = 2 };
enum class FrameField : uint32_t {
  kIid = 1,
  kFunctionName = 2,
  kMapping = 3,
  kRelativePc = 4,
  kSourcePath = 5,
  kLine = 6,
};
enum class Callstack : uint32_t { kIid = 1, kFrames = 2 };
enum class MappingField : uint32_t { kIid = 1, kPaths = 7 };
enum class PerfSample : uint32_t { kPid = 2, kTid = 3, kCallstack = 4 };

constexpr uint32_t kSequence = 1;
constexpr uint32_t kStateCleared = 1;  // SEQ_INCREMENTAL_STATE_CLEARED
constexpr uint32_t kNeedsState = 2;    // SEQ_NEEDS_INCREMENTAL_STATE
constexpr int32_t kSliceBegin = 1;     // TrackEvent.TYPE_SLICE_BEGIN
constexpr int32_t kSliceEnd = 2;
constexpr int32_t kInstant = 3;
constexpr int32_t kCpuClock = 1;     // PerfEvents.SW_CPU_CLOCK
constexpr uint64_t kTheMapping = 1;  // there is one: the interpreter

class PerfettoWriter {
 public:
  PerfettoWriter(const Profile& profile, const ExportOptions& options, std::ostream& out)
      : profile_(profile), options_(options), out_(out), slices_(profile.threads().size()) {
    const double hz = profile.sampling.achieved_hz();
    period_us_ = hz > 0 ? static_cast<uint64_t>(std::llround(1e6 / hz)) : 1000;
  }

  void Write() {
    WriteHead();
    WriteTracks();
    WriteGil();
    profile_.log().ForEach([&](const LoggedSample& sample) {
      if (!out_.good()) return;
      WriteState(sample);
      WriteSample(sample);  // once: the format has no weight
    });
    for (size_t thread = 0; thread < slices_.size(); ++thread) {
      EndSlice(static_cast<ThreadIndex>(thread), slices_[thread].last_us + period_us_);
    }
  }

 private:
  // What a thread does, as long as it does it.
  struct Slice {
    bool open = false;
    ThreadState state = ThreadState::kOther;
    uint64_t last_us = 0;
  };

  uint64_t ProcessUuid(ProcessIndex process) const { return 1 + uint64_t{process}; }
  uint64_t ThreadUuid(ThreadIndex thread) const {
    return 1 + profile_.processes().size() + uint64_t{thread};
  }

  // A packet that `fill` fills in.
  template <typename Fill>
  void WritePacket(uint64_t time_us, uint32_t flags, Fill fill) {
    bytes_.clear();
    protozero::pbf_builder<Trace> trace(bytes_);
    {
      protozero::pbf_builder<Packet> packet(trace, Trace::kPacket);
      packet.add_uint64(Packet::kTimestamp, time_us * 1000);
      packet.add_uint32(Packet::kSequenceId, kSequence);
      packet.add_uint32(Packet::kSequenceFlags, flags);
      fill(packet);
    }
    out_ << bytes_;
  }

  void WriteHead() {
    WritePacket(0, kStateCleared, [&](protozero::pbf_builder<Packet>& packet) {
      {
        protozero::pbf_builder<Defaults> defaults(packet, Packet::kDefaults);
        protozero::pbf_builder<PerfSampleDefaults> samples(defaults, Defaults::kPerfSample);
        protozero::pbf_builder<Timebase> timebase(samples, PerfSampleDefaults::kTimebase);
        timebase.add_uint64(Timebase::kFrequency,
                            static_cast<uint64_t>(std::llround(profile_.sampling.achieved_hz())));
        timebase.add_enum(Timebase::kCounter, kCpuClock);
        timebase.add_string(Timebase::kName, "samples");
      }
      protozero::pbf_builder<InternedData> interned(packet, Packet::kInternedData);
      AddString(interned, InternedData::kMappingPaths, 1, PlainText(profile_.target().executable));
      protozero::pbf_builder<MappingField> mapping(interned, InternedData::kMappings);
      mapping.add_uint64(MappingField::kIid, kTheMapping);
      mapping.add_uint64(MappingField::kPaths, 1);
    });
  }

  void WriteTracks() {
    for (size_t i = 0; i < profile_.processes().size(); ++i) {
      const TargetInfo& process = profile_.processes()[i];
      WritePacket(0, kNeedsState, [&](protozero::pbf_builder<Packet>& packet) {
        protozero::pbf_builder<TrackDescriptor> track(packet, Packet::kTrackDescriptor);
        track.add_uint64(TrackDescriptor::kUuid, ProcessUuid(static_cast<ProcessIndex>(i)));
        protozero::pbf_builder<ProcessDescriptor> descriptor(track, TrackDescriptor::kProcess);
        descriptor.add_int32(ProcessDescriptor::kPid, process.pid);
        descriptor.add_string(ProcessDescriptor::kCommandLine, PlainText(process.command));
        descriptor.add_string(
            ProcessDescriptor::kName,
            PlainText(process.command.empty() ? process.executable : process.command));
      });
    }
    for (size_t i = 0; i < profile_.threads().size(); ++i) {
      const ProfiledThread& thread = profile_.threads()[i];
      WritePacket(0, kNeedsState, [&](protozero::pbf_builder<Packet>& packet) {
        protozero::pbf_builder<TrackDescriptor> track(packet, Packet::kTrackDescriptor);
        track.add_uint64(TrackDescriptor::kUuid, ThreadUuid(static_cast<ThreadIndex>(i)));
        track.add_uint64(TrackDescriptor::kParentUuid, ProcessUuid(thread.process));
        if (thread.tasks) {
          track.add_string(TrackDescriptor::kName, PlainText(thread.name));
          return;
        }
        protozero::pbf_builder<ThreadDescriptor> descriptor(track, TrackDescriptor::kThread);
        descriptor.add_int32(ThreadDescriptor::kPid, profile_.processes()[thread.process].pid);
        descriptor.add_int32(ThreadDescriptor::kTid, thread.tid);
        descriptor.add_string(ThreadDescriptor::kName, PlainText(thread.name));
      });
    }
  }

  // On a process's own track, when the GIL was turned on.
  void WriteGil() {
    for (size_t i = 0; i < profile_.processes().size(); ++i) {
      const TargetInfo& process = profile_.processes()[i];
      if (!process.free_threaded || !process.gil_enabled) continue;
      const double at_s = process.gil_cause ? process.gil_cause->at_s.value_or(0) : 0;
      const std::string why = WhyGilIsOn(process.gil_cause);
      const auto time_us = static_cast<uint64_t>(std::max(at_s, 0.0) * 1e6);
      WriteEvent(ProcessUuid(static_cast<ProcessIndex>(i)), time_us, kInstant, "gil",
                 absl::StrCat("The GIL is ON", why.empty() ? "" : ": ", why));
    }
  }

  void WriteState(const LoggedSample& sample) {
    Slice& slice = slices_[sample.thread];
    // Samples between were torn, or are not selected: nothing is known of that time.
    const bool gap = slice.open && sample.time_us - slice.last_us > 10 * period_us_;
    if (slice.open && (gap || slice.state != sample.state)) {
      EndSlice(sample.thread, gap ? slice.last_us + period_us_ : sample.time_us);
    }
    slice.last_us = sample.time_us;
    if (slice.open) return;
    slice.open = true;
    slice.state = sample.state;
    WriteEvent(ThreadUuid(sample.thread), sample.time_us, kSliceBegin, "state",
               ThreadStateName(sample.state));
  }

  void EndSlice(ThreadIndex thread, uint64_t time_us) {
    if (!slices_[thread].open) return;
    slices_[thread].open = false;
    WriteEvent(ThreadUuid(thread), time_us, kSliceEnd, nullptr, "");
  }

  void WriteEvent(uint64_t track, uint64_t time_us, int32_t type, const char* category,
                  const std::string& name) {
    WritePacket(time_us, kNeedsState, [&](protozero::pbf_builder<Packet>& packet) {
      protozero::pbf_builder<TrackEvent> event(packet, Packet::kTrackEvent);
      event.add_enum(TrackEvent::kType, type);
      event.add_uint64(TrackEvent::kTrackUuid, track);
      if (category == nullptr) return;
      event.add_string(TrackEvent::kCategories, category);
      event.add_string(TrackEvent::kName, name);
    });
  }

  void WriteSample(const LoggedSample& sample) {
    const ProfiledThread& thread = profile_.threads()[sample.thread];
    WritePacket(sample.time_us, kNeedsState, [&](protozero::pbf_builder<Packet>& packet) {
      const uint64_t callstack = InternCallstack(packet, sample.stack, thread);
      protozero::pbf_builder<PerfSample> perf(packet, Packet::kPerfSample);
      perf.add_uint32(PerfSample::kPid,
                      static_cast<uint32_t>(profile_.processes()[thread.process].pid));
      perf.add_uint32(PerfSample::kTid, static_cast<uint32_t>(thread.tid));
      perf.add_uint64(PerfSample::kCallstack, callstack);
    });
  }

  static void AddString(protozero::pbf_builder<InternedData>& interned, InternedData field,
                        uint64_t iid, const std::string& text) {
    protozero::pbf_builder<InternedString> string(interned, field);
    string.add_uint64(InternedString::kIid, iid);
    string.add_bytes(InternedString::kText, text);
  }

  uint64_t InternCallstack(protozero::pbf_builder<Packet>& packet, StackId stack,
                           const ProfiledThread& thread) {
    const auto [entry, is_new] =
        callstacks_.try_emplace({thread.interpreter, stack}, callstacks_.size() + 1);
    const uint64_t iid = entry->second;
    if (!is_new) return iid;
    protozero::pbf_builder<InternedData> interned(packet, Packet::kInternedData);
    std::vector<uint64_t> frames;
    // Perfetto knows threads by their ids alone, and so not in which interpreter they run.
    if (thread.interpreter != 0) {
      frames.push_back(InternFrame(interned, {InterpreterText(thread), "", 0}));
    }
    for (const FrameId id : profile_.FramesOf(stack)) {
      frames.push_back(InternFrame(interned, profile_.frame(id)));
    }
    if (stack == kEmptyStack) {
      frames.push_back(InternFrame(interned, {"(no Python frames)", "", 0}));
    }
    protozero::pbf_builder<Callstack> callstack(interned, InternedData::kCallstacks);
    callstack.add_uint64(Callstack::kIid, iid);
    for (const uint64_t frame : frames) callstack.add_uint64(Callstack::kFrames, frame);
    return iid;
  }

  uint64_t InternFrame(protozero::pbf_builder<InternedData>& interned, Frame frame) {
    if (options_.function_only) frame.line = 0;
    const auto [entry, is_new] = frames_.try_emplace(frame, frames_.size() + 1);
    const uint64_t iid = entry->second;
    if (!is_new) return iid;
    AddString(interned, InternedData::kFunctionNames, iid,
              frame.file.empty() ? frame.function : FrameText(frame, options_.function_only));
    const auto [file, is_new_file] = files_.try_emplace(frame.file, files_.size() + 1);
    if (is_new_file) {
      AddString(interned, InternedData::kSourcePaths, file->second, PlainText(frame.file));
    }
    protozero::pbf_builder<FrameField> message(interned, InternedData::kFrames);
    message.add_uint64(FrameField::kIid, iid);
    message.add_uint64(FrameField::kFunctionName, iid);
    message.add_uint64(FrameField::kMapping, kTheMapping);
    message.add_uint64(FrameField::kRelativePc, iid);  // tells frames apart in trace_processor
    message.add_uint64(FrameField::kSourcePath, file->second);
    message.add_uint32(FrameField::kLine, static_cast<uint32_t>(frame.line));
    return iid;
  }

  const Profile& profile_;
  const ExportOptions& options_;
  std::ostream& out_;
  uint64_t period_us_;
  std::string bytes_;
  std::vector<Slice> slices_;                                              // by thread
  absl::flat_hash_map<std::pair<int64_t, StackId>, uint64_t> callstacks_;  // with the interpreter
  absl::flat_hash_map<Frame, uint64_t> frames_;
  absl::flat_hash_map<std::string, uint64_t> files_;
};

}  // namespace

absl::Status WritePerfetto(const Profile& profile, const ExportOptions& options,
                           std::ostream& out) {
  PerfettoWriter(profile, options, out).Write();
  return absl::OkStatus();
}

}  // namespace fthreadprof
