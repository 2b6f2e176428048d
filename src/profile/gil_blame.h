// GilBlame finds who held the GIL while others waited for it, from samples: those of one pass are
// of one moment, so whoever waits in it waits for whoever holds.
//
// Lifetime: owns all it holds. Thread safety: none. Memory: bounded.
#ifndef FTHREADPROF_PROFILE_GIL_BLAME_H_
#define FTHREADPROF_PROFILE_GIL_BLAME_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "profile/sample_codec.h"

namespace fthreadprof {

class GilBlame {
 public:
  struct Entry {
    uint32_t waiter = 0;   // StackId
    uint32_t holder = 0;   // StackId; kEmptyStack where it is not known
    uint64_t samples = 0;  // of waiting threads

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  // Counts a sample of a thread under the GIL that `gil` stands for; any number, one for each GIL.
  // Samples come in the order of time.
  void Add(const LoggedSample& sample, uint64_t gil);
  // Who waited for whom, the longest first.
  std::vector<Entry> Table() const;

 private:
  // What the current pass has shown so far.
  struct Pass {
    uint64_t time_us = 0;
    uint32_t holder = 0;
    std::vector<uint32_t> waiters{};
  };
  using Samples = absl::flat_hash_map<uint64_t, uint64_t>;  // by waiter << 32 | holder

  static void Close(const Pass& pass, Samples& samples);

  absl::flat_hash_map<uint64_t, Pass> passes_;  // by GIL
  Samples samples_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_GIL_BLAME_H_
