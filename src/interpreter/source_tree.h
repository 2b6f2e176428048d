// A SourceTree is CPython's source, as a directory or a tarball of any kind that tar reads.
#ifndef FTHREADPROF_INTERPRETER_SOURCE_TREE_H_
#define FTHREADPROF_INTERPRETER_SOURCE_TREE_H_

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "interpreter/interpreter.h"

namespace fthreadprof {

struct SourceTree {
  std::filesystem::path path;  // absolute
  bool is_directory = false;
  PythonVersion version;  // from Include/patchlevel.h
  std::string hash;       // SHA-256 in hexadecimal of what CopySource copies
};

// Reads version and hash. Fails with kInvalidArgument when `path` is no CPython source that we
// support.
[[nodiscard]] absl::StatusOr<SourceTree> OpenSource(const std::filesystem::path& path);

// Unpacks or copies the source into the existing directory `destination`, without version control
// and what an earlier build left in a tree. tar's messages go to `log_file`.
[[nodiscard]] absl::Status CopySource(const SourceTree& source,
                                      const std::filesystem::path& destination,
                                      const std::filesystem::path& log_file);

// SHA-256 of `text` in hexadecimal, with coreutils.
[[nodiscard]] absl::StatusOr<std::string> Sha256(const std::string& text);

}  // namespace fthreadprof

#endif  // FTHREADPROF_INTERPRETER_SOURCE_TREE_H_
