#include "contention/lock_reader.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <algorithm>
#include <vector>

#include "base/status_macros.h"
#include "python/object_layout.h"

namespace fthreadprof {
namespace {

constexpr size_t kMaxTypes = 4096;
constexpr size_t kMaxTypeName = 128;
// PyTypeObject.tp_flags of a type whose instances are types, as each type's own type is; object.h.
constexpr uint64_t kTypeSubclass = uint64_t{1} << 31;
constexpr uint64_t kReady = uint64_t{1} << 12;
// A call has fewer arguments on the stack, beside what loops and `with` keep there.
constexpr size_t kMaxSlots = 64;

bool IsFutexWait(const KernelActivity& activity) {
  if (activity.kind != KernelActivity::Kind::kSyscall || activity.number != SYS_futex) return false;
  const uint64_t command = activity.arguments[1] & FUTEX_CMD_MASK;
  return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
}

}  // namespace

std::optional<LockKind> LockKindOf(const ParkedOn& parked) {
  switch (parked.kind) {
    case ParkedOn::Kind::kObject:
      return LockKind::kObject;
    case ParkedOn::Kind::kLock:
      return LockKind::kLock;
    case ParkedOn::Kind::kRLock:
      return LockKind::kRLock;
    case ParkedOn::Kind::kNative:
      return LockKind::kNative;
    case ParkedOn::Kind::kStopped:
    case ParkedOn::Kind::kQueue:
    case ParkedOn::Kind::kNothing:
      break;
  }
  return std::nullopt;
}

ParkedOn LockReader::Read(const KernelActivity& activity, const PythonThread& thread) {
  if (!IsFutexWait(activity)) return {};
  const uint64_t futex = activity.arguments[0];
  const auto address = memory_.ReadValue<uint64_t>(futex - kWordSize);
  // A thread that is not let back in waits for its own state to change.
  if (address.ok() && *address == thread.state_address + offsets_.thread_state.state) {
    return {ParkedOn::Kind::kStopped, 0, ""};
  }
  ParkedOn parked = address.ok() && *address != 0 ? Identify(*address) : ParkedOn();
  if (parked.kind != ParkedOn::Kind::kNothing) return parked;
  return KnowsAllLocks() ? ParkedOn{ParkedOn::Kind::kNative, futex, ""}
                         : IdentifySemaphore(futex, thread.evaluation_stack);
}

// PyThread_type_lock is a sem_t, whose first word is the futex, and what lock and RLock point at in
// their first field; Python/thread_pthread.h, Modules/_threadmodule.c.
ParkedOn LockReader::IdentifySemaphore(uint64_t semaphore, const EvaluationStack& stack) {
  std::vector<uint64_t> slots(std::min(stack.count, kMaxSlots));
  if (slots.empty() || !memory_.Read(stack.address, slots.data(), slots.size() * kWordSize).ok()) {
    return {};
  }
  for (const uint64_t slot : slots) {
    if (slot == 0 || slot % kWordSize != 0) continue;
    const auto pointee = memory_.ReadValue<uint64_t>(slot + offsets_.pyobject.size);
    if (!pointee.ok() || *pointee != semaphore) continue;
    const ParkedOn lock = IdentifyLock(slot);
    if (lock.kind != ParkedOn::Kind::kNothing) return lock;
  }
  return {};
}

// `address` is that of a PyMutex, a byte. In a Lock and an RLock it is the first field.
ParkedOn LockReader::Identify(uint64_t address) {
  const ParkedOn lock = IdentifyLock(address - offsets_.pyobject.size);
  if (lock.kind != ParkedOn::Kind::kNothing || !offsets_.free_threaded) return lock;
  const uint64_t object = address - kObjectMutexField;
  const Type& type = TypeOf(object);
  if (!type.valid) return {};
  return {ParkedOn::Kind::kObject, object, type.name};
}

ParkedOn LockReader::IdentifyLock(uint64_t object) {
  const Type& type = TypeOf(object);
  if (!type.valid) return {};
  if (type.name == "_thread.lock") return {ParkedOn::Kind::kLock, object, type.name};
  if (type.name == "_thread.RLock") return {ParkedOn::Kind::kRLock, object, type.name};
  // simplequeueobject: {PyObject_HEAD, bool has_threads_waiting}; Modules/_queuemodule.c.
  if (type.name == "_queue.SimpleQueue") return {ParkedOn::Kind::kQueue, object, type.name};
  return {};
}

// The same code parks on mutexes that belong to no object: what is no type is not believed.
const LockReader::Type& LockReader::TypeOf(uint64_t object) {
  static const Type kNone;
  if (object % kWordSize != 0) return kNone;
  const auto address = memory_.ReadValue<uint64_t>(object + offsets_.pyobject.ob_type);
  if (!address.ok() || *address == 0 || *address % kWordSize != 0) return kNone;
  if (const auto known = types_.find(*address); known != types_.end()) return known->second;
  absl::StatusOr<Type> type = ReadType(*address);
  if (!type.ok()) return kNone;
  // A class that Python code made may be gone one day, and its address another one's.
  if (type->is_heap_type) return last_ = *std::move(type);
  if (types_.size() >= kMaxTypes) types_.clear();
  return types_[*address] = *std::move(type);
}

absl::StatusOr<LockReader::Type> LockReader::ReadType(uint64_t address) {
  const DebugOffsets::TypeObject& layout = offsets_.type_object;
  FTP_ASSIGN_OR_RETURN(const uint64_t flags,
                       memory_.ReadValue<uint64_t>(address + layout.tp_flags));
  if ((flags & kReady) == 0) return Type();
  FTP_ASSIGN_OR_RETURN(const uint64_t meta,
                       memory_.ReadValue<uint64_t>(address + offsets_.pyobject.ob_type));
  FTP_ASSIGN_OR_RETURN(const uint64_t meta_flags,
                       memory_.ReadValue<uint64_t>(meta + layout.tp_flags));
  if ((meta_flags & kTypeSubclass) == 0) return Type();
  FTP_ASSIGN_OR_RETURN(uint64_t at, memory_.ReadValue<uint64_t>(address + layout.tp_name));
  Type type{.valid = true, .is_heap_type = (flags & TypeFlags::kHeapType) != 0, .name = ""};
  // A short name may lie at the very end of what is mapped: never beyond its page in one read.
  while (type.name.size() < kMaxTypeName) {
    char bytes[32];
    const size_t size = std::min<uint64_t>(sizeof bytes, 4096 - at % 4096);
    FTP_RETURN_IF_ERROR(memory_.Read(at, bytes, size));
    const auto end = std::find(bytes, bytes + size, '\0');
    type.name.append(bytes, end);
    if (end != bytes + size) return type;
    at += size;
  }
  return type;
}

}  // namespace fthreadprof
