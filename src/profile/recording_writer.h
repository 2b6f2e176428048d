// RecordingWriter writes a profile as a recording (docs/recording-format.md) while it grows: about
// once a second a block with what is new, flushed, so that all but the last second outlives a
// kill -9 of ours.
//
// Lifetime: borrows the profile, whose on_sample it takes, and which must not move meanwhile; the
// file stays as it is when the writer is destroyed without Finish. Thread safety: that of the
// profile.
#ifndef FTHREADPROF_PROFILE_RECORDING_WRITER_H_
#define FTHREADPROF_PROFILE_RECORDING_WRITER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/atomic_file.h"
#include "profile/profile.h"

namespace fthreadprof {

class RecordingWriter {
 public:
  // From now on follows `profile`, which has no sample yet, and writes it to each of `paths` ("-":
  // standard output). The files are created at the first sample.
  RecordingWriter(Profile& profile, std::vector<std::string> paths);
  ~RecordingWriter();
  RecordingWriter(const RecordingWriter&) = delete;
  RecordingWriter& operator=(const RecordingWriter&) = delete;

  // Writes the rest, and that it is complete. Says what went wrong, then or before, as AtomicFile
  // does. REQUIRES: not called before.
  absl::Status Finish();

 private:
  void OnSample(const LoggedSample& sample);
  void Open();
  void WriteNew();
  void AppendProcesses();
  void AppendThreads();
  void AppendFrames();
  void AppendStacks();
  void AppendLocks();
  void AppendFigures();
  void FlushIfFull();
  void FlushBlock();

  Profile& profile_;
  const std::vector<std::string> paths_;
  std::vector<std::unique_ptr<AtomicFile>> files_;
  bool opened_ = false;
  absl::Status status_;  // the first failure to open
  std::string block_;    // not written yet
  std::vector<LoggedSample> samples_;
  uint64_t last_write_us_ = 0;
  // What was written last, so that what changed since is written again.
  std::vector<std::string> processes_;
  struct WrittenThread {
    std::string name;
    double cpu_s;
    double run_queue_s;
  };
  std::vector<WrittenThread> threads_;
  size_t frames_ = 0;
  size_t stacks_ = 1;  // kEmptyStack is always there
  size_t locks_ = 0;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_RECORDING_WRITER_H_
