#include "export/summary.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "export/gil_text.h"
#include "profile/figures.h"

namespace fthreadprof {
namespace {

using nlohmann::ordered_json;

// null where there is nothing to divide by: a fraction of nothing was not measured.
ordered_json Fraction(uint64_t part, uint64_t whole) {
  if (whole == 0) return nullptr;
  return static_cast<double>(part) / static_cast<double>(whole);
}

ordered_json Target(const TargetInfo& target) {
  return {{"pid", target.pid},
          {"python", target.python},
          {"free_threaded", target.free_threaded},
          {"gil_enabled", target.gil_enabled},
          {"executable", target.executable}};
}

ordered_json EnabledBy(const TargetInfo& process) {
  if (!process.gil_cause || process.gil_cause->module.empty()) return nullptr;
  const GilCause& cause = *process.gil_cause;
  ordered_json stack;  // null: not seen
  for (const ImportPlace& place : cause.stack) {
    stack.push_back({{"function", place.function},
                     {"file", place.file},
                     {"line", place.line > 0 ? ordered_json(place.line) : ordered_json()}});
  }
  return {{"module", cause.module},
          {"stack", std::move(stack)},
          {"certain", cause.is_certain},
          {"pid", process.pid}};
}

// All profiled processes, the target among them.
ordered_json Processes(const std::vector<TargetInfo>& processes) {
  ordered_json result = ordered_json::array();
  for (const TargetInfo& process : processes) {
    result.push_back({{"pid", process.pid},
                      {"parent_pid", process.parent_pid},
                      {"command", process.command},
                      {"python", process.python},
                      {"free_threaded", process.free_threaded},
                      {"gil_enabled", process.gil_enabled},
                      {"gil_enabled_by", EnabledBy(process)},
                      {"executable", process.executable},
                      {"cpu_s", process.cpu_s}});
  }
  return result;
}

ordered_json Sampling(const SamplingInfo& sampling) {
  return {{"requested_hz", sampling.requested_hz},
          {"achieved_hz", sampling.achieved_hz()},
          {"duration_s", sampling.duration_s},
          {"passes", sampling.passes},
          {"samples", sampling.samples},
          {"torn", sampling.torn},
          {"late", sampling.late},
          {"profiler_cpu_s", sampling.profiler_cpu_s}};
}

ordered_json Process(const Profile& profile) {
  const ProcessInfo& process = profile.totals;
  const uint64_t passes = process.seen_passes();
  const std::optional<double> cores = EffectiveCores(profile);
  ordered_json parallelism = ordered_json::array();
  if (passes > 0) {
    for (const uint64_t seen : process.parallelism_passes)
      parallelism.push_back(Fraction(seen, passes));
  }
  return {{"cpu_s", process.cpu_s},
          {"effective_cores", cores ? ordered_json(*cores) : ordered_json()},
          {"parallelism", std::move(parallelism)}};
}

ordered_json Threads(const Profile& profile) {
  ordered_json result = ordered_json::array();
  for (const ProfiledThread& thread : profile.threads()) {
    if (thread.tasks) continue;
    ordered_json states = ordered_json::object();
    for (size_t i = 0; i < kThreadStateCount; ++i) {
      if (static_cast<ThreadState>(i) == ThreadState::kAwaiting) continue;  // no thread's
      const uint64_t count = thread.state_samples[i];
      states[ThreadStateName(static_cast<ThreadState>(i))] =
          thread.samples == 0 ? ordered_json(0.0) : Fraction(count, thread.samples);
    }
    result.push_back({{"pid", profile.processes()[thread.process].pid},
                      {"tid", thread.tid},
                      {"interpreter", thread.interpreter},
                      {"name", thread.name},
                      {"cpu_s", thread.cpu_s},
                      {"samples", thread.samples},
                      {"states", std::move(states)}});
  }
  return result;
}

// The rest is many pairs of a few samples each.
constexpr size_t kMaxBlame = 100;

ordered_json StackOf(const Profile& profile, StackId stack) {
  ordered_json frames = ordered_json::array();
  for (const FrameId id : profile.FramesOf(stack)) {
    const Frame& frame = profile.frame(id);
    frames.push_back({{"function", frame.function},
                      {"file", frame.file},
                      {"line", frame.line > 0 ? ordered_json(frame.line) : ordered_json()}});
  }
  return frames;
}

// Samples are so far apart.
double PeriodSeconds(const Profile& profile) {
  const uint64_t passes = profile.totals.seen_passes();
  return passes == 0 ? 0 : profile.sampling.duration_s / static_cast<double>(passes);
}

// Why the GIL is on, of the first process where it is.
void AddCause(const Profile& profile, ordered_json& gil) {
  const TargetInfo* process = ProcessWithGil(profile);
  const GilCause cause = process != nullptr ? process->gil_cause.value_or(GilCause()) : GilCause();
  gil["enabled_by"] = process != nullptr ? EnabledBy(*process) : ordered_json();
  gil["enabled_by_option"] = cause.by_option;
  gil["enabled_at_s"] = cause.at_s ? ordered_json(*cause.at_s) : ordered_json();
  gil["imported"] = ordered_json::array();
  for (const ImportedModule& module : cause.imported) {
    gil["imported"].push_back({{"name", module.name},
                               {"file", module.file},
                               {"declares_gil_not_used", module.can_run_without}});
  }
}

ordered_json Gil(const Profile& profile) {
  const uint64_t passes = profile.totals.seen_passes();
  // A build with the GIL cannot switch it off; a free-threaded one was asked at every pass.
  const bool was_asked =
      std::any_of(profile.processes().begin(), profile.processes().end(),
                  [](const TargetInfo& process) { return process.free_threaded; });
  const uint64_t enabled = was_asked ? profile.totals.gil_enabled_passes : passes;
  const double period_s = PeriodSeconds(profile);
  uint64_t waited = 0;
  for (const ProfiledThread& thread : profile.threads()) {
    waited += thread.state_samples[static_cast<size_t>(ThreadState::kGilWait)];
  }
  std::vector<GilBlame::Entry> table = profile.gil_blame().Table();
  table.resize(std::min(table.size(), kMaxBlame));
  ordered_json blame = ordered_json::array();
  for (const GilBlame::Entry& entry : table) {
    blame.push_back(
        {{"waiter", StackOf(profile, entry.waiter)},
         {"holder", entry.holder == kEmptyStack ? ordered_json() : StackOf(profile, entry.holder)},
         {"wait_s", static_cast<double>(entry.samples) * period_s}});
  }
  ordered_json gil = {
      {"enabled_fraction", Fraction(enabled, passes)},
      {"held_fraction", Fraction(profile.totals.gil_held_passes, passes)},
      {"handoffs_per_s", nullptr},
      {"wait_s",
       passes == 0 ? ordered_json() : ordered_json(static_cast<double>(waited) * period_s)},
      {"blame", std::move(blame)}};
  AddCause(profile, gil);
  return gil;
}

// The rest is many locks, or many stacks, of a few samples each.
constexpr size_t kMaxLocksShown = 100;
constexpr size_t kMaxStacksOfLock = 10;

ordered_json Locks(const Profile& profile) {
  const double period_s = PeriodSeconds(profile);
  std::vector<LockWaits::Lock> table = profile.lock_waits().Table();
  table.resize(std::min(table.size(), kMaxLocksShown));
  ordered_json locks = ordered_json::array();
  for (const LockWaits::Lock& waits : table) {
    const WaitedLock& lock = profile.lock(waits.lock);
    ordered_json stacks = ordered_json::array();
    for (const LockWaits::Stack& stack : waits.stacks) {
      if (stacks.size() == kMaxStacksOfLock) break;
      stacks.push_back({{"stack", StackOf(profile, stack.stack)},
                        {"wait_s", static_cast<double>(stack.samples) * period_s}});
    }
    locks.push_back({{"kind", LockKindName(lock.kind)},
                     {"type", lock.type.empty() ? ordered_json() : ordered_json(lock.type)},
                     {"address", absl::StrFormat("0x%x", lock.address)},
                     {"pid", profile.processes()[lock.process].pid},
                     {"wait_s", static_cast<double>(waits.samples) * period_s},
                     {"waiters", waits.waiters},
                     {"stacks", std::move(stacks)}});
  }
  return locks;
}

}  // namespace

absl::Status WriteSummary(const Profile& profile, std::ostream& out) {
  ordered_json summary;
  summary["schema"] = "fthreadprof.summary/1";
  summary["target"] = Target(profile.target());
  summary["sampling"] = Sampling(profile.sampling);
  summary["process"] = Process(profile);
  summary["processes"] = Processes(profile.processes());
  summary["threads"] = Threads(profile);
  summary["gil"] = Gil(profile);
  summary["locks"] = Locks(profile);
  summary["stop_the_world"] = {
      {"count_seen", nullptr}, {"total_s", nullptr}, {"by", ordered_json::array()}};
  summary["gc"] = {{"fraction", nullptr}};
  // Names come from the target: what is not UTF-8 becomes U+FFFD instead of an exception.
  out << summary.dump(2, ' ', false, ordered_json::error_handler_t::replace) << '\n';
  return absl::OkStatus();
}

absl::Status WriteSummaryToFile(const Profile& profile, const std::string& path) {
  FTP_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  FTP_RETURN_IF_ERROR(WriteSummary(profile, file->stream()));
  return file->Commit();
}

}  // namespace fthreadprof
