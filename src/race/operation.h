// What the operations of race_abi.h are to a reader of a report, and what CPython promises of them.
//
// Thread safety: pure functions.
#ifndef FTHREADPROF_RACE_OPERATION_H_
#define FTHREADPROF_RACE_OPERATION_H_

#include <cstdint>
#include <string_view>

namespace fthreadprof {

// CPython's Doc/library/threadsafety.rst, by its own words (docs/race-report.md cites the
// revision).
enum class Promise : uint8_t {
  kAtomic,              // "atomic", or a single element is read or written safely
  kIntermediateStates,  // safe, but lock-free readers may see it half done
  kNotAtomic,           // "not atomic"
  kSingleAccess,        // attributes, globals, cells: one load or store, nothing promised
};

struct OperationTraits {
  std::string_view phrase;  // what stands before the object's name: "append() to"
  Promise promise = Promise::kIntermediateStates;
  bool names_element = false;  // the phrase goes with the element's name, not the container's
  bool iterates = false;
};

// Of an operation by its number in the log. What this version does not know (a corrupt log) is an
// "access to" something, promised nothing.
const OperationTraits& TraitsOf(uint8_t operation);
// The iteration that a read of an element is, where a for loop does it; any other operation is
// itself.
uint8_t IterationOf(uint8_t operation);
// A read or write of a module's global.
uint8_t GlobalAccess(bool is_write);
// It puts another value in the place of one: not a change that a loop over the container would
// notice.
bool ReplacesElement(uint8_t operation);
// "list.sort"; "none" for an unknown one.
std::string_view OperationName(uint8_t operation);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_OPERATION_H_
