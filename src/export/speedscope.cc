#include "export/speedscope.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "export/text.h"
#include "export/title.h"

namespace fthreadprof {
namespace {

using nlohmann::ordered_json;

// Samples of a thread in time order, equal neighbours merged. `state` is that of all of them only
// with --by-state.
struct Run {
  uint32_t stack = 0;
  uint32_t count = 0;
  ThreadState state = ThreadState::kOther;
};

// Runs that one reading of the log collects: 24 MiB.
constexpr uint64_t kSamplesAtOnce = uint64_t{1} << 21;

struct SharedFrames {
  std::vector<uint32_t> index_of;  // by FrameId
  ordered_json frames = ordered_json::array();
  std::optional<uint32_t> first_state;  // with --by-state: of the frame of the first ThreadState
};

SharedFrames ShareFrames(const Profile& profile, bool function_only, bool by_state) {
  SharedFrames shared;
  absl::flat_hash_map<Frame, uint32_t> indexes;
  for (size_t id = 0; id < profile.frame_count(); ++id) {
    Frame frame = profile.frame(static_cast<FrameId>(id));
    if (function_only) frame.line = 0;
    const auto [entry, is_new] =
        indexes.try_emplace(frame, static_cast<uint32_t>(shared.frames.size()));
    shared.index_of.push_back(entry->second);
    if (!is_new) continue;
    ordered_json json = {{"name", PlainText(frame.function)}, {"file", PlainText(frame.file)}};
    if (frame.line > 0) json["line"] = frame.line;
    shared.frames.push_back(std::move(json));
  }
  if (!by_state) return shared;
  shared.first_state = static_cast<uint32_t>(shared.frames.size());
  for (size_t state = 0; state < kThreadStateCount; ++state) {
    ordered_json json = {{"name", StateFrameText(static_cast<ThreadState>(state))}};
    shared.frames.push_back(std::move(json));
  }
  return shared;
}

// Runs of the threads in [first, end), by thread - first.
std::vector<std::vector<Run>> CollectRuns(const Profile& profile, bool by_state, ThreadIndex first,
                                          ThreadIndex end) {
  std::vector<std::vector<Run>> runs(end - first);
  profile.log().ForEach([&](const LoggedSample& sample) {
    if (sample.thread < first || sample.thread >= end) return;
    std::vector<Run>& of_thread = runs[sample.thread - first];
    if (of_thread.empty() || of_thread.back().stack != sample.stack ||
        (by_state && of_thread.back().state != sample.state)) {
      of_thread.push_back({sample.stack, 0, sample.state});
    }
    of_thread.back().count += sample.weight;
  });
  return runs;
}

// Every profile is a thread's, whether or not threads are shown apart elsewhere.
std::string ProfileName(const Profile& profile, ThreadIndex thread, ExportOptions options) {
  options.threads = true;
  return absl::StrJoin(RootTexts(profile, thread, options), ", ");
}

class SpeedscopeWriter {
 public:
  SpeedscopeWriter(const Profile& profile, std::vector<uint32_t> frame_index,
                   std::optional<uint32_t> first_state, std::ostream& out)
      : profile_(profile),
        frame_index_(std::move(frame_index)),
        first_state_(first_state),
        out_(out) {
    const double hz = profile.sampling.achieved_hz();
    period_ = hz > 0 ? 1 / hz : 1;
    unit_ = hz > 0 ? "seconds" : "none";
  }

  void WriteThread(const std::string& name, const std::vector<Run>& runs) {
    uint64_t samples = 0;
    for (const Run& run : runs) samples += run.count;
    out_ << (any_ ? ",\n" : "") << "{\"type\":\"sampled\",\"name\":" << ordered_json(name).dump()
         << ",\"unit\":\"" << unit_ << "\",\"startValue\":0,\"endValue\":" << Weight(samples)
         << ",\n\"samples\":[";
    const char* separator = "";
    for (const Run& run : runs) {
      out_ << std::exchange(separator, ",") << '[';
      const char* inner = "";
      for (const FrameId frame : profile_.FramesOf(run.stack)) {
        out_ << std::exchange(inner, ",") << frame_index_[frame];
      }
      if (first_state_) out_ << inner << *first_state_ + static_cast<uint32_t>(run.state);
      out_ << ']';
    }
    out_ << "],\n\"weights\":[";
    separator = "";
    for (const Run& run : runs) out_ << std::exchange(separator, ",") << Weight(run.count);
    out_ << "]}";
    any_ = true;
  }
  bool any() const { return any_; }

 private:
  std::string Weight(uint64_t samples) const {
    return absl::StrFormat("%.9g", static_cast<double>(samples) * period_);
  }

  const Profile& profile_;
  std::vector<uint32_t> frame_index_;
  std::optional<uint32_t> first_state_;
  std::ostream& out_;
  double period_;
  const char* unit_;
  bool any_ = false;
};

}  // namespace

absl::Status WriteSpeedscope(const Profile& profile, const ExportOptions& options,
                             std::ostream& out) {
  SharedFrames shared = ShareFrames(profile, options.function_only, options.by_state);
  out << "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n\"exporter\":"
      << "\"fthreadprof\",\n\"name\":" << ordered_json(NameOf(profile, options)).dump()
      << ",\n\"activeProfileIndex\":0,\n\"shared\":{\"frames\":" << shared.frames.dump()
      << "},\n\"profiles\":[\n";
  SpeedscopeWriter writer(profile, std::move(shared.index_of), shared.first_state, out);
  const auto threads = static_cast<ThreadIndex>(profile.threads().size());
  for (ThreadIndex first = 0, end = 0; first < threads && out.good(); first = end) {
    uint64_t samples = 0;
    do {
      samples += profile.SelectedSamples(end++);
    } while (end < threads && samples < kSamplesAtOnce);
    const std::vector<std::vector<Run>> runs = CollectRuns(profile, options.by_state, first, end);
    for (ThreadIndex thread = first; thread < end; ++thread) {
      if (runs[thread - first].empty()) continue;
      writer.WriteThread(ProfileName(profile, thread, options), runs[thread - first]);
    }
  }
  if (!writer.any()) writer.WriteThread("no samples", {});
  out << "\n]}\n";
  return absl::OkStatus();
}

}  // namespace fthreadprof
