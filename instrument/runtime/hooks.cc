// hooks: the functions of race_abi.h about lists, dicts, attributes, globals, cells and frames:
// they translate what CPython does into accesses. Other files have those of other types, and of
// order.

#include "accesses.h"
#include "synchronization.h"

namespace fthreadprof::race {
namespace {

inline Py_ssize_t ListSize(PyObject* list) { return Py_SIZE(list); }

[[gnu::noinline]] void ListSlowly(RaceThread& thread, PyObject* list, AccessKind kind,
                                  uint32_t operation) {
  // Some functions take any sequence, or may have failed already.
  if (!PyList_Check(list) || IsUnshared(list)) return;
  ContainerSlowly(thread, list, ObjectKind::kList, kind, operation, ReadsValues(operation));
}

inline void ListTouch(PyObject* list, AccessKind kind, uint32_t operation) {
  if (list == nullptr) return;
  RaceThread* thread = Current();
  if (thread == nullptr || IsRecorded(*thread, list, SpotOfKey(kStructureKey), kind)) return;
  ListSlowly(*thread, list, kind, operation);
}

[[gnu::noinline]] void ListItemSlowly(RaceThread& thread, PyObject* list, Py_ssize_t index,
                                      AccessKind kind, uint32_t operation) {
  if (static_cast<size_t>(index) >= static_cast<size_t>(ListSize(list)) || IsUnshared(list)) return;
  const uint64_t key = IndexKey(static_cast<uint64_t>(index));
  AccessSlowly(thread, {.object = list,
                        .object_kind = ObjectKind::kList,
                        .key = key,
                        .spot = SpotOfKey(key),
                        .operation = static_cast<uint8_t>(operation),
                        .kind = kind,
                        .scope = Scope::kElement,
                        .index = index,
                        .has_index = true});
}

inline void ListItem(PyObject* list, Py_ssize_t index, AccessKind kind, uint32_t operation) {
  RaceThread* thread = Current();
  if (thread == nullptr ||
      IsRecorded(*thread, list, SpotOfKey(IndexKey(static_cast<uint64_t>(index))), kind)) {
    return;
  }
  ListItemSlowly(*thread, list, index, kind, operation);
}

void ListReorder(PyObject* list, uint32_t operation) {
  ContainerWrite(list, ObjectKind::kList, operation);
}

// The object whose attribute the generic look-up in this frame is about, if the key is its name.
PyObject* AttributeOwner(const RaceThread& thread, PyObject* key) {
  const int depth = thread.attribute_depth;
  if (depth == 0 || depth > RaceThread::kMaxAttributes) return nullptr;
  const RaceThread::Attribute& attribute = thread.attributes[depth - 1];
  if (attribute.name != key || attribute.frame != CurrentFrame()) return nullptr;
  return static_cast<PyObject*>(attribute.object);
}

void Link(RaceThread& thread, PyObject* object, PyObject* dict);

[[gnu::noinline]] void DictKeySlowly(RaceThread& thread, PyObject* dict, PyObject* key,
                                     Py_hash_t hash, AccessKind kind, uint32_t operation) {
  Target target = {.object = dict,
                   .object_kind = ObjectKind::kDict,
                   .key = ElementKey(key, hash),
                   .spot = SpotOfHash(hash),
                   .operation = static_cast<uint8_t>(operation),
                   .kind = kind,
                   .scope = Scope::kElement,
                   .name = key};
  if (thread.attribute_depth != 0) [[unlikely]] {
    if (PyObject* owner = AttributeOwner(thread, key)) {
      if (SynchronizeByAttribute(thread, owner, key, kind == AccessKind::kWrite)) return;
      Link(thread, owner, dict);
      target.operation =
          static_cast<uint8_t>(kind == AccessKind::kWrite ? RaceOperation::kAttributeStore
                                                          : RaceOperation::kAttributeLoad);
      if (IsRecorded(thread, dict, target.spot, kind)) return;
    }
  }
  AccessSlowly(thread, target);
}

inline void DictKey(PyObject* dict, PyObject* key, Py_hash_t hash, AccessKind kind,
                    uint32_t operation) {
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  if (hash == -2 && IsMinusOne(key)) [[unlikely]]
    hash = -1;
  if (thread->attribute_depth == 0 && IsRecorded(*thread, dict, SpotOfHash(hash), kind)) return;
  DictKeySlowly(*thread, dict, key, hash, kind, operation);
}

// The type's version, which no two contents of it and its bases share; 0: it has none now.
inline uint32_t VersionOf(PyTypeObject* type) {
  return __atomic_load_n(&type->tp_version_tag, __ATOMIC_RELAXED);
}

inline TypeCacheEntry& TypeEntry(TypeCacheEntry* cache, PyTypeObject* type, Py_hash_t hash) {
  const uint64_t mixed =
      (reinterpret_cast<uintptr_t>(type) ^ static_cast<uint64_t>(hash)) * 0x9e3779b97f4a7c15ULL;
  return cache[mixed >> 32 & (RaceThread::kTypeCache - 1)];
}

bool IsKnown(const TypeCacheEntry& entry, PyTypeObject* type, Py_hash_t hash) {
  const uint32_t version = VersionOf(type);
  return version != 0 && entry.version == version && entry.type == type && entry.hash == hash;
}

// Whether the type has a method of this name.
bool IsMethod(RaceThread& thread, PyTypeObject* type, PyObject* name, Py_hash_t hash) {
  TypeCacheEntry& entry = TypeEntry(thread.methods, type, hash);
  if (IsKnown(entry, type, hash)) return entry.answer != 0;
  const uint32_t version = VersionOf(type);
  Busy busy(thread);
  const bool is_method = ftp_type_has_method(type, name) != 0;
  entry = {type, hash, VersionOf(type) == version ? version : 0, is_method ? 1 : 0};
  return is_method;
}

constexpr uint8_t kManyHide = 255;  // Shadow::hiding: as many or more

// The attribute has been stored. No lock is held here: the type can be asked.
[[gnu::noinline]] void AfterAttributeStore(RaceThread& thread,
                                           const RaceThread::Attribute& attribute) {
  auto* object = static_cast<PyObject*>(attribute.object);
  auto* name = static_cast<PyObject*>(attribute.name);
  const bool is_it = object == thread.stored_in && name == thread.stored_name;
  thread.stored_in = nullptr;
  Py_hash_t hash;
  if (!is_it || !HashWithoutPython(name, &hash)) return;
  if (IsMethod(thread, Py_TYPE(object), name, hash)) return;
  const auto address = reinterpret_cast<uintptr_t>(object);
  ShadowTable::Shard& shard = detector.shadows.ShardOf(address);
  SpinLockHolder holder(shard.lock);
  Shadow* shadow = shard.Find(address);
  if (shadow == nullptr || shadow->hiding == 0 || shadow->hiding == kManyHide) return;
  if (--shadow->hiding == 0) ClearHeader(object, kHidesMethod);
}

}  // namespace

void BeforeAttributeStore(RaceThread& thread, PyObject* object, PyObject* name) {
  Py_hash_t hash;
  thread.stored_in = nullptr;
  if (!HashWithoutPython(name, &hash)) return;
  const TypeCacheEntry& entry = TypeEntry(thread.methods, Py_TYPE(object), hash);
  const bool is_known = IsKnown(entry, Py_TYPE(object), hash);
  if (is_known && entry.answer == 0) return;
  // Else it is taken to hide one until the type can be asked: an attribute's store ends soon. What
  // is stored in `__dict__` by hand keeps the mark. Stores are counted, for another one may need
  // the mark when it turns out that this one does not.
  const auto address = reinterpret_cast<uintptr_t>(object);
  {
    ShadowTable::Shard& shard = detector.shadows.ShardOf(address);
    SpinLockHolder holder(shard.lock);
    Shadow* shadow = shard.Find(address);
    if (shadow != nullptr && shadow->hiding != kManyHide) ++shadow->hiding;
    SetHeader(object, kHidesMethod);
  }
  if (is_known) return;
  thread.stored_in = object;
  thread.stored_name = name;
}

namespace {

[[gnu::noinline]] void AttributeSlowly(RaceThread& thread, PyObject* object, PyObject* name,
                                       Py_hash_t hash, AccessKind kind, uint32_t operation,
                                       ObjectKind object_kind) {
  if (object_kind == ObjectKind::kInstance) {
    const bool write = kind == AccessKind::kWrite;
    // A method is looked for in the object first; that nobody has put one there is no news.
    if (!write && (LoadHeader(object) & kHidesMethod) == 0 &&
        IsMethod(thread, Py_TYPE(object), name, hash)) {
      return;
    }
    if (SynchronizeByAttribute(thread, object, name, write)) return;
  }
  AccessSlowly(thread, {.object = object,
                        .object_kind = object_kind,
                        .key = HashKey(hash),
                        .spot = SpotOfHash(hash),
                        .operation = static_cast<uint8_t>(operation),
                        .kind = kind,
                        .name = name});
}

inline void Attribute(PyObject* object, PyObject* name, AccessKind kind, uint32_t operation,
                      ObjectKind object_kind) {
  RaceThread* thread = Current();
  Py_hash_t hash;
  if (thread == nullptr || !HashWithoutPython(name, &hash)) return;
  if (IsRecorded(*thread, object, SpotOfHash(hash), kind)) return;
  AttributeSlowly(*thread, object, name, hash, kind, operation, object_kind);
}

// How many of the type's bases (itself first) are asked for the attribute.
int BasesAsked(RaceThread& thread, PyTypeObject* type, PyObject* name, Py_hash_t hash) {
  TypeCacheEntry& entry = TypeEntry(thread.definers, type, hash);
  if (IsKnown(entry, type, hash)) return entry.answer;
  const uint32_t version = VersionOf(type);
  Busy busy(thread);
  PyObject* bases = type->tp_mro;
  int asked = 0;
  while (asked < PyTuple_GET_SIZE(bases)) {
    auto* base = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(bases, asked));
    if ((PyType_GetFlags(base) & Py_TPFLAGS_HEAPTYPE) == 0) break;
    ++asked;
    if (ftp_type_defines(base, name)) break;
  }
  entry = {type, hash, VersionOf(type) == version ? version : 0, asked};
  return asked;
}

[[gnu::noinline]] void ClassReadSlowly(RaceThread& thread, PyTypeObject* type, PyObject* name,
                                       Py_hash_t hash, uint32_t operation) {
  if (type->tp_mro == nullptr) return;
  const int asked = BasesAsked(thread, type, name, hash);
  PyObject* bases = type->tp_mro;
  for (int i = 0; i < asked && i < PyTuple_GET_SIZE(bases); ++i) {
    auto* base = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(bases, i));
    if ((PyType_GetFlags(base) & Py_TPFLAGS_IMMUTABLETYPE) != 0) continue;
    Attribute(reinterpret_cast<PyObject*>(base), name, AccessKind::kRead, operation,
              ObjectKind::kClass);
  }
}

// The dict is the object's __dict__: its keys are the object's attributes.
void Link(RaceThread& thread, PyObject* object, PyObject* dict) {
  const auto object_address = reinterpret_cast<uintptr_t>(object);
  const auto dict_address = reinterpret_cast<uintptr_t>(dict);
  if ((LoadHeader(object) & kDying) != 0 || OwnerOf(dict) == object) return;
  {
    ShadowTable::Shard& shard = detector.shadows.ShardOf(object_address);
    SpinLockHolder holder(shard.lock);
    Shadow* shadow = ShadowOf(thread, shard, object);
    if (shadow == nullptr) return;
    shadow->dictionary = dict_address;
  }
  ShadowTable::Shard& shard = detector.shadows.ShardOf(dict_address);
  SpinLockHolder holder(shard.lock);
  if (Shadow* shadow = ShadowOf(thread, shard, dict)) shadow->owner = object_address;
}

// Takes the object's history away; returns what it was linked with.
Shadow* TakeShadow(uintptr_t address) {
  ShadowTable::Shard& shard = detector.shadows.ShardOf(address);
  SpinLockHolder holder(shard.lock);
  return shard.Remove(address);
}

void Unlink(uintptr_t address, uintptr_t other) {
  ShadowTable::Shard& shard = detector.shadows.ShardOf(other);
  SpinLockHolder holder(shard.lock);
  Shadow* shadow = shard.Find(other);
  if (shadow == nullptr) return;
  if (shadow->owner == address) shadow->owner = 0;
  if (shadow->dictionary == address) shadow->dictionary = 0;
}

// A finaliser runs after all that was done with the object, by whichever thread, and after what was
// done before it was dropped.
void LearnUsersOf(RaceThread& thread, PyObject* object) {
  const uint16_t header = LoadHeader(object);
  const auto address = reinterpret_cast<uintptr_t>(object);
  if ((header & kSynchronizes) != 0) detector.Acquire(thread, address, SyncAspect::kDropped);
  if ((header & kTracked) == 0) return;
  ShadowTable::Shard& shard = detector.shadows.ShardOf(address);
  SpinLockHolder holder(shard.lock);
  if (Shadow* shadow = shard.Find(address)) detector.LearnUsers(thread, *shadow);
}

bool HasFinalizer(PyObject* object) {
  const PyTypeObject* type = Py_TYPE(object);
  return (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 &&
         (type->tp_finalize != nullptr || type->tp_del != nullptr);
}

// threading has a weak reference to each of its threads: its callback is book-keeping, and who runs
// it has not waited for the thread.
bool IsThread(PyObject* object) {
  PyTypeObject* type = thread_type.load(std::memory_order_relaxed);
  return type != nullptr && PyType_IsSubtype(Py_TYPE(object), type) != 0;
}

// Python code is about to run because the object dies.
bool LearnsUsers(PyObject* object) {
  return (HasFinalizer(object) && IsOn(kFinaliserEdge)) ||
         (IsOn(kWeakrefEdge) && ftp_has_weakref_callbacks(object) && !IsThread(object));
}

[[gnu::noinline]] void ForgetObject(PyObject* object, uint16_t header) {
  RaceThread* thread = self;
  if (thread == nullptr) thread = AdoptSelf();
  if (thread == nullptr || thread == kNoThread) return;
  const auto address = reinterpret_cast<uintptr_t>(object);
  if (LearnsUsers(object)) LearnUsersOf(*thread, object);
  if ((header & kSynchronizes) != 0) {
    detector.sync.Remove(detector.arena, thread->blocks, address);
  }
  if ((header & kTracked) == 0) return;
  if (Shadow* shadow = TakeShadow(address)) {
    if (shadow->owner != 0) Unlink(address, shadow->owner);
    if (shadow->dictionary != 0) Unlink(address, shadow->dictionary);
    shadow->Clear(detector.arena, thread->blocks);
    detector.arena.Free(thread->blocks, shadow, sizeof(Shadow));
  }
}

}  // namespace
}  // namespace fthreadprof::race

// --- The hooks. race_abi.h says what each means.

using fthreadprof::RaceOperation;
using namespace fthreadprof::race;
// Comparing the elements may run Python code: an element that is likely to be typical has a class
// with an __eq__ of its own.
static uint32_t RemoveOperation(PyObject* list, uint32_t operation) {
  if (operation != static_cast<uint32_t>(RaceOperation::kListRemove)) return operation;
  const Py_ssize_t size = ListSize(list) < 8 ? ListSize(list) : 8;
  for (Py_ssize_t i = 0; i < size; ++i) {
    const PyTypeObject* type = Py_TYPE(PyList_GET_ITEM(list, i));
    if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 &&
        type->tp_richcompare != PyBaseObject_Type.tp_richcompare) {
      return static_cast<uint32_t>(RaceOperation::kListRemovePython);
    }
  }
  return operation;
}

FTP_HOOK ftp_race_list_item_read(PyObject* list, int64_t index, uint32_t operation) {
  ListItem(list, index, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_list_item_write(PyObject* list, int64_t index, uint32_t operation) {
  ListItem(list, index, AccessKind::kWrite, operation);
}
FTP_HOOK ftp_race_list_read(PyObject* list, uint32_t operation) {
  if (list == nullptr || !PyList_Check(list)) return;
  operation = RemoveOperation(list, operation);
  ListTouch(list, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_list_write(PyObject* list, uint32_t operation) {
  ListTouch(list, AccessKind::kWrite, operation);
}
FTP_HOOK ftp_race_list_append(PyObject* list, uint32_t operation) {
  ListTouch(list, AccessKind::kWrite, operation);
}
FTP_HOOK ftp_race_list_reorder(PyObject* list, uint32_t operation) {
  ListReorder(list, RemoveOperation(list, operation));
}

FTP_HOOK ftp_race_list_pop(PyObject* list, int64_t index, uint32_t operation) {
  const Py_ssize_t size = ListSize(list);
  if (size == 0) return;
  if (index != -1 && index != size - 1) {
    ListReorder(list, operation);
    return;
  }
  ListTouch(list, AccessKind::kWrite, operation);
  ListItem(list, size - 1, AccessKind::kRead, operation);
}

FTP_HOOK ftp_race_list_iterate(PyObject* iterator, uint32_t operation) {
  // _PyListIterObject: PyObject_HEAD, it_index, it_seq (Include/internal/pycore_list.h)
  struct ListIterator {
    PyObject head;
    Py_ssize_t index;
    PyObject* list;
  };
  PyObject* list =
      __atomic_load_n(&reinterpret_cast<ListIterator*>(iterator)->list, __ATOMIC_RELAXED);
  if (list != nullptr) ListTouch(list, AccessKind::kRead, operation);
  if (operation == kListIterate) IteratorNext(iterator, kIteratorNext);
}

FTP_HOOK ftp_race_dict_key_read(PyObject* dict, PyObject* key, int64_t hash, uint32_t operation) {
  DictKey(dict, key, hash, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_dict_key_write(PyObject* dict, PyObject* key, int64_t hash, uint32_t operation) {
  DictKey(dict, key, hash, AccessKind::kWrite, operation);
}
FTP_HOOK ftp_race_dict_key_read_unhashed(PyObject* dict, PyObject* key, uint32_t operation) {
  Py_hash_t hash;
  if (HashWithoutPython(key, &hash)) DictKey(dict, key, hash, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_dict_key_write_unhashed(PyObject* dict, PyObject* key, uint32_t operation) {
  Py_hash_t hash;
  if (HashWithoutPython(key, &hash)) DictKey(dict, key, hash, AccessKind::kWrite, operation);
}
FTP_HOOK ftp_race_dict_read(PyObject* dict, uint32_t operation) {
  if (dict == nullptr || !PyDict_Check(dict)) return;
  ContainerTouch(dict, ObjectKind::kDict, AccessKind::kRead, operation, ReadsValues(operation));
}
FTP_HOOK ftp_race_dict_resize(PyObject* dict, uint32_t operation) {
  ContainerTouch(dict, ObjectKind::kDict, AccessKind::kCommute, operation, false);
}
FTP_HOOK ftp_race_dict_write(PyObject* dict, uint32_t operation) {
  ContainerWrite(dict, ObjectKind::kDict, operation);
}
// The key is known once it has been popped.
FTP_HOOK ftp_race_dict_popitem(PyObject* dict, PyObject* item, uint32_t operation) {
  if (item == nullptr || !PyTuple_CheckExact(item)) return;
  ContainerTouch(dict, ObjectKind::kDict, AccessKind::kCommute, operation, false);
  PyObject* key = PyTuple_GET_ITEM(item, 0);
  Py_hash_t hash;
  if (HashWithoutPython(key, &hash)) DictKey(dict, key, hash, AccessKind::kWrite, operation);
}
// Both dicts are locked: the source does not change meanwhile.
FTP_HOOK ftp_race_dict_update(PyObject* dict, PyObject* source, uint32_t operation) {
  ContainerTouch(dict, ObjectKind::kDict, AccessKind::kCommute, operation, false);
  RaceThread* thread = Current();
  if (thread == nullptr || !PyDict_Check(source)) return;
  Py_ssize_t position = 0;
  PyObject* key;
  Py_hash_t hash;
  while (ftp_dict_next(source, &position, &key, &hash) != 0) {
    DictKey(dict, key, hash, AccessKind::kWrite, operation);
  }
}
FTP_HOOK ftp_race_dict_iterate(PyObject* iterator, uint32_t operation) {
  // dictiterobject: PyObject_HEAD, di_dict (Objects/dictobject.c)
  struct DictIterator {
    PyObject head;
    PyObject* dict;
  };
  PyObject* dict =
      __atomic_load_n(&reinterpret_cast<DictIterator*>(iterator)->dict, __ATOMIC_RELAXED);
  if (dict == nullptr) return;
  const bool values =
      Py_IS_TYPE(iterator, &PyDictIterValue_Type) || Py_IS_TYPE(iterator, &PyDictIterItem_Type);
  ContainerTouch(dict, ObjectKind::kDict, AccessKind::kRead, operation, values);
  if (operation == kDictIterate) IteratorNext(iterator, kIteratorNext);
}
FTP_HOOK ftp_race_dict_reorder(PyObject* dict, uint32_t operation) {
  ContainerTouch(dict, ObjectKind::kDict, AccessKind::kWrite, operation, false);
}

FTP_HOOK ftp_race_attribute_read(PyObject* object, PyObject* name, uint32_t operation) {
  Attribute(object, name, AccessKind::kRead, operation, ObjectKind::kInstance);
}
FTP_HOOK ftp_race_attribute_write(PyObject* object, PyObject* name, uint32_t operation) {
  Attribute(object, name, AccessKind::kWrite, operation, ObjectKind::kInstance);
}

FTP_HOOK ftp_race_attribute_enter(PyObject* object, PyObject* name) {
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  const int depth = thread->attribute_depth++;
  if (depth >= RaceThread::kMaxAttributes) return;
  // A module's attributes are its globals, a type's are class attributes.
  const bool own = !PyModule_CheckExact(object) && !PyType_Check(object);
  thread->attributes[depth] = {own ? object : nullptr, own ? name : nullptr, CurrentFrame()};
}
FTP_HOOK ftp_race_attribute_leave() {
  RaceThread* thread = Current();
  if (thread == nullptr || thread->attribute_depth == 0) return;
  const int depth = --thread->attribute_depth;
  if (thread->stored_in != nullptr && depth < RaceThread::kMaxAttributes) [[unlikely]] {
    AfterAttributeStore(*thread, thread->attributes[depth]);
  }
}
FTP_HOOK ftp_race_dict_of_object(PyObject* object, PyObject* dict) {
  if (dict == nullptr || PyModule_CheckExact(object) || PyType_Check(object)) return;
  RaceThread* thread = Current();
  if (thread != nullptr) Link(*thread, object, dict);
}

static void Slot(const char* object, PyMemberDef* member, AccessKind kind, uint32_t operation) {
  auto* owner = reinterpret_cast<PyObject*>(const_cast<char*>(object));
  if ((Py_TYPE(owner)->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0) return;
  if (member->type != Py_T_OBJECT_EX || (member->flags & Py_READONLY) != 0) return;
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  const auto hash = reinterpret_cast<intptr_t>(member);
  if (IsRecorded(*thread, owner, SpotOfHash(hash), kind)) return;
  AccessSlowly(*thread, {.object = owner,
                         .object_kind = ObjectKind::kInstance,
                         .key = HashKey(hash),
                         .spot = SpotOfHash(hash),
                         .operation = static_cast<uint8_t>(operation),
                         .kind = kind,
                         .member = member->name});
}
FTP_HOOK ftp_race_slot_read(const char* object, PyMemberDef* member, uint32_t operation) {
  Slot(object, member, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_slot_write(char* object, PyMemberDef* member, uint32_t operation) {
  Slot(object, member, AccessKind::kWrite, operation);
}

// A class attribute is read of every class on the way to the one that has it: who adds it to one of
// them changes what is found.
FTP_HOOK ftp_race_class_read(PyTypeObject* type, PyObject* name, uint32_t operation) {
  if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0) return;
  RaceThread* thread = Current();
  Py_hash_t hash;
  if (thread == nullptr || !HashWithoutPython(name, &hash)) return;
  if (IsRecorded(*thread, reinterpret_cast<PyObject*>(type), SpotOfHash(hash), AccessKind::kRead)) {
    return;
  }
  ClassReadSlowly(*thread, type, name, hash, operation);
}
FTP_HOOK ftp_race_class_write(PyTypeObject* type, PyObject* name, uint32_t operation) {
  // Of other types none can be set: copyreg tries it all the time.
  constexpr unsigned long kFlags = Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_IMMUTABLETYPE;
  if ((type->tp_flags & kFlags) != Py_TPFLAGS_HEAPTYPE) return;
  Attribute(reinterpret_cast<PyObject*>(type), name, AccessKind::kWrite, operation,
            ObjectKind::kClass);
}

[[gnu::noinline]] static void GlobalSlowly(RaceThread& thread, PyObject* globals, PyObject* key,
                                           Py_hash_t hash, AccessKind kind, uint32_t operation) {
  AccessSlowly(thread, {.object = globals,
                        .object_kind = ObjectKind::kModule,
                        .key = HashKey(hash),
                        .spot = SpotOfHash(hash),
                        .operation = static_cast<uint8_t>(operation),
                        .kind = kind,
                        .name = key});
}
static inline void Global(PyObject* globals, PyObject* key, AccessKind kind, uint32_t operation) {
  RaceThread* thread = Current();
  Py_hash_t hash;
  if (thread == nullptr || !HashWithoutPython(key, &hash)) return;
  if (IsRecorded(*thread, globals, SpotOfHash(hash), kind)) return;
  GlobalSlowly(*thread, globals, key, hash, kind, operation);
}
FTP_HOOK ftp_race_global_read(PyObject* globals, PyObject* key, uint32_t operation) {
  Global(globals, key, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_global_write(PyObject* globals, PyObject* key, uint32_t operation) {
  Global(globals, key, AccessKind::kWrite, operation);
}

[[gnu::noinline]] static void CellSlowly(RaceThread& thread, PyObject* cell, AccessKind kind,
                                         uint32_t operation) {
  if (!PyCell_Check(cell)) return;
  AccessSlowly(thread, {.object = cell,
                        .object_kind = ObjectKind::kCell,
                        .key = kContentKey,
                        .spot = SpotOfKey(kContentKey),
                        .operation = static_cast<uint8_t>(operation),
                        .kind = kind});
}
static inline void Cell(PyObject* cell, AccessKind kind, uint32_t operation) {
  RaceThread* thread = Current();
  if (thread == nullptr || cell == nullptr) return;
  if (IsRecorded(*thread, cell, SpotOfKey(kContentKey), kind)) return;
  CellSlowly(*thread, cell, kind, operation);
}
FTP_HOOK ftp_race_cell_read(PyObject* cell, uint32_t operation) {
  Cell(cell, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_cell_write(PyObject* cell, uint32_t operation) {
  Cell(cell, AccessKind::kWrite, operation);
}

FTP_HOOK ftp_race_frame_push(PyThreadState* state) {
  RaceThread* thread = Current();
  if (thread == nullptr || thread->frame_count == 0) return;
  PushFrame(*thread, state->current_frame, 0);
}
FTP_HOOK ftp_race_frame_pop(PyThreadState* state) {
  RaceThread* thread = Current();
  if (thread == nullptr || thread->frame_count == 0) return;
  if (thread->promise != 0) [[unlikely]]
    LearnPromise(*thread);
  if (thread->frames[thread->frame_count - 1].frame == state->current_frame) --thread->frame_count;
}

FTP_HOOK ftp_race_look_away_enter() {
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  const int depth = thread->look_away_depth++;
  if (depth < RaceThread::kMaxLookAway) thread->look_away[depth] = CurrentFrame();
}
FTP_HOOK ftp_race_look_away_leave() {
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  if (thread->promise != 0) [[unlikely]]
    LearnPromise(*thread);
  if (thread->look_away_depth > 0) --thread->look_away_depth;
}

FTP_HOOK ftp_race_dealloc(PyObject* object) {
  const uint16_t header = LoadHeader(object);
  __atomic_store_n(HeaderBits(object), static_cast<uint16_t>(header | kDying), __ATOMIC_RELAXED);
  if ((header & (kTracked | kSynchronizes)) != 0) [[unlikely]]
    ForgetObject(object, header);
}
FTP_HOOK ftp_race_resurrected(PyObject* object, int32_t result) {
  if (result < 0) ClearHeader(object, kDying);
}

FTP_HOOK ftp_race_finalize(PyObject* object) {
  RaceThread* thread = Current();
  if (thread != nullptr && IsOn(kFinaliserEdge) && HasFinalizer(object)) {
    LearnUsersOf(*thread, object);
  }
}
FTP_HOOK ftp_race_weakref_clear(PyObject* reference) {
  RaceThread* thread = Current();
  auto* weak = reinterpret_cast<PyWeakReference*>(reference);
  if (thread == nullptr || !IsOn(kWeakrefEdge) || !ftp_is_called_by_collector(weak)) return;
  if (!IsThread(weak->wr_object)) LearnUsersOf(*thread, weak->wr_object);
}
FTP_HOOK ftp_race_drop(PyObject* object) {
  RaceThread* thread = Current();
  if (thread == nullptr || !LearnsUsers(object)) return;
  SetHeader(object, kSynchronizes);
  detector.Release(*thread, reinterpret_cast<uintptr_t>(object), SyncAspect::kDropped);
}
