#include "interpreter/instrumentation.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "interpreter/command_runner.h"
#include "interpreter/coverage.h"
#include "pass/hook_table.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

// Those that a message names; the rest is in the coverage.
constexpr size_t kNamedRows = 5;

bool IsClang19(const std::string& compiler) {
  Command command;  // through a shell: CC may be "ccache clang-19"
  command.arguments = {"sh", "-c", compiler + " --version"};
  const absl::StatusOr<CommandResult> result = RunCommand(command);
  return result.ok() && result->exit_status == 0 &&
         result->output.find("clang version 19.") != std::string::npos;
}

// Empty when there is no such file.
std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string NameRows(const std::vector<const CoverageRow*>& rows) {
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(rows.size(), kNamedRows); ++i) {
    names.push_back(absl::StrCat("line ", rows[i]->line, " (", rows[i]->text, ")"));
  }
  if (rows.size() > kNamedRows) {
    names.push_back(absl::StrCat(rows.size() - kNamedRows, " more"));
  }
  return absl::StrJoin(names, ", ");
}

// Sorted and without the repetitions that headers and several builds of a file make.
absl::Status WriteAudit(const std::string& lines, const fs::path& file) {
  const std::set<std::string> unique = absl::StrSplit(lines, '\n', absl::SkipEmpty());
  std::ofstream stream(file);
  for (const std::string& line : unique) stream << line << "\n";
  stream.close();
  if (stream) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot write ", file.string()));
}

}  // namespace

absl::StatusOr<std::string> FindInstrumentingCompiler() {
  const char* named = std::getenv("CC");
  if (named != nullptr && named[0] != '\0' && IsClang19(named)) return named;
  if (IsClang19("clang-19")) return "clang-19";
  return absl::FailedPreconditionError(
      "clang 19, which builds the instrumented interpreter, was not found; install it (Debian: "
      "apt-get install clang-19 llvm-19) or name it in CC");
}

absl::StatusOr<Instrumentation> Instrumentation::Prepare(const Resources& resources,
                                                         const PythonVersion& version,
                                                         const fs::path& directory) {
  FTP_ASSIGN_OR_RETURN(Resources copy, resources.CopyTo(directory / "resources", version));
  return Instrumentation(std::move(copy), version, directory);
}

std::vector<std::vector<std::string>> Instrumentation::RuntimeCommands(
    const std::string& compiler, const fs::path& source) const {
  const std::string includes = absl::StrCat(
      " -I '", resources_.Include().string(), "' -I '", resources_.Runtime().string(), "' -I '",
      (source / "Include").string(), "' -I '", (source / "Include/internal").string(), "' -I '",
      (source / "Include/internal/mimalloc").string(), "' -I '", source.string(), "'");
  // Position-independent, for libpython as a shared library; its symbols are seen by the modules.
  const std::string common =
      " -O2 -g1 -DNDEBUG -DPy_BUILD_CORE -fPIC -fvisibility=default -fno-strict-aliasing" +
      includes;
  const auto compile = [&](const std::string& options, const char* file, const char* object) {
    return std::vector<std::string>{
        "sh", "-c",
        absl::StrCat(compiler, options, common, " -c '", (resources_.Runtime() / file).string(),
                     "' -o '", (directory_ / object).string(), "'")};
  };
  return {
      compile(" -std=c++20 -fno-exceptions -fno-rtti", "runtime.cc", "runtime.o"),
      compile(" -std=c11", "cpython_bridge.c", "cpython_bridge.o"),
      {"ar", "rc", Archive(), directory_ / "runtime.o", directory_ / "cpython_bridge.o"},
  };
}

std::vector<std::string> Instrumentation::Environment() const {
  return {absl::StrCat("FTHREADPROF_RACE_TABLE=", resources_.Table(version_).string()),
          absl::StrCat("FTHREADPROF_RACE_HITS=", Hits().string()),
          absl::StrCat("FTHREADPROF_RACE_AUDIT=", Audit().string()),
          "CCACHE_DISABLE=1"};  // it knows nothing of the table
}

std::vector<std::string> Instrumentation::MakeArguments() const {
  // CFLAGS_NODIST is for the interpreter and its own modules; LIBC, empty on Linux, is among the
  // libraries of every program and of libpython.
  return {absl::StrCat("CFLAGS_NODIST=-fpass-plugin=", resources_.Pass().string()),
          absl::StrCat("LIBC=", Archive().string())};
}

absl::Status Instrumentation::Finish(const fs::path& prefix,
                                     const std::function<void(const std::string&)>& notice) const {
  HookTable table;
  const fs::path table_file = resources_.Table(version_);
  const std::string problem = HookTable::Parse(ReadFile(table_file), table);
  if (!problem.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(table_file.string(), ": ", problem));
  }
  const Coverage coverage = ComputeCoverage(table, version_.text, ReadFile(Hits()));
  FTP_RETURN_IF_ERROR(WriteCoverage(coverage, CoverageFile(prefix)));
  FTP_RETURN_IF_ERROR(WriteAudit(ReadFile(Audit()), AuditFile(prefix)));
  const std::vector<const CoverageRow*> lost = coverage.Lost();
  if (lost.empty()) return absl::OkStatus();
  const std::string rows = absl::StrCat(table_file.filename().string(), " names what CPython ",
                                        version_.text, " does not have: ", NameRows(lost));
  if (coverage.verified) return absl::InvalidArgumentError(rows);
  if (notice) {
    notice(absl::StrCat(rows,
                        "; races there are not seen ('fthreadprof race --coverage' lists "
                        "all)"));
  }
  return absl::OkStatus();
}

}  // namespace fthreadprof
