#include "cli/race_interpreter.h"

#include <filesystem>
#include <iostream>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/build_progress.h"
#include "interpreter/cache_layout.h"
#include "interpreter/command_runner.h"
#include "interpreter/coverage.h"
#include "interpreter/debian_source.h"
#include "interpreter/interpreter.h"
#include "interpreter/interpreter_builder.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

bool IsVersion(const std::string& text) { return VersionRequest::Parse(text).ok(); }

absl::StatusOr<RaceInterpreter> UseInterpreter(const std::string& name) {
  const fs::path found = FindProgram(name);
  if (found.empty()) {
    return absl::NotFoundError(
        absl::StrCat("--python ", name,
                     ": there is no such program; give a version such as 3.13, or the path "
                     "that 'fthreadprof interpreter build --flavor race' prints"));
  }
  std::error_code error;
  const fs::path executable = fs::canonical(found, error);
  if (error || !IsInstrumented(executable)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--python ", name,
                     " is not instrumented; give one that 'fthreadprof "
                     "interpreter build --flavor race' built, or a version"));
  }
  FTP_ASSIGN_OR_RETURN(const Coverage coverage,
                       ReadCoverage(CoverageFile(executable.parent_path().parent_path())));
  return RaceInterpreter{executable, coverage.version};
}

absl::StatusOr<fs::path> Build(const RaceInterpreterRequest& request) {
  BuildSpec spec;
  spec.flavor = kRaceFlavor;
  spec.version = request.python;
  BuildProgress progress(request.verbose, request.quiet);
  bool said = request.quiet || request.verbose;
  BuildListener listener;
  listener.on_progress = [&](const std::string& step) {
    if (!said && step == "configuring") {
      progress.Clear();
      std::cerr << "fthreadprof: building the instrumented interpreter, once; this takes some "
                   "minutes\n";
      said = true;
    }
    progress.Show(step);
  };
  listener.on_notice = [&](const std::string& notice) {
    progress.Clear();
    if (!request.quiet) std::cerr << "fthreadprof: " << notice << "\n";
  };
  return InterpreterBuilder(CacheLayout::FromEnvironment(), listener).Build(spec);
}

// The newest in the cache that answers to `wanted`, which Debian's source does not: somebody built
// it from a source of their own.
absl::StatusOr<RaceInterpreter> FindCached(const VersionRequest& wanted) {
  const CacheLayout cache = CacheLayout::FromEnvironment();
  absl::StatusOr<RaceInterpreter> best = absl::NotFoundError("none");
  PythonVersion best_version;
  for (const std::string& key : CachedInterpreters(cache)) {
    const fs::path executable = cache.Prefix(key) / "bin/python3";
    if (!IsInstrumented(executable)) continue;
    absl::StatusOr<RaceInterpreter> found = UseInterpreter(executable);
    if (!found.ok()) continue;
    const absl::StatusOr<PythonVersion> version = ParsePythonVersion(found->version);
    if (!version.ok() || !wanted.MatchesNumbers(*version)) continue;
    if (best.ok() && !best_version.NumbersLessThan(*version)) continue;
    best = *std::move(found);
    best_version = *version;
  }
  return best;
}

}  // namespace

absl::StatusOr<RaceInterpreter> FindRaceInterpreter(const RaceInterpreterRequest& request) {
  if (!IsVersion(request.python)) return UseInterpreter(request.python);
  // The environment's own Python may be one that we have no instrumented form of.
  const std::string wanted = !request.python.empty()            ? request.python
                             : IsVersion(request.minor_version) ? request.minor_version
                                                                : kDebianSourceVersion;
  FTP_ASSIGN_OR_RETURN(const VersionRequest version, VersionRequest::Parse(wanted));
  if (!version.Numbers().starts_with(kDebianSourceVersion)) {
    if (absl::StatusOr<RaceInterpreter> cached = FindCached(version); cached.ok()) return cached;
  }
  FTP_ASSIGN_OR_RETURN(const fs::path executable, Build(request));
  return UseInterpreter(executable);
}

}  // namespace fthreadprof
