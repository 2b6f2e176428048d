#include "dump/process_dump.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace fthreadprof {

std::vector<std::vector<pid_t>> DeadlocksIn(const ProcessDump& dump) {
  absl::flat_hash_map<pid_t, pid_t> waits_for;
  for (const DumpedThread& thread : dump.threads) {
    const bool waits = thread.state == ThreadState::kLockWait && thread.held_by != 0;
    if (waits) waits_for[thread.tid] = thread.held_by;
  }
  std::vector<std::vector<pid_t>> cycles;
  absl::flat_hash_set<pid_t> done;
  for (const DumpedThread& thread : dump.threads) {
    std::vector<pid_t> path;
    pid_t at = thread.tid;
    while (waits_for.contains(at) && done.insert(at).second) {
      path.push_back(at);
      at = waits_for[at];
    }
    const auto begin = std::find(path.begin(), path.end(), at);
    if (begin != path.end()) cycles.emplace_back(begin, path.end());
  }
  return cycles;
}

}  // namespace fthreadprof
