// Expressions: what a value on the stack or in a local is, as the bytecode tells. Equal expressions
// have equal ids, so that "the same container" is a comparison of numbers.
//
// A local that was given a value with no name of its own is that local as of that instruction; two
// values that meet in a local are that local as of the place where they meet (SSA). Attributes,
// items, globals and cells are access paths: they say where the value came from, not when. A call
// is taken to give the same for the same arguments.
//
// Lifetime: a table owns its expressions; ids are valid for its life. Thread safety: none.
#ifndef FTHREADPROF_RACE_EXPRESSION_H_
#define FTHREADPROF_RACE_EXPRESSION_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace fthreadprof {

enum class ExpressionKind : uint8_t {
  kUnknown,
  kNull,       // the marker that a callable comes without self
  kConstant,   // name: its repr
  kLocal,      // name; defined at an instruction, or kAtEntry: an argument
  kCell,       // name
  kGlobal,     // name
  kAttribute,  // operand.name
  kItem,       // operand[operand]
  kCall,       // operand(operand...); name: the callee's
  kOperation,  // name: what is done with the operands
  kIterator,   // over operand
};

using ExpressionId = uint32_t;
inline constexpr ExpressionId kNoExpression = 0;
inline constexpr uint32_t kAtEntry = 0xffffffff;

struct Expression {
  ExpressionKind kind = ExpressionKind::kUnknown;
  std::string name = {};
  std::vector<ExpressionId> operands = {};
  uint32_t definition = 0;  // instruction, for kUnknown and kLocal
  // As it would be written in Python; "" when it can't, or would be long.
  std::string text = {};
};

class ExpressionTable {
 public:
  ExpressionTable();

  const Expression& operator[](ExpressionId id) const { return expressions_[id]; }
  size_t size() const { return expressions_.size(); }

  ExpressionId Unknown(uint32_t definition);
  ExpressionId Null();
  ExpressionId Constant(std::string_view repr);
  ExpressionId Local(std::string_view name, uint32_t definition);
  ExpressionId Cell(std::string_view name);
  ExpressionId Global(std::string_view name);
  ExpressionId Attribute(ExpressionId base, std::string_view name);
  ExpressionId Item(ExpressionId base, ExpressionId key);
  ExpressionId Call(ExpressionId callee, const std::vector<ExpressionId>& arguments);
  ExpressionId Operation(std::string_view name, std::vector<ExpressionId> operands);
  ExpressionId Iterator(ExpressionId iterated);

 private:
  using Key = std::tuple<ExpressionKind, std::string, std::vector<ExpressionId>, uint32_t>;

  ExpressionId Intern(Expression expression);
  const std::string& TextOf(ExpressionId id) const { return expressions_[id].text; }

  std::vector<Expression> expressions_;
  absl::flat_hash_map<Key, ExpressionId> ids_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_EXPRESSION_H_
