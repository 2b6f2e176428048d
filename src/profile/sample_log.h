// SampleLog keeps samples in the order of time in little memory: columns of varints in which a run
// of equal samples of a thread is a run of zeros, compressed with zstd a block at a time. The naive
// model is a std::vector<LoggedSample>, 24 bytes a sample; measured, 16 threads with random stacks
// out of 200 need about 1 byte, steady ones next to nothing.
//
// Lifetime: owns its data, movable. Thread safety: none. Append never fails; it allocates.
#ifndef FTHREADPROF_PROFILE_SAMPLE_LOG_H_
#define FTHREADPROF_PROFILE_SAMPLE_LOG_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "profile/sample_codec.h"

namespace fthreadprof {

class SampleLog {
 public:
  // REQUIRES: sample.time_us is not below that of the last Append.
  void Append(const LoggedSample& sample);
  // Calls `visit` for every sample in the order of Append. Holds one decompressed block at a time.
  void ForEach(const std::function<void(const LoggedSample&)>& visit) const;
  size_t size() const { return size_; }
  // Bytes held, for the memory bound.
  size_t memory_bytes() const;

 private:
  struct Block {
    std::string compressed;
    size_t raw_size;
  };
  void CompressPending();

  std::vector<LoggedSample> pending_;  // the newest samples, not yet a block
  std::vector<Block> blocks_;
  size_t size_ = 0;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_SAMPLE_LOG_H_
