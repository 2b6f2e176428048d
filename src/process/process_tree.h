// ProcessTree finds the processes that a process starts, and those that they start.
//
// Cost: a look is one read of /proc/loadavg, which says what process or thread id was given last;
// only ids that are new since the last look are looked up. Where that can't be told, and now and
// then in any case, all of /proc is read, for which the tree takes 2 % of the time at most.
//
// A process that was met stays in the tree when its parent ends. One whose parent ended before
// either was met is not found: nothing tells where it came from.
//
// Lifetime: keeps one file open. Thread safety: none.
#ifndef FTHREADPROF_PROCESS_PROCESS_TREE_H_
#define FTHREADPROF_PROCESS_PROCESS_TREE_H_

#include <sys/types.h>

#include <chrono>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/unique_fd.h"

namespace fthreadprof {

class ProcessTree {
 public:
  struct Member {
    pid_t pid = 0;
    pid_t parent = 0;
  };

  // `proc` is where the proc file system is.
  explicit ProcessTree(pid_t root, std::string proc = "/proc");

  // The processes that came into the tree since the last call, parents before their children.
  std::vector<Member> FindNew();
  // The process has ended: another one may get its id.
  void Forget(pid_t pid) { members_.erase(pid); }

 private:
  using Clock = std::chrono::steady_clock;

  bool FindLastId(pid_t& last);
  void LookAtNewIds(pid_t last, std::vector<Member>& found);
  void LookAt(pid_t id, std::vector<pid_t>& unseen, std::vector<Member>& found);
  void LookAtAll(std::vector<Member>& found);
  bool IsProcess(pid_t id) const;

  const std::string proc_;
  UniqueFd loadavg_;
  std::unordered_set<pid_t> members_;
  pid_t last_ = 0;             // the id that was given last at the last look; 0: not known
  std::vector<pid_t> unseen_;  // ids that were given, but were not to be seen at the last look
  Clock::time_point next_full_look_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROCESS_PROCESS_TREE_H_
