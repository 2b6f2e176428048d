#include "interpreter/resources.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "interpreter/command_runner.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

bool HasPass(const fs::path& directory) {
  std::error_code ignored;
  return fs::exists(Resources(directory).Pass(), ignored);
}

void AddSources(const fs::path& directory, std::vector<fs::path>& files,
                std::string_view name_start = "") {
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const fs::path extension = it->path().extension();
    if (!it->path().filename().string().starts_with(name_start)) continue;
    if (extension == ".cc" || extension == ".c" || extension == ".h") files.push_back(it->path());
  }
}

}  // namespace

absl::StatusOr<Resources> Resources::Find() {
  if (const char* named = std::getenv("FTHREADPROF_RESOURCES");
      named != nullptr && named[0] != '\0') {
    if (HasPass(named)) return Resources(fs::absolute(named));
    return absl::NotFoundError(
        absl::StrCat("FTHREADPROF_RESOURCES is ", named, ", which has no ",
                     Resources(named).Pass().filename().string(),
                     "; name the share/fthreadprof directory of an installation, or unset it"));
  }
  std::error_code ignored;
  const fs::path executable = fs::read_symlink("/proc/self/exe", ignored);
  for (const fs::path& directory : {executable.parent_path().parent_path() / "share/fthreadprof",
                                    fs::path(FTHREADPROF_BUILD_RESOURCES)}) {
    // A package knows no build directory.
    if (!directory.empty() && HasPass(directory)) return Resources(directory);
  }
  return absl::NotFoundError(
      "the files that instrument CPython are not installed with this fthreadprof; "
      "FTHREADPROF_RESOURCES can name the directory that has them");
}

fs::path Resources::Table(const PythonVersion& version) const {
  return directory_ / "cpython" / absl::StrCat(version.major, ".", version.minor, ".table");
}

absl::StatusOr<std::vector<fs::path>> Resources::Files(const PythonVersion& version) const {
  std::error_code ignored;
  if (!fs::exists(Table(version), ignored)) {
    return absl::NotFoundError(absl::StrCat(
        "CPython ", version.major, ".", version.minor,
        " cannot be instrumented: there is no hook table for it in ",
        Table(version).parent_path().string(), "; give the source of a version that has one"));
  }
  std::vector<fs::path> files = {Pass(), Table(version)};
  AddSources(Runtime(), files);
  // The others are for embedders: they must not make an interpreter stale.
  AddSources(Include() / "fthreadprof", files, "race_");
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<std::string> Resources::Fingerprint(const PythonVersion& version) const {
  FTP_ASSIGN_OR_RETURN(const std::vector<fs::path> files, Files(version));
  Command command;
  command.arguments = {"sha256sum"};
  for (const fs::path& file : files) {
    command.arguments.push_back(file.lexically_relative(directory_));
  }
  command.directory = directory_;
  FTP_ASSIGN_OR_RETURN(CommandResult result, RunCommand(command));
  if (result.exit_status == 0) return std::move(result.output);
  return absl::UnavailableError(absl::StrCat("cannot read the files in ", directory_.string()));
}

absl::StatusOr<Resources> Resources::CopyTo(const fs::path& destination,
                                            const PythonVersion& version) const {
  FTP_ASSIGN_OR_RETURN(const std::vector<fs::path> files, Files(version));
  std::error_code error;
  for (const fs::path& file : files) {
    const fs::path copy = destination / file.lexically_relative(directory_);
    fs::create_directories(copy.parent_path(), error);
    if (!error) fs::copy_file(file, copy, error);
    if (error) {
      return absl::UnavailableError(
          absl::StrCat("cannot write ", copy.string(), ": ", error.message()));
    }
  }
  return Resources(destination);
}

}  // namespace fthreadprof
