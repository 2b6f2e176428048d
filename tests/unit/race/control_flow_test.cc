#include "race/control_flow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

namespace fthreadprof {
namespace {

constexpr uint8_t kPlain = 0, kBranch = 1, kJump = 2, kReturn = 3;

Opcodes TestOpcodes() {
  OpcodeTable table;
  table[kPlain].name = "NOP";
  table[kBranch].name = "POP_JUMP_IF_TRUE";
  table[kJump].name = "JUMP_FORWARD";
  table[kReturn].name = "RETURN_VALUE";
  return ResolveOpcodes(table);
}

LoggedInstruction At(uint32_t offset, uint8_t opcode, uint32_t target = race_log::kNoTarget) {
  return {.offset = offset, .opcode = opcode, .target = target};
}

// The naive model: graphs are walked again for every question.
class NaiveModel {
 public:
  explicit NaiveModel(const ControlFlow& flow) {
    for (const ControlFlow::Block& block : flow.blocks()) graph_.push_back(block.successors);
    exit_ = static_cast<uint32_t>(graph_.size());
    graph_.emplace_back();
    for (uint32_t i = 0; i < exit_; ++i) {
      if (graph_[i].empty()) graph_[i].push_back(exit_);
    }
    const std::vector<std::vector<uint32_t>> before = graph_;
    for (uint32_t i = 0; i < exit_; ++i) {
      const bool jumps_back = std::ranges::any_of(before[i], [&](uint32_t to) { return to <= i; });
      if (jumps_back && !Reaches(before, i, exit_, exit_ + 1)) graph_[i].push_back(exit_);
    }
  }

  // Every way from `block` to the exit leads through `by`.
  bool IsPostDominated(uint32_t block, uint32_t by) const {
    return block == by || !Reaches(graph_, block, exit_, by);
  }

  std::set<uint32_t> BranchesDeciding(uint32_t block) const {
    std::set<uint32_t> deciding;
    std::vector<uint32_t> pending = {block};
    while (!pending.empty()) {
      const uint32_t decided = pending.back();
      pending.pop_back();
      for (uint32_t branch = 0; branch < exit_; ++branch) {
        if (DependsOn(decided, branch) && deciding.insert(branch).second) {
          pending.push_back(branch);
        }
      }
    }
    return deciding;
  }

 private:
  bool DependsOn(uint32_t block, uint32_t branch) const {
    const std::vector<uint32_t>& ways = graph_[branch];
    if (std::ranges::count_if(ways, [&](uint32_t way) { return way != exit_; }) < 2) return false;
    const bool strictly = block != branch && IsPostDominated(branch, block);
    return !strictly && std::ranges::any_of(ways, [&](uint32_t way) {
      return way != exit_ && IsPostDominated(way, block);
    });
  }

  static bool Reaches(const std::vector<std::vector<uint32_t>>& graph, uint32_t from, uint32_t to,
                      uint32_t without) {
    std::set<uint32_t> seen;
    std::vector<uint32_t> pending = {from};
    while (!pending.empty()) {
      const uint32_t node = pending.back();
      pending.pop_back();
      if (node == without || !seen.insert(node).second) continue;
      if (node == to) return true;
      for (const uint32_t next : graph[node]) pending.push_back(next);
    }
    return false;
  }

  std::vector<std::vector<uint32_t>> graph_;
  uint32_t exit_ = 0;
};

TEST(ControlFlow, SplitsAtJumpsAndTargets) {
  LoggedCode code;
  code.instructions = {At(0, kPlain), At(1, kBranch, 4), At(3, kPlain), At(4, kReturn)};
  const ControlFlow flow(code, TestOpcodes());
  ASSERT_EQ(flow.blocks().size(), 3u);
  EXPECT_EQ(flow.blocks()[0].successors, (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(flow.blocks()[1].successors, std::vector<uint32_t>{2});
  EXPECT_TRUE(flow.blocks()[2].successors.empty());
  EXPECT_EQ(flow.BlockOf(1), 0u);
  EXPECT_EQ(flow.BranchesDeciding(1), std::vector<uint32_t>{0});
  EXPECT_TRUE(flow.BranchesDeciding(2).empty());
}

TEST(ControlFlow, AnEndlessLoopsBodyDependsOnItsTest) {
  LoggedCode code;
  code.instructions = {At(0, kBranch, 2), At(1, kPlain), At(2, kJump, 0)};
  const ControlFlow flow(code, TestOpcodes());
  EXPECT_EQ(flow.BranchesDeciding(flow.BlockOf(1)), std::vector<uint32_t>{0});
}

TEST(ControlFlow, EmptyCodeHasNoBlocks) {
  EXPECT_TRUE(ControlFlow(LoggedCode(), TestOpcodes()).blocks().empty());
}

TEST(ControlFlow, MatchesTheNaiveModelOnRandomCode) {
  std::mt19937 random(5);
  size_t dependences = 0;
  for (int round = 0; round < 400; ++round) {
    LoggedCode code;
    const uint32_t size = 2 + random() % 20;
    for (uint32_t i = 0; i < size; ++i) {
      const auto opcode = static_cast<uint8_t>(random() % 4);
      const bool jumps = opcode == kBranch || opcode == kJump;
      code.instructions.push_back(At(i, opcode, jumps ? random() % size : race_log::kNoTarget));
    }
    const ControlFlow flow(code, TestOpcodes());
    const NaiveModel model(flow);
    for (uint32_t block = 0; block < flow.blocks().size(); ++block) {
      const std::vector<uint32_t> deciding = flow.BranchesDeciding(block);
      EXPECT_EQ(std::set<uint32_t>(deciding.begin(), deciding.end()), model.BranchesDeciding(block))
          << "round " << round << ", block " << block;
      dependences += deciding.size();
    }
  }
  EXPECT_GT(dependences, 1000u);
}

}  // namespace
}  // namespace fthreadprof
