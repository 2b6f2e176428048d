// sequence_hooks: deques, bytearrays and arrays, whose variables are those of lists; the memory
// that memoryviews look at; heapq's lists are lists. The operation says what the object is.
#include "accesses.h"

namespace fthreadprof::race {
namespace {

ObjectKind KindOf(uint32_t operation) {
  const auto number = static_cast<RaceOperation>(operation);
  if (number < RaceOperation::kBytesGetItem) return ObjectKind::kDeque;
  return number < RaceOperation::kArrayGetItem ? ObjectKind::kBytearray : ObjectKind::kArray;
}

// A bytearray may be given as any object with a buffer, or be another operand.
bool IsTracked(PyObject* sequence, ObjectKind kind) {
  if (kind == ObjectKind::kBytearray && !PyByteArray_Check(sequence)) return false;
  return !IsUnshared(sequence);
}

void SequenceTouch(PyObject* sequence, AccessKind kind, uint32_t operation) {
  RaceThread* thread = Current();
  if (thread == nullptr || sequence == nullptr ||
      IsRecorded(*thread, sequence, SpotOfKey(kStructureKey), kind)) {
    return;
  }
  const ObjectKind object_kind = KindOf(operation);
  if (!IsTracked(sequence, object_kind)) return;
  ContainerSlowly(*thread, sequence, object_kind, kind, operation, ReadsValues(operation));
}

void SequenceReorder(PyObject* sequence, uint32_t operation) {
  const ObjectKind object_kind = KindOf(operation);
  if (IsTracked(sequence, object_kind)) ContainerWrite(sequence, object_kind, operation);
}

void Element(PyObject* sequence, ObjectKind object_kind, int64_t index, AccessKind kind,
             uint32_t operation) {
  RaceThread* thread = Current();
  if (thread == nullptr) return;
  const uint64_t key = IndexKey(static_cast<uint64_t>(index));
  if (IsRecorded(*thread, sequence, SpotOfKey(key), kind) || IsUnshared(sequence)) return;
  AccessSlowly(*thread, {.object = sequence,
                         .object_kind = object_kind,
                         .key = key,
                         .spot = SpotOfKey(key),
                         .operation = static_cast<uint8_t>(operation),
                         .kind = kind,
                         .scope = Scope::kElement,
                         .index = index,
                         .has_index = true});
}

void SequenceItem(PyObject* sequence, int64_t index, AccessKind kind, uint32_t operation) {
  const Py_ssize_t size = Py_SIZE(sequence);
  if (index < 0) index += size;
  if (static_cast<size_t>(index) >= static_cast<size_t>(size)) return;
  Element(sequence, KindOf(operation), index, kind, operation);
}

// The index between the brackets, if it is one.
bool IndexOf(PyObject* key, int64_t* index) {
  if (!PyLong_CheckExact(key) || !_PyLong_IsCompact(reinterpret_cast<PyLongObject*>(key))) {
    return false;
  }
  *index = _PyLong_CompactValue(reinterpret_cast<PyLongObject*>(key));
  return true;
}

// The operation that one on an element is where a slice stands.
uint32_t OnSlice(uint32_t operation) {
  switch (static_cast<RaceOperation>(operation)) {
    case RaceOperation::kBytesGetItem:
      return static_cast<uint32_t>(RaceOperation::kBytesSlice);
    case RaceOperation::kBytesSetItem:
      return static_cast<uint32_t>(RaceOperation::kBytesSetSlice);
    case RaceOperation::kArrayGetItem:
      return static_cast<uint32_t>(RaceOperation::kArrayRead);
    default:
      return static_cast<uint32_t>(RaceOperation::kArrayChange);
  }
}

ObjectKind KindOfMemory(PyObject* exporter) {
  return PyByteArray_Check(exporter) ? ObjectKind::kBytearray : ObjectKind::kArray;
}

// The object whose memory the view shows, as long as it can be written; nullptr if there is none.
PyObject* ExporterOf(PyObject* view) {
  const _PyManagedBufferObject* managed = reinterpret_cast<PyMemoryViewObject*>(view)->mbuf;
  return managed == nullptr || managed->master.readonly ? nullptr : managed->master.obj;
}

// An item of a memoryview is the element of the object whose memory it is. Views of other items
// than that object's own are told by the element that the item begins in.
void BufferItem(PyObject* view, const char* item, AccessKind kind, uint32_t operation) {
  PyObject* exporter = ExporterOf(view);
  if (exporter == nullptr) return;
  const Py_buffer& memory = reinterpret_cast<PyMemoryViewObject*>(view)->mbuf->master;
  const ptrdiff_t offset = item - static_cast<const char*>(memory.buf);
  if (offset < 0 || offset >= memory.len || memory.itemsize <= 0) return;
  Element(exporter, KindOfMemory(exporter), offset / memory.itemsize, kind, operation);
}

}  // namespace

void IteratorNextSlowly(RaceThread& thread, PyObject* iterator, uint32_t operation) {
  AccessSlowly(thread, {.object = iterator,
                        .object_kind = ObjectKind::kIterator,
                        .key = kContentKey,
                        .spot = SpotOfKey(kContentKey),
                        .operation = static_cast<uint8_t>(operation),
                        .kind = AccessKind::kWrite});
}

}  // namespace fthreadprof::race

using namespace fthreadprof::race;

FTP_HOOK ftp_race_sequence_item_read(PyObject* sequence, int64_t index, uint32_t operation) {
  SequenceItem(sequence, index, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_sequence_item_write(PyObject* sequence, int64_t index, uint32_t operation) {
  SequenceItem(sequence, index, AccessKind::kWrite, operation);
}
FTP_HOOK ftp_race_sequence_read(PyObject* sequence, uint32_t operation) {
  SequenceTouch(sequence, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_sequence_write(PyObject* sequence, uint32_t operation) {
  SequenceTouch(sequence, AccessKind::kWrite, operation);
}
FTP_HOOK ftp_race_sequence_reorder(PyObject* sequence, uint32_t operation) {
  SequenceReorder(sequence, operation);
}
FTP_HOOK ftp_race_sequence_pop(PyObject* sequence, int64_t index, uint32_t operation) {
  if (index == -1 || index == Py_SIZE(sequence) - 1) {
    SequenceTouch(sequence, AccessKind::kWrite, operation);
  } else {
    SequenceReorder(sequence, operation);
  }
}
FTP_HOOK ftp_race_sequence_subscript(PyObject* sequence, PyObject* key, uint32_t operation) {
  int64_t index;
  if (IndexOf(key, &index)) {
    SequenceItem(sequence, index, AccessKind::kRead, operation);
  } else {
    SequenceTouch(sequence, AccessKind::kRead, OnSlice(operation));
  }
}
FTP_HOOK ftp_race_sequence_ass_subscript(PyObject* sequence, PyObject* key, PyObject* value,
                                         uint32_t operation) {
  int64_t index;
  if (value != nullptr && IndexOf(key, &index)) {
    SequenceItem(sequence, index, AccessKind::kWrite, operation);
  } else {
    SequenceReorder(sequence, OnSlice(operation));
  }
}
FTP_HOOK ftp_race_deque_append(PyObject* deque, int64_t maxlen, uint32_t operation) {
  if (maxlen == Py_SIZE(deque)) {
    SequenceReorder(deque, operation);
  } else {
    SequenceTouch(deque, AccessKind::kWrite, operation);
  }
}
FTP_HOOK ftp_race_buffer_read(PyObject* view, const char* item, uint32_t operation) {
  BufferItem(view, item, AccessKind::kRead, operation);
}
FTP_HOOK ftp_race_buffer_write(PyObject* view, const char* item, uint32_t operation) {
  BufferItem(view, item, AccessKind::kWrite, operation);
}
FTP_HOOK ftp_race_buffer_read_all(PyObject* view, uint32_t operation) {
  RaceThread* thread = Current();
  PyObject* exporter = ExporterOf(view);
  if (thread == nullptr || exporter == nullptr) return;
  ContainerSlowly(*thread, exporter, KindOfMemory(exporter), AccessKind::kRead, operation,
                  /*values=*/true);
}
FTP_HOOK ftp_race_buffer_write_all(PyObject* view, uint32_t operation) {
  PyObject* exporter = ExporterOf(view);
  if (exporter != nullptr) ContainerWrite(exporter, KindOfMemory(exporter), operation);
}
FTP_HOOK ftp_race_iterator_next(PyObject* iterator, uint32_t operation) {
  if (IsUnshared(iterator)) [[likely]]
    return;
  // Generators only: what a coroutine does is its task's.
  if (operation == kGeneratorNext && !PyGen_CheckExact(iterator)) return;
  IteratorNext(iterator, operation);
}
