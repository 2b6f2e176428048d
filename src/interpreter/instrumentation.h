// Instrumentation is what turns a build of CPython into one of the flavor "race": the compiler
// plugin with the version's hook table, and the runtime that is linked into the interpreter.
//
// configure runs as for any other CPython. Then the runtime is compiled, since it needs the
// pyconfig.h that configure makes; then make, whose command line adds plugin and runtime: nothing
// of it gets into sysconfig, where builds of extension modules would find it.
//
// Used by one build, from one thread. Errors are sentences for the user.
#ifndef FTHREADPROF_INTERPRETER_INSTRUMENTATION_H_
#define FTHREADPROF_INTERPRETER_INSTRUMENTATION_H_

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "interpreter/interpreter.h"
#include "interpreter/resources.h"

namespace fthreadprof {

inline constexpr char kReleaseFlavor[] = "release";
inline constexpr char kRaceFlavor[] = "race";

// The clang 19 that instruments: CC when it is one, else clang-19.
[[nodiscard]] absl::StatusOr<std::string> FindInstrumentingCompiler();

class Instrumentation {
 public:
  // Copies `resources` into the new directory `directory`, where the build's own files go too.
  [[nodiscard]] static absl::StatusOr<Instrumentation> Prepare(
      const Resources& resources, const PythonVersion& version,
      const std::filesystem::path& directory);

  // Command lines that compile the runtime for the configured `source`, to be run there in order.
  std::vector<std::vector<std::string>> RuntimeCommands(const std::string& compiler,
                                                        const std::filesystem::path& source) const;
  // Variables, NAME=VALUE: those of the environment, and those behind `make`.
  std::vector<std::string> Environment() const;
  std::vector<std::string> MakeArguments() const;

  // Writes coverage and audit below the finished `prefix`. Fails when a row was applied nowhere and
  // the table is verified for this version; else `notice` is told what is lost.
  absl::Status Finish(const std::filesystem::path& prefix,
                      const std::function<void(const std::string&)>& notice) const;

 private:
  Instrumentation(Resources resources, PythonVersion version, std::filesystem::path directory)
      : resources_(std::move(resources)),
        version_(std::move(version)),
        directory_(std::move(directory)) {}

  std::filesystem::path Hits() const { return directory_ / "hits.txt"; }
  std::filesystem::path Audit() const { return directory_ / "audit.txt"; }
  std::filesystem::path Archive() const { return directory_ / "librace.a"; }

  Resources resources_;
  PythonVersion version_;
  std::filesystem::path directory_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_INTERPRETER_INSTRUMENTATION_H_
