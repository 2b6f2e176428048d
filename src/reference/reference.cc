#include "reference/reference.h"

#include <fstream>
#include <map>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "reference/completion.h"
#include "reference/man_page.h"

namespace fthreadprof {
namespace {

absl::Status WriteFile(const std::filesystem::path& path, const std::string& text) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file.fail()) return absl::UnavailableError(absl::StrCat("cannot write ", path.string()));
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteReference(const CommandTree& program, std::string_view version,
                            const std::filesystem::path& share) {
  const std::string& name = program.name;
  std::map<std::string, std::string> files = {
      {absl::StrCat("man/man1/", name, ".1"), ProgramManPage(program, version)},
      {absl::StrCat("bash-completion/completions/", name), BashCompletion(program)},
      {absl::StrCat("zsh/site-functions/_", name), ZshCompletion(program)},
      {absl::StrCat("fish/vendor_completions.d/", name, ".fish"), FishCompletion(program)},
  };
  for (const CommandTree& command : program.commands) {
    files[absl::StrCat("man/man1/", name, "-", command.name, ".1")] =
        CommandManPage(program, command, version);
  }
  for (const auto& [path, text] : files) FTP_RETURN_IF_ERROR(WriteFile(share / path, text));
  return absl::OkStatus();
}

}  // namespace fthreadprof
