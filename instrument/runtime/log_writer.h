// LogWriter: appends records of include/fthreadprof/race_log.h to this process's log.
//
// The file is opened by its name for every write: races are rare, and a program may close or reuse
// any descriptor. What does not fit the buffer is left out whole. Errors of the kernel (disk full)
// are kept: the first is said on stderr at once, since nothing in the log could.
//
// Not thread-safe: the caller holds the report's lock. Leaves errno alone.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_LOG_WRITER_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_LOG_WRITER_H_

#include <cstddef>
#include <cstdint>

#include "fthreadprof/race_log.h"

namespace fthreadprof::race {

class LogWriter {
 public:
  // Makes a new file in the directory. False if it cannot be made.
  bool Open(const char* directory);

  // One record: Begin, values, End. Nothing is written before Flush, then all of it in one write.
  void Begin(race_log::RecordKind kind);
  void U8(uint8_t value) { Append(&value, sizeof value); }
  void U16(uint16_t value) { Append(&value, sizeof value); }
  void U32(uint32_t value) { Append(&value, sizeof value); }
  void U64(uint64_t value) { Append(&value, sizeof value); }
  void String(const char* data, size_t size);
  void String(const char* text);
  // False if the record did not fit and was left out.
  bool End();

  // Returns false if nothing could be written.
  bool Flush();

 private:
  static constexpr size_t kCapacity = size_t{1} << 20;
  static constexpr size_t kHeader = 12;  // size, kind, 0, checksum

  void Append(const void* data, size_t size);

  char path_[4096] = {};
  char buffer_[kCapacity];
  size_t size_ = 0;
  size_t record_ = 0;  // where the record begins
  bool overflow_ = false;
  bool complained_ = false;
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_LOG_WRITER_H_
