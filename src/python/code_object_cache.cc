#include "python/code_object_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "base/load.h"
#include "base/status_macros.h"

namespace fthreadprof {
namespace {

constexpr uint64_t kCodeUnitSize = 2;
// CPython limits neither; these keep a corrupt length from costing memory.
constexpr uint64_t kMaxCodeUnits = uint64_t{1} << 24;
constexpr int64_t kMaxThreadLocalCopies = 1 << 16;
constexpr uint64_t kMaxFrameSize = uint64_t{1} << 24;
// Past this the cache starts anew rather than grow with a program that makes code for ever.
constexpr size_t kMaxEntries = 1 << 16;

absl::Status TornCode() { return absl::DataLossError("code object changed while it was read"); }

}  // namespace

CodeObjectCache::CodeObjectCache(ProcessMemory& memory, const DebugOffsets& offsets)
    : memory_(memory), offsets_(offsets), objects_(memory, offsets) {
  const DebugOffsets::CodeObject& code = offsets_.code_object;
  identity_size_ =
      std::max({code.version + 4, code.firstlineno + 4, code.framesize + 4, code.name + 8,
                code.qualname + 8, code.filename + 8, code.linetable + 8, code.nlocalsplus + 4,
                code.exceptiontable + 8,
                offsets_.tuple_object.ob_size + 8, offsets_.pyobject.ob_type + 8});
}

CodeIdentity CodeObjectCache::ParseIdentity(const uint8_t* bytes) const {
  const DebugOffsets::CodeObject& code = offsets_.code_object;
  return {.version = Load<uint32_t>(bytes, code.version),
          .first_line = Load<int32_t>(bytes, code.firstlineno),
          .name = Load<uint64_t>(bytes, code.name),
          .qualname = Load<uint64_t>(bytes, code.qualname),
          .filename = Load<uint64_t>(bytes, code.filename),
          .linetable = Load<uint64_t>(bytes, code.linetable)};
}

absl::StatusOr<CodeInfo*> CodeObjectCache::Resolve(uint64_t address) {
  FTP_ASSIGN_OR_RETURN(std::unique_ptr<CodeInfo> code, Read(address));
  if (entries_.contains(address)) Discard(address);
  code->is_volatile = volatile_addresses_.contains(address);
  return (entries_[address] = std::move(code)).get();
}

void CodeObjectCache::Discard(uint64_t address) {
  if (volatile_addresses_.size() >= kMaxEntries) volatile_addresses_.clear();
  volatile_addresses_.insert(address);
  const auto it = entries_.find(address);
  if (it == entries_.end()) return;
  ++generation_;
  retired_.push_back(std::move(it->second));
  entries_.erase(it);
}

bool CodeObjectCache::ReleaseRetired() {
  return std::erase_if(retired_, [](const auto& code) { return !code->used_since_verified; }) > 0;
}

void CodeObjectCache::Trim() {
  if (entries_.size() < kMaxEntries) return;
  ++generation_;
  for (auto& entry : entries_) retired_.push_back(std::move(entry.second));
  entries_.clear();
}

absl::StatusOr<std::unique_ptr<CodeInfo>> CodeObjectCache::Read(uint64_t address) {
  buffer_.resize(identity_size_);
  FTP_RETURN_IF_ERROR(memory_.Read(address, buffer_.data(), buffer_.size()));
  FTP_RETURN_IF_ERROR(CheckType(Load<uint64_t>(buffer_.data(), offsets_.pyobject.ob_type)));
  auto code = std::make_unique<CodeInfo>();
  code->address = address;
  code->serial = ++last_serial_;
  code->identity = ParseIdentity(buffer_.data());
  code->bytecode = address + offsets_.code_object.co_code_adaptive;
  // ob_size of a code object is its number of code units: PyVarObject, as in a tuple.
  code->code_units = Load<uint64_t>(buffer_.data(), offsets_.tuple_object.ob_size);
  const int32_t framesize = Load<int32_t>(buffer_.data(), offsets_.code_object.framesize);
  code->framesize = static_cast<uint64_t>(framesize) * 8;
  const int32_t locals = Load<int32_t>(buffer_.data(), offsets_.code_object.nlocalsplus);
  code->locals = static_cast<uint64_t>(locals);
  if (code->code_units == 0 || code->code_units > kMaxCodeUnits || framesize <= 0 ||
      code->framesize > kMaxFrameSize || locals < 0 || locals > framesize) {
    return TornCode();
  }
  const CodeIdentity& id = code->identity;
  FTP_ASSIGN_OR_RETURN(code->function, objects_.ReadStr(ObjectPtr(id.qualname)));
  FTP_ASSIGN_OR_RETURN(code->file, objects_.ReadStr(ObjectPtr(id.filename)));
  FTP_ASSIGN_OR_RETURN(const std::vector<uint8_t> table,
                       objects_.ReadBytes(ObjectPtr(id.linetable)));
  code->lines = LineTable::Parse(table, id.first_line);
  // The interpreter's own shims share one string for all their names; no compiled code does.
  code->is_shim = id.filename == id.name && id.filename == id.qualname;
  // All of the above is immutable while the object lives: it lived if it still is who it was.
  FTP_RETURN_IF_ERROR(memory_.Read(address, buffer_.data(), buffer_.size()));
  if (ParseIdentity(buffer_.data()) != id) return TornCode();
  return code;
}

// A frame's executable may be another object (None in an entry frame): only the type called "code"
// will do.
absl::Status CodeObjectCache::CheckType(uint64_t type) {
  if (type == code_type_) return absl::OkStatus();
  constexpr char kName[] = "code";
  char name[sizeof kName];
  FTP_ASSIGN_OR_RETURN(const uint64_t tp_name,
                       memory_.ReadValue<uint64_t>(type + offsets_.type_object.tp_name));
  FTP_RETURN_IF_ERROR(memory_.Read(tp_name, name, sizeof name));
  if (std::memcmp(name, kName, sizeof name) != 0) return absl::DataLossError("no code object");
  code_type_ = type;  // PyCode_Type is static: one for all, and for ever
  return absl::OkStatus();
}

int CodeObjectCache::LineOf(CodeInfo& code, uint64_t instruction, int32_t tlbc_index) {
  const uint64_t base = BytecodeBase(code, instruction, tlbc_index);
  if (base == 0) return -1;
  const uint64_t unit = (instruction - base) / kCodeUnitSize;
  return std::max(0, code.lines.LineAt(static_cast<uint32_t>(unit)));
}

size_t CodeObjectCache::ProtectedDepth(CodeInfo& code, uint64_t instruction, int32_t tlbc_index) {
  const uint64_t base = BytecodeBase(code, instruction, tlbc_index);
  if (base == 0) return 0;
  if (!code.exceptions && !ReadExceptionTable(code).ok()) return 0;
  const auto unit = static_cast<uint32_t>((instruction - base) / kCodeUnitSize);
  return code.exceptions->DepthAt(unit);
}

absl::Status CodeObjectCache::ReadExceptionTable(CodeInfo& code) {
  FTP_ASSIGN_OR_RETURN(const uint64_t table,
                       memory_.ReadValue<uint64_t>(code.address +
                                                   offsets_.code_object.exceptiontable));
  FTP_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, objects_.ReadBytes(ObjectPtr(table)));
  buffer_.resize(identity_size_);
  FTP_RETURN_IF_ERROR(memory_.Read(code.address, buffer_.data(), buffer_.size()));
  if (ParseIdentity(buffer_.data()) != code.identity) return TornCode();
  code.exceptions = ExceptionTable::Parse(bytes);
  return absl::OkStatus();
}

uint64_t CodeObjectCache::BytecodeBase(CodeInfo& code, uint64_t instruction, int32_t tlbc_index) {
  const auto contains = [&](uint64_t base) {
    return base != 0 && instruction >= base && instruction < base + code.code_units * kCodeUnitSize;
  };
  if (tlbc_index <= 0) return contains(code.bytecode) ? code.bytecode : 0;
  const auto index = static_cast<size_t>(tlbc_index);
  const auto copy = [&] {
    return index < code.thread_local_bytecode.size() ? code.thread_local_bytecode[index] : 0;
  };
  if (!contains(copy())) {
    // A thread that ran the code since we looked grew the array, or made its copy.
    if (!ReadThreadLocalBytecode(code).ok()) return 0;
  }
  return contains(copy()) ? copy() : 0;
}

// _PyCodeArray {Py_ssize_t size; char* entries[]}: Include/cpython/code.h, 3.14.
absl::Status CodeObjectCache::ReadThreadLocalBytecode(CodeInfo& code) {
  code.thread_local_bytecode.clear();
  if (offsets_.code_object.co_tlbc == DebugOffsets::kAbsent) return TornCode();
  FTP_ASSIGN_OR_RETURN(const uint64_t array,
                       memory_.ReadValue<uint64_t>(code.address + offsets_.code_object.co_tlbc));
  FTP_ASSIGN_OR_RETURN(const int64_t size, memory_.ReadValue<int64_t>(array));
  if (size <= 0 || size > kMaxThreadLocalCopies) return TornCode();
  std::vector<uint64_t> entries(static_cast<size_t>(size));
  FTP_RETURN_IF_ERROR(memory_.Read(array + sizeof size, entries.data(), entries.size() * 8));
  code.thread_local_bytecode = std::move(entries);
  return absl::OkStatus();
}

void CodeObjectCache::ForgetThreadLocalBytecode() {
  ++generation_;
  for (auto& entry : entries_) entry.second->thread_local_bytecode.clear();
}

}  // namespace fthreadprof
