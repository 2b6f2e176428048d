// ControlFlow: the basic blocks of a code object and which branches decide whether a block runs
// (control dependence, from post-dominators). Exception handlers are blocks that nothing leads to.
//
// Naive model: block B depends on branch A when one way out of A can't avoid B and another can, or
// when a branch that B depends on depends on A.
//
// Lifetime: a value. Thread safety: immutable.
#ifndef FTHREADPROF_RACE_CONTROL_FLOW_H_
#define FTHREADPROF_RACE_CONTROL_FLOW_H_

#include <cstdint>
#include <vector>

#include "race/opcode.h"
#include "race/race_log_reader.h"

namespace fthreadprof {

class ControlFlow {
 public:
  struct Block {
    uint32_t begin = 0;  // indices of instructions
    uint32_t end = 0;    // one past the last
    std::vector<uint32_t> successors;
  };

  ControlFlow(const LoggedCode& code, const Opcodes& opcodes);

  const std::vector<Block>& blocks() const { return blocks_; }
  uint32_t BlockOf(uint32_t instruction) const { return block_of_[instruction]; }
  // The blocks that end in a branch on whose outcome it depends whether `block` runs.
  std::vector<uint32_t> BranchesDeciding(uint32_t block) const;

 private:
  void FindBlocks(const LoggedCode& code, const Opcodes& opcodes);
  void FindPostDominators();
  void NumberTree(const std::vector<uint32_t>& parents);
  // Every way from `block` to the end leads through `by`; so it does for a block itself.
  bool IsPostDominated(uint32_t block, uint32_t by) const {
    return enter_[by] <= enter_[block] && leave_[block] <= leave_[by];
  }

  std::vector<Block> blocks_;
  std::vector<uint32_t> block_of_;
  // When a walk over the tree of post-dominators enters and leaves a block.
  std::vector<uint32_t> enter_, leave_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_CONTROL_FLOW_H_
