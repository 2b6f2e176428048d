// Resources is the directory of files that instrument a CPython:
//
//   fthreadprof_race_pass.so   the compiler plugin
//   cpython/X.Y.table          the hook tables
//   python/fthreadprof.py      the annotations of programs under test
//   runtime/                   source of the runtime, runtime.cc and cpython_bridge.c
//   include/fthreadprof/       the headers that it includes
//
// Immutable. Errors are sentences for the user.
#ifndef FTHREADPROF_INTERPRETER_RESOURCES_H_
#define FTHREADPROF_INTERPRETER_RESOURCES_H_

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "interpreter/interpreter.h"

namespace fthreadprof {

class Resources {
 public:
  explicit Resources(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // The first of: FTHREADPROF_RESOURCES, ../share/fthreadprof beside this executable's directory,
  // that of the build. kNotFound when none has a plugin, or FTHREADPROF_RESOURCES has none.
  [[nodiscard]] static absl::StatusOr<Resources> Find();

  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path Pass() const { return directory_ / "fthreadprof_race_pass.so"; }
  std::filesystem::path Table(const PythonVersion& version) const;
  std::filesystem::path Runtime() const { return directory_ / "runtime"; }
  std::filesystem::path Annotations() const { return directory_ / "python/fthreadprof.py"; }
  std::filesystem::path Include() const { return directory_ / "include"; }

  // Changes with every file that gets into an interpreter of `version`: names and contents.
  [[nodiscard]] absl::StatusOr<std::string> Fingerprint(const PythonVersion& version) const;
  // Copies those files into the new directory `destination`, whose Resources are returned: what is
  // built from must not change while it is.
  [[nodiscard]] absl::StatusOr<Resources> CopyTo(const std::filesystem::path& destination,
                                                 const PythonVersion& version) const;

 private:
  absl::StatusOr<std::vector<std::filesystem::path>> Files(const PythonVersion& version) const;

  std::filesystem::path directory_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_INTERPRETER_RESOURCES_H_
