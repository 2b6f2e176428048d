// HookInserter inserts the calls of a HookTable into a module. Used once for one module, on one
// thread; what does not fit (an argument that the function lacks, another type) becomes a problem,
// "line 7: ...", and that row is left out.
#ifndef FTHREADPROF_INSTRUMENT_PASS_HOOK_INSERTER_H_
#define FTHREADPROF_INSTRUMENT_PASS_HOOK_INSERTER_H_

#include <string>
#include <vector>

#include "hook_table.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"

namespace fthreadprof {

class HookInserter {
 public:
  explicit HookInserter(llvm::Module& module) : module_(module) {}

  void Apply(const HookTable& table);

  const std::vector<std::string>& problems() const { return problems_; }
  // A line for each row and function: "LINE<tab>FUNCTION<tab>FILE<newline>".
  const std::vector<std::string>& hits() const { return hits_; }

 private:
  // One call to insert: the row, and what its arguments refer to. `call` is set where the row is
  // about a call, `returned` where it knows a returned value.
  struct Insertion {
    const HookRow* row;
    llvm::CallInst* call;
    llvm::Value* returned;
  };

  void Plan(const HookRow& row);
  bool IsInFile(const HookRow& row) const;
  void PlanEntry(const HookRow& row, llvm::Function& function);
  void PlanExits(const HookRow& row, llvm::Function& function);
  void PlanCalls(const HookRow& row, llvm::Function& function);
  void Add(llvm::Instruction* before, const Insertion& insertion, bool& applied);
  // Each of these reports a Problem and returns null or false when the row does not fit.
  const llvm::Type* ArgumentType(const Insertion& insertion, const llvm::Function& function,
                                 const HookArgument& argument);
  const llvm::Type* SourceType(const Insertion& insertion, const llvm::Function& function,
                               const HookArgument& argument);
  bool Check(const Insertion& insertion, const llvm::Function& function);
  void Problem(const HookRow& row, const std::string& what);

  // Inserts what was planned for the place before `before`.
  void Insert(llvm::Instruction* before, const std::vector<Insertion>& insertions);
  void InsertCall(llvm::IRBuilder<>& builder, const Insertion& insertion, llvm::Function& function);
  void BeginConditional(llvm::IRBuilder<>& builder, const Insertion& insertion,
                        llvm::Function& function);
  llvm::Value* ArgumentValue(const Insertion& insertion, llvm::Function& function,
                             const HookArgument& argument) const;
  llvm::Value* Argument(llvm::IRBuilder<>& builder, const Insertion& insertion,
                        const HookArgument& argument, llvm::Function& function);
  // Begins a block that is entered only while accesses are tracked; returns its end.
  llvm::Instruction* BeginGuarded(llvm::Instruction* before);
  llvm::Type* TypeOf(char letter) const;
  llvm::DebugLoc LocationOf(const llvm::Instruction& before) const;

  llvm::Module& module_;
  llvm::MapVector<llvm::Instruction*, std::vector<Insertion>> plan_;
  std::vector<std::string> problems_;
  std::vector<std::string> hits_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_INSTRUMENT_PASS_HOOK_INSERTER_H_
