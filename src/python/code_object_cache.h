// CodeObjectCache turns the address of a code object into its names and lines.
//
// The trap: a code object is freed and another one takes its address, so a cached entry goes stale
// without a sign. What tells is the object's identity: co_version, which no two code objects of a
// process share until 2^32 were made, with the pointers to its names and line table. An entry read
// before a stack was copied, whose identity still holds after, was right for that stack: a freed
// code object never comes back. The reader verifies accordingly (see InterpreterReader).
//
// Lifetime: borrows memory and offsets; entries live until ReleaseRetired() after they were
// replaced. Thread safety: as ProcessMemory.
#ifndef FTHREADPROF_PYTHON_CODE_OBJECT_CACHE_H_
#define FTHREADPROF_PYTHON_CODE_OBJECT_CACHE_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "python/debug_offsets.h"
#include "python/exception_table.h"
#include "python/line_table.h"
#include "python/object_reader.h"

namespace fthreadprof {

// What tells one code object from another at the same address.
struct CodeIdentity {
  uint32_t version = 0;
  int first_line = 0;
  uint64_t name = 0;
  uint64_t qualname = 0;
  uint64_t filename = 0;
  uint64_t linetable = 0;

  friend bool operator==(const CodeIdentity&, const CodeIdentity&) = default;
};

struct CodeInfo {
  uint64_t address = 0;
  uint64_t serial = 0;  // never used twice
  CodeIdentity identity;
  std::string function;     // co_qualname, UTF-8
  std::string file;         // co_filename, UTF-8
  uint64_t bytecode = 0;    // address of the first code unit (the main copy)
  uint64_t code_units = 0;  // instructions, with caches
  uint64_t framesize = 0;   // bytes that a frame of it takes on the data stack
  uint64_t locals = 0;      // words of its frame before the evaluation stack
  LineTable lines;
  std::optional<ExceptionTable> exceptions{};  // once it was asked for
  // A frame that the interpreter pushes for itself and tracebacks hide (_Py_InitCleanup).
  bool is_shim = false;
  // Thread-local copies of the bytecode by index (3.14 and later, free-threaded); 0 when not made
  // yet.
  std::vector<uint64_t> thread_local_bytecode;
  // The address was seen to change hands: its identity is read along with the stacks, in the same
  // call.
  bool is_volatile = false;
  uint64_t verified_in = 0;  // the call in which it last was, for the reader
  // For the reader: since when it was met again and again, and when last.
  std::chrono::steady_clock::time_point known_since;
  std::chrono::steady_clock::time_point last_used;
  // For the sampler: ids by line of what it interned.
  absl::flat_hash_map<int, uint32_t> frame_ids;
  // Samples since the last verification used it.
  bool used_since_verified = false;
};

class CodeObjectCache {
 public:
  // REQUIRES: both outlive the cache.
  CodeObjectCache(ProcessMemory& memory, const DebugOffsets& offsets);

  // The entry for the code object at `address`, null when it has not been read.
  CodeInfo* Find(uint64_t address) {
    const auto it = entries_.find(address);
    return it == entries_.end() ? nullptr : it->second.get();
  }

  // Reads the code object at `address`, which becomes its entry. Fails with kDataLoss when it does
  // not hold together, or changes while it is read; kNotFound when the process is gone.
  absl::StatusOr<CodeInfo*> Resolve(uint64_t address);

  // The entry's line at `instruction` (an address), 0 when it has none; -1 when the address is
  // not in the code object (torn). `tlbc_index` is the frame's.
  int LineOf(CodeInfo& code, uint64_t instruction, int32_t tlbc_index);

  // How many words of its evaluation stack the frame that is at `instruction` has in use for
  // certain, because an exception there is handled in the same frame, with so many of them left. 0
  // when it is not. The code's word for it: it may be more than the frame has.
  size_t ProtectedDepth(CodeInfo& code, uint64_t instruction, int32_t tlbc_index);

  // The bytes from a code object's start that hold its identity.
  size_t identity_size() const { return identity_size_; }
  // REQUIRES: bytes holds identity_size() bytes read at a code object's address.
  CodeIdentity ParseIdentity(const uint8_t* bytes) const;

  // Thread-local copies may have been freed: read them again when next needed.
  void ForgetThreadLocalBytecode();
  // Changes whenever an entry that was handed out may no longer be right.
  uint64_t generation() const { return generation_; }

  // The address was seen to hold another object: forgets the entry and remembers the address as
  // volatile.
  void Discard(uint64_t address);
  // Frees entries that were replaced; false when there were none. Call when no CodeInfo* from
  // before is in use.
  bool ReleaseRetired();
  // Replaced entries that are still kept; those that unverified samples used are, until VerifyCode.
  const std::vector<std::unique_ptr<CodeInfo>>& retired() const { return retired_; }
  // Starts anew when there are too many entries. REQUIRES: as ReleaseRetired, and VerifyCode was
  // just done.
  void Trim();
  const absl::flat_hash_map<uint64_t, std::unique_ptr<CodeInfo>>& entries() const {
    return entries_;
  }

 private:
  absl::StatusOr<std::unique_ptr<CodeInfo>> Read(uint64_t address);
  absl::Status CheckType(uint64_t type);
  absl::Status ReadThreadLocalBytecode(CodeInfo& code);
  absl::Status ReadExceptionTable(CodeInfo& code);
  uint64_t BytecodeBase(CodeInfo& code, uint64_t instruction, int32_t tlbc_index);

  ProcessMemory& memory_;
  const DebugOffsets& offsets_;
  ObjectReader objects_;
  size_t identity_size_;
  uint64_t code_type_ = 0;
  uint64_t last_serial_ = 0;
  uint64_t generation_ = 0;
  absl::flat_hash_map<uint64_t, std::unique_ptr<CodeInfo>> entries_;
  std::vector<std::unique_ptr<CodeInfo>> retired_;
  absl::flat_hash_set<uint64_t> volatile_addresses_;
  std::vector<uint8_t> buffer_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_CODE_OBJECT_CACHE_H_
