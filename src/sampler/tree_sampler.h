// TreeSampler samples a process and all that it starts, for --subprocesses: in one thread, which at
// each tick takes a pass of every process that runs Python.
//
// Processes are met by ProcessTree, between passes and at slow rates between ticks. One that runs
// no Python is looked at now and then, for it may execute Python later; attaching is tried for
// about a millisecond at a time, so that no other waits long for its pass.
//
// Lifetime: borrows the profile. A process that has ended leaves nothing but its part of the
// profile. Thread safety: none, but for SamplingClock::RequestStop.
#ifndef FTHREADPROF_SAMPLER_TREE_SAMPLER_H_
#define FTHREADPROF_SAMPLER_TREE_SAMPLER_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/os_process.h"
#include "process/process_tree.h"
#include "profile/profile.h"
#include "sampler/sampler.h"

namespace fthreadprof {

class TreeSampler {
 public:
  // A process that could not be sampled, or not to its end, though it may run Python.
  struct Problem {
    pid_t pid = 0;
    absl::Status status;  // kPermissionDenied, kUnimplemented, kAborted; the message is a sentence
  };

  // REQUIRES: profile outlives the sampler.
  TreeSampler(OsProcess root, const SamplerOptions& options, Profile& profile);
  ~TreeSampler();

  // Samples until the duration is over, a stop is requested, or the root and all followed processes
  // that run Python have ended (kTargetEnded). Fails with the root's problem, or
  // kFailedPrecondition when neither it nor any other runs Python, and it was not us who launched
  // it; then there are no samples.
  absl::StatusOr<SamplingEnd> Run();

  SamplingClock& clock() { return clock_; }

  // Fills in the profile's figures. Call once, after Run.
  void Finish();

  // Processes other than the root that could not be sampled.
  const std::vector<Problem>& problems() const { return problems_; }
  // What it cost: calls of process_vm_readv, looks into /proc, processes met.
  uint64_t calls() const { return calls_; }
  uint64_t looks() const { return looks_; }
  uint64_t met() const { return met_; }
  // Whether the kernel hid what threads wait for.
  bool is_blind() const { return is_blind_; }

 private:
  using Clock = SamplingClock::Clock;
  struct Followed;

  absl::Status TakePass();
  void PassOf(Followed& followed, PassFigures& figures, size_t& seen);
  void SettleAll();
  void CountInOrder();
  bool Watch();
  void FollowNew(Clock::time_point now);
  void LookAtWaiting(Clock::time_point now);
  bool LookAt(Followed& followed, Clock::time_point now);
  void TryAttach(Followed& followed, Clock::time_point now);
  void Detach(Followed& followed, const absl::Status& status, Clock::time_point now);
  void Bury(Followed& followed);
  void Retire(const ProcessSampler& sampler);
  absl::Status CheckEnd(Clock::time_point now);
  absl::Status ExplainNothing() const;

  const SamplerOptions options_;
  Profile& profile_;
  const pid_t root_;
  SamplingClock clock_;
  ProcessTree tree_;
  std::vector<std::unique_ptr<Followed>> followed_;  // in the order in which they were met
  std::vector<LoggedSample> settled_;
  std::vector<Problem> problems_;
  absl::Status root_problem_;  // why the root could not be sampled
  uint64_t calls_ = 0;
  uint64_t looks_ = 0;
  bool is_blind_ = false;
  uint64_t met_ = 0;
  size_t attached_ = 0;  // processes that are being sampled
  Clock::time_point last_tree_look_;
  Clock::time_point last_verified_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_SAMPLER_TREE_SAMPLER_H_
