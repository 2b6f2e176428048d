// LineTable maps a code unit's index to a source line: CPython's co_linetable, the location table
// of PEP 626 in the compact form of 3.11 and later (Objects/locations.md in CPython's source).
//
// Lifetime: owns its data. Thread safety: immutable after Parse.
#ifndef FTHREADPROF_PYTHON_LINE_TABLE_H_
#define FTHREADPROF_PYTHON_LINE_TABLE_H_

#include <cstdint>
#include <span>
#include <vector>

namespace fthreadprof {

class LineTable {
 public:
  LineTable() = default;
  // Decodes a location table. Bytes that make no sense end it: what was decoded before stays.
  static LineTable Parse(std::span<const uint8_t> bytes, int first_line);

  // The line of the instruction at `code_unit` (index in 2-byte units), 0 when it has none.
  int LineAt(uint32_t code_unit) const;

 private:
  struct Run {
    uint32_t end;  // first code unit past the run
    int line;      // 0: none
  };
  std::vector<Run> runs_;  // by `end`, ascending
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_LINE_TABLE_H_
