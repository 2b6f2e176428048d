// ExtensionModules lists the modules of a target that are written in C, with what each declares
// about the GIL: Py_mod_gil, or PyUnstable_Module_SetGIL. One that does not say that it can run
// without turns the GIL of a free-threaded build on for good.
//
// Lifetime: borrows memory and offsets. Thread safety: none.
#ifndef FTHREADPROF_PYTHON_EXTENSION_MODULES_H_
#define FTHREADPROF_PYTHON_EXTENSION_MODULES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "process/process_memory.h"
#include "python/debug_offsets.h"
#include "python/object_reader.h"
#include "python/thread_names.h"

namespace fthreadprof {

struct ExtensionModule {
  std::string name;              // as in sys.modules, UTF-8
  std::string file;              // its __file__; "" when it is built into the interpreter
  bool can_run_without = false;  // it declares that it can run without the GIL

  friend bool operator==(const ExtensionModule&, const ExtensionModule&) = default;
};

class ExtensionModules {
 public:
  // REQUIRES: memory and offsets outlive this object; the build is a free-threaded one.
  ExtensionModules(ProcessMemory& memory, const DebugOffsets& offsets)
      : memory_(memory), offsets_(offsets), objects_(memory, offsets) {}

  // What is in sys.modules now is left out by Read from now on. Cheap: no module is looked at.
  // Fails as Read.
  absl::Status SkipPresent(InterpreterPtr interpreter);
  void SkipNothing() { skipped_.clear(); }

  // Those in sys.modules, in the order in which they were imported; none twice. Modules that change
  // while they are read are left out. Fails with kDataLoss when sys.modules itself changes (try
  // again), kNotFound when the process is gone.
  absl::StatusOr<std::vector<ExtensionModule>> Read(InterpreterPtr interpreter);

 private:
  struct Known {
    uint64_t key = 0;  // the address of its name
    ExtensionModule module;
  };

  absl::StatusOr<std::vector<DictEntry>> Entries(InterpreterPtr interpreter);
  absl::StatusOr<std::vector<uint8_t>> ReadHeads(std::vector<DictEntry>& entries);
  absl::StatusOr<bool> IsModuleType(uint64_t type);
  absl::StatusOr<ExtensionModule> ReadModule(const DictEntry& entry, bool can_run_without);

  ProcessMemory& memory_;
  const DebugOffsets& offsets_;
  ObjectReader objects_;
  absl::flat_hash_set<std::pair<uint64_t, uint64_t>> skipped_;  // addresses of names and modules
  uint64_t module_type_ = 0;                                    // once it was met
  absl::flat_hash_map<uint64_t, Known> known_;                  // by the module's address
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_EXTENSION_MODULES_H_
