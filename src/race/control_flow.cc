#include "race/control_flow.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

namespace fthreadprof {
namespace {

constexpr uint32_t kNoBlock = 0xffffffff;

using Graph = std::vector<std::vector<uint32_t>>;

// The nodes that `root` reaches, each after all that were first reached through it.
std::vector<uint32_t> PostOrder(const Graph& graph, uint32_t root) {
  std::vector<uint32_t> order;
  std::vector<bool> seen(graph.size());
  std::vector<std::pair<uint32_t, size_t>> path = {{root, 0}};
  seen[root] = true;
  while (!path.empty()) {
    auto& [node, next] = path.back();
    if (next == graph[node].size()) {
      order.push_back(node);
      path.pop_back();
      continue;
    }
    const uint32_t successor = graph[node][next++];
    if (!seen[successor]) {
      seen[successor] = true;
      path.emplace_back(successor, 0);
    }
  }
  return order;
}

// The immediate dominator of each node that `root` reaches (Cooper, Harvey, Kennedy: "A Simple,
// Fast Dominance Algorithm"); kNoBlock for the others.
std::vector<uint32_t> Dominators(const Graph& graph, const Graph& reversed, uint32_t root) {
  std::vector<uint32_t> order = PostOrder(graph, root);
  std::vector<uint32_t> number(graph.size(), kNoBlock), dominator(graph.size(), kNoBlock);
  for (uint32_t i = 0; i < order.size(); ++i) number[order[i]] = i;
  std::ranges::reverse(order);
  dominator[root] = root;
  for (bool changed = true; changed;) {
    changed = false;
    for (const uint32_t node : order) {
      if (node == root) continue;
      uint32_t common = kNoBlock;
      for (uint32_t other : reversed[node]) {
        if (dominator[other] == kNoBlock) continue;
        if (common == kNoBlock) common = other;
        while (common != other) {
          while (number[common] < number[other]) common = dominator[common];
          while (number[other] < number[common]) other = dominator[other];
        }
      }
      changed |= dominator[node] != common;
      dominator[node] = common;
    }
  }
  return dominator;
}

}  // namespace

ControlFlow::ControlFlow(const LoggedCode& code, const Opcodes& opcodes) {
  FindBlocks(code, opcodes);
  FindPostDominators();
}

void ControlFlow::FindBlocks(const LoggedCode& code, const Opcodes& opcodes) {
  const std::vector<LoggedInstruction>& instructions = code.instructions;
  const auto count = static_cast<uint32_t>(instructions.size());
  const auto target_of = [&](const LoggedInstruction& instruction) {
    return instruction.target == race_log::kNoTarget ? std::nullopt
                                                     : code.InstructionAt(instruction.target);
  };
  std::vector<bool> begins(count + 1);
  if (count > 0) begins[0] = true;
  for (uint32_t i = 0; i < count; ++i) {
    const std::optional<uint32_t> target = target_of(instructions[i]);
    if (target) begins[*target] = true;
    if (target || EndsBlock(opcodes[instructions[i].opcode])) begins[i + 1] = true;
  }
  for (uint32_t i = 0; i < count; ++i) {
    if (begins[i]) blocks_.push_back({.begin = i, .end = i, .successors = {}});
    ++blocks_.back().end;
    block_of_.push_back(static_cast<uint32_t>(blocks_.size() - 1));
  }
  for (Block& block : blocks_) {
    const LoggedInstruction& last = instructions[block.end - 1];
    const bool goes_on = !EndsBlock(opcodes[last.opcode]) && block.end < count;
    if (goes_on) block.successors.push_back(block_of_[block.end]);
    const std::optional<uint32_t> target = target_of(last);
    if (target && !(goes_on && *target == block.end)) {
      block.successors.push_back(block_of_[*target]);
    }
  }
}

void ControlFlow::FindPostDominators() {
  const auto exit = static_cast<uint32_t>(blocks_.size());
  Graph forward(exit + 1), backward(exit + 1);
  const auto add_edge = [&](uint32_t from, uint32_t to) {
    forward[from].push_back(to);
    backward[to].push_back(from);
  };
  for (uint32_t i = 0; i < exit; ++i) {
    for (const uint32_t successor : blocks_[i].successors) add_edge(i, successor);
    if (blocks_[i].successors.empty()) add_edge(i, exit);
  }
  // A loop without end has no way to the exit: its jumps back count as one.
  std::vector<bool> ends(exit + 1);
  for (const uint32_t block : PostOrder(backward, exit)) ends[block] = true;
  for (uint32_t i = 0; i < exit; ++i) {
    const bool jumps_back = std::ranges::any_of(forward[i], [&](uint32_t to) { return to <= i; });
    if (!ends[i] && jumps_back) add_edge(i, exit);
  }
  NumberTree(Dominators(backward, forward, exit));
}

void ControlFlow::NumberTree(const std::vector<uint32_t>& parents) {
  Graph children(parents.size());
  const auto root = static_cast<uint32_t>(parents.size() - 1);
  for (uint32_t i = 0; i < root; ++i)
    children[parents[i] == kNoBlock ? root : parents[i]].push_back(i);
  enter_.resize(parents.size());
  leave_.resize(parents.size());
  uint32_t clock = 0;
  std::vector<std::pair<uint32_t, size_t>> path = {{root, 0}};
  enter_[root] = clock++;
  while (!path.empty()) {
    auto& [node, next] = path.back();
    if (next == children[node].size()) {
      leave_[node] = clock++;
      path.pop_back();
      continue;
    }
    const uint32_t child = children[node][next++];
    enter_[child] = clock++;
    path.emplace_back(child, 0);
  }
}

std::vector<uint32_t> ControlFlow::BranchesDeciding(uint32_t block) const {
  std::vector<uint32_t> deciding;
  std::vector<bool> found(blocks_.size());
  std::vector<uint32_t> pending = {block};
  while (!pending.empty()) {
    const uint32_t decided = pending.back();
    pending.pop_back();
    for (uint32_t branch = 0; branch < blocks_.size(); ++branch) {
      const std::vector<uint32_t>& ways = blocks_[branch].successors;
      if (found[branch] || ways.size() < 2) continue;
      const bool one_way =
          std::ranges::any_of(ways, [&](uint32_t way) { return IsPostDominated(way, decided); });
      const bool always = decided != branch && IsPostDominated(branch, decided);
      if (!one_way || always) continue;
      found[branch] = true;
      deciding.push_back(branch);
      pending.push_back(branch);
    }
  }
  return deciding;
}

}  // namespace fthreadprof
