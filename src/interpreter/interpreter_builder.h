// InterpreterBuilder builds a CPython from source into the cache, once for each combination of
// source, settings and compiler (the key).
//
// Two builders with the same key, in any processes: the second waits and finds the work done. A
// killed build leaves a staging directory that the next one removes; a finished interpreter appears
// under its final name in one rename.
//
// Takes minutes; use one builder from one thread. Errors are sentences for the user: what is
// missing, or where the build's log is.
#ifndef FTHREADPROF_INTERPRETER_INTERPRETER_BUILDER_H_
#define FTHREADPROF_INTERPRETER_INTERPRETER_BUILDER_H_

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "interpreter/cache_layout.h"
#include "interpreter/instrumentation.h"
#include "interpreter/interpreter.h"
#include "interpreter/resources.h"
#include "interpreter/source_tree.h"

namespace fthreadprof {

struct BuildSpec {
  std::string version;           // "3.13t", or empty for whatever the source is
  std::filesystem::path source;  // a tree or a tarball; empty: Debian's source package
  bool free_threaded = true;
  bool shared = false;
  // How it is instrumented: kReleaseFlavor is not at all, kRaceFlavor calls the race runtime, needs
  // clang 19 and is free-threaded. A part of the key.
  std::string flavor = kReleaseFlavor;
};

// What the builder says while it works; either function may be empty.
struct BuildListener {
  // Once a second and at the start of a step: "compiling". For a progress line.
  std::function<void(const std::string& step)> on_progress;
  // Something that the user should know, a sentence.
  std::function<void(const std::string& notice)> on_notice;
};

class InterpreterBuilder {
 public:
  InterpreterBuilder(CacheLayout cache, BuildListener listener)
      : cache_(std::move(cache)), listener_(std::move(listener)) {}

  // The executable of the interpreter, built unless the cache has it.
  [[nodiscard]] absl::StatusOr<std::filesystem::path> Build(const BuildSpec& spec);

 private:
  // All that a build depends on, settled.
  struct Plan {
    SourceTree source;
    std::string compiler;
    std::vector<std::string> configure_arguments;
    std::optional<Resources> resources;  // of the flavor race
    bool free_threaded = false;
    bool shared = false;
    std::string key;
  };

  absl::StatusOr<SourceTree> FindSource(const BuildSpec& spec);
  absl::StatusOr<Plan> MakePlan(const BuildSpec& spec);
  // REQUIRES: the lock of plan.key is held.
  absl::Status BuildLocked(const Plan& plan);
  absl::Status Configure(const Plan& plan, const std::filesystem::path& source_directory);
  // Make and make install.
  absl::Status Compile(const Plan& plan, const std::filesystem::path& source_directory,
                       const std::filesystem::path& stage, const Instrumentation* instrumentation);
  absl::Status CompileRuntime(const Plan& plan, const std::filesystem::path& source_directory,
                              const Instrumentation& instrumentation);
  // `variables`, NAME=VALUE, are set in the environment of the step.
  absl::Status RunStep(const Plan& plan, const std::string& step,
                       const std::filesystem::path& directory,
                       const std::vector<std::string>& arguments,
                       const std::vector<std::string>& variables = {});
  // `failure`, or what is behind it when the disk is full.
  absl::Status ExplainFailure(const Plan& plan, const absl::Status& failure) const;
  absl::Status CheckResult(const Plan& plan, const std::filesystem::path& prefix);
  void Progress(const std::string& step) const {
    if (listener_.on_progress) listener_.on_progress(step);
  }

  const CacheLayout cache_;
  const BuildListener listener_;
};

// The names (keys) of the finished interpreters in the cache, sorted.
std::vector<std::string> CachedInterpreters(const CacheLayout& cache);

// Removes a finished interpreter, its log, and what an interrupted build of it left. Waits for a
// build of it to end. Fails with kNotFound when the cache has no such name.
[[nodiscard]] absl::Status RemoveCachedInterpreter(const CacheLayout& cache,
                                                   const std::string& key);

}  // namespace fthreadprof

#endif  // FTHREADPROF_INTERPRETER_INTERPRETER_BUILDER_H_
