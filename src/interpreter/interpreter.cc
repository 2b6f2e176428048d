#include "interpreter/interpreter.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <memory>
#include <regex>
#include <string_view>
#include <system_error>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"
#include "interpreter/command_runner.h"
#include "interpreter/coverage.h"

namespace fthreadprof {
namespace {

constexpr int kOldestMinor = 13;

constexpr std::chrono::seconds kIdentifyTimeout{10};

// 't' is in sys.abiflags exactly when Py_GIL_DISABLED is defined; unlike sysconfig's variables it
// needs no file besides the interpreter. Old syntax, so that a Python 2 can answer too.
constexpr char kQuestion[] =
    "import sys; print('%s %s %d' % (getattr(getattr(sys, 'implementation', None), 'name', 'old'), "
    "sys.version.split()[0], 't' in getattr(sys, 'abiflags', '')))";

absl::Status NotUsable(const std::filesystem::path& executable, const std::string& why) {
  return absl::FailedPreconditionError(absl::StrCat(executable.string(), " ", why));
}

struct ElfCloser {
  void operator()(Elf* elf) const { elf_end(elf); }
};

// True when one of the NEEDED entries of a dynamic section names libpython3.
bool NeedsLibpython(Elf* elf, Elf_Scn* section, const GElf_Shdr& header) {
  Elf_Data* data = elf_getdata(section, nullptr);
  if (data == nullptr || header.sh_entsize == 0) return false;
  const size_t count = data->d_size / header.sh_entsize;
  for (size_t i = 0; i < count; ++i) {
    GElf_Dyn entry;
    if (gelf_getdyn(data, static_cast<int>(i), &entry) == nullptr) return false;
    if (entry.d_tag != DT_NEEDED) continue;
    const char* name = elf_strptr(elf, header.sh_link, entry.d_un.d_val);
    if (name != nullptr && std::string_view(name).starts_with("libpython3.")) return true;
  }
  return false;
}

}  // namespace

const char* OriginName(InterpreterOrigin origin) {
  switch (origin) {
    case InterpreterOrigin::kEnvironment:
      return "environment";
    case InterpreterOrigin::kPath:
      return "path";
    case InterpreterOrigin::kCache:
      return "cache";
    case InterpreterOrigin::kUv:
      return "uv";
    case InterpreterOrigin::kPyenv:
      return "pyenv";
    case InterpreterOrigin::kRoot:
      return "root";
  }
  return "unknown";
}

bool PythonVersion::NumbersLessThan(const PythonVersion& other) const {
  return std::tie(major, minor, micro) < std::tie(other.major, other.minor, other.micro);
}

absl::StatusOr<PythonVersion> ParsePythonVersion(const std::string& text) {
  static const std::regex kPattern(R"((\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?([a-z0-9+]{0,16}))");
  std::smatch match;
  if (!std::regex_match(text, match, kPattern)) {
    return absl::InvalidArgumentError(absl::StrCat("not a Python version: ", text));
  }
  PythonVersion version;
  version.major = std::stoi(match[1]);
  version.minor = std::stoi(match[2]);
  version.micro = match[3].matched ? std::stoi(match[3]) : 0;
  version.text = text;
  return version;
}

bool IsSupported(const PythonVersion& version) {
  return std::tie(version.major, version.minor) >= std::make_tuple(3, kOldestMinor);
}

absl::StatusOr<VersionRequest> VersionRequest::Parse(const std::string& text) {
  static const std::regex kPattern(R"((\d{1,3}(?:\.\d{1,3}){0,2})?(t?))");
  std::smatch match;
  if (!std::regex_match(text, match, kPattern)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is not a version such as 3.13, 3.13t, 3.14.2t or t"));
  }
  VersionRequest request;
  request.any_ = text.empty();
  request.free_threaded_ = match[2].length() > 0;
  const std::vector<std::string> numbers = absl::StrSplit(match[1].str(), '.', absl::SkipEmpty());
  for (const std::string& number : numbers) request.numbers_.push_back(std::stoi(number));
  const std::vector<int>& wanted = request.numbers_;
  if (!wanted.empty() && (wanted[0] != 3 || (wanted.size() > 1 && wanted[1] < kOldestMinor))) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is not supported: give CPython 3.", kOldestMinor, " or later"));
  }
  return request;
}

std::string VersionRequest::Numbers() const { return absl::StrJoin(numbers_, "."); }

bool VersionRequest::MatchesNumbers(const PythonVersion& version) const {
  const std::vector<int> actual = {version.major, version.minor, version.micro};
  return std::equal(numbers_.begin(), numbers_.end(), actual.begin());
}

bool VersionRequest::Matches(const Interpreter& interpreter) const {
  return MatchesNumbers(interpreter.version) && race_ == interpreter.race &&
         (any_ || free_threaded_ == interpreter.free_threaded);
}

absl::StatusOr<Interpreter> IdentifyInterpreter(const std::vector<std::string>& wrapper,
                                                const std::string& python,
                                                const std::filesystem::path& executable) {
  Command command;
  command.arguments = wrapper;
  command.arguments.insert(command.arguments.end(), {python, "-I", "-c", kQuestion});
  command.timeout = kIdentifyTimeout;
  const absl::StatusOr<CommandResult> result = RunCommand(command);
  if (!result.ok()) {
    return NotUsable(executable,
                     absl::StrCat("cannot be asked: ", std::string(result.status().message())));
  }
  const std::vector<std::string> answer =
      absl::StrSplit(result->output, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  if (result->exit_status != 0 || answer.size() != 3) {
    return NotUsable(executable, absl::StrCat("does not run as a Python (exit status ",
                                              result->exit_status, ")"));
  }
  const absl::StatusOr<PythonVersion> version = ParsePythonVersion(answer[1]);
  if (answer[0] != "cpython" || !version.ok()) return NotUsable(executable, "is not a CPython");
  if (!IsSupported(*version)) {
    return NotUsable(executable, absl::StrCat("is ", version->text, ", older than 3.13"));
  }
  Interpreter interpreter;
  interpreter.version = *version;
  interpreter.free_threaded = answer[2] == "1";
  interpreter.executable = executable;
  interpreter.shared = UsesSharedLibpython(executable);
  interpreter.race = IsInstrumented(executable);
  return interpreter;
}

bool IsInstrumented(const std::filesystem::path& executable) {
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(executable, error);
  return !error && std::filesystem::exists(CoverageFile(file.parent_path().parent_path()), error);
}

bool UsesSharedLibpython(const std::filesystem::path& executable) {
  elf_version(EV_CURRENT);
  const UniqueFd fd(open(executable.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return false;
  const std::unique_ptr<Elf, ElfCloser> elf(elf_begin(fd.get(), ELF_C_READ, nullptr));
  if (elf == nullptr || elf_kind(elf.get()) != ELF_K_ELF) return false;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf.get(), section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_DYNAMIC) continue;
    if (NeedsLibpython(elf.get(), section, header)) return true;
  }
  return false;
}

}  // namespace fthreadprof
