// set_hooks: sets, as dicts without values. Whether an element came or went is known only after the
// operation: its rows come in pairs, set_key_write before and set_resize behind. Frozensets change
// no more once others can reach them: they are not tracked.
#include "accesses.h"

namespace fthreadprof::race {
namespace {

Py_ssize_t ElementsIn(PyObject* set) {
  return __atomic_load_n(&reinterpret_cast<PySetObject*>(set)->used, __ATOMIC_RELAXED);
}

[[gnu::noinline]] void SetTouchSlowly(RaceThread& thread, PyObject* set, AccessKind kind,
                                      uint32_t operation) {
  if (!PySet_Check(set) || IsUnshared(set)) return;
  ContainerSlowly(thread, set, ObjectKind::kSet, kind, operation, /*values=*/false);
}

void SetTouch(PyObject* set, AccessKind kind, uint32_t operation) {
  RaceThread* thread = Current();
  if (thread == nullptr || IsRecorded(*thread, set, SpotOfKey(kStructureKey), kind)) return;
  SetTouchSlowly(*thread, set, kind, operation);
}

[[gnu::noinline]] void SetKeySlowly(RaceThread& thread, PyObject* set, PyObject* key,
                                    Py_hash_t hash, AccessKind kind, uint32_t operation) {
  if (!PySet_Check(set) || IsUnshared(set)) return;
  AccessSlowly(thread, {.object = set,
                        .object_kind = ObjectKind::kSet,
                        .key = ElementKey(key, hash),
                        .spot = SpotOfHash(hash),
                        .operation = static_cast<uint8_t>(operation),
                        .kind = kind,
                        .scope = Scope::kElement,
                        .name = key});
}

void SetKey(RaceThread& thread, PyObject* set, PyObject* key, Py_hash_t hash, AccessKind kind,
            uint32_t operation) {
  if (hash == -2 && IsMinusOne(key)) [[unlikely]]
    hash = -1;
  if (IsRecorded(thread, set, SpotOfHash(hash), kind)) return;
  SetKeySlowly(thread, set, key, hash, kind, operation);
}

}  // namespace
}  // namespace fthreadprof::race

using namespace fthreadprof::race;

FTP_HOOK ftp_race_set_key_read(PyObject* set, PyObject* key, int64_t hash, uint32_t operation) {
  if (RaceThread* thread = Current()) SetKey(*thread, set, key, hash, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_set_key_write(PyObject* set, PyObject* key, int64_t hash, uint32_t operation) {
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  SetKey(*thread, set, key, hash, AccessKind::kWrite, operation);
  thread->changed_set = set;
  thread->elements_before = ElementsIn(set);
}
// Python code may have run in between, and have changed another set: that the number is not known
// counts as a change.
FTP_HOOK ftp_race_set_resize(PyObject* set, uint32_t operation) {
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  if (thread->changed_set == set && thread->elements_before == ElementsIn(set)) return;
  SetTouch(set, AccessKind::kCommute, operation);
}
FTP_HOOK ftp_race_set_read(PyObject* set, uint32_t operation) {
  if (set != nullptr) SetTouch(set, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_set_iterate(PyObject* iterator, uint32_t operation) {
  // setiterobject: PyObject_HEAD, si_set (Objects/setobject.c)
  struct SetIterator {
    PyObject head;
    PyObject* set;
  };
  PyObject* set = __atomic_load_n(&reinterpret_cast<SetIterator*>(iterator)->set, __ATOMIC_RELAXED);
  if (set != nullptr) SetTouch(set, AccessKind::kRead, operation);
  IteratorNext(iterator, kIteratorNext);
}
FTP_HOOK ftp_race_set_write(PyObject* set, uint32_t operation) {
  if (!PySet_Check(set) || IsUnshared(set)) return;
  ContainerWrite(set, ObjectKind::kSet, operation);
}
// The element is known once it has been popped. Which one it is hangs on what was added before:
// pops do not commute, with nothing.
FTP_HOOK ftp_race_set_pop(PyObject* set, PyObject* popped, uint32_t operation) {
  if (popped == nullptr) return;
  SetTouch(set, AccessKind::kWrite, operation);
  RaceThread* thread = Current();
  Py_hash_t hash;
  if (thread == nullptr || !HashWithoutPython(popped, &hash)) return;
  SetKey(*thread, set, popped, hash, AccessKind::kWrite, operation);
}
// Both sets are locked, or the first is nobody else's. What nobody has touched yet gets no
// variables for its elements: a new set is mostly its maker's alone.
FTP_HOOK ftp_race_set_update(PyObject* set, PyObject* source, uint32_t operation) {
  RaceThread* thread = Current();
  if (thread == nullptr || !PySet_Check(set) || IsUnshared(set)) return;
  SetTouch(set, AccessKind::kCommute, operation);
  if ((LoadHeader(set) & kTracked) == 0 || !PyAnySet_Check(source)) return;
  auto* elements = reinterpret_cast<PySetObject*>(source);
  for (Py_ssize_t i = 0; i <= elements->mask; ++i) {
    const setentry& entry = elements->table[i];
    // -1: taken away (set_discard_entry)
    if (entry.key == nullptr || entry.hash == -1) continue;
    SetKey(*thread, set, entry.key, entry.hash, AccessKind::kWrite, operation);
  }
}
