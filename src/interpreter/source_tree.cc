#include "interpreter/source_tree.h"

#include <fstream>
#include <regex>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "interpreter/command_runner.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

// The same files in the same order with the same metadata always, so that its hash is the tree's.
// Objects of an earlier build in the tree, with other settings, must not get into ours.
constexpr char kPackTree[] =
    "tar -C \"$1\" --exclude-vcs --exclude=__pycache__ --exclude='*.o' --exclude='*.a' "
    "--exclude=./Makefile --exclude=./pyconfig.h --exclude=./build "
    "--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - .";

absl::StatusOr<std::string> ReadPatchlevelOfTarball(const fs::path& path) {
  Command command;
  command.arguments = {"tar", "--extract",   "--to-stdout",    "--file",
                       path,  "--wildcards", "--occurrence=1", "*/Include/patchlevel.h"};
  FTP_ASSIGN_OR_RETURN(const CommandResult result, RunCommand(command));
  if (result.exit_status != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.string(), " is not a tarball of CPython's source"));
  }
  return result.output;
}

absl::StatusOr<std::string> ReadPatchlevelOfTree(const fs::path& path) {
  std::ifstream file(path / "Include/patchlevel.h");
  if (!file || !fs::exists(path / "configure")) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), " is not CPython's source tree"));
  }
  std::string text(size_t{1} << 16, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

absl::StatusOr<PythonVersion> ReadVersion(const SourceTree& source) {
  FTP_ASSIGN_OR_RETURN(const std::string patchlevel, source.is_directory
                                                         ? ReadPatchlevelOfTree(source.path)
                                                         : ReadPatchlevelOfTarball(source.path));
  static const std::regex kPattern(R"re(#define[ \t]+PY_VERSION[ \t]+"([^"\n]+)")re");
  std::smatch match;
  if (!std::regex_search(patchlevel, match, kPattern)) {
    return absl::InvalidArgumentError(
        absl::StrCat(source.path.string(), " does not say which CPython it is"));
  }
  FTP_ASSIGN_OR_RETURN(PythonVersion version, ParsePythonVersion(match[1]));
  if (!IsSupported(version)) {
    return absl::InvalidArgumentError(absl::StrCat(source.path.string(), " is CPython ",
                                                   version.text, "; 3.13 or later is needed"));
  }
  return version;
}

// Runs a shell line whose output is what sha256sum prints.
absl::StatusOr<std::string> RunSha256(const std::string& shell_line, const std::string& argument) {
  constexpr size_t kDigits = 64;
  Command command;
  command.arguments = {"sh", "-c", shell_line, "sh", argument};
  FTP_ASSIGN_OR_RETURN(const CommandResult result, RunCommand(command));
  if (result.exit_status != 0 || result.output.size() < kDigits) {
    return absl::UnavailableError("sha256sum and tar, of coreutils and tar, are needed");
  }
  return result.output.substr(0, kDigits);
}

}  // namespace

absl::StatusOr<SourceTree> OpenSource(const fs::path& path) {
  std::error_code error;
  SourceTree source;
  source.path = fs::absolute(path, error);
  if (!fs::exists(source.path, error)) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), " does not exist"));
  }
  source.is_directory = fs::is_directory(source.path, error);
  FTP_ASSIGN_OR_RETURN(source.version, ReadVersion(source));
  const std::string shell_line =
      source.is_directory ? absl::StrCat(kPackTree, " | sha256sum") : "sha256sum <\"$1\"";
  FTP_ASSIGN_OR_RETURN(source.hash, RunSha256(shell_line, source.path));
  return source;
}

absl::Status CopySource(const SourceTree& source, const fs::path& destination,
                        const fs::path& log_file) {
  Command command;
  command.log_file = log_file;
  if (source.is_directory) {
    const std::string shell_line = absl::StrCat(kPackTree, " | tar -C \"$2\" -xf -");
    command.arguments = {"sh", "-c", shell_line, "sh", source.path, destination};
  } else {
    command.arguments = {"tar",       "--extract",           "--file", source.path, "--directory",
                         destination, "--strip-components=1"};
  }
  FTP_ASSIGN_OR_RETURN(const CommandResult result, RunCommand(command));
  if (result.exit_status == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(source.path.string(), " cannot be unpacked; ", log_file.string(), " says why"));
}

absl::StatusOr<std::string> Sha256(const std::string& text) {
  return RunSha256("printf %s \"$1\" | sha256sum", text);
}

}  // namespace fthreadprof
