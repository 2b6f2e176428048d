// accesses: what an operation touches, told to the detector. The fast path of every access is in
// here: whether the thread has touched this variable in its present epoch already.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_ACCESSES_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_ACCESSES_H_

#include "tracking.h"

namespace fthreadprof::race {

// What an operation touches beside its variable.
enum class Scope : uint8_t {
  kVariable,   // nothing
  kElement,    // one element of a container: the order matters, and who looks at all elements
  kElements,   // the structure, and the value of every element
  kEverything  // the order, and with it the structure and every element
};

struct Target {
  PyObject* object;
  ObjectKind object_kind;
  uint64_t key;
  uint64_t spot;  // SpotOfHash or SpotOfKey
  uint8_t operation;
  AccessKind kind;
  Scope scope = Scope::kVariable;
  // What the report calls the variable.
  PyObject* name = nullptr;
  const char* member = nullptr;
  int64_t index = 0;
  bool has_index = false;
};

// A variable's part of its tag in the access cache, without HashKey's work. Those of hashes and of
// other keys are apart, for a key's hash may be any number.
inline uint64_t SpotOfHash(Py_hash_t hash) {
  return static_cast<uint64_t>(hash) * 0x9e3779b97f4a7c15ULL;
}
inline uint64_t SpotOfKey(uint64_t key) { return key * 0xc2b2ae3d27d4eb4fULL; }

// The variable's place in the access cache.
inline uint64_t PlaceOf(PyObject* object, uint16_t header, uint64_t spot) {
  const uint64_t which = uint64_t{header} >> kGenerationShift << 48;
  return (reinterpret_cast<uintptr_t>(object) ^ which) * 0xff51afd7ed558ccdULL + spot;
}

// What stands there once it was touched in the thread's present epoch, but for the kinds.
inline uint64_t TagOf(const RaceThread& thread, uint64_t place) {
  const uint64_t epoch = thread.epoch * 0xd6e8feb86659fd93ULL;
  return (place + epoch + thread.salt.load(std::memory_order_relaxed)) & ~kAccessKinds;
}

// Whether the thread has touched the variable in this epoch already: the fast path of every access.
inline bool IsRecorded(RaceThread& thread, PyObject* object, uint64_t spot, AccessKind kind) {
  const uint16_t header = LoadHeader(object);
  if ((header & kTracked) == 0) return false;
  const uint64_t place = PlaceOf(object, header, spot);
  const uint64_t difference = thread.cache.At(place).tag_and_kinds ^ TagOf(thread, place);
  const uint64_t covering = static_cast<uint64_t>(kind) | static_cast<uint64_t>(AccessKind::kWrite);
  return difference <= kAccessKinds && (difference & covering) != 0;
}

// From now on it has, in this epoch.
void RememberRecorded(RaceThread& thread, PyObject* object, uint64_t spot, AccessKind kind);

// The rest of an access: the check of the variable's history, and the report.
void AccessSlowly(RaceThread& thread, const Target& target);

// An attribute of the object itself is about to be stored, which may hide a method from then on.
void BeforeAttributeStore(RaceThread& thread, PyObject* object, PyObject* name);

// The object's generation, given now if it has none yet; it keeps it for life. `bits` of the header
// are set as well.
uint32_t GenerationOf(PyObject* object, uint16_t bits = 0);

// The variable of a dict's key or a set's element. What is hashed by its address may be dead when
// another object has it: the generation tells them apart.
inline uint64_t ElementKey(PyObject* element, Py_hash_t hash) {
  if (Py_TYPE(element)->tp_hash != PyBaseObject_Type.tp_hash) [[likely]]
    return HashKey(hash);
  return HashKey(static_cast<int64_t>(Mix(static_cast<uint64_t>(hash)) + GenerationOf(element)));
}

// The object whose __dict__ this is; nullptr if none is known.
PyObject* OwnerOf(PyObject* dict);
// A shadow of the object in the shard, made if need be; its header says so from then on. nullptr
// without memory.
Shadow* ShadowOf(RaceThread& thread, ShadowTable::Shard& shard, PyObject* object);

// --- Containers

// Operations that look at every element, in one step or not.
bool ReadsValues(uint32_t operation);

// The slow paths are functions of their own, so that the fast ones need no stack frame.
void ContainerSlowly(RaceThread& thread, PyObject* container, ObjectKind object_kind,
                     AccessKind kind, uint32_t operation, bool values);

inline void ContainerTouch(PyObject* container, ObjectKind object_kind, AccessKind kind,
                           uint32_t operation, bool values) {
  RaceThread* thread = Current();
  if (thread == nullptr || IsRecorded(*thread, container, SpotOfKey(kStructureKey), kind)) return;
  ContainerSlowly(*thread, container, object_kind, kind, operation, values);
}

// Whether nothing but the operation itself has a reference to the list: a display or comprehension
// that is being built. Nobody else can come by it but from this thread, afterwards.
inline bool IsUnshared(PyObject* list) {
  return __atomic_load_n(&list->ob_ref_local, __ATOMIC_RELAXED) == 1 &&
         __atomic_load_n(&list->ob_ref_shared, __ATOMIC_RELAXED) == 0 &&
         __atomic_load_n(&list->ob_tid, __ATOMIC_RELAXED) == _Py_ThreadId();
}

// A write of everything that the container is.
void ContainerWrite(PyObject* container, ObjectKind object_kind, uint32_t operation);

// --- Iterators

inline constexpr auto kListIterate = static_cast<uint32_t>(RaceOperation::kListIterate);
inline constexpr auto kDictIterate = static_cast<uint32_t>(RaceOperation::kDictIterate);
inline constexpr auto kGeneratorNext = static_cast<uint32_t>(RaceOperation::kGeneratorNext);
inline constexpr auto kIteratorNext = static_cast<uint32_t>(RaceOperation::kIteratorNext);

void IteratorNextSlowly(RaceThread& thread, PyObject* iterator, uint32_t operation);

// An iterator goes on. That of a for loop is nobody else's.
inline void IteratorNext(PyObject* iterator, uint32_t operation) {
  if (IsUnshared(iterator)) [[likely]]
    return;
  RaceThread* thread = Current();
  if (thread == nullptr ||
      IsRecorded(*thread, iterator, SpotOfKey(kContentKey), AccessKind::kWrite)) {
    return;
  }
  IteratorNextSlowly(*thread, iterator, operation);
}

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_ACCESSES_H_
