// AtomicFile writes an output that appears under its name whole or not at all: bytes go to a
// temporary neighbour in the same directory, which Commit() renames. What cannot be renamed over (a
// pipe, a terminal, /dev/null, "-" for standard output) is written directly.
//
// Every failure is one plain sentence that names the path: kNotFound (no such directory),
// kPermissionDenied, kResourceExhausted (disk or file size limit), kInvalidArgument (a directory,
// an empty path), else kUnknown. SIGPIPE and SIGXFSZ never reach the process from here.
//
// Lifetime: destroyed without Commit() it removes the temporary and leaves the old file as it was.
// Thread safety: none.
#ifndef FTHREADPROF_BASE_ATOMIC_FILE_H_
#define FTHREADPROF_BASE_ATOMIC_FILE_H_

#include <memory>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace fthreadprof {

class AtomicFile {
 public:
  // Opens for writing; the file under `path` does not change yet. A symbolic link to a
  // file is followed, and the mode of a file that is replaced is kept. Opening a named pipe waits
  // for its reader.
  static absl::StatusOr<std::unique_ptr<AtomicFile>> Create(const std::string& path);
  // The same, but the file is under its name, empty, at once, and what is flushed stays in it
  // whether Commit is called or not: for what is worth having when we are killed.
  static absl::StatusOr<std::unique_ptr<AtomicFile>> CreateInPlace(const std::string& path);
  // Fails as Create would, without leaving a trace; for finding out before the work is done. Says
  // ok for what is not a regular file, which may not be opened twice.
  static absl::Status CheckWritable(const std::string& path);

  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  // Write here. The stream goes bad at the first failure, further writes to it do nothing, and
  // Commit says what it was.
  std::ostream& stream();
  // Flushes and puts the file under its name, or says why it could not: then the temporary is gone.
  // REQUIRES: not called before.
  absl::Status Commit();

 private:
  class Buffer;
  explicit AtomicFile(std::unique_ptr<Buffer> buffer, std::string path, std::string temporary,
                      std::string final_path);

  std::unique_ptr<Buffer> buffer_;
  std::ostream stream_;
  std::string path_;        // as the user wrote it, for messages
  std::string temporary_;   // empty: written directly, or done
  std::string final_path_;  // path_ with symbolic links resolved
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_BASE_ATOMIC_FILE_H_
