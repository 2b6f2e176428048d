#include "race/access_pattern.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "unit/race/bytecode.h"

namespace fthreadprof {
namespace {

using race_log::ObjectKind;

std::string TargetText(const SymbolicCode& code, const Target& target, ObjectKind kind) {
  const ExpressionTable& expressions = code.expressions();
  const std::string object = expressions[target.object].text;
  const std::string key = expressions[target.key].text;
  if (kind == ObjectKind::kInstance) {
    return object + "." + (target.name.empty() ? "(" + key + ")" : target.name);
  }
  if (kind == ObjectKind::kCell || target.key == kNoExpression) return object;
  return object + "[" + key + "]";
}

ObjectKind KindNamed(const std::string& kind) {
  if (kind == "attribute") return ObjectKind::kInstance;
  return kind == "container" ? ObjectKind::kDict : ObjectKind::kCell;
}

std::string PatternName(AccessPattern pattern) {
  switch (pattern) {
    case AccessPattern::kNone:
      return "";
    case AccessPattern::kLostUpdate:
      return " lost-update";
    case AccessPattern::kCheckThenAct:
      return " check-then-act";
  }
  return "";
}

class AccessPatternTest : public testing::TestWithParam<std::string> {
 protected:
  // "read self.hits lost-update" of every instruction on `line` that does something to such a
  // thing.
  std::set<std::string> FoundOn(const LoggedCode& code, uint32_t line, ObjectKind kind,
                                const std::string& operation) const {
    const SymbolicCode symbolic(code, ResolveOpcodes(bytecode_.opcodes));
    std::set<std::string> found;
    for (uint32_t i = 0; i < code.instructions.size(); ++i) {
      if (code.instructions[i].line != line) continue;
      const std::optional<Target> target = TargetAt(symbolic, i, kind, operation);
      if (!target) continue;
      found.insert((target->writes ? "write " : "read ") + TargetText(symbolic, *target, kind) +
                   PatternName(PatternAt(symbolic, i, kind, operation, false)));
    }
    return found;
  }

  const Bytecode& bytecode_ = BytecodeOf(GetParam());
};

TEST_P(AccessPatternTest, FindsWhatTheCommentsOfTheSnippetsSay) {
  size_t checked = 0;
  for (const auto& [function, expectations] : bytecode_.expected) {
    for (const Expectation& expectation : expectations) {
      std::istringstream words(expectation.text);
      std::string kind, rest, operation;
      words >> kind;
      std::getline(words >> std::ws, rest);
      if (const size_t from = rest.find(" from "); from != std::string::npos) {
        operation = rest.substr(from + 6);
        rest.resize(from);
      }
      const std::set<std::string> found =
          FoundOn(bytecode_.code(function), expectation.line, KindNamed(kind), operation);
      EXPECT_TRUE(found.contains(rest))
          << "line " << expectation.line << ", " << function << ": no " << expectation.text
          << ", but " << testing::PrintToString(found);
      ++checked;
    }
  }
  EXPECT_GT(checked, 150u);
}

// A code object's instructions without the names that give them a meaning.
TEST_P(AccessPatternTest, KnowsNothingOfUnknownOpcodes) {
  for (const auto& [function, code] : bytecode_.codes) {
    const SymbolicCode symbolic(code, ResolveOpcodes(OpcodeTable()));
    for (uint32_t i = 0; i < code.instructions.size(); ++i) {
      EXPECT_FALSE(TargetAt(symbolic, i, ObjectKind::kInstance, "").has_value());
    }
    EXPECT_TRUE(symbolic.tests().empty());
  }
}

TEST_P(AccessPatternTest, EveryBlockIsReachedWithItsStack) {
  // Whatever is stored anywhere in the snippets has a name or is a value: the stack never runs dry
  // in a way that mixes up operands.
  for (const auto& [function, code] : bytecode_.codes) {
    const SymbolicCode symbolic(code, ResolveOpcodes(bytecode_.opcodes));
    for (const Effect& effect : symbolic.effects()) {
      if (effect.kind != EffectKind::kStoreAttribute && effect.kind != EffectKind::kStoreItem) {
        continue;
      }
      EXPECT_NE(symbolic.expressions()[effect.object].kind, ExpressionKind::kUnknown) << function;
      EXPECT_NE(symbolic.expressions()[effect.object].text, "") << function;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, AccessPatternTest, testing::Values("3.13t", "3.14", "3.15"),
                         [](const auto& info) {
                           return "Python" + info.param.substr(0, 1) + "_" + info.param.substr(2);
                         });

TEST(AccessPattern, SurvivesCodeThatNoCompilerWrote) {
  const std::vector<std::string> names = {
      "SWAP",      "COPY",        "BUILD_TUPLE",        "UNPACK_SEQUENCE", "CALL",
      "LOAD_FAST", "LIST_APPEND", "POP_JUMP_IF_TRUE",   "STORE_DEREF",     "LOAD_ATTR",
      "FOR_ITER",  "STORE_FAST",  "JUMP_BACKWARD",      "LOAD_CONST",      "BUILD_MAP",
      "UNPACK_EX", "unknown",     "BUILD_CONST_KEY_MAP"};
  OpcodeTable table;
  for (size_t i = 0; i < names.size(); ++i) table[i].name = names[i];
  const Opcodes opcodes = ResolveOpcodes(table);
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    LoggedCode code;
    code.argument_count = random() % 5;
    code.locals.resize(random() % 4, {"x", 0x20});
    for (uint32_t i = 0; i < 60; ++i) {
      const uint32_t argument = random() % 4 == 0 ? 0xffffffff : random() % 6;
      code.instructions.push_back(
          {.offset = i,
           .opcode = static_cast<uint8_t>(random() % names.size()),
           .argument = argument,
           .popped = static_cast<int32_t>(random() % 5) - 1,
           .pushed = static_cast<int32_t>(argument),
           .line = i,
           .target = random() % 5 == 0 ? uint32_t(random() % 70) : race_log::kNoTarget});
    }
    const SymbolicCode symbolic(code, opcodes);
    EXPECT_EQ(symbolic.effects().size(), code.instructions.size());
  }
}

TEST(AccessPattern, LooksAwayFromCodeThatIsTooLarge) {
  LoggedCode code;
  for (uint32_t i = 0; i <= SymbolicCode::kMaxInstructions; ++i) {
    code.instructions.push_back({.offset = i});
  }
  const SymbolicCode symbolic(code, Opcodes{});
  EXPECT_EQ(symbolic.effects().size(), code.instructions.size());
  EXPECT_FALSE(TargetAt(symbolic, 5, ObjectKind::kList, "").has_value());
}

}  // namespace
}  // namespace fthreadprof
