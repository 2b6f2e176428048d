// SourceLines reads lines of Python sources for excerpts. Names of files come from the process
// under test: only regular files of a sane size are opened, and what can't be read is an empty
// line.
//
// Lifetime: keeps what it has read. Thread safety: none.
#ifndef FTHREADPROF_RACE_SOURCE_LINES_H_
#define FTHREADPROF_RACE_SOURCE_LINES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "race/race_report.h"

namespace fthreadprof {

class SourceLines {
 public:
  // Relative names are below `directory`.
  explicit SourceLines(std::string directory) : directory_(std::move(directory)) {}

  // Line `number` (1-based) of `file` without indentation; "" when there is none.
  std::string Line(const std::string& file, uint32_t number);
  // That line and some before and after it; empty when there is none.
  SourceExcerpt Excerpt(const std::string& file, uint32_t number);

 private:
  const std::vector<std::string>& LinesOf(const std::string& file);
  std::vector<std::string> ReadLines(const std::string& file) const;

  std::string directory_;
  // Indented as they are, tabs as spaces.
  absl::node_hash_map<std::string, std::vector<std::string>> files_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_SOURCE_LINES_H_
