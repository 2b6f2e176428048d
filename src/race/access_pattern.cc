#include "race/access_pattern.h"

#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace fthreadprof {
namespace {

using race_log::ObjectKind;

struct Method {
  bool reads = false;
  bool writes = false;
  bool has_key = false;  // its first argument names the element
};

constexpr Method kReader = {.reads = true};
constexpr Method kKeyReader = {.reads = true, .has_key = true};
constexpr Method kWriter = {.writes = true};
constexpr Method kKeyWriter = {.writes = true, .has_key = true};

// Methods of list, dict, set and deque. What takes and returns in one step counts as a write: there
// is no moment between.
const Method* FindMethod(std::string_view name) {
  static const auto& methods = *new absl::flat_hash_map<std::string_view, Method>{
      {"get", kKeyReader},
      {"__getitem__", kKeyReader},
      {"__contains__", kKeyReader},
      {"index", kKeyReader},
      {"count", kKeyReader},
      {"copy", kReader},
      {"keys", kReader},
      {"values", kReader},
      {"items", kReader},
      {"__len__", kReader},
      {"__iter__", kReader},
      {"append", kWriter},
      {"extend", kWriter},
      {"insert", kWriter},
      {"popitem", kWriter},
      {"clear", kWriter},
      {"sort", kWriter},
      {"reverse", kWriter},
      {"update", kWriter},
      {"appendleft", kWriter},
      {"popleft", kWriter},
      {"extendleft", kWriter},
      {"rotate", kWriter},
      {"add", kKeyWriter},
      {"remove", kKeyWriter},
      {"discard", kKeyWriter},
      {"pop", kKeyWriter},
      {"setdefault", kKeyWriter},
      {"__setitem__", kKeyWriter},
      {"__delitem__", kKeyWriter},
      {"move_to_end", kKeyWriter},
      {"union", kReader},
      {"intersection", kReader},
      {"difference", kReader},
      {"symmetric_difference", kReader},
      {"issubset", kReader},
      {"issuperset", kReader},
      {"isdisjoint", kReader},
      {"difference_update", kWriter},
      {"intersection_update", kWriter},
      {"symmetric_difference_update", kWriter},
      {"send", kWriter},
      {"__next__", kWriter},
      {"+=", kWriter},
      {"|=", kWriter},
      {"*=", kWriter},
      {"-=", kWriter},
      {"&=", kWriter},
      {"^=", kWriter},
  };
  const auto method = methods.find(name);
  return method == methods.end() ? nullptr : &method->second;
}

bool IsAttributeFunction(std::string_view name) {
  return name == "getattr" || name == "setattr" || name == "hasattr" || name == "delattr";
}

// 'hits' of a constant `'hits'`; "" of anything else.
std::string_view StringConstant(const Expression& expression) {
  const std::string_view text = expression.name;
  const bool quoted = expression.kind == ExpressionKind::kConstant && text.size() >= 2 &&
                      (text.front() == '\'' || text.front() == '"') && text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : std::string_view();
}

// An attribute by a name that is a value: a constant is the name itself.
Target NamedBy(const ExpressionTable& expressions, ExpressionId object, ExpressionId name) {
  Target target = {.object = object, .name = std::string(StringConstant(expressions[name]))};
  if (target.name.empty()) target.key = name;
  return target;
}

// Whose attributes the values of this dict are: x of `x.__dict__` and vars(x), globals() of itself.
ExpressionId OwnerOfNamespace(const ExpressionTable& expressions, ExpressionId dict) {
  const Expression& expression = expressions[dict];
  if (expression.kind == ExpressionKind::kAttribute && expression.name == "__dict__") {
    return expression.operands[0];
  }
  if (expression.kind != ExpressionKind::kCall) return kNoExpression;
  if (expression.name == "vars" && expression.operands.size() == 2) return expression.operands[1];
  return expression.name == "globals" ? dict : kNoExpression;
}

// d['hits'] of a namespace d is an attribute.
std::optional<Target> NamespaceTarget(const ExpressionTable& expressions, const Effect& effect) {
  const ExpressionId owner = OwnerOfNamespace(expressions, effect.object);
  if (owner == kNoExpression) return std::nullopt;
  const bool by_method = effect.kind == EffectKind::kCallMethod && !effect.operands.empty() &&
                         (effect.name == "get" || effect.name == "pop" ||
                          effect.name == "setdefault" || effect.name == "__setitem__");
  const ExpressionId key = by_method ? effect.operands[0] : effect.key;
  if (key == kNoExpression) return std::nullopt;
  Target target = NamedBy(expressions, owner, key);
  target.reads = effect.kind == EffectKind::kLoadItem || effect.kind == EffectKind::kContains ||
                 effect.name == "get";
  target.writes = !target.reads;
  return target;
}

std::optional<Target> AttributeTarget(const ExpressionTable& expressions, const Effect& effect) {
  switch (effect.kind) {
    case EffectKind::kLoadAttribute:
      return Target{.object = effect.object, .name = effect.name, .reads = true};
    case EffectKind::kStoreAttribute:
      return Target{.object = effect.object, .name = effect.name, .writes = true};
    case EffectKind::kCallFunction: {
      if (!IsAttributeFunction(effect.name) || effect.operands.size() < 2) return std::nullopt;
      Target target = NamedBy(expressions, effect.operands[0], effect.operands[1]);
      target.writes = effect.name == "setattr" || effect.name == "delattr";
      target.reads = !target.writes;
      return target;
    }
    default:
      return NamespaceTarget(expressions, effect);
  }
}

std::optional<Target> VariableTarget(const Effect& effect) {
  const bool reads = effect.kind == EffectKind::kLoadVariable;
  const bool writes = effect.kind == EffectKind::kStoreVariable;
  if (!reads && !writes) return std::nullopt;
  return Target{.object = effect.object, .reads = reads, .writes = writes};
}

// The argument of a function that is gone over: the second one of map() and filter(), else the
// first that is no constant.
ExpressionId SharedArgument(const ExpressionTable& expressions, const Effect& effect) {
  const bool second = effect.name == "map" || effect.name == "filter" || effect.name == "reduce";
  for (size_t i = second ? 1 : 0; i < effect.operands.size(); ++i) {
    const ExpressionKind kind = expressions[effect.operands[i]].kind;
    if (kind != ExpressionKind::kConstant && kind != ExpressionKind::kNull) {
      return PeelView(expressions, effect.operands[i]);
    }
  }
  return kNoExpression;
}

// The many methods that only bytearrays, arrays and deques have touch the object itself, save that
// anything may iterate over one.
bool IsOwnMethod(std::string_view operation) {
  return (operation.starts_with("bytearray.") || operation.starts_with("array.") ||
          operation.starts_with("deque.") || operation.starts_with("memoryview.")) &&
         !operation.ends_with(".iterate");
}

// Whether `operation` is what a method of the container does, and the call is of something else: it
// calls the bound method, and the container stands nowhere in it. `callback(x)` with a list's
// append.
bool IsByBoundMethod(const Effect& effect, std::string_view operation) {
  static const auto& only_methods = *new absl::flat_hash_set<std::string_view>{
      "add",     "append", "appendleft", "count",   "extendleft", "index",      "insert",
      "popitem", "pop",    "popleft",    "reverse", "rotate",     "setdefault", "sort"};
  const std::string_view method = operation.substr(operation.find('.') + 1);
  if (!only_methods.contains(method) || effect.name.starts_with("insort")) return false;
  return effect.kind == EffectKind::kCallFunction || method != effect.name;
}

// Whether the container that `operation` touched is the argument of this method rather than its
// object: `total.extend(items)` reads items, `",".join(items)` too.
bool MeansArgument(const Effect& effect, const Method* method, std::string_view operation) {
  if (effect.operands.empty()) return false;
  if (method == nullptr) return !IsOwnMethod(operation);
  static const auto& takers =
      *new absl::flat_hash_set<std::string_view>{"extend",
                                                 "extendleft",
                                                 "update",
                                                 "difference_update",
                                                 "intersection_update",
                                                 "symmetric_difference_update",
                                                 "union",
                                                 "+=",
                                                 "|=",
                                                 "-=",
                                                 "&=",
                                                 "^="};
  static const auto& sources = *new absl::flat_hash_set<std::string_view>{
      "list.iterate", "list.copy",        "list.slice",        "list.len",     "list.getitem",
      "dict.iterate", "dict.copy",        "dict.merge_source", "dict.getitem", "dict.len",
      "dict.list",    "set.merge_source", "set.iterate",       "set.copy",     "deque.iterate"};
  return takers.contains(effect.name) && sources.contains(operation);
}

std::optional<Target> CallTarget(const ExpressionTable& expressions, const Effect& effect,
                                 std::string_view operation) {
  if (IsByBoundMethod(effect, operation)) return std::nullopt;
  if (effect.kind == EffectKind::kCallFunction) {
    if (IsAttributeFunction(effect.name)) return std::nullopt;
    return Target{.object = SharedArgument(expressions, effect), .reads = true};
  }
  const Method* method = FindMethod(effect.name);
  if (MeansArgument(effect, method, operation)) {
    return Target{.object = SharedArgument(expressions, effect), .reads = true};
  }
  if (method == nullptr) return Target{.object = effect.object, .reads = true};
  Target target = {.object = PeelView(expressions, effect.object),
                   .reads = method->reads,
                   .writes = method->writes};
  if (method->has_key && !effect.operands.empty()) target.key = effect.operands[0];
  // `pop(0)` takes what moves up afterwards: no element of its own.
  if (effect.name == "pop" && target.key != kNoExpression &&
      expressions[target.key].kind == ExpressionKind::kConstant &&
      StringConstant(expressions[target.key]).empty()) {
    target.key = kNoExpression;
  }
  return target;
}

std::optional<Target> ContainerTarget(const ExpressionTable& expressions, const Effect& effect,
                                      std::string_view operation) {
  const ExpressionId object = PeelView(expressions, effect.object);
  // From 3.14 on a constant slice is a key like any other.
  const bool is_slice = operation == "list.slice" || operation == "list.setslice";
  const ExpressionId key = is_slice ? kNoExpression : effect.key;
  switch (effect.kind) {
    case EffectKind::kLoadItem:
    case EffectKind::kContains:
      return Target{.object = object, .key = key, .reads = true};
    case EffectKind::kStoreItem:
      return Target{.object = object, .key = key, .writes = true};
    case EffectKind::kLoadSlice:
    case EffectKind::kIterate:
    case EffectKind::kUse:
      return Target{.object = object, .reads = true};
    case EffectKind::kStoreSlice:
      return Target{.object = object, .writes = true};
    case EffectKind::kCallMethod:
    case EffectKind::kCallFunction:
      return CallTarget(expressions, effect, operation);
    default:
      return std::nullopt;
  }
}

bool IsSame(const ExpressionTable& expressions, const Target& a, const Target& b) {
  const bool is_whole = a.key == kNoExpression || b.key == kNoExpression;
  return a.object == b.object && a.name == b.name &&
         expressions[a.object].kind != ExpressionKind::kUnknown && (a.key == b.key || is_whole);
}

// Looks for the patterns around one access.
class PatternFinder {
 public:
  PatternFinder(const SymbolicCode& code, ObjectKind kind) : code_(code), kind_(kind) {}

  AccessPattern Find(uint32_t access, const Target& target) const {
    std::vector<uint32_t> writes = {access};
    if (!target.writes) writes = WritesOf(target);
    for (const uint32_t write : writes) {
      if (DependsOn(code_.effects()[write].stored, access, write, target)) {
        return AccessPattern::kLostUpdate;
      }
    }
    for (const uint32_t write : writes) {
      if (IsDecidedBy(access, write, target)) return AccessPattern::kCheckThenAct;
    }
    return AccessPattern::kNone;
  }

  bool IsTestedAgain(uint32_t access, uint32_t from, uint32_t write, const Target& target) const {
    for (const uint32_t other : WritesOf(target)) {
      if (other != write && IsDecidedBy(access, other, target)) return false;
    }
    return TestsDecide(write, [&](const InstructionSet& reads) {
      return std::ranges::any_of(reads, [&](uint32_t read) {
        return from < read && read < write && IsReadOf(read, target);
      });
    });
  }

 private:
  std::vector<uint32_t> WritesOf(const Target& target) const {
    std::vector<uint32_t> writes;
    for (uint32_t i = 0; i < code_.effects().size(); ++i) {
      const std::optional<Target> other = TargetAt(code_, i, kind_, "");
      if (other && other->writes && IsSame(code_.expressions(), *other, target)) {
        writes.push_back(i);
      }
    }
    return writes;
  }

  // Whether `reads` holds the access or, when the access is the write itself, any read of `target`.
  bool DependsOn(const InstructionSet& reads, uint32_t access, uint32_t write,
                 const Target& target) const {
    if (access != write) return std::ranges::binary_search(reads, access);
    return std::ranges::any_of(
        reads, [&](uint32_t read) { return read != write && IsReadOf(read, target); });
  }

  bool IsReadOf(uint32_t instruction, const Target& target) const {
    if (code_.effects()[instruction].kind == EffectKind::kIterate) return false;
    const std::optional<Target> other = TargetAt(code_, instruction, kind_, "");
    return other && other->reads && IsSame(code_.expressions(), *other, target);
  }

  // Whether a test that depends on such reads decides if the write is done.
  template <typename Predicate>
  bool TestsDecide(uint32_t write, Predicate are_such) const {
    const std::vector<uint32_t> deciding =
        code_.control_flow().BranchesDeciding(code_.control_flow().BlockOf(write));
    return std::ranges::any_of(code_.tests(), [&](const Test& test) {
      return std::ranges::find(deciding, test.block) != deciding.end() && are_such(test.depends_on);
    });
  }

  bool IsDecidedBy(uint32_t access, uint32_t write, const Target& target) const {
    // The end of an iteration is no test of the programmer's.
    if (code_.effects()[access].kind == EffectKind::kIterate) return false;
    return TestsDecide(write, [&](const InstructionSet& reads) {
      return DependsOn(reads, access, write, target);
    });
  }

  const SymbolicCode& code_;
  ObjectKind kind_;
};

}  // namespace

ExpressionId PeelView(const ExpressionTable& expressions, ExpressionId id) {
  static const auto& views = *new absl::flat_hash_set<std::string_view>{"items", "keys", "values"};
  static const auto& wrappers = *new absl::flat_hash_set<std::string_view>{
      "enumerate", "reversed", "zip", "iter", "map", "filter"};
  for (int depth = 0; depth < 8; ++depth) {
    const Expression& expression = expressions[id];
    if (expression.kind == ExpressionKind::kIterator) {
      id = expression.operands[0];
      continue;
    }
    if (expression.kind != ExpressionKind::kCall) return id;
    const Expression& callee = expressions[expression.operands[0]];
    const bool is_method = callee.kind == ExpressionKind::kAttribute;
    const size_t argument = callee.name == "map" || callee.name == "filter" ? 2 : 1;
    if (is_method && views.contains(callee.name)) {
      id = callee.operands[0];
    } else if (!is_method && wrappers.contains(callee.name) &&
               expression.operands.size() > argument) {
      id = expression.operands[argument];
    } else {
      return id;
    }
  }
  return id;
}

std::optional<Target> TargetAt(const SymbolicCode& code, uint32_t instruction, ObjectKind kind,
                               std::string_view operation) {
  if (instruction >= code.effects().size()) return std::nullopt;
  const Effect& effect = code.effects()[instruction];
  std::optional<Target> target;
  switch (kind) {
    case ObjectKind::kList:
    case ObjectKind::kDict:
    case ObjectKind::kSet:
    case ObjectKind::kDeque:
    case ObjectKind::kBytearray:
    case ObjectKind::kArray:
    case ObjectKind::kIterator:
      target = ContainerTarget(code.expressions(), effect, operation);
      break;
    case ObjectKind::kInstance:
    case ObjectKind::kClass:
      target = AttributeTarget(code.expressions(), effect);
      break;
    case ObjectKind::kModule:
      target = VariableTarget(effect);
      if (!target) target = AttributeTarget(code.expressions(), effect);
      break;
    case ObjectKind::kCell:
      target = VariableTarget(effect);
      break;
  }
  if (target && target->object == kNoExpression) return std::nullopt;
  return target;
}

AccessPattern PatternAt(const SymbolicCode& code, uint32_t instruction, ObjectKind kind,
                        std::string_view operation, bool is_write) {
  std::optional<Target> target = TargetAt(code, instruction, kind, operation);
  if (!target) return AccessPattern::kNone;
  target->writes |= is_write;
  return PatternFinder(code, kind).Find(instruction, *target);
}

bool IsTestedAgain(const SymbolicCode& code, uint32_t read, uint32_t from, uint32_t write,
                   ObjectKind kind, std::string_view operation) {
  const std::optional<Target> target = TargetAt(code, read, kind, operation);
  return target && PatternFinder(code, kind).IsTestedAgain(read, from, write, *target);
}

}  // namespace fthreadprof
