#include "profile/recording_reader.h"

#include <zstd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <protozero/pbf_message.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "profile/gil_cause_codec.h"
#include "profile/recording_format.h"

namespace fthreadprof {
namespace {

using protozero::pbf_message;
using recording::Block;
using recording::Figures;
using recording::FrameField;
using recording::LockField;
using recording::Process;
using recording::Thread;

std::string Text(protozero::data_view view) { return {view.data(), view.size()}; }

absl::Status Damaged(std::string_view what) { return absl::DataLossError(std::string(what)); }

size_t TextBytes(const TargetInfo& process) {
  return process.command.size() + process.executable.size() + process.python.size() +
         (process.gil_cause ? BytesOf(*process.gil_cause) : 0);
}

// Seconds and rates: outputs calculate with them, and JSON knows no infinity.
absl::Status CheckFigures(std::initializer_list<double> figures) {
  constexpr double kMost = 1e12;
  const bool sound = std::all_of(figures.begin(), figures.end(), [](double figure) {
    return std::abs(figure) <= kMost;  // false for NaN
  });
  return sound ? absl::OkStatus() : Damaged("a figure that cannot be");
}

// What one zstd frame holds.
absl::StatusOr<std::string> Decompress(std::string_view frame) {
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR ||
      size > recording::kMaxBlockBytes) {
    return Damaged("a block that cannot be decompressed");
  }
  std::string raw(size, '\0');
  const size_t decompressed = ZSTD_decompress(raw.data(), raw.size(), frame.data(), frame.size());
  if (ZSTD_isError(decompressed) || decompressed != size) {
    return Damaged("a block whose checksum or data are wrong");
  }
  return raw;
}

// Puts the contents of blocks into a profile.
class BlockReader {
 public:
  BlockReader(std::optional<SamplingMode> mode, Profile& profile)
      : mode_(mode), profile_(profile) {}

  // May throw what protozero throws on malformed bytes.
  absl::Status Read(std::string_view raw) {
    std::vector<uint32_t> callers;
    for (pbf_message<Block> block(raw.data(), raw.size()); block.next();) {
      switch (block.tag()) {
        case Block::kProcess:
          FTP_RETURN_IF_ERROR(ReadProcess(block.get_message()));
          break;
        case Block::kThread:
          FTP_RETURN_IF_ERROR(ReadThread(block.get_message()));
          break;
        case Block::kFrame:
          FTP_RETURN_IF_ERROR(ReadFrame(block.get_message()));
          break;
        case Block::kStackCallers:
          callers = Numbers(block);
          break;
        case Block::kStackFrames:
          FTP_RETURN_IF_ERROR(AddStacks(std::exchange(callers, {}), Numbers(block)));
          break;
        case Block::kLock:
          FTP_RETURN_IF_ERROR(ReadLock(block.get_message()));
          break;
        case Block::kFigures:
          FTP_RETURN_IF_ERROR(ReadFigures(block.get_message()));
          break;
        case Block::kSamples: {
          const protozero::data_view bytes = block.get_view();
          FTP_RETURN_IF_ERROR(ReadSamples({bytes.data(), bytes.size()}));
          break;
        }
        case Block::kEnd:
          at_end_ = block.get_bool();
          break;
        default:
          block.skip();  // of a later version
      }
    }
    return absl::OkStatus();
  }
  bool at_end() const { return at_end_; }
  bool has_figures() const { return has_figures_; }

 private:
  static std::vector<uint32_t> Numbers(pbf_message<Block>& block) {
    const auto range = block.get_packed_uint32();
    return {range.begin(), range.end()};
  }

  // Counts the bytes of names that are kept, of which `before` made room for `now`.
  absl::Status CountText(size_t now, size_t before = 0) {
    text_bytes_ += now;
    text_bytes_ -= before;
    return text_bytes_ <= recording::kMaxTextBytes ? absl::OkStatus() : Damaged("too many names");
  }

  absl::Status ReadProcess(pbf_message<Process> message) {
    size_t index = 0;
    TargetInfo process;
    while (message.next()) {
      switch (message.tag()) {
        case Process::kIndex:
          index = message.get_uint32();
          break;
        case Process::kPid:
          process.pid = message.get_int32();
          break;
        case Process::kParentPid:
          process.parent_pid = message.get_int32();
          break;
        case Process::kPython:
          process.python = Text(message.get_view());
          break;
        case Process::kFreeThreaded:
          process.free_threaded = message.get_bool();
          break;
        case Process::kGilEnabled:
          process.gil_enabled = message.get_bool();
          break;
        case Process::kExecutable:
          process.executable = Text(message.get_view());
          break;
        case Process::kCommand:
          process.command = Text(message.get_view());
          break;
        case Process::kCpuSeconds:
          process.cpu_s = message.get_double();
          break;
        case Process::kGilCause: {
          FTP_ASSIGN_OR_RETURN(process.gil_cause, DecodeGilCause(message.get_view()));
          break;
        }
        default:
          message.skip();
      }
    }
    const size_t known = profile_.processes().size();
    if (index > known || index >= recording::kMaxProcesses)
      return Damaged("a process out of order");
    FTP_RETURN_IF_ERROR(
        CheckFigures({process.cpu_s, process.gil_cause ? process.gil_cause->at_s.value_or(0) : 0}));
    if (index == known) profile_.AddProcess({});
    TargetInfo& kept = profile_.process(static_cast<ProcessIndex>(index));
    const absl::Status counted = CountText(TextBytes(process), TextBytes(kept));
    kept = std::move(process);
    return counted;
  }

  absl::Status ReadThread(pbf_message<Thread> message) {
    size_t index = 0, process = 0;
    ProfiledThread thread;
    while (message.next()) {
      switch (message.tag()) {
        case Thread::kIndex:
          index = message.get_uint32();
          break;
        case Thread::kProcess:
          process = message.get_uint32();
          break;
        case Thread::kTid:
          thread.tid = message.get_int32();
          break;
        case Thread::kName:
          thread.name = Text(message.get_view());
          break;
        case Thread::kInterpreter:
          thread.interpreter = message.get_int64();
          break;
        case Thread::kCpuSeconds:
          thread.cpu_s = message.get_double();
          break;
        case Thread::kTasks:
          thread.tasks = message.get_bool();
          break;
        case Thread::kRunQueueSeconds:
          thread.run_queue_s = message.get_double();
          break;
        default:
          message.skip();
      }
    }
    const size_t known = profile_.threads().size();
    if (index > known || index >= recording::kMaxThreads) return Damaged("a thread out of order");
    if (process >= profile_.processes().size()) return Damaged("a thread of no process");
    FTP_RETURN_IF_ERROR(CheckFigures({thread.cpu_s, thread.run_queue_s}));
    if (index == known) profile_.AddThread(thread.tid, "", static_cast<ProcessIndex>(process));
    ProfiledThread& kept = profile_.thread(static_cast<ThreadIndex>(index));
    FTP_RETURN_IF_ERROR(CountText(thread.name.size(), kept.name.size()));
    kept.process = static_cast<ProcessIndex>(process);
    kept.tid = thread.tid;
    kept.name = std::move(thread.name);
    kept.interpreter = thread.interpreter;
    kept.cpu_s = thread.cpu_s;
    kept.run_queue_s = thread.run_queue_s;
    kept.tasks = thread.tasks;
    return absl::OkStatus();
  }

  absl::Status ReadFrame(pbf_message<FrameField> message) {
    Frame frame;
    while (message.next()) {
      switch (message.tag()) {
        case FrameField::kFunction:
          frame.function = Text(message.get_view());
          break;
        case FrameField::kFile:
          frame.file = Text(message.get_view());
          break;
        case FrameField::kLine:
          frame.line = message.get_int32();
          break;
        default:
          message.skip();
      }
    }
    FTP_RETURN_IF_ERROR(CountText(frame.function.size() + frame.file.size()));
    const size_t known = profile_.frame_count();
    if (known >= recording::kMaxFrames) return Damaged("too many frames");
    if (profile_.InternFrame(frame) != known) return Damaged("a frame that is there twice");
    return absl::OkStatus();
  }

  absl::Status ReadLock(pbf_message<LockField> message) {
    WaitedLock lock;
    uint32_t kind = 0;
    while (message.next()) {
      switch (message.tag()) {
        case LockField::kProcess:
          lock.process = message.get_uint32();
          break;
        case LockField::kKind:
          kind = message.get_uint32();
          break;
        case LockField::kType:
          lock.type = Text(message.get_view());
          break;
        case LockField::kAddress:
          lock.address = message.get_fixed64();
          break;
        default:
          message.skip();
      }
    }
    FTP_RETURN_IF_ERROR(CountText(lock.type.size()));
    if (kind >= kLockKindCount) return Damaged("an unknown kind of lock");
    lock.kind = static_cast<LockKind>(kind);
    if (lock.process >= profile_.processes().size()) return Damaged("a lock of no process");
    const size_t known = profile_.lock_count();
    if (profile_.InternLock(lock) != known + 1) return Damaged("a lock too many, or there twice");
    return absl::OkStatus();
  }

  absl::Status AddStacks(const std::vector<uint32_t>& callers,
                         const std::vector<uint32_t>& frames) {
    if (callers.size() != frames.size()) return Damaged("stacks that do not hold together");
    for (size_t i = 0; i < callers.size(); ++i) {
      const size_t known = profile_.stack_count();
      if (known >= recording::kMaxStacks) return Damaged("too many stacks");
      if (callers[i] >= known || frames[i] >= profile_.frame_count()) {
        return Damaged("a stack of unknown frames");
      }
      if (profile_.InternStack(callers[i], frames[i]) != known) {
        return Damaged("a stack that is there twice");
      }
    }
    return absl::OkStatus();
  }

  // Passes by a number of threads.
  static absl::Status ReadPasses(pbf_message<Figures>& message, std::vector<uint64_t>& passes) {
    for (const uint64_t seen : message.get_packed_uint64()) {
      if (passes.size() >= recording::kMaxParallelism) return Damaged("too many threads at once");
      passes.push_back(seen);
    }
    return absl::OkStatus();
  }

  absl::Status ReadFigures(pbf_message<Figures> message) {
    SamplingInfo sampling;
    ProcessInfo totals;
    uint32_t mode = 0;
    while (message.next()) {
      switch (message.tag()) {
        case Figures::kRequestedHz:
          sampling.requested_hz = message.get_double();
          break;
        case Figures::kDurationSeconds:
          sampling.duration_s = message.get_double();
          break;
        case Figures::kPasses:
          sampling.passes = message.get_uint64();
          break;
        case Figures::kSamples:
          sampling.samples = message.get_uint64();
          break;
        case Figures::kTorn:
          sampling.torn = message.get_uint64();
          break;
        case Figures::kLate:
          sampling.late = message.get_uint64();
          break;
        case Figures::kProfilerCpuSeconds:
          sampling.profiler_cpu_s = message.get_double();
          break;
        case Figures::kMode:
          mode = message.get_uint32();
          break;
        case Figures::kCpuSeconds:
          totals.cpu_s = message.get_double();
          break;
        case Figures::kParallelismPasses:
          FTP_RETURN_IF_ERROR(ReadPasses(message, totals.parallelism_passes));
          break;
        case Figures::kWantingPasses:
          FTP_RETURN_IF_ERROR(ReadPasses(message, totals.wanting_passes));
          break;
        case Figures::kGilEnabledPasses:
          totals.gil_enabled_passes = message.get_uint64();
          break;
        case Figures::kGilHeldPasses:
          totals.gil_held_passes = message.get_uint64();
          break;
        case Figures::kGilHandoffs:
          totals.gil_handoffs = message.get_uint64();
          break;
        case Figures::kGcPasses:
          totals.gc_passes = message.get_uint64();
          break;
        case Figures::kStoppedPasses:
          totals.stopped_passes = message.get_uint64();
          break;
        case Figures::kStops:
          totals.stops = message.get_uint64();
          break;
        default:
          message.skip();
      }
    }
    FTP_RETURN_IF_ERROR(CheckFigures(
        {sampling.requested_hz, sampling.duration_s, sampling.profiler_cpu_s, totals.cpu_s}));
    if (mode >= kSamplingModeCount) return Damaged("an unknown mode");
    // The samples that were selected until now were so by the first block's mode.
    sampling.mode =
        has_figures_ ? profile_.sampling.mode : mode_.value_or(static_cast<SamplingMode>(mode));
    has_figures_ = true;
    sampling.states = profile_.sampling.states;
    sampling.threads = std::move(profile_.sampling.threads);
    profile_.sampling = std::move(sampling);
    profile_.totals = std::move(totals);
    return absl::OkStatus();
  }

  absl::Status ReadSamples(std::string_view bytes) {
    if (!has_figures_) return Damaged("samples without a mode");
    FTP_ASSIGN_OR_RETURN(const std::vector<LoggedSample> samples, DecodeSamples(bytes));
    for (const LoggedSample& sample : samples) {
      if (sample.thread >= profile_.threads().size() || sample.stack >= profile_.stack_count()) {
        return Damaged("a sample of an unknown thread or stack");
      }
      if (sample.lock > profile_.lock_count()) return Damaged("a sample of an unknown lock");
      if (sample.holder >= profile_.stack_count()) return Damaged("a holder's unknown stack");
      if (sample.time_us < last_time_us_) return Damaged("samples out of order");
      last_time_us_ = sample.time_us;
      profile_.AddSample(sample);
    }
    if (profile_.selected_stack_count() > recording::kMaxSelectedStacks) {
      return Damaged("too many stacks");
    }
    return absl::OkStatus();
  }

  const std::optional<SamplingMode> mode_;
  Profile& profile_;
  bool has_figures_ = false;
  bool at_end_ = false;
  size_t text_bytes_ = 0;
  uint64_t last_time_us_ = 0;
};

// As many bytes as there are, at most `size`, which need not be true.
std::string TakeBytes(std::istream& in, size_t size) {
  std::string bytes;
  constexpr size_t kPiece = size_t{1} << 20;
  while (bytes.size() < size) {
    const size_t before = bytes.size();
    bytes.resize(before + std::min(kPiece, size - before));
    in.read(&bytes[before], static_cast<std::streamsize>(bytes.size() - before));
    if (const auto got = static_cast<size_t>(in.gcount()); got < bytes.size() - before) {
      bytes.resize(before + got);
      break;
    }
  }
  return bytes;
}

absl::Status CheckHeader(std::istream& in, const std::string& name) {
  const std::string header = TakeBytes(in, recording::kMagic.size() + 1);
  if (in.bad() || header.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is empty or cannot be read"));
  }
  if (!header.starts_with(recording::kMagic) || header.size() == recording::kMagic.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is not a recording: make one with 'fthreadprof record -o FILE.ftp'"));
  }
  if (header.back() != recording::kVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat(name,
                     " was made by another version of fthreadprof, in a format that this one "
                     "does not know: read it with the one that made it, or a later one"));
  }
  return absl::OkStatus();
}

// Reads a block; false when it is not whole.
absl::StatusOr<bool> ReadBlock(std::istream& in, BlockReader& reader) {
  const std::string bytes = TakeBytes(in, recording::kLengthBytes);
  if (bytes.size() < recording::kLengthBytes) return false;
  size_t length = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    length |= static_cast<size_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  }
  if (length > ZSTD_COMPRESSBOUND(recording::kMaxBlockBytes)) {
    return Damaged("a block of impossible length");
  }
  const std::string frame = TakeBytes(in, length);
  if (frame.size() < length) return false;
  FTP_ASSIGN_OR_RETURN(const std::string raw, Decompress(frame));
  try {
    FTP_RETURN_IF_ERROR(reader.Read(raw));
  } catch (const protozero::exception&) {
    return Damaged("a block that is no message");
  }
  return true;
}

}  // namespace

absl::StatusOr<RecordingEnd> ReadRecording(std::istream& in, const std::string& name,
                                           std::optional<SamplingMode> mode, Profile& profile) {
  FTP_RETURN_IF_ERROR(CheckHeader(in, name));
  BlockReader reader(mode, profile);
  while (!reader.at_end()) {
    const absl::StatusOr<bool> whole = ReadBlock(in, reader);
    if (!whole.ok()) {
      return absl::DataLossError(absl::StrCat(name, " is damaged: it has ",
                                              whole.status().message(), "; get another copy"));
    }
    if (*whole) continue;
    if (reader.has_figures()) return RecordingEnd::kCutOff;
    return absl::InvalidArgumentError(
        absl::StrCat(name, " was cut off before anything was recorded: record again"));
  }
  if (in.peek() != std::istream::traits_type::eof()) {
    return absl::DataLossError(
        absl::StrCat(name, " is damaged: it goes on behind its end; get another copy"));
  }
  return RecordingEnd::kComplete;
}

}  // namespace fthreadprof
