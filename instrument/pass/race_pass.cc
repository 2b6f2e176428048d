// The compiler plugin (clang-19, LLVM 19) that builds an instrumented CPython: applies a HookTable
// to each module and lists the functions that touch fields of tracked objects (the audit).
//
// It runs at the start of the pipeline, at every -O level, before anything is inlined: static and
// inline functions still have their names then. A function of a header is instrumented in each
// module that has a copy of it.
//
// All settings come from the environment, which make hands to each compiler:
//   FTHREADPROF_RACE_TABLE  path of the table; missing or wrong is a compile error
//   FTHREADPROF_RACE_HITS   file to which a line "LINE<tab>FUNCTION<tab>FILE" is appended for each
//                           row that was applied; one write a line, so that make -j is safe
//   FTHREADPROF_RACE_AUDIT  file to which "FUNCTION<tab>FILE<tab>FIELDS" is appended likewise
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "field_audit.h"
#include "hook_inserter.h"
#include "hook_table.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Passes/PassPlugin.h"
#include "llvm/Support/MemoryBuffer.h"

namespace fthreadprof {
namespace {

std::string EnvironmentVariable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Appends `lines` to the file that `variable` names, if it names one.
void Append(llvm::LLVMContext& context, const char* variable,
            const std::vector<std::string>& lines) {
  const std::string path = EnvironmentVariable(variable);
  if (path.empty() || lines.empty()) return;
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  bool written = fd >= 0;
  for (const std::string& line : lines) {
    written = written && write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  }
  if (fd >= 0) close(fd);
  if (!written) context.emitError("fthreadprof: cannot write " + path + " (" + variable + ")");
}

// Reads the table, or reports why there is none.
bool ReadTable(llvm::LLVMContext& context, HookTable& table) {
  const std::string path = EnvironmentVariable("FTHREADPROF_RACE_TABLE");
  if (path.empty()) {
    context.emitError("fthreadprof: FTHREADPROF_RACE_TABLE names no hook table");
    return false;
  }
  const auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer) {
    context.emitError("fthreadprof: cannot read the hook table " + path + ": " +
                      buffer.getError().message());
    return false;
  }
  const llvm::StringRef text = (*buffer)->getBuffer();
  const std::string problem = HookTable::Parse({text.data(), text.size()}, table);
  if (!problem.empty()) context.emitError("fthreadprof: " + path + ": " + problem);
  return problem.empty();
}

class RacePass : public llvm::PassInfoMixin<RacePass> {
 public:
  // Also for functions marked optnone.
  static bool isRequired() { return true; }

  llvm::PreservedAnalyses run(llvm::Module& module, llvm::ModuleAnalysisManager& /*analyses*/) {
    llvm::LLVMContext& context = module.getContext();
    HookTable table;
    if (!ReadTable(context, table)) return llvm::PreservedAnalyses::all();
    Append(context, "FTHREADPROF_RACE_AUDIT", AuditFields(module, table));
    HookInserter inserter(module);
    inserter.Apply(table);
    for (const std::string& problem : inserter.problems()) {
      context.emitError("fthreadprof: hook table " + problem);
    }
    Append(context, "FTHREADPROF_RACE_HITS", inserter.hits());
    return inserter.hits().empty() ? llvm::PreservedAnalyses::all()
                                   : llvm::PreservedAnalyses::none();
  }
};

void RegisterCallbacks(llvm::PassBuilder& builder) {
  builder.registerPipelineStartEPCallback(
      [](llvm::ModulePassManager& manager, llvm::OptimizationLevel /*level*/) {
        manager.addPass(RacePass());
      });
}

}  // namespace
}  // namespace fthreadprof

extern "C" LLVM_ATTRIBUTE_WEAK __attribute__((visibility("default"))) llvm::PassPluginLibraryInfo
llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "fthreadprof-race", "1", fthreadprof::RegisterCallbacks};
}
