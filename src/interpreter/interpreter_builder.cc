#include "interpreter/interpreter_builder.h"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "interpreter/command_runner.h"
#include "interpreter/debian_source.h"
#include "interpreter/file_lock.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

// Long enough that two builds of one version do not meet; short enough to type.
constexpr size_t kHashDigitsInKey = 12;

int UsableCpus() {
  cpu_set_t cpus;
  return sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? std::max(1, CPU_COUNT(&cpus)) : 1;
}

absl::StatusOr<std::string> FindCompiler(const std::string& flavor) {
  if (flavor == kRaceFlavor) return FindInstrumentingCompiler();
  if (const char* named = std::getenv("CC"); named != nullptr && named[0] != '\0') return named;
  for (const char* name : {"clang-19", "clang", "cc", "gcc"}) {
    if (!FindProgram(name).empty()) return name;
  }
  return absl::FailedPreconditionError(
      "no C compiler was found; install one (Debian: apt-get install clang-19) or name one in CC");
}

absl::StatusOr<std::string> CompilerVersion(const std::string& compiler) {
  Command command;  // through a shell: CC may be "ccache gcc"
  command.arguments = {"sh", "-c", compiler + " --version"};
  FTP_ASSIGN_OR_RETURN(CommandResult result, RunCommand(command));
  if (result.exit_status == 0) return std::move(result.output);
  return absl::FailedPreconditionError(
      absl::StrCat("the C compiler '", compiler, "' does not run; name a working one in CC"));
}

absl::Status CheckSpec(const BuildSpec& spec) {
  if (spec.flavor != kReleaseFlavor && spec.flavor != kRaceFlavor) {
    return absl::InvalidArgumentError(absl::StrCat("there is no flavor '", spec.flavor, "': give ",
                                                   kReleaseFlavor, " or ", kRaceFlavor));
  }
  if (spec.flavor == kRaceFlavor && !spec.free_threaded) {
    return absl::InvalidArgumentError(
        "the flavor race is for free-threaded interpreters; leave out --gil");
  }
  return absl::OkStatus();
}

// A compiler or linker that had no space left says so; the log itself may lack its end then.
bool IsDiskFull(const fs::path& log, const fs::path& directory) {
  constexpr std::uintmax_t kTooLittle = 1 << 20;
  std::error_code error;
  const fs::space_info space = fs::space(directory, error);
  if (!error && space.available < kTooLittle) return true;
  std::ifstream file(log);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return text.find("No space left on device") != std::string::npos;
}

bool IsComplete(const fs::path& prefix) { return fs::exists(prefix / "bin/python3"); }

}  // namespace

absl::StatusOr<fs::path> InterpreterBuilder::Build(const BuildSpec& spec) {
  FTP_ASSIGN_OR_RETURN(const Plan plan, MakePlan(spec));
  const fs::path prefix = cache_.Prefix(plan.key);
  const fs::path executable = prefix / "bin/python3";
  if (IsComplete(prefix)) return executable;
  FTP_ASSIGN_OR_RETURN(std::optional<FileLock> lock, FileLock::TryAcquire(cache_.Lock(plan.key)));
  if (!lock) {
    Progress("waiting for another build of the same");
    FTP_ASSIGN_OR_RETURN(lock, FileLock::Acquire(cache_.Lock(plan.key)));
  }
  if (IsComplete(prefix)) return executable;
  const absl::Status status = ExplainFailure(plan, BuildLocked(plan));
  std::error_code ignored;
  fs::remove_all(cache_.Staging(plan.key), ignored);
  FTP_RETURN_IF_ERROR(status);
  return executable;
}

absl::StatusOr<SourceTree> InterpreterBuilder::FindSource(const BuildSpec& spec) {
  FTP_ASSIGN_OR_RETURN(const VersionRequest request, VersionRequest::Parse(spec.version));
  if (!spec.source.empty()) {
    FTP_ASSIGN_OR_RETURN(SourceTree source, OpenSource(spec.source));
    if (request.MatchesNumbers(source.version)) return source;
    return absl::InvalidArgumentError(absl::StrCat(
        spec.source.string(), " is CPython ", source.version.text, ", not ", request.Numbers()));
  }
  Progress("fetching the source");
  FTP_ASSIGN_OR_RETURN(const fs::path tarball,
                       FetchDebianSource(cache_, [this] { Progress("fetching the source"); }));
  FTP_ASSIGN_OR_RETURN(SourceTree source, OpenSource(tarball));
  if (!request.MatchesNumbers(source.version) && listener_.on_notice) {
    listener_.on_notice(absl::StrCat("Debian has the source of CPython ", source.version.text,
                                     ", not of ", request.Numbers(), ": building ",
                                     source.version.text, "; --source names another source"));
  }
  return source;
}

absl::StatusOr<InterpreterBuilder::Plan> InterpreterBuilder::MakePlan(const BuildSpec& spec) {
  FTP_RETURN_IF_ERROR(CheckSpec(spec));
  Plan plan;
  FTP_ASSIGN_OR_RETURN(plan.compiler, FindCompiler(spec.flavor));
  FTP_ASSIGN_OR_RETURN(const std::string compiler_version, CompilerVersion(plan.compiler));
  if (FindProgram("make").empty()) {
    return absl::FailedPreconditionError(
        "make was not found; install it (Debian: apt-get install make)");
  }
  plan.free_threaded = spec.free_threaded;
  plan.shared = spec.shared;
  FTP_ASSIGN_OR_RETURN(plan.source, FindSource(spec));
  // -g1: line tables, for native stacks.
  plan.configure_arguments = {absl::StrCat("CC=", plan.compiler), "OPT=-DNDEBUG -O2 -g1 -Wall"};
  if (spec.free_threaded) plan.configure_arguments.push_back("--disable-gil");
  if (spec.shared) plan.configure_arguments.push_back("--enable-shared");
  std::string fingerprint;
  if (spec.flavor == kRaceFlavor) {
    FTP_ASSIGN_OR_RETURN(plan.resources, Resources::Find());
    FTP_ASSIGN_OR_RETURN(fingerprint, plan.resources->Fingerprint(plan.source.version));
  }
  FTP_ASSIGN_OR_RETURN(const std::string hash,
                       Sha256(absl::StrCat(plan.source.hash, "\n", spec.flavor, "\n",
                                           absl::StrJoin(plan.configure_arguments, "\n"), "\n",
                                           compiler_version, fingerprint)));
  plan.key =
      absl::StrCat("cpython-", plan.source.version.text, spec.free_threaded ? "t" : "",
                   spec.shared ? "-shared" : "", spec.flavor == "release" ? "" : "-" + spec.flavor,
                   "-", hash.substr(0, kHashDigitsInKey));
  return plan;
}

absl::Status InterpreterBuilder::BuildLocked(const Plan& plan) {
  const fs::path staging = cache_.Staging(plan.key);
  const fs::path prefix = cache_.Prefix(plan.key);
  std::error_code error;
  fs::remove_all(staging, error);  // what an interrupted build left
  fs::remove_all(prefix, error);   // there only if someone removed its executable
  fs::remove(cache_.Log(plan.key), error);
  fs::create_directories(staging / "source", error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot write ", staging.string(), ": ", error.message()));
  }
  Progress("unpacking the source");
  FTP_RETURN_IF_ERROR(CopySource(plan.source, staging / "source", cache_.Log(plan.key)));
  FTP_RETURN_IF_ERROR(Configure(plan, staging / "source"));
  std::optional<Instrumentation> instrumentation;
  if (plan.resources) {
    FTP_ASSIGN_OR_RETURN(instrumentation,
                         Instrumentation::Prepare(*plan.resources, plan.source.version,
                                                  staging / "instrumentation"));
    FTP_RETURN_IF_ERROR(CompileRuntime(plan, staging / "source", *instrumentation));
  }
  FTP_RETURN_IF_ERROR(Compile(plan, staging / "source", staging / "stage",
                              instrumentation ? &*instrumentation : nullptr));
  const fs::path staged_prefix = staging / "stage" / prefix.relative_path();
  FTP_RETURN_IF_ERROR(CheckResult(plan, staged_prefix));
  if (instrumentation) {
    FTP_RETURN_IF_ERROR(instrumentation->Finish(staged_prefix, listener_.on_notice));
  }
  fs::rename(staged_prefix, prefix, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot write ", prefix.string(), ": ", error.message()));
}

absl::Status InterpreterBuilder::Configure(const Plan& plan, const fs::path& source_directory) {
  const std::string prefix = cache_.Prefix(plan.key);
  std::vector<std::string> configure = {"sh", "./configure", absl::StrCat("--prefix=", prefix)};
  configure.insert(configure.end(), plan.configure_arguments.begin(),
                   plan.configure_arguments.end());
  // Not in the key, since it holds the key.
  if (plan.shared) configure.push_back(absl::StrCat("LDFLAGS=-Wl,-rpath,", prefix, "/lib"));
  return RunStep(plan, "configuring", source_directory, configure);
}

absl::Status InterpreterBuilder::CompileRuntime(const Plan& plan, const fs::path& source_directory,
                                                const Instrumentation& instrumentation) {
  for (const std::vector<std::string>& command :
       instrumentation.RuntimeCommands(plan.compiler, source_directory)) {
    FTP_RETURN_IF_ERROR(RunStep(plan, "compiling the race runtime", source_directory, command));
  }
  return absl::OkStatus();
}

absl::Status InterpreterBuilder::Compile(const Plan& plan, const fs::path& source_directory,
                                         const fs::path& stage,
                                         const Instrumentation* instrumentation) {
  std::vector<std::string> make = {"make", absl::StrCat("-j", UsableCpus())};
  std::vector<std::string> install = {"make", "install", absl::StrCat("DESTDIR=", stage.string())};
  std::vector<std::string> variables;
  if (instrumentation != nullptr) {
    variables = instrumentation->Environment();
    for (const std::string& argument : instrumentation->MakeArguments()) {
      make.push_back(argument);
      install.push_back(argument);
    }
  }
  FTP_RETURN_IF_ERROR(RunStep(plan, "compiling", source_directory, make, variables));
  return RunStep(plan, "installing", source_directory, install, variables);
}

absl::Status InterpreterBuilder::RunStep(const Plan& plan, const std::string& step,
                                         const fs::path& directory,
                                         const std::vector<std::string>& arguments,
                                         const std::vector<std::string>& variables) {
  Progress(step);
  // What the user's shell sets must not get into a build whose key does not know it.
  Command command;
  command.arguments = {"env",       "-u", "CFLAGS",  "-u", "CPPFLAGS",   "-u", "LDFLAGS",   "-u",
                       "MAKEFLAGS", "-u", "DESTDIR", "-u", "PYTHONHOME", "-u", "PYTHONPATH"};
  command.arguments.insert(command.arguments.end(), variables.begin(), variables.end());
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.directory = directory;
  command.log_file = cache_.Log(plan.key);
  command.on_tick = [this, &step] { Progress(step); };
  FTP_ASSIGN_OR_RETURN(const CommandResult result, RunCommand(command));
  if (result.exit_status == 0) return absl::OkStatus();
  const std::string& program = arguments[0] == "sh" ? arguments[1] : arguments[0];
  const std::string what =
      program == "-c" ? absl::StrCat(step, " failed") : absl::StrCat(program, " failed");
  return absl::UnavailableError(
      absl::StrCat("CPython ", plan.source.version.text, " could not be built: ", what,
                   " with status ", result.exit_status, "; see ", cache_.Log(plan.key).string()));
}

absl::Status InterpreterBuilder::ExplainFailure(const Plan& plan,
                                                const absl::Status& failure) const {
  if (failure.ok() || !IsDiskFull(cache_.Log(plan.key), cache_.interpreters())) return failure;
  return absl::ResourceExhaustedError(absl::StrCat(
      "CPython ", plan.source.version.text, " could not be built: there is no space left for ",
      cache_.interpreters().string(), "; free some, or name another place in XDG_CACHE_HOME"));
}

// The interpreter has to run, and to be what was asked for: a configure that does not know
// --disable-gil only warns.
absl::Status InterpreterBuilder::CheckResult(const Plan& plan, const fs::path& prefix) {
  const std::string library_path = absl::StrCat("LD_LIBRARY_PATH=", (prefix / "lib").string());
  const fs::path python = prefix / "bin/python3";
  const absl::StatusOr<Interpreter> built =
      IdentifyInterpreter({"env", library_path}, python, python);
  std::string problem;
  if (!built.ok()) {
    problem = std::string(built.status().message());
  } else if (built->free_threaded != plan.free_threaded) {
    problem = plan.free_threaded ? "it is not free-threaded" : "it is free-threaded";
  } else {
    return absl::OkStatus();
  }
  return absl::UnavailableError(absl::StrCat("CPython ", plan.source.version.text,
                                             " was built, but ", problem, "; see ",
                                             cache_.Log(plan.key).string()));
}

std::vector<std::string> CachedInterpreters(const CacheLayout& cache) {
  std::vector<std::string> keys;
  std::error_code error;
  for (fs::directory_iterator it(cache.interpreters(), error), end; !error && it != end;
       it.increment(error)) {
    const fs::path& path = it->path();
    if (path.extension() != CacheLayout::kStagingSuffix && IsComplete(path)) {
      keys.push_back(path.filename());
    }
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

absl::Status RemoveCachedInterpreter(const CacheLayout& cache, const std::string& key) {
  const std::vector<std::string> keys = CachedInterpreters(cache);
  if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
    return absl::NotFoundError(
        absl::StrCat("the cache has no interpreter '", key, "'",
                     keys.empty() ? "; it is empty" : "; it has: " + absl::StrJoin(keys, ", ")));
  }
  FTP_ASSIGN_OR_RETURN(const FileLock lock, FileLock::Acquire(cache.Lock(key)));
  std::error_code error;
  fs::remove_all(cache.Staging(key), error);
  // Renamed first: a half-removed interpreter must not look like a finished one.
  fs::rename(cache.Prefix(key), cache.Staging(key), error);
  if (!error) fs::remove_all(cache.Staging(key), error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot remove ", cache.Prefix(key).string(), ": ", error.message()));
  }
  fs::remove(cache.Log(key), error);
  return absl::OkStatus();
}

}  // namespace fthreadprof
