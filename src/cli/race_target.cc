#include "cli/race_target.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "interpreter/command_runner.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

// The kernel reads 256 bytes of a shebang; pip's trampoline and pyenv's shims are longer.
constexpr size_t kStartOfFile = 4096;
constexpr std::chrono::seconds kPyenvTimeout{10};

// std::string_view is not absl::string_view in Debian's build of Abseil.
bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::vector<std::string> Words(std::string_view text) {
  return absl::StrSplit(std::string(text), absl::ByAnyChar(" \t"), absl::SkipEmpty());
}

// "'''exec' PATH "$0" "$@"", PATH in double quotes when it has a space: what pip and distlib write.
std::optional<Shebang> ParseTrampoline(std::string_view line) {
  if (!TakePrefix(line, "'''exec' ")) return std::nullopt;
  const char closing = TakePrefix(line, "\"") ? '"' : ' ';
  const size_t end = line.find(closing);
  if (end == std::string_view::npos || line.find("\"$0\"", end) == std::string_view::npos) {
    return std::nullopt;
  }
  return Shebang{std::string(line.substr(0, end)), {}};
}

// env [-S] NAME [ARGUMENTS]: with -S it splits what the kernel hands over as one argument.
Shebang ParseEnv(const Shebang& env) {
  if (env.arguments.empty()) return env;
  std::string_view rest = env.arguments.front();
  std::vector<std::string> words = {std::string(rest)};
  if (TakePrefix(rest, "-S") || TakePrefix(rest, "--split-string=")) words = Words(rest);
  // Options and variables of env, quotes: left to env itself, which finds Python on PATH.
  if (words.empty() || words.front().starts_with('-') ||
      words.front().find_first_of("=\"'") != std::string::npos) {
    return env;
  }
  return {words.front(), {words.begin() + 1, words.end()}};
}

// The real program behind a shim of pyenv, which is a shell script that ends in
// exec ".../pyenv" exec "$program" "$@".
absl::StatusOr<fs::path> ResolvePyenvShim(const fs::path& file, const std::string& start) {
  static const std::regex kShim(R"re(\nexec "([^"\n]+)" exec "\$program")re");
  std::smatch match;
  if (file.parent_path().filename() != "shims" || !std::regex_search(start, match, kShim)) {
    return file;
  }
  Command which;
  which.arguments = {match[1], "which", file.filename()};
  which.timeout = kPyenvTimeout;
  FTP_ASSIGN_OR_RETURN(const CommandResult result, RunCommand(which));
  const fs::path found = std::string(absl::StripAsciiWhitespace(result.output));
  if (result.exit_status == 0 && found.is_absolute()) return found;
  return absl::NotFoundError(absl::StrCat(
      "pyenv has no ", file.filename().string(), " for the Python version that is set here; '",
      match[1].str(), " which ", file.filename().string(), "' says more"));
}

absl::Status ExplainNotFound(const std::string& program) {
  std::error_code ignored;
  if (!absl::StrContains(program, "/")) {
    return absl::NotFoundError(
        absl::StrCat("cannot run ", program, ": there is no such command on PATH"));
  }
  if (!fs::exists(program, ignored)) {
    return absl::NotFoundError(absl::StrCat("cannot run ", program, ": there is no such file"));
  }
  if (fs::is_directory(program, ignored)) {
    return absl::NotFoundError(absl::StrCat("cannot run ", program, ": it is a directory"));
  }
  return absl::PermissionDeniedError(absl::StrCat(
      "cannot run ", program, ": it is not executable; make it so, or run 'python ", program, "'"));
}

// An interpreter that a shebang names; empty when it does not exist.
fs::path FindInterpreter(const std::string& name) {
  const fs::path found = FindProgram(name);
  if (found.empty()) return found;
  return ResolvePyenvShim(found, ReadStartOfFile(found)).value_or(found);
}

absl::Status SetScript(const Shebang& shebang, RaceTarget& target) {
  target.kind = RaceTarget::Kind::kScript;
  target.shebang = shebang.arguments;
  target.python = FindInterpreter(shebang.interpreter);
  if (!target.python.empty()) return absl::OkStatus();
  if (absl::StrContains(shebang.interpreter, "/")) {
    return absl::NotFoundError(absl::StrCat("cannot run ", target.file.string(),
                                            ": its first line names ", shebang.interpreter,
                                            ", which does not exist"));
  }
  target.python = FindDefaultPython();
  return absl::OkStatus();
}

}  // namespace

std::optional<Shebang> ParseShebang(std::string_view start_of_file) {
  if (!TakePrefix(start_of_file, "#!")) return std::nullopt;
  const std::string line(absl::StripAsciiWhitespace(std::string(TakeLine(start_of_file))));
  const size_t end = line.find_first_of(" \t");
  Shebang shebang{line.substr(0, end), {}};
  if (shebang.interpreter.empty()) return std::nullopt;
  // The kernel hands over the rest as one argument.
  if (end != std::string::npos) {
    shebang.arguments.emplace_back(absl::StripLeadingAsciiWhitespace(line.substr(end)));
  }
  const std::string name = fs::path(shebang.interpreter).filename();
  if (name == "env") return ParseEnv(shebang);
  if (name == "sh") {
    if (std::optional<Shebang> behind = ParseTrampoline(TakeLine(start_of_file))) return behind;
  }
  return shebang;
}

bool IsPythonName(std::string_view name) {
  static const std::regex kPattern(R"(python(3(\.\d{1,3})?t?)?)");
  return std::regex_match(name.begin(), name.end(), kPattern);
}

std::string ReadStartOfFile(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return {};  // opening a pipe would wait
  std::ifstream stream(file, std::ios::binary);
  std::string start(kStartOfFile, '\0');
  stream.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  return start;
}

fs::path FindDefaultPython() {
  for (const char* name : {"python3", "python"}) {
    if (fs::path found = FindInterpreter(name); !found.empty()) return found;
  }
  const char* environment = std::getenv("VIRTUAL_ENV");
  if (environment == nullptr || environment[0] == '\0') return {};
  return FindInterpreter(fs::path(environment) / "bin/python");
}

absl::StatusOr<RaceTarget> ResolveRaceTarget(const std::vector<std::string>& command) {
  const fs::path found = FindProgram(command[0]);
  RaceTarget target;
  target.arguments.assign(command.begin() + 1, command.end());
  if (found.empty() && IsPythonName(command[0])) {
    // It would have been replaced anyway.
    target.kind = RaceTarget::Kind::kPython;
    target.python = FindDefaultPython();
    target.file = command[0];
    return target;
  }
  if (found.empty()) return ExplainNotFound(command[0]);
  std::string start = ReadStartOfFile(found);
  FTP_ASSIGN_OR_RETURN(target.file, ResolvePyenvShim(found, start));
  if (target.file != found) start = ReadStartOfFile(target.file);
  if (IsPythonName(found.filename().string())) {
    target.kind = RaceTarget::Kind::kPython;
    target.python = target.file;
    return target;
  }
  // As it was written: a program may print its name, or look beside itself.
  if (absl::StrContains(command[0], "/") && target.file == found) target.file = command[0];
  const std::optional<Shebang> shebang = ParseShebang(start);
  if (shebang && IsPythonName(fs::path(shebang->interpreter).filename().string())) {
    FTP_RETURN_IF_ERROR(SetScript(*shebang, target));
  } else {
    target.python = FindDefaultPython();
  }
  return target;
}

std::vector<std::string> RaceTarget::CommandLine(const fs::path& python_to_run) const {
  std::vector<std::string> line;
  if (kind != Kind::kOther) line.push_back(python_to_run);
  line.insert(line.end(), shebang.begin(), shebang.end());
  if (kind != Kind::kPython) line.push_back(file);
  line.insert(line.end(), arguments.begin(), arguments.end());
  return line;
}

}  // namespace fthreadprof
