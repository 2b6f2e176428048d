#include "cli/race_coverage.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "interpreter/resources.h"
#include "pass/hook_table.h"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;

// What a row is about: its operation, "list.append", or else its hook, "lock_acquired".
std::string SubjectOf(const CoverageRow& row) {
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(row.text, ' '))) {
    if (word.starts_with("op=")) return word.substr(3);
  }
  return row.hook;
}

// "list_append_impl in Objects/listobject.c" -> "list_append_impl".
std::string FunctionName(const std::string& applied) {
  return applied.substr(0, applied.find(' '));
}

// What no table has a row for, and why (docs/race-detector.md).
constexpr std::pair<const char*, const char*> kNotTracked[] = {
    {"frozenset", "does not change once others can reach it"},
    {"itertools.count", "is one step"},
    {"buffers in C",
     "recv_into, readinto, struct and the like: C code has the memory's address only"},
    {"await, yield from",
     "on a shared coroutine or generator: the evaluation loop calls no function"},
    {"other iterators", "of files, csv, re, os.scandir, sqlite3"},
    {"macros in C",
     "lists and dicts that _sre, _tkinter, _elementtree and extension modules read past "
     "every function named here"},
};

using Subjects = std::map<std::string, std::set<std::string>>;

void AppendSubjects(const std::string& title, const Subjects& subjects, std::string& out) {
  absl::StrAppend(&out, title, "\n");
  for (const auto& [subject, functions] : subjects) {
    absl::StrAppendFormat(&out, "  %-20s %s\n", subject, absl::StrJoin(functions, " "));
  }
}

std::string ReadText(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// "3.13 (verified with 3.13.5)", "3.14 (unverified)".
std::vector<std::string> DescribeTables(const Resources& resources) {
  std::vector<std::string> tables;
  std::error_code error;
  for (fs::directory_iterator it(resources.directory() / "cpython", error), end;
       !error && it != end; it.increment(error)) {
    if (it->path().extension() != ".table") continue;
    HookTable table;
    if (!HookTable::Parse(ReadText(it->path()), table).empty()) continue;
    const std::string verified = absl::StrJoin(table.verified(), ", ");
    tables.push_back(absl::StrCat(it->path().stem().string(), " (",
                                  verified.empty() ? "unverified: nothing was built with it here"
                                                   : absl::StrCat("verified with ", verified),
                                  ")"));
  }
  std::sort(tables.begin(), tables.end());
  return tables;
}

}  // namespace

std::string RenderCoverage(const Coverage& coverage) {
  Subjects accesses, order;
  for (const CoverageRow& row : coverage.rows) {
    const std::string subject = SubjectOf(row);
    Subjects& subjects = subject == row.hook ? order : accesses;
    for (const std::string& applied : row.functions) {
      subjects[subject].insert(FunctionName(applied));
    }
  }
  std::string out = absl::StrCat("CPython ", coverage.version, ", free-threaded, instrumented; ",
                                 coverage.verified ? "verified" : "unverified",
                                 ". Operation or event, and the C functions that tell of it.\n\n");
  AppendSubjects("Accesses", accesses, out);
  AppendSubjects("\nOrder, frames, life and death", order, out);
  absl::StrAppend(&out, "\nNot tracked\n");
  for (const CoverageRow* row : coverage.Lost()) {
    absl::StrAppendFormat(&out, "  %-20s this CPython has no such place: %s\n", SubjectOf(*row),
                          row->text);
  }
  for (const auto& [what, reason] : kNotTracked) {
    absl::StrAppendFormat(&out, "  %-20s %s\n", what, reason);
  }
  return out;
}

absl::Status PrintRaceCoverage(const RaceInterpreter& interpreter) {
  const fs::path prefix = interpreter.executable.parent_path().parent_path();
  FTP_ASSIGN_OR_RETURN(const Coverage coverage, ReadCoverage(CoverageFile(prefix)));
  std::cout << RenderCoverage(coverage);
  std::cout
      << "\nC functions that touch list, dict, set, deque, bytearray or cell fields without a row: "
      << AuditFile(prefix).string() << "\n";
  if (const absl::StatusOr<Resources> resources = Resources::Find(); resources.ok()) {
    std::cout << "Hook tables: " << absl::StrJoin(DescribeTables(*resources), ", ") << "\n";
  }
  std::cout.flush();
  if (std::cout) return absl::OkStatus();
  return absl::UnavailableError("standard output cannot be written");
}

}  // namespace fthreadprof
