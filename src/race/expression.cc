#include "race/expression.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace fthreadprof {
namespace {

// Longer than this no name helps a reader; the expression is then only known by its structure.
constexpr size_t kMaxText = 100;

}  // namespace

ExpressionTable::ExpressionTable() { expressions_.emplace_back(); }

ExpressionId ExpressionTable::Intern(Expression expression) {
  const auto [entry, is_new] = ids_.try_emplace(
      Key(expression.kind, expression.name, expression.operands, expression.definition),
      static_cast<ExpressionId>(expressions_.size()));
  if (is_new) {
    if (expression.text.size() > kMaxText) expression.text.clear();
    expressions_.push_back(std::move(expression));
  }
  return entry->second;
}

ExpressionId ExpressionTable::Unknown(uint32_t definition) {
  return Intern({.kind = ExpressionKind::kUnknown, .definition = definition});
}

ExpressionId ExpressionTable::Null() { return Intern({.kind = ExpressionKind::kNull}); }

ExpressionId ExpressionTable::Constant(std::string_view repr) {
  return Intern(
      {.kind = ExpressionKind::kConstant, .name = std::string(repr), .text = std::string(repr)});
}

ExpressionId ExpressionTable::Local(std::string_view name, uint32_t definition) {
  // A name like `.0` is the compiler's, not the programmer's.
  return Intern({.kind = ExpressionKind::kLocal,
                 .name = std::string(name),
                 .definition = definition,
                 .text = name.starts_with('.') ? "" : std::string(name)});
}

ExpressionId ExpressionTable::Cell(std::string_view name) {
  return Intern(
      {.kind = ExpressionKind::kCell, .name = std::string(name), .text = std::string(name)});
}

ExpressionId ExpressionTable::Global(std::string_view name) {
  return Intern(
      {.kind = ExpressionKind::kGlobal, .name = std::string(name), .text = std::string(name)});
}

ExpressionId ExpressionTable::Attribute(ExpressionId base, std::string_view name) {
  std::string text;
  if (!TextOf(base).empty()) text = absl::StrCat(TextOf(base), ".", std::string(name));
  return Intern({.kind = ExpressionKind::kAttribute,
                 .name = std::string(name),
                 .operands = {base},
                 .text = std::move(text)});
}

ExpressionId ExpressionTable::Item(ExpressionId base, ExpressionId key) {
  std::string text;
  if (!TextOf(base).empty() && !TextOf(key).empty()) {
    text = absl::StrCat(TextOf(base), "[", TextOf(key), "]");
  }
  return Intern({.kind = ExpressionKind::kItem, .operands = {base, key}, .text = std::move(text)});
}

ExpressionId ExpressionTable::Call(ExpressionId callee,
                                   const std::vector<ExpressionId>& arguments) {
  std::vector<ExpressionId> operands = {callee};
  operands.insert(operands.end(), arguments.begin(), arguments.end());
  std::string text;
  if (!TextOf(callee).empty()) {
    const auto append_text = [&](std::string* out, ExpressionId argument) {
      out->append(TextOf(argument).empty() ? "..." : TextOf(argument));
    };
    text = absl::StrCat(TextOf(callee), "(", absl::StrJoin(arguments, ", ", append_text), ")");
  }
  std::string name = expressions_[callee].name;
  return Intern({.kind = ExpressionKind::kCall,
                 .name = std::move(name),
                 .operands = std::move(operands),
                 .text = std::move(text)});
}

ExpressionId ExpressionTable::Operation(std::string_view name, std::vector<ExpressionId> operands) {
  std::string text;
  if (operands.size() == 2 && !TextOf(operands[0]).empty() && !TextOf(operands[1]).empty()) {
    text = absl::StrCat(TextOf(operands[0]), " ", std::string(name), " ", TextOf(operands[1]));
  }
  return Intern({.kind = ExpressionKind::kOperation,
                 .name = std::string(name),
                 .operands = std::move(operands),
                 .text = std::move(text)});
}

ExpressionId ExpressionTable::Iterator(ExpressionId iterated) {
  return Intern({.kind = ExpressionKind::kIterator, .operands = {iterated}});
}

}  // namespace fthreadprof
