#include "export/gecko.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "export/text.h"
#include "export/title.h"

namespace fthreadprof {
namespace {

using nlohmann::ordered_json;

// The front-end brings older versions up to its own; this one needs no table that is shared between
// threads.
constexpr int kGeckoVersion = 24;
constexpr int kProcessedVersion = 44;
constexpr uint32_t kOtherCategory = kThreadStateCount;  // of frames that only call
constexpr const char* kColors[] = {"green",       "blue",      "grey", "red",    "orange",
                                   "orange",      "purple",    "grey", "yellow", "grey",
                                   "transparent", "lightblue", "grey"};
static_assert(std::size(kColors) == kThreadStateCount + 1);

struct TimedSample {
  uint64_t time_us;
  StackId stack;
  ThreadState state;
  uint32_t weight;
};

// Samples that one reading of the log collects: 32 MiB.
constexpr uint64_t kTimedSamplesAtOnce = uint64_t{1} << 21;

ordered_json Categories() {
  ordered_json categories = ordered_json::array();
  for (size_t i = 0; i <= kThreadStateCount; ++i) {
    const char* name =
        i == kOtherCategory ? "Python" : ThreadStateName(static_cast<ThreadState>(i));
    categories.push_back({{"name", name}, {"color", kColors[i]}, {"subcategories", {"Other"}}});
  }
  return categories;
}

ordered_json Meta(const Profile& profile, const ExportOptions& options) {
  const double hz = profile.sampling.achieved_hz();
  return {{"version", kGeckoVersion},
          {"preprocessedProfileVersion", kProcessedVersion},
          {"startTime", 0},
          {"interval", hz > 0 ? 1000 / hz : 1},
          {"product", NameOf(profile, options)},
          {"processType", 0},
          {"stackwalk", 1},
          {"debug", false},
          {"importedFrom", "fthreadprof"},
          {"categories", Categories()},
          {"markerSchema", ordered_json::array()},
          {"symbolicated", true},
          {"usesOnlyOneStackType", true},
          {"doesNotUseFrameImplementation", true},
          {"sourceCodeIsNotOnSearchfox", true}};
}

// A table as columns, as the format has them all.
ordered_json EmptyTable(std::initializer_list<const char*> columns) {
  ordered_json table = {{"length", 0}};
  for (const char* column : columns) table[column] = ordered_json::array();
  return table;
}

// The tables of one thread.
class ThreadTables {
 public:
  ThreadTables(const Profile& profile, bool function_only)
      : profile_(profile), function_only_(function_only) {}

  // The row of `stack` whose innermost frame has the category of `state`.
  size_t StackOf(StackId stack, ThreadState state) {
    const auto leaf = static_cast<uint32_t>(state);
    if (stack == kEmptyStack) {
      return RowOf(kNoPrefix, FrameRow({"(no Python frames)", "", 0}, leaf), leaf);
    }
    const Frame& innermost = profile_.frame(profile_.InnermostFrame(stack));
    return RowOf(CallerRow(profile_.Caller(stack)), FrameRow(innermost, leaf), leaf);
  }

  void Write(std::ostream& out) {
    frames_["length"] = frame_rows_.size();
    functions_["length"] = function_rows_.size();
    stacks_["length"] = stack_rows_.size();
    out << ",\"frameTable\":" << frames_.dump() << ",\n\"funcTable\":" << functions_.dump()
        << ",\n\"stackTable\":" << stacks_.dump() << ",\n\"stringArray\":" << strings_.dump()
        << ",\n\"resourceTable\":" << EmptyTable({"lib", "name", "host", "type"}).dump()
        << ",\"nativeSymbols\":"
        << EmptyTable({"libIndex", "address", "name", "functionSize"}).dump() << ",\"markers\":"
        << EmptyTable({"data", "name", "startTime", "endTime", "phase", "category"}).dump();
  }

 private:
  static constexpr size_t kNoPrefix = SIZE_MAX;

  // The row of a stack whose innermost frame only calls.
  size_t CallerRow(StackId stack) {
    std::vector<StackId> missing;  // innermost first
    size_t row = kNoPrefix;
    for (; stack != kEmptyStack; stack = profile_.Caller(stack)) {
      if (const auto known = callers_.find(stack); known != callers_.end()) {
        row = known->second;
        break;
      }
      missing.push_back(stack);
    }
    for (auto next = missing.rbegin(); next != missing.rend(); ++next) {
      const Frame& frame = profile_.frame(profile_.InnermostFrame(*next));
      row = RowOf(row, FrameRow(frame, kOtherCategory), kOtherCategory);
      callers_[*next] = row;
    }
    return row;
  }

  size_t RowOf(size_t prefix, size_t frame, uint32_t category) {
    const auto [entry, is_new] = stack_rows_.try_emplace({prefix, frame}, stack_rows_.size());
    if (is_new) {
      stacks_["prefix"].push_back(prefix == kNoPrefix ? ordered_json() : ordered_json(prefix));
      stacks_["frame"].push_back(frame);
      stacks_["category"].push_back(category);
      stacks_["subcategory"].push_back(0);
    }
    return entry->second;
  }

  size_t FrameRow(Frame frame, uint32_t category) {
    if (function_only_) frame.line = 0;
    const auto [entry, is_new] = frame_rows_.try_emplace({frame, category}, frame_rows_.size());
    if (is_new) {
      const int line = frame.line;
      frames_["address"].push_back(-1);
      frames_["inlineDepth"].push_back(0);
      frames_["category"].push_back(category);
      frames_["subcategory"].push_back(0);
      frames_["func"].push_back(FunctionRow(std::move(frame)));
      frames_["line"].push_back(line > 0 ? ordered_json(line) : ordered_json());
      for (const char* column :
           {"nativeSymbol", "innerWindowID", "implementation", "column", "optimizations"}) {
        frames_[column].push_back(nullptr);
      }
    }
    return entry->second;
  }

  size_t FunctionRow(Frame frame) {
    frame.line = 0;
    const auto [entry, is_new] = function_rows_.try_emplace(frame, function_rows_.size());
    if (is_new) {
      functions_["name"].push_back(Intern(PlainText(frame.function)));
      functions_["isJS"].push_back(false);
      functions_["relevantForJS"].push_back(false);
      functions_["resource"].push_back(-1);
      functions_["fileName"].push_back(frame.file.empty() ? ordered_json()
                                                          : Intern(PlainText(frame.file)));
      functions_["lineNumber"].push_back(nullptr);
      functions_["columnNumber"].push_back(nullptr);
    }
    return entry->second;
  }

  ordered_json Intern(const std::string& text) {
    const auto [entry, is_new] = string_rows_.try_emplace(text, strings_.size());
    if (is_new) strings_.push_back(text);
    return entry->second;
  }

  const Profile& profile_;
  const bool function_only_;
  ordered_json frames_ =
      EmptyTable({"address", "inlineDepth", "category", "subcategory", "func", "line",
                  "nativeSymbol", "innerWindowID", "implementation", "column", "optimizations"});
  ordered_json functions_ = EmptyTable(
      {"name", "isJS", "relevantForJS", "resource", "fileName", "lineNumber", "columnNumber"});
  ordered_json stacks_ = EmptyTable({"prefix", "frame", "category", "subcategory"});
  ordered_json strings_ = ordered_json::array();
  absl::flat_hash_map<std::pair<Frame, uint32_t>, size_t> frame_rows_;  // with their category
  absl::flat_hash_map<Frame, size_t> function_rows_;
  absl::flat_hash_map<std::pair<size_t, size_t>, size_t> stack_rows_;  // prefix, frame
  absl::flat_hash_map<StackId, size_t> callers_;
  absl::flat_hash_map<std::string, size_t> string_rows_;
};

// A thread is there once for each interpreter that it ran code in.
std::string NameOf(const ProfiledThread& thread) {
  return absl::StrCat(PlainText(thread.name), thread.interpreter != 0 ? ", " : "",
                      thread.interpreter != 0 ? InterpreterText(thread) : "");
}

// A column of the samples.
template <typename Value>
void WriteColumn(std::ostream& out, const char* name, const std::vector<TimedSample>& samples,
                 Value value) {
  out << ",\"" << name << "\":[";
  const char* separator = "";
  for (const TimedSample& sample : samples) out << std::exchange(separator, ",") << value(sample);
  out << "]";
}

void WriteThread(const Profile& profile, const ExportOptions& options, ThreadIndex index,
                 const std::vector<TimedSample>& samples, std::ostream& out) {
  const ProfiledThread& thread = profile.threads()[index];
  const TargetInfo& process = profile.processes()[thread.process];
  const std::string& command = process.command.empty() ? process.executable : process.command;
  const ordered_json head = {{"processType", "default"},
                             {"processStartupTime", 0},
                             {"processShutdownTime", nullptr},
                             {"registerTime", 0},
                             {"unregisterTime", nullptr},
                             {"pausedRanges", ordered_json::array()},
                             {"name", NameOf(thread)},
                             {"isMainThread", thread.tid == process.pid && !thread.tasks},
                             {"processName", PlainText(command)},
                             {"pid", absl::StrCat(process.pid)},
                             {"tid", thread.tid}};
  std::string open = head.dump();
  open.pop_back();  // the tables follow
  out << open;
  ThreadTables tables(profile, options.function_only);
  out << ",\n\"samples\":{\"length\":" << samples.size() << ",\"weightType\":\"samples\"";
  if (thread.tasks) {
    WriteColumn(out, "weight", samples, [](const TimedSample& sample) { return sample.weight; });
  } else {
    out << ",\"weight\":null";
  }
  WriteColumn(out, "time", samples, [](const TimedSample& sample) {
    return absl::StrFormat("%d.%03d", sample.time_us / 1000, sample.time_us % 1000);
  });
  WriteColumn(out, "stack", samples, [&](const TimedSample& sample) {
    return tables.StackOf(sample.stack, sample.state);
  });
  out << "}\n";
  tables.Write(out);
  out << "}";
}

// The samples of the threads in [first, end), by thread - first.
std::vector<std::vector<TimedSample>> CollectSamples(const Profile& profile, ThreadIndex first,
                                                     ThreadIndex end) {
  std::vector<std::vector<TimedSample>> samples(end - first);
  profile.log().ForEach([&](const LoggedSample& sample) {
    if (sample.thread < first || sample.thread >= end) return;
    samples[sample.thread - first].push_back(
        {sample.time_us, sample.stack, sample.state, sample.weight});
  });
  return samples;
}

}  // namespace

absl::Status WriteGecko(const Profile& profile, const ExportOptions& options, std::ostream& out) {
  out << "{\"meta\":" << Meta(profile, options).dump()
      << ",\n\"libs\":[],\"pages\":[],\"counters\":[],\"profilerOverhead\":[],\n\"threads\":[\n";
  const auto threads = static_cast<ThreadIndex>(profile.threads().size());
  const char* separator = "";
  for (ThreadIndex first = 0, end = 0; first < threads && out.good(); first = end) {
    uint64_t count = 0;
    do {
      count += profile.SelectedSamples(end++);
    } while (end < threads && count < kTimedSamplesAtOnce);
    const auto samples = CollectSamples(profile, first, end);
    for (ThreadIndex thread = first; thread < end; ++thread) {
      if (samples[thread - first].empty()) continue;
      out << std::exchange(separator, ",\n");
      WriteThread(profile, options, thread, samples[thread - first], out);
    }
  }
  out << "\n]}\n";
  return absl::OkStatus();
}

}  // namespace fthreadprof
