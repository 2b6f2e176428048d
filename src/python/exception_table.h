// ExceptionTable is CPython's co_exceptiontable: which instructions are inside a `try` or `with`, and
// how much of the frame's evaluation stack the handler finds (Objects/exception_handling_notes.txt
// in CPython's source; the same in 3.13 to 3.15).
//
// Lifetime: owns its data. Thread safety: immutable after Parse.
#ifndef FTHREADPROF_PYTHON_EXCEPTION_TABLE_H_
#define FTHREADPROF_PYTHON_EXCEPTION_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fthreadprof {

class ExceptionTable {
 public:
  // Decodes a table. Bytes that make no sense end it: what was decoded before stays.
  static ExceptionTable Parse(std::span<const uint8_t> bytes);

  // The words of evaluation stack that stay when the instruction at `code_unit` raises, and so are
  // in use while it runs; 0 when the frame does not handle it.
  size_t DepthAt(uint32_t code_unit) const;

 private:
  struct Range {
    uint32_t begin = 0;
    uint32_t end = 0;
    uint32_t depth = 0;
  };
  std::vector<Range> ranges_;  // by begin, none overlap
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_EXCEPTION_TABLE_H_
