#include "sampler/tree_sampler.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "process/live_process_memory.h"
#include "python/runtime_locator.h"

namespace fthreadprof {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::microseconds kTreeInterval = 1ms;
constexpr std::chrono::microseconds kWatchInterval = 10ms;
// A process that has just been met, or has executed another program, is given so long to start
// Python; after that it is tried seldom.
constexpr std::chrono::milliseconds kYouth = 2s;
constexpr std::chrono::milliseconds kFirstRetry = 1ms;
constexpr std::chrono::milliseconds kLastYoungRetry = 20ms;
constexpr std::chrono::milliseconds kLastRetry = 500ms;
// Between passes, for attaching: the others shall not wait long for theirs.
constexpr std::chrono::microseconds kAttachTime = 1ms;
// For another executable, between tries.
constexpr std::chrono::milliseconds kTreeLookInterval = 20ms;

}  // namespace

struct TreeSampler::Followed {
  Followed(OsProcess opened, pid_t parent_pid)
      : process(std::move(opened)), memory(process.pid()), parent(parent_pid) {}

  OsProcess process;
  LiveProcessMemory memory;
  pid_t parent;
  bool started_before_us = false;
  std::unique_ptr<ProcessSampler> sampler;
  bool attached = false;
  bool sampled = false;  // a pass of it succeeded at some time
  bool passed = false;   // a pass of it succeeded since it was attached to
  bool ended = false;
  absl::Status problem;

  // While not attached:
  std::string executable;
  Clock::time_point young_until;
  Clock::time_point next_try;
  Clock::time_point next_look;
  std::chrono::milliseconds retry = kFirstRetry;

  void Rejuvenate(Clock::time_point now) {
    young_until = now + kYouth;
    next_try = now;
    retry = kFirstRetry;
  }
};

TreeSampler::TreeSampler(OsProcess root, const SamplerOptions& options, Profile& profile)
    : options_(options),
      profile_(profile),
      root_(root.pid()),
      clock_(options, profile),
      tree_(root.pid()) {
  const Clock::time_point now = Clock::now();
  profile_.target() = {
      .pid = root_, .executable = root.Executable(), .command = root.CommandLine()};
  followed_.push_back(std::make_unique<Followed>(std::move(root), 0));
  followed_.back()->started_before_us = !options.target_is_child;
  followed_.back()->Rejuvenate(now);
  ++met_;
}

TreeSampler::~TreeSampler() = default;

absl::StatusOr<SamplingEnd> TreeSampler::Run() {
  FollowNew(Clock::now());
  for (const auto& followed : followed_) followed->started_before_us = !options_.target_is_child;
  absl::StatusOr<SamplingEnd> end =
      clock_.Run([this] { return TakePass(); },
                 {.interval = kWatchInterval, .look = [this] { return Watch(); }});
  for (const auto& followed : followed_) Bury(*followed);
  followed_.clear();
  CountInOrder();
  if (end.ok() && *end == SamplingEnd::kTargetEnded && profile_.threads().empty()) {
    return ExplainNothing();
  }
  return end;
}

absl::Status TreeSampler::ExplainNothing() const {
  if (!root_problem_.ok()) return root_problem_;
  if (!problems_.empty()) return problems_.front().status;
  return absl::NotFoundError(absl::StrCat(
      "process ", root_, " ended before any Python code of it, or of what it started, was seen"));
}

absl::Status TreeSampler::TakePass() {
  PassFigures figures;
  size_t seen = 0;
  for (const auto& followed : followed_) {
    if (followed->attached) PassOf(*followed, figures, seen);
  }
  if (seen > 0) CountPass(figures, profile_);
  Watch();
  const Clock::time_point now = Clock::now();
  const bool many = std::any_of(followed_.begin(), followed_.end(), [](const auto& followed) {
    return followed->attached && followed->sampler->pending() >= kMaxPending;
  });
  if (many || now - last_verified_ >= kVerifyInterval) {
    SettleAll();
    last_verified_ = now;
  }
  return CheckEnd(now);
}

void TreeSampler::PassOf(Followed& followed, PassFigures& figures, size_t& seen) {
  const absl::Status status = followed.sampler->TakePass(
      *clock_.started(), TaskTime(options_.rate_hz) / std::max<size_t>(attached_, 1));
  if (!status.ok()) {
    Detach(followed, status, Clock::now());
    return;
  }
  followed.sampled = followed.passed = true;
  ++seen;
  figures.Add(followed.sampler->figures());
}

// All at once: samples are counted in the order of time.
void TreeSampler::SettleAll() {
  for (const auto& followed : followed_) {
    if (!followed->attached) continue;
    const absl::Status status = followed->sampler->Settle(settled_);
    if (!status.ok()) Detach(*followed, status, Clock::now());
  }
  CountInOrder();
}

void TreeSampler::CountInOrder() {
  std::sort(settled_.begin(), settled_.end(), [](const LoggedSample& a, const LoggedSample& b) {
    return std::make_pair(a.time_us, a.thread) < std::make_pair(b.time_us, b.thread);
  });
  CountSamples(settled_, profile_);
}

// Meets new processes, and looks whether those without Python have it by now. Always true: waiting
// goes on.
bool TreeSampler::Watch() {
  const Clock::time_point now = Clock::now();
  FollowNew(now);
  LookAtWaiting(now);
  return true;
}

void TreeSampler::FollowNew(Clock::time_point now) {
  if (now - last_tree_look_ < kTreeInterval) return;
  last_tree_look_ = now;
  for (const ProcessTree::Member& member : tree_.FindNew()) {
    if (member.pid == getpid()) continue;  // the shell that we look at started us
    auto process = OsProcess::Open(member.pid);
    if (!process.ok()) {
      tree_.Forget(member.pid);
      continue;
    }
    followed_.push_back(std::make_unique<Followed>(*std::move(process), member.parent));
    followed_.back()->Rejuvenate(now);
    ++met_;
  }
}

void TreeSampler::LookAtWaiting(Clock::time_point now) {
  const Clock::time_point give_up = now + kAttachTime;
  bool has_time = true;
  for (const auto& followed : followed_) {
    if (followed->attached || followed->ended) continue;
    if (now >= followed->next_look) LookAt(*followed, now);
    if (!has_time || followed->ended || now < followed->next_try) continue;
    TryAttach(*followed, now);
    has_time = Clock::now() < give_up;
  }
  std::erase_if(followed_, [](const auto& followed) { return followed->ended; });
}

// Notices the end of the process, and that it executed another program. True when it is there.
bool TreeSampler::LookAt(Followed& followed, Clock::time_point now) {
  followed.next_look = now + kTreeLookInterval;
  std::string executable = followed.process.Executable();
  // No link: it has ended, or may not be looked at.
  if (executable.empty() && !followed.process.IsAlive()) {
    Bury(followed);
    return false;
  }
  if (executable != followed.executable) {
    followed.executable = std::move(executable);
    followed.Rejuvenate(now);
  }
  return true;
}

void TreeSampler::TryAttach(Followed& followed, Clock::time_point now) {
  const auto cap = now < followed.young_until ? kLastYoungRetry : kLastRetry;
  followed.retry = std::min(followed.retry * 2, cap);
  followed.next_try = now + followed.retry;
  if (!followed.process.IsAlive()) {
    Bury(followed);
    return;
  }
  const absl::StatusOr<PythonRuntime> runtime =
      FindPythonRuntime(followed.process.pid(), followed.memory);
  if (!runtime.ok()) {
    // That it runs no Python is no problem, unless it is the only process.
    const bool counts = !absl::IsFailedPrecondition(runtime.status()) || followed.parent == 0;
    followed.problem =
        counts && !absl::IsNotFound(runtime.status()) ? runtime.status() : absl::OkStatus();
    return;
  }
  followed.problem = absl::OkStatus();
  const bool is_root = followed.process.pid() == root_;
  if (followed.sampler == nullptr || followed.sampler->RunsAnother()) {
    // What was sampled of another program that it ran before has a place of its own.
    if (followed.sampler != nullptr) Retire(*followed.sampler);
    const bool is_first = followed.sampler == nullptr;
    followed.sampler = std::make_unique<ProcessSampler>(
        followed.process, followed.memory,
        ProcessSamplerOptions{
            .blocking = options_.blocking,
            .is_child = is_root && options_.target_is_child,
            .index = is_root && is_first ? std::optional<ProcessIndex>(kRootProcess) : std::nullopt,
            .parent_pid = followed.parent,
            .may_be_forked = true,
            .tasks = options_.tasks,
            .cpu_from_zero = is_first && !followed.started_before_us},
        profile_);
  }
  followed.sampler->Begin(*runtime, followed.started_before_us || followed.sampled);
  followed.attached = true;
  followed.passed = false;
  ++attached_;
}

void TreeSampler::Detach(Followed& followed, const absl::Status& status, Clock::time_point now) {
  followed.sampler->End(settled_);
  followed.attached = false;
  --attached_;
  if (followed.passed) followed.Rejuvenate(now);
  followed.next_look = now;
  if (absl::IsPermissionDenied(status) || absl::IsAborted(status)) followed.problem = status;
}

// The process has ended, or the recording has.
void TreeSampler::Bury(Followed& followed) {
  if (followed.attached) Detach(followed, absl::OkStatus(), Clock::now());
  followed.ended = true;
  tree_.Forget(followed.process.pid());
  calls_ += followed.memory.calls();
  if (followed.sampler != nullptr) Retire(*followed.sampler);
  if (followed.problem.ok()) return;
  if (absl::IsPermissionDenied(followed.problem)) {
    followed.problem = absl::PermissionDeniedError(
        absl::StrCat("not permitted to read process ", followed.process.pid()));
  }
  if (followed.process.pid() == root_) {
    root_problem_ = followed.problem;
  } else {
    problems_.push_back({followed.process.pid(), followed.problem});
  }
}

void TreeSampler::Retire(const ProcessSampler& sampler) {
  looks_ += sampler.looks();
  is_blind_ |= sampler.is_blind();
}

// kNotFound when the root has ended, and there is no process that runs Python or is young enough to
// start it.
absl::Status TreeSampler::CheckEnd(Clock::time_point now) {
  if (attached_ > 0) return absl::OkStatus();
  const bool root_is_there =
      std::any_of(followed_.begin(), followed_.end(),
                  [&](const auto& followed) { return followed->process.pid() == root_; });
  const bool hopes = std::any_of(followed_.begin(), followed_.end(),
                                 [&](const auto& followed) { return now < followed->young_until; });
  if (hopes || (root_is_there && (options_.target_is_child || profile_.sampling.samples > 0))) {
    return absl::OkStatus();
  }
  return absl::NotFoundError("all have ended");
}

void TreeSampler::Finish() {
  clock_.Finish();
  SumCpu(profile_);
}

}  // namespace fthreadprof
