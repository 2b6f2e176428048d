#include "python/extension_modules.h"

#include <cstring>
#include <set>
#include <span>

#include "base/load.h"
#include "base/status_macros.h"
#include "python/object_layout.h"

namespace fthreadprof {
namespace {

constexpr size_t kMaxModules = 1 << 16;

}  // namespace

// PyModule_Type itself: what has another type, a subclass, is made by Python code.
absl::StatusOr<bool> ExtensionModules::IsModuleType(uint64_t type) {
  if (module_type_ != 0) return type == module_type_;
  constexpr char kName[] = "module";
  char name[sizeof kName];
  FTP_ASSIGN_OR_RETURN(const uint64_t flags,
                       memory_.ReadValue<uint64_t>(type + offsets_.type_object.tp_flags));
  if ((flags & TypeFlags::kHeapType) != 0) return false;
  FTP_ASSIGN_OR_RETURN(const uint64_t tp_name,
                       memory_.ReadValue<uint64_t>(type + offsets_.type_object.tp_name));
  FTP_RETURN_IF_ERROR(memory_.Read(tp_name, name, sizeof name));
  if (std::memcmp(name, kName, sizeof name) != 0) return false;
  module_type_ = type;
  return true;
}

absl::StatusOr<std::vector<DictEntry>> ExtensionModules::Entries(InterpreterPtr interpreter) {
  FTP_ASSIGN_OR_RETURN(const uint64_t modules,
                       memory_.ReadValue<uint64_t>(interpreter.address() +
                                                   offsets_.interpreter_state.imports_modules));
  if (modules == 0) return std::vector<DictEntry>();  // it starts, or ends
  return objects_.ReadDict(ObjectPtr(modules), kMaxModules);
}

absl::Status ExtensionModules::SkipPresent(InterpreterPtr interpreter) {
  FTP_ASSIGN_OR_RETURN(const std::vector<DictEntry> entries, Entries(interpreter));
  for (const DictEntry& entry : entries) {
    skipped_.emplace(entry.key.address(), entry.value.address());
  }
  return absl::OkStatus();
}

// The heads of the modules, one behind the other, of those that can be read: others are no modules,
// and are taken out of `entries`.
absl::StatusOr<std::vector<uint8_t>> ExtensionModules::ReadHeads(std::vector<DictEntry>& entries) {
  const uint64_t size = ModuleLayout::Of(offsets_).size;
  std::vector<uint8_t> heads(entries.size() * size);
  std::vector<MemoryPiece> pieces;
  for (size_t i = 0; i < entries.size(); ++i) {
    pieces.push_back({entries[i].value.address(), heads.data() + i * size, size});
  }
  for (size_t done = 0; done < pieces.size(); ++done) {
    FTP_ASSIGN_OR_RETURN(const size_t read, memory_.ReadPieces(std::span(pieces).subspan(done)));
    done += read;
    if (done < pieces.size()) entries[done].value = ObjectPtr();
  }
  return heads;
}

absl::StatusOr<std::vector<ExtensionModule>> ExtensionModules::Read(InterpreterPtr interpreter) {
  FTP_ASSIGN_OR_RETURN(std::vector<DictEntry> entries, Entries(interpreter));
  std::erase_if(entries, [&](const DictEntry& entry) {
    return skipped_.contains({entry.key.address(), entry.value.address()});
  });
  FTP_ASSIGN_OR_RETURN(const std::vector<uint8_t> heads, ReadHeads(entries));
  std::vector<ExtensionModule> found;
  const ModuleLayout fields = ModuleLayout::Of(offsets_);
  std::set<uint64_t> seen;
  for (size_t i = 0; i < entries.size(); ++i) {
    const DictEntry& entry = entries[i];
    const uint8_t* head = heads.data() + i * fields.size;
    if (!entry.value || Load<uint64_t>(head, fields.definition) == 0) continue;
    const auto is_module = IsModuleType(Load<uint64_t>(head, offsets_.pyobject.ob_type));
    if (!is_module.ok() || !*is_module || !seen.insert(entry.value.address()).second) continue;
    const bool can_run_without = offsets_.minor() < 15 ? Load<uint64_t>(head, fields.gil) == 1
                                                       : Load<uint8_t>(head, fields.gil) == 0;
    auto module = ReadModule(entry, can_run_without);
    if (absl::IsNotFound(module.status())) return module.status();
    if (module.ok()) found.push_back(*std::move(module));
  }
  return found;
}

absl::StatusOr<ExtensionModule> ExtensionModules::ReadModule(const DictEntry& entry,
                                                             bool can_run_without) {
  Known& known = known_[entry.value.address()];
  if (known.key == entry.key.address() && known.module.can_run_without == can_run_without) {
    return known.module;
  }
  ExtensionModule module{.name = "", .file = "", .can_run_without = can_run_without};
  FTP_ASSIGN_OR_RETURN(module.name, objects_.ReadStr(entry.key));
  FTP_ASSIGN_OR_RETURN(
      const uint64_t globals,
      memory_.ReadValue<uint64_t>(entry.value.address() + ModuleDictField(offsets_)));
  if (globals != 0) {
    FTP_ASSIGN_OR_RETURN(const ObjectPtr file, objects_.LookUp(ObjectPtr(globals), "__file__"));
    // What is not a str is no path: a built-in module has none.
    if (file) module.file = objects_.ReadStr(file).value_or("");
  }
  // While it is imported its __file__ may still be missing.
  if (!module.file.empty()) known = {entry.key.address(), module};
  return module;
}

}  // namespace fthreadprof
