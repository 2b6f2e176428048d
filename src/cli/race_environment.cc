#include "cli/race_environment.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <regex>
#include <set>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "cli/race_environment_module.h"
#include "cli/race_pytest_plugin.h"
#include "cli/race_target.h"
#include "interpreter/command_runner.h"
#include "interpreter/resources.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

constexpr int kNewestMinor = 30;  // of the python3.X that are looked for on PATH

absl::Status CannotWrite(const fs::path& path, const std::error_code& error) {
  return absl::UnavailableError(
      absl::StrCat("cannot write ", path.string(), ": ", error.message(),
                   "; XDG_CACHE_HOME can name another place for what race keeps"));
}

absl::Status WriteText(const fs::path& path, const std::string& text) {
  FTP_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  file->stream() << text;
  return file->Commit();
}

absl::Status WriteScript(const fs::path& path, const std::string& text) {
  FTP_RETURN_IF_ERROR(WriteText(path, text));
  if (chmod(path.c_str(), 0755) == 0) return absl::OkStatus();
  return CannotWrite(path, std::error_code(errno, std::system_category()));
}

// A link that is there at every moment, whoever else makes it too.
absl::Status Link(const fs::path& target, const fs::path& link) {
  std::error_code error;
  if (fs::read_symlink(link, error) == target) return absl::OkStatus();
  const fs::path temporary = absl::StrCat(link.string(), ".", getpid());
  fs::create_symlink(target, temporary, error);
  if (!error) fs::rename(temporary, link, error);
  return error ? CannotWrite(link, error) : absl::OkStatus();
}

// A tuple of bytes objects.
std::string AsPythonTuple(const std::vector<fs::path>& paths) {
  std::string tuple = "(";
  for (const fs::path& path : paths) {
    absl::StrAppend(&tuple, "b\"");
    for (const unsigned char byte : path.string()) absl::StrAppendFormat(&tuple, "\\x%02x", byte);
    absl::StrAppend(&tuple, "\", ");
  }
  return tuple + ")";
}

std::string ModuleText(const PythonPackages& packages) {
  return absl::StrCat("# Made by fthreadprof race, again in every run.\n_USER_SITE = ",
                      AsPythonTuple(packages.user_site), "\n_SITE = ", AsPythonTuple(packages.site),
                      "\n", kEnvironmentModule);
}

// The same for the same interpreter and packages: FNV-1a of all that the files are made of.
std::string NameOf(const RaceInterpreter& interpreter, const PythonPackages& packages) {
  uint64_t hash = 14695981039346656037u;
  for (const unsigned char byte :
       absl::StrCat(interpreter.executable.string(), "\n", packages.prefix.string(), "\n",
                    ModuleText(packages))) {
    hash = (hash ^ byte) * 1099511628211u;
  }
  std::string user = packages.prefix.filename();
  for (char& c : user) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-') c = '_';
  }
  return absl::StrFormat("%s-%016x", user.empty() ? "none" : user, hash);
}

absl::Status LinkPrograms(const RaceInterpreter& interpreter, const fs::path& bin) {
  const std::string versioned = absl::StrCat("python", interpreter.MinorVersion());
  for (const std::string& name :
       {std::string("python"), std::string("python3"), versioned, absl::StrCat(versioned, "t")}) {
    FTP_RETURN_IF_ERROR(Link(interpreter.executable, bin / name));
  }
  return absl::OkStatus();
}

// What packages install for their users outside of site-packages.
absl::Status LinkData(const PythonPackages& packages, const fs::path& directory) {
  std::error_code ignored;
  for (const char* name : {"share", "etc"}) {
    const fs::path data = packages.prefix / name;
    if (!packages.prefix.empty() && fs::is_directory(data, ignored)) {
      FTP_RETURN_IF_ERROR(Link(data, directory / name));
    }
  }
  return absl::OkStatus();
}

absl::Status WritePytestPlugin(const fs::path& packages) {
  const fs::path distribution = packages / "fthreadprof_race-1.dist-info";
  std::error_code error;
  fs::create_directory(distribution, error);
  if (error) return CannotWrite(distribution, error);
  FTP_RETURN_IF_ERROR(WriteText(packages / "_fthreadprof_pytest.py", kPytestPlugin));
  FTP_RETURN_IF_ERROR(WriteText(distribution / "METADATA", kPytestPluginMetadata));
  return WriteText(distribution / "entry_points.txt", kPytestPluginEntryPoints);
}

absl::Status WriteScriptShim(const fs::path& directory, const RaceTarget& script,
                             const std::string& name, const RaceEnvironment& environment) {
  const std::string line = ShellJoin(script.CommandLine(environment.python()));
  return WriteScript(directory / name, absl::StrCat("#!/bin/sh\nexec ", line, " \"$@\"\n"));
}

// Programs of which only another environment has the packages stay as they are.
bool IsScriptOf(const absl::StatusOr<RaceTarget>& target, const PythonPackages& packages) {
  if (!target.ok() || target->kind != RaceTarget::Kind::kScript) return false;
  std::error_code error;
  return fs::equivalent(target->python.parent_path(), packages.scripts, error) && !error;
}

}  // namespace

std::string RaceInterpreter::MinorVersion() const {
  PythonPackages packages;
  packages.version = version;
  return packages.MinorVersion();
}

std::string ShellQuote(const std::string& text) {
  static const std::regex kPlain(R"([A-Za-z0-9_@%+=:,./-]+)");
  if (std::regex_match(text, kPlain)) return text;
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

std::string ShellJoin(const std::vector<std::string>& words) {
  return absl::StrJoin(words, " ",
                       [](std::string* out, const std::string& word) { *out += ShellQuote(word); });
}

absl::StatusOr<RaceEnvironment> MakeRaceEnvironment(const fs::path& environments,
                                                    const RaceInterpreter& interpreter,
                                                    const PythonPackages& packages) {
  const fs::path directory = environments / NameOf(interpreter, packages);
  RaceEnvironment environment;
  environment.bin = directory / "bin";
  environment.packages =
      directory / "lib" / absl::StrCat("python", interpreter.MinorVersion(), "t") / "site-packages";
  std::error_code error;
  for (const fs::path& made : {environment.bin, environment.packages}) {
    fs::create_directories(made, error);
    if (error) return CannotWrite(made, error);
  }
  const fs::path home = interpreter.executable.parent_path();
  FTP_RETURN_IF_ERROR(WriteText(
      directory / "pyvenv.cfg",
      absl::StrCat("home = ", home.string(), "\ninclude-system-site-packages = false\nversion = ",
                   interpreter.version, "\n")));
  FTP_RETURN_IF_ERROR(LinkPrograms(interpreter, environment.bin));
  FTP_RETURN_IF_ERROR(LinkData(packages, directory));
  FTP_RETURN_IF_ERROR(
      WriteText(environment.packages / "_fthreadprof_race.py", ModuleText(packages)));
  if (const absl::StatusOr<Resources> resources = Resources::Find(); resources.ok()) {
    FTP_RETURN_IF_ERROR(Link(resources->Annotations(), environment.packages / "fthreadprof.py"));
  }
  FTP_RETURN_IF_ERROR(
      WriteText(environment.packages / "fthreadprof.pth", "import _fthreadprof_race\n"));
  FTP_RETURN_IF_ERROR(WritePytestPlugin(environment.packages));
  return environment;
}

absl::Status WriteShims(const fs::path& directory, const RaceEnvironment& environment,
                        const PythonPackages& packages) {
  const std::string python =
      absl::StrCat("#!/bin/sh\nexec ", ShellQuote(environment.python()), " \"$@\"\n");
  std::error_code error;
  for (int minor = 0; minor <= kNewestMinor; ++minor) {
    for (const char* suffix : {"", "t"}) {
      const std::string name = absl::StrCat("python3.", minor, suffix);
      if (FindProgram(name).empty() || fs::exists(environment.bin / name, error)) continue;
      FTP_RETURN_IF_ERROR(WriteScript(directory / name, python));
    }
  }
  // Elsewhere most scripts beside a Python are the system's own, which need their own Python.
  std::set<fs::path> scripts = {"pytest"};
  fs::directory_iterator it(packages.scripts, error);
  for (const fs::directory_iterator end; packages.is_virtual && !error && it != end;
       it.increment(error)) {
    scripts.insert(it->path());
  }
  for (const fs::path& script : scripts) {
    const absl::StatusOr<RaceTarget> target = ResolveRaceTarget({script.string()});
    if (!IsScriptOf(target, packages)) continue;
    FTP_RETURN_IF_ERROR(WriteScriptShim(directory, *target, script.filename(), environment));
  }
  return absl::OkStatus();
}

}  // namespace fthreadprof
