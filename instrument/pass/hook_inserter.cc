#include "hook_inserter.h"

#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

namespace fthreadprof {
namespace {

constexpr char kTracking[] = "ftp_race_tracking";
// Tracking is off or the thread is about to do something dearer than a taken branch.
constexpr uint32_t kTrackedWeight = 1;
constexpr uint32_t kUntrackedWeight = 2000;

void SetNoSanitize(llvm::Instruction& instruction) {
  instruction.setMetadata(llvm::LLVMContext::MD_nosanitize,
                          llvm::MDNode::get(instruction.getContext(), {}));
}

// The executable defines hooks and variable, so its own code need not go through its GOT; code of a
// shared object (-fPIC without -fPIE) has to.
bool IsPartOfExecutable(const llvm::Module& module) {
  return module.getPICLevel() == llvm::PICLevel::NotPIC ||
         module.getPIELevel() != llvm::PIELevel::Default;
}

bool IsDefinedHere(const llvm::Function* function) {
  return function != nullptr && !function->isDeclaration() &&
         !function->hasAvailableExternallyLinkage();
}

// The first instruction behind those that must begin a function. Allocas must stay in the entry
// block, or the inliner takes them for dynamic ones.
llvm::Instruction* FirstInstruction(llvm::Function& function) {
  return &*function.getEntryBlock().getFirstNonPHIOrDbgOrAlloca();
}

}  // namespace

void HookInserter::Apply(const HookTable& table) {
  // Where rows of several places meet at one instruction, this is their order.
  for (const HookRow::Place place : {HookRow::Place::kEntry, HookRow::Place::kAfterCall,
                                     HookRow::Place::kBeforeCall, HookRow::Place::kExit}) {
    for (const HookRow& row : table.rows()) {
      if (row.place == place) Plan(row);
    }
  }
  for (const auto& [before, insertions] : plan_) Insert(before, insertions);
}

void HookInserter::Plan(const HookRow& row) {
  llvm::Function* function = module_.getFunction(row.function);
  if (!IsDefinedHere(function) || !IsInFile(row)) return;
  switch (row.place) {
    case HookRow::Place::kEntry:
      return PlanEntry(row, *function);
    case HookRow::Place::kExit:
      return PlanExits(row, *function);
    case HookRow::Place::kBeforeCall:
    case HookRow::Place::kAfterCall:
      return PlanCalls(row, *function);
  }
}

// Static functions of different files may have one name.
bool HookInserter::IsInFile(const HookRow& row) const {
  const llvm::StringRef source = module_.getSourceFileName();
  return row.file.empty() || source == row.file || source.ends_with("/" + row.file);
}

void HookInserter::PlanEntry(const HookRow& row, llvm::Function& function) {
  bool applied = false;
  Add(FirstInstruction(function), {&row, nullptr, nullptr}, applied);
}

void HookInserter::PlanExits(const HookRow& row, llvm::Function& function) {
  bool applied = false;
  for (llvm::BasicBlock& block : function) {
    auto* exit = llvm::dyn_cast<llvm::ReturnInst>(block.getTerminator());
    if (exit == nullptr) continue;
    if (block.getTerminatingMustTailCall() != nullptr) {
      return Problem(row, row.function + " ends in a tail call, so it has no exit");
    }
    Add(exit, {&row, nullptr, exit->getReturnValue()}, applied);
  }
}

void HookInserter::PlanCalls(const HookRow& row, llvm::Function& function) {
  const llvm::Function* callee = module_.getFunction(row.callee);
  if (callee == nullptr) return;
  bool applied = false;
  for (llvm::BasicBlock& block : function) {
    for (llvm::Instruction& instruction : block) {
      auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
      if (call == nullptr || call->getCalledFunction() != callee) continue;
      const bool after = row.place == HookRow::Place::kAfterCall;
      if (after && call->isMustTailCall()) {
        return Problem(row, row.function + " tail-calls " + row.callee + ", nothing is after it");
      }
      llvm::Instruction* before = after ? call->getNextNonDebugInstruction() : call;
      Add(before, {&row, call, after ? call : nullptr}, applied);
    }
  }
}

void HookInserter::Add(llvm::Instruction* before, const Insertion& insertion, bool& applied) {
  const llvm::Function& function = *before->getFunction();
  if (!Check(insertion, function)) return;
  plan_[before].push_back(insertion);
  if (applied) return;
  applied = true;
  hits_.push_back(std::to_string(insertion.row->line) + "\t" + function.getName().str() + "\t" +
                  module_.getSourceFileName() + "\n");
}

const llvm::Type* HookInserter::ArgumentType(const Insertion& insertion,
                                             const llvm::Function& function,
                                             const HookArgument& argument) {
  const bool at_call = insertion.call != nullptr && !argument.of_function;
  const size_t count = at_call ? insertion.call->arg_size() : function.arg_size();
  if (argument.index < count) {
    return at_call ? insertion.call->getArgOperand(argument.index)->getType()
                   : function.getArg(argument.index)->getType();
  }
  const HookRow& row = *insertion.row;
  Problem(row, (at_call ? row.callee : row.function) + " has " + std::to_string(count) +
                   " arguments, and no number " + std::to_string(argument.index));
  return nullptr;
}

const llvm::Type* HookInserter::SourceType(const Insertion& insertion,
                                           const llvm::Function& function,
                                           const HookArgument& argument) {
  if (argument.kind != HookArgument::Kind::kReturn) {
    return ArgumentType(insertion, function, argument);
  }
  if (insertion.returned != nullptr && !insertion.returned->getType()->isVoidTy()) {
    return insertion.returned->getType();
  }
  const HookRow& row = *insertion.row;
  Problem(row, (insertion.call != nullptr ? row.callee : row.function) + " returns nothing");
  return nullptr;
}

bool HookInserter::Check(const Insertion& insertion, const llvm::Function& function) {
  const HookRow& row = *insertion.row;
  if (row.condition != HookRow::Condition::kNone) {
    const llvm::Type* type = ArgumentType(insertion, function, row.condition_argument);
    if (type == nullptr) return false;
    if (!type->isPointerTy()) return Problem(row, "the condition is no pointer"), false;
  }
  for (size_t i = 0; i < row.arguments.size(); ++i) {
    const HookArgument& argument = row.arguments[i];
    if (argument.kind == HookArgument::Kind::kConstant) continue;
    const llvm::Type* type = SourceType(insertion, function, argument);
    if (type == nullptr) return false;
    const bool loads = argument.kind == HookArgument::Kind::kLoad;
    if (type == TypeOf(loads ? 'p' : argument.type)) continue;
    return Problem(row, "the hook " + row.hook + "'s argument " + std::to_string(i) +
                            (loads ? " is loaded from what is no pointer" : " has another type")),
           false;
  }
  return true;
}

void HookInserter::Problem(const HookRow& row, const std::string& what) {
  problems_.push_back("line " + std::to_string(row.line) + ": " + what + " (" + row.text + ")");
}

void HookInserter::Insert(llvm::Instruction* before, const std::vector<Insertion>& insertions) {
  llvm::Function& function = *before->getFunction();
  const llvm::DebugLoc location = LocationOf(*before);
  llvm::Instruction* guarded = nullptr;  // the end of the guarded block that rows go on into
  for (const Insertion& insertion : insertions) {
    if (insertion.row->always) {
      guarded = nullptr;
    } else if (guarded == nullptr) {
      guarded = BeginGuarded(before);
    }
    llvm::IRBuilder<> builder(guarded != nullptr ? guarded : before);
    builder.SetCurrentDebugLocation(location);
    InsertCall(builder, insertion, function);
  }
}

llvm::Instruction* HookInserter::BeginGuarded(llvm::Instruction* before) {
  llvm::IRBuilder<> builder(before);
  builder.SetCurrentDebugLocation(LocationOf(*before));
  auto* tracking =
      llvm::cast<llvm::GlobalVariable>(module_.getOrInsertGlobal(kTracking, builder.getInt32Ty()));
  tracking->setDSOLocal(IsPartOfExecutable(module_));
  llvm::LoadInst* load = builder.CreateLoad(builder.getInt32Ty(), tracking);
  // Another thread may set it: that is no undefined behaviour for an atomic load.
  load->setAtomic(llvm::AtomicOrdering::Unordered);
  SetNoSanitize(*load);
  return llvm::SplitBlockAndInsertIfThen(
      builder.CreateIsNotNull(load), before, /*Unreachable=*/false,
      llvm::MDBuilder(module_.getContext()).createBranchWeights(kTrackedWeight, kUntrackedWeight));
}

void HookInserter::InsertCall(llvm::IRBuilder<>& builder, const Insertion& insertion,
                              llvm::Function& function) {
  const HookRow& row = *insertion.row;
  if (row.condition != HookRow::Condition::kNone) BeginConditional(builder, insertion, function);
  std::vector<llvm::Value*> arguments;
  std::vector<llvm::Type*> types;
  for (const HookArgument& argument : row.arguments) {
    arguments.push_back(Argument(builder, insertion, argument, function));
    types.push_back(arguments.back()->getType());
  }
  if (row.has_operation) {
    arguments.push_back(builder.getInt32(row.operation));
    types.push_back(builder.getInt32Ty());
  }
  auto* type = llvm::FunctionType::get(builder.getVoidTy(), types, /*isVarArg=*/false);
  llvm::FunctionCallee hook = module_.getOrInsertFunction("ftp_race_" + row.hook, type);
  if (auto* declared = llvm::dyn_cast<llvm::Function>(hook.getCallee())) {
    declared->setDoesNotThrow();
    declared->setDSOLocal(IsPartOfExecutable(module_));
  }
  SetNoSanitize(*builder.CreateCall(hook, arguments));
}

void HookInserter::BeginConditional(llvm::IRBuilder<>& builder, const Insertion& insertion,
                                    llvm::Function& function) {
  const HookRow& row = *insertion.row;
  llvm::Value* value = ArgumentValue(insertion, function, row.condition_argument);
  llvm::Value* holds = row.condition == HookRow::Condition::kIf ? builder.CreateIsNotNull(value)
                                                                : builder.CreateIsNull(value);
  builder.SetInsertPoint(
      llvm::SplitBlockAndInsertIfThen(holds, builder.GetInsertPoint(), /*Unreachable=*/false));
}

llvm::Value* HookInserter::ArgumentValue(const Insertion& insertion, llvm::Function& function,
                                         const HookArgument& argument) const {
  return insertion.call != nullptr && !argument.of_function
             ? insertion.call->getArgOperand(argument.index)
             : function.getArg(argument.index);
}

llvm::Value* HookInserter::Argument(llvm::IRBuilder<>& builder, const Insertion& insertion,
                                    const HookArgument& argument, llvm::Function& function) {
  llvm::Type* type = TypeOf(argument.type);
  if (argument.kind == HookArgument::Kind::kReturn) return insertion.returned;
  if (argument.kind == HookArgument::Kind::kConstant) {
    return llvm::ConstantInt::getSigned(type, argument.offset);
  }
  llvm::Value* value = ArgumentValue(insertion, function, argument);
  if (argument.kind == HookArgument::Kind::kArgument) return value;
  llvm::Value* address =
      builder.CreatePtrAdd(value, llvm::ConstantInt::getSigned(TypeOf('l'), argument.offset));
  llvm::LoadInst* load = builder.CreateLoad(type, address);
  SetNoSanitize(*load);
  if (argument.tag == 0) return load;
  // A _PyStackRef: a pointer whose low bits are a tag.
  llvm::Type* number = TypeOf('l');
  llvm::Value* bits = load;
  if (type->isPointerTy()) bits = builder.CreatePtrToInt(load, number);
  bits = builder.CreateAnd(
      bits, builder.CreateIntCast(llvm::ConstantInt::getSigned(number, ~argument.tag),
                                  bits->getType(), /*isSigned=*/true));
  return type->isPointerTy() ? builder.CreateIntToPtr(bits, type) : bits;
}

llvm::Type* HookInserter::TypeOf(char letter) const {
  llvm::LLVMContext& context = module_.getContext();
  if (letter == 'p') return llvm::PointerType::getUnqual(context);
  return letter == 'l' ? llvm::Type::getInt64Ty(context) : llvm::Type::getInt32Ty(context);
}

// A call without a line in a function that has lines would break the inliner.
llvm::DebugLoc HookInserter::LocationOf(const llvm::Instruction& before) const {
  if (before.getDebugLoc()) return before.getDebugLoc();
  llvm::DISubprogram* function = before.getFunction()->getSubprogram();
  if (function == nullptr) return {};
  return llvm::DILocation::get(module_.getContext(), function->getLine(), 0, function);
}

}  // namespace fthreadprof
