#include "field_audit.h"

#include <map>
#include <set>

#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/Instructions.h"

namespace fthreadprof {
namespace {

using Fields = std::set<std::string>;

struct Audited {
  llvm::StringRef name;      // of the struct in LLVM's IR
  unsigned first_field = 0;  // those before are the object's header
};

constexpr Audited kAudited[] = {
    {"struct.PyListObject", 1}, {"struct.PyDictObject", 1},      {"struct._dictkeysobject", 0},
    {"struct._dictvalues", 0},  {"struct.PyCellObject", 1},      {"struct.PySetObject", 1},
    {"struct.dequeobject", 1},  {"struct.PyByteArrayObject", 1},
};

// "PyListObject.2" when the instruction computes the address of an audited field; else "".
std::string FieldOf(const llvm::Instruction& instruction) {
  const auto* address = llvm::dyn_cast<llvm::GetElementPtrInst>(&instruction);
  if (address == nullptr || address->getNumIndices() < 2) return "";
  const auto* type = llvm::dyn_cast<llvm::StructType>(address->getSourceElementType());
  const auto* field = llvm::dyn_cast<llvm::ConstantInt>(address->getOperand(2));
  if (type == nullptr || !type->hasName() || field == nullptr) return "";
  for (const Audited& audited : kAudited) {
    if (type->getName() == audited.name && field->getZExtValue() >= audited.first_field) {
      return type->getName().drop_front(7).str() + "." + std::to_string(field->getZExtValue());
    }
  }
  return "";
}

bool IsInHeader(const llvm::Function& function) {
  const llvm::DISubprogram* subprogram = function.getSubprogram();
  return subprogram != nullptr && subprogram->getFilename().ends_with(".h");
}

class Auditor {
 public:
  Auditor(llvm::Module& module, const HookTable& table) {
    // Others, such as those of frames and locks, tell nothing of what the function does to objects.
    for (const HookRow& row : table.rows()) {
      if (row.has_operation) named_.insert(row.function);
    }
    for (const llvm::Function& function : module) {
      if (function.isDeclaration()) continue;
      Look(function);
    }
    while (HandOn()) {
    }
  }

  std::vector<std::string> Lines(const std::string& file) const {
    std::vector<std::string> lines;
    for (const auto& [function, fields] : touched_) {
      if (IsInHeader(*function) || named_.count(function->getName().str()) != 0) continue;
      std::string line = function->getName().str() + "\t" + file + "\t";
      for (const std::string& field : fields) line += (line.back() == '\t' ? "" : " ") + field;
      lines.push_back(line + "\n");
    }
    return lines;
  }

 private:
  void Look(const llvm::Function& function) {
    for (const llvm::BasicBlock& block : function) {
      for (const llvm::Instruction& instruction : block) {
        if (std::string field = FieldOf(instruction); !field.empty()) {
          touched_[&function].insert(std::move(field));
        }
        if (const auto* call = llvm::dyn_cast<llvm::CallBase>(&instruction)) {
          const llvm::Function* callee = call->getCalledFunction();
          if (callee != nullptr && !callee->isDeclaration()) calls_[&function].insert(callee);
        }
      }
    }
  }

  // One step of handing on; false when nothing was new.
  bool HandOn() {
    bool changed = false;
    for (const auto& [caller, callees] : calls_) {
      for (const llvm::Function* callee : callees) {
        if (!IsInHeader(*callee) || named_.count(callee->getName().str()) != 0) continue;
        const auto found = touched_.find(callee);
        if (found == touched_.end() || callee == caller) continue;
        const Fields handed = found->second;
        Fields& fields = touched_[caller];
        const size_t before = fields.size();
        fields.insert(handed.begin(), handed.end());
        changed = changed || fields.size() != before;
      }
    }
    return changed;
  }

  std::map<const llvm::Function*, Fields> touched_;
  std::map<const llvm::Function*, std::set<const llvm::Function*>> calls_;
  std::set<std::string> named_;
};

}  // namespace

std::vector<std::string> AuditFields(llvm::Module& module, const HookTable& table) {
  return Auditor(module, table).Lines(module.getSourceFileName());
}

}  // namespace fthreadprof
