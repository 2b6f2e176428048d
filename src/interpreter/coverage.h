// Coverage is what an instrumented interpreter tracks: which rows of its hook table were applied
// when it was built. Stored with it, in PREFIX/share/fthreadprof/coverage.json; the audit's list of
// functions that touch tracked fields without a row is in audit.txt beside it.
//
// A value. Errors are sentences for the user.
#ifndef FTHREADPROF_INTERPRETER_COVERAGE_H_
#define FTHREADPROF_INTERPRETER_COVERAGE_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pass/hook_table.h"

namespace fthreadprof {

struct CoverageRow {
  unsigned line = 0;                   // in the table
  std::string text;                    // "entry list_length list_read 0 op=list.len"
  std::string hook;                    // "list_read"
  std::vector<std::string> functions;  // "list_length in Objects/listobject.c", where applied
  bool optional = false;
};

struct Coverage {
  std::string version;    // of CPython, "3.13.5"
  bool verified = false;  // the table was tested with this version
  std::vector<CoverageRow> rows;

  // Rows that were applied nowhere though they are not optional: what is not tracked.
  std::vector<const CoverageRow*> Lost() const;
};

// `hits` is what the compiler plugin wrote: lines "LINE<tab>FUNCTION<tab>FILE".
Coverage ComputeCoverage(const HookTable& table, const std::string& version,
                         const std::string& hits);

// Where the interpreter with this prefix keeps it; it exists for instrumented ones only.
std::filesystem::path CoverageFile(const std::filesystem::path& prefix);
std::filesystem::path AuditFile(const std::filesystem::path& prefix);

[[nodiscard]] absl::Status WriteCoverage(const Coverage& coverage,
                                         const std::filesystem::path& file);
// Fails with kNotFound when there is no such file, kDataLoss when it is not what we wrote.
[[nodiscard]] absl::StatusOr<Coverage> ReadCoverage(const std::filesystem::path& file);

}  // namespace fthreadprof

#endif  // FTHREADPROF_INTERPRETER_COVERAGE_H_
