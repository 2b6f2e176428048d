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

// By the states' names, each share times `factor`.
ordered_json States(const StateShares& shares, double factor) {
  ordered_json states = ordered_json::object();
  for (size_t i = 0; i < kThreadStateCount; ++i) {
    const auto state = static_cast<ThreadState>(i);
    if (state != ThreadState::kAwaiting) states[ThreadStateName(state)] = shares[i] * factor;
  }
  return states;
}

// Of the threads of one process, or of all: seconds of CPU, of waiting for one, and of each state.
struct ProcessLedger {
  double run_queue_s = 0;
  double thread_s = 0;
  ordered_json state_s{};
};

ProcessLedger ProcessLedgerOf(const Profile& profile, std::optional<ProcessIndex> process) {
  ProcessLedger ledger;
  uint64_t samples = 0;
  for (const ProfiledThread& thread : profile.threads()) {
    if (thread.tasks || (process && thread.process != *process)) continue;
    ledger.run_queue_s += thread.run_queue_s;
    samples += thread.samples;
  }
  ledger.thread_s = static_cast<double>(samples) * PeriodSeconds(profile);
  ledger.state_s = States(StateSharesOf(profile, process), ledger.thread_s);
  return ledger;
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
ordered_json Processes(const Profile& profile) {
  ordered_json result = ordered_json::array();
  for (size_t i = 0; i < profile.processes().size(); ++i) {
    const TargetInfo& process = profile.processes()[i];
    const ProcessLedger ledger = ProcessLedgerOf(profile, static_cast<ProcessIndex>(i));
    result.push_back({{"pid", process.pid},
                      {"parent_pid", process.parent_pid},
                      {"command", process.command},
                      {"python", process.python},
                      {"free_threaded", process.free_threaded},
                      {"gil_enabled", process.gil_enabled},
                      {"gil_enabled_by", EnabledBy(process)},
                      {"executable", process.executable},
                      {"cpu_s", process.cpu_s},
                      {"run_queue_s", ledger.run_queue_s},
                      {"thread_s", ledger.thread_s},
                      {"state_s", ledger.state_s}});
  }
  return result;
}

ordered_json Sampling(const SamplingInfo& sampling) {
  // What no sample tells, but the scheduler's figures of the whole recording.
  const ordered_json apportioned = {ThreadStateName(ThreadState::kRunnable)};
  return {{"requested_hz", sampling.requested_hz},
          {"achieved_hz", sampling.achieved_hz()},
          {"duration_s", sampling.duration_s},
          {"passes", sampling.passes},
          {"samples", sampling.samples},
          {"torn", sampling.torn},
          {"late", sampling.late},
          {"profiler_cpu_s", sampling.profiler_cpu_s},
          {"apportioned_states", apportioned}};
}

ordered_json Process(const Profile& profile) {
  const ProcessInfo& process = profile.totals;
  const uint64_t passes = process.seen_passes();
  const std::optional<double> cores = EffectiveCores(profile);
  const auto fractions = [&](const std::vector<uint64_t>& by_threads) {
    ordered_json result = ordered_json::array();
    for (const uint64_t seen : by_threads) {
      if (passes > 0) result.push_back(Fraction(seen, passes));
    }
    return result;
  };
  const ProcessLedger ledger = ProcessLedgerOf(profile, std::nullopt);
  return {{"cpu_s", process.cpu_s},
          {"run_queue_s", ledger.run_queue_s},
          {"thread_s", ledger.thread_s},
          {"state_s", ledger.state_s},
          {"effective_cores", cores ? ordered_json(*cores) : ordered_json()},
          {"parallelism", fractions(process.parallelism_passes)},
          {"wanting", fractions(process.wanting_passes)}};
}

ordered_json Threads(const Profile& profile) {
  ordered_json result = ordered_json::array();
  for (const ProfiledThread& thread : profile.threads()) {
    if (thread.tasks) continue;
    const StateShares shares = StateSharesOf(profile, thread);
    const double watched_s = static_cast<double>(thread.samples) * PeriodSeconds(profile);
    result.push_back({{"pid", profile.processes()[thread.process].pid},
                      {"tid", thread.tid},
                      {"interpreter", thread.interpreter},
                      {"name", thread.name},
                      {"cpu_s", thread.cpu_s},
                      {"run_queue_s", thread.run_queue_s},
                      {"samples", thread.samples},
                      {"states", States(shares, 1)},
                      {"state_s", States(shares, watched_s)}});
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

// null where it is not known.
ordered_json KnownStack(const Profile& profile, StackId stack) {
  return stack == kEmptyStack ? ordered_json() : StackOf(profile, stack);
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
    blame.push_back({{"waiter", StackOf(profile, entry.waiter)},
                     {"holder", KnownStack(profile, entry.holder)},
                     {"wait_s", static_cast<double>(entry.samples) * period_s}});
  }
  ordered_json handoffs;
  if (passes > 0 && profile.sampling.duration_s > 0) {
    handoffs = static_cast<double>(profile.totals.gil_handoffs) / profile.sampling.duration_s;
  }
  ordered_json gil = {
      {"enabled_fraction", Fraction(enabled, passes)},
      {"held_fraction", Fraction(profile.totals.gil_held_passes, passes)},
      {"handoffs_per_s", handoffs},
      {"wait_s",
       passes == 0 ? ordered_json() : ordered_json(static_cast<double>(waited) * period_s)},
      {"blame", std::move(blame)}};
  AddCause(profile, gil);
  return gil;
}

// The rest is many locks, or many stacks, of a few samples each.
constexpr size_t kMaxLocksShown = 100;
constexpr size_t kMaxStacksOfLock = 100;

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
                        {"holder", KnownStack(profile, stack.holder)},
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

// Only a free-threaded build stops threads.
ordered_json StopTheWorld(const Profile& profile) {
  const double period_s = PeriodSeconds(profile);
  std::vector<std::pair<StackId, uint64_t>> known(profile.stops_by().begin(),
                                                  profile.stops_by().end());
  std::sort(known.begin(), known.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  known.resize(std::min(known.size(), kMaxBlame));
  uint64_t unknown = profile.totals.stopped_passes;
  ordered_json by = ordered_json::array();
  const auto add = [&](const ordered_json& requester, uint64_t passes) {
    by.push_back({{"requester", requester}, {"total_s", static_cast<double>(passes) * period_s}});
  };
  for (const auto& [stack, passes] : known) {
    add(StackOf(profile, stack), passes);
    unknown -= std::min(unknown, passes);
  }
  if (unknown > 0) add(nullptr, unknown);
  return {{"count_seen", profile.totals.stops},
          {"total_s", static_cast<double>(profile.totals.stopped_passes) * period_s},
          {"by", std::move(by)}};
}

}  // namespace

absl::Status WriteSummary(const Profile& profile, std::ostream& out) {
  ordered_json summary;
  summary["schema"] = "fthreadprof.summary/1";
  summary["target"] = Target(profile.target());
  summary["sampling"] = Sampling(profile.sampling);
  summary["process"] = Process(profile);
  summary["processes"] = Processes(profile);
  summary["threads"] = Threads(profile);
  summary["gil"] = Gil(profile);
  summary["locks"] = Locks(profile);
  summary["stop_the_world"] = StopTheWorld(profile);
  const std::optional<double> collected = GcFraction(profile);
  summary["gc"] = {{"fraction", collected ? ordered_json(*collected) : ordered_json()}};
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
