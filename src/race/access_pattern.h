// What an instruction does to a variable, and the two mistakes that a single function shows:
// reading, computing and writing back (lost-update), testing and acting on it (check-then-act).
//
// Naive model: a write is an update when what it stores depends on a read of the same variable in
// the same code; it is an act when a branch whose test depends on such a read decides whether it
// runs. Variables are the same when they are written the same (expression.h).
//
// Thread safety: pure functions.
#ifndef FTHREADPROF_RACE_ACCESS_PATTERN_H_
#define FTHREADPROF_RACE_ACCESS_PATTERN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fthreadprof/race_log.h"
#include "race/symbolic_code.h"

namespace fthreadprof {

// A variable as the code names it: an attribute (object, name; or object, key when the name is no
// constant), a global or cell (object), a container (object) or an element of it (object, key).
struct Target {
  ExpressionId object = kNoExpression;
  ExpressionId key = kNoExpression;  // kNoExpression: the container as a whole
  std::string name = {};             // attributes only
  bool reads = false;
  bool writes = false;
};

// What `instruction` does to an object of that kind; nullopt when it does nothing to one, as far as
// is known. `operation` ("list.extend", or "" when not known) tells which of several operands is
// meant.
std::optional<Target> TargetAt(const SymbolicCode& code, uint32_t instruction,
                               race_log::ObjectKind kind, std::string_view operation);

// What a value is made of when it is only a way to go over it: d of `d.items()`, x of
// `enumerate(x)`.
ExpressionId PeelView(const ExpressionTable& expressions, ExpressionId id);

enum class AccessPattern : uint8_t { kNone, kLostUpdate, kCheckThenAct };

// The pattern that the access at `instruction` belongs to. `is_write`: what was seen there is a
// write, whatever the code tells (a C function that changes its argument).
AccessPattern PatternAt(const SymbolicCode& code, uint32_t instruction, race_log::ObjectKind kind,
                        std::string_view operation, bool is_write);

// Whether all that the test of the access at `read` decides is the `write`, and a second test of
// the variable decides it too, which reads it behind the instruction `from`.
bool IsTestedAgain(const SymbolicCode& code, uint32_t read, uint32_t from, uint32_t write,
                   race_log::ObjectKind kind, std::string_view operation);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_ACCESS_PATTERN_H_
