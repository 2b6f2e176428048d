/* race_abi.h: what the instrumented CPython calls and the race runtime defines.
 *
 * Three parties share this file: the pass (instrument/pass) checks every row of a hook table
 * against it and inserts the calls, the runtime (instrument/runtime) defines the functions, and the
 * report (src/race) names operations. C and C++; no CPython header is needed.
 *
 * A hook is called on the thread that does the operation, with or without locks of CPython held. It
 * never allocates Python objects, never runs Python code, never takes a lock of CPython, and leaves
 * errno and the Python error state alone.
 *
 * Every call but those marked `always` in a table is guarded by `ftp_race_tracking != 0`, tested
 * inline: until a second thread starts the instrumentation costs a load and a branch.
 */
#ifndef FTHREADPROF_RACE_ABI_H_
#define FTHREADPROF_RACE_ABI_H_

#include <stdint.h>

/* Part of the key of the cached interpreters; changes with any hook, operation or their meaning. */
#define FTP_RACE_ABI_VERSION 2

/* FTP_RACE_OPERATIONS(X): X(identifier, name in tables and logs). What was done to an object, as
 * far as the C function alone tells it. The order is the number in logs: append only. */
#define FTP_RACE_OPERATIONS(X)                    \
  X(kNone, "none")                                \
  /* list */                                      \
  X(kListGetItem, "list.getitem")                 \
  X(kListSetItem, "list.setitem")                 \
  X(kListDelItem, "list.delitem")                 \
  X(kListLen, "list.len")                         \
  X(kListContains, "list.contains")               \
  X(kListIndex, "list.index")                     \
  X(kListCount, "list.count")                     \
  X(kListSlice, "list.slice")                     \
  X(kListSetSlice, "list.setslice")               \
  X(kListConcat, "list.concat")                   \
  X(kListRepeat, "list.repeat")                   \
  X(kListInplaceRepeat, "list.imul")              \
  X(kListCompare, "list.compare")                 \
  X(kListRepr, "list.repr")                       \
  X(kListCopy, "list.copy")                       \
  X(kListAppend, "list.append")                   \
  X(kListInsert, "list.insert")                   \
  X(kListExtend, "list.extend")                   \
  X(kListPop, "list.pop")                         \
  X(kListRemove, "list.remove")                   \
  X(kListClear, "list.clear")                     \
  X(kListSort, "list.sort")                       \
  X(kListReverse, "list.reverse")                 \
  X(kListResize, "list.resize")                   \
  X(kListIterate, "list.iterate")                 \
  X(kListInit, "list.init")                       \
  /* dict */                                      \
  X(kDictGetItem, "dict.getitem")                 \
  X(kDictSetItem, "dict.setitem")                 \
  X(kDictSetDefault, "dict.setdefault")           \
  X(kDictDelItem, "dict.delitem")                 \
  X(kDictPop, "dict.pop")                         \
  X(kDictPopItem, "dict.popitem")                 \
  X(kDictClear, "dict.clear")                     \
  X(kDictLen, "dict.len")                         \
  X(kDictCopy, "dict.copy")                       \
  X(kDictViewList, "dict.list")                   \
  X(kDictCompare, "dict.compare")                 \
  X(kDictRepr, "dict.repr")                       \
  X(kDictUpdate, "dict.update")                   \
  X(kDictMergeSource, "dict.merge_source")        \
  X(kDictIterate, "dict.iterate")                 \
  X(kDictResize, "dict.resize")                   \
  /* attributes, globals, cells */                \
  X(kAttributeLoad, "attribute.load")             \
  X(kAttributeStore, "attribute.store")           \
  X(kSlotLoad, "slot.load")                       \
  X(kSlotStore, "slot.store")                     \
  X(kClassLoad, "class.load")                     \
  X(kClassStore, "class.store")                   \
  X(kGlobalLoad, "global.load")                   \
  X(kGlobalStore, "global.store")                 \
  X(kCellLoad, "cell.load")                       \
  X(kCellStore, "cell.store")                     \
  /* list.remove that may call a Python __eq__ */ \
  X(kListRemovePython, "list.remove.python")      \
  /* set */                                       \
  X(kSetAdd, "set.add")                           \
  X(kSetRemove, "set.remove")                     \
  X(kSetPop, "set.pop")                           \
  X(kSetClear, "set.clear")                       \
  X(kSetUpdate, "set.update")                     \
  X(kSetContains, "set.contains")                 \
  X(kSetLen, "set.len")                           \
  X(kSetCopy, "set.copy")                         \
  X(kSetMergeSource, "set.merge_source")          \
  X(kSetOperator, "set.operator")                 \
  X(kSetCompare, "set.compare")                   \
  X(kSetRepr, "set.repr")                         \
  X(kSetIterate, "set.iterate")                   \
  /* deque */                                     \
  X(kDequeGetItem, "deque.getitem")               \
  X(kDequeSetItem, "deque.setitem")               \
  X(kDequeDelItem, "deque.delitem")               \
  X(kDequeLen, "deque.len")                       \
  X(kDequeContains, "deque.contains")             \
  X(kDequeIndex, "deque.index")                   \
  X(kDequeCount, "deque.count")                   \
  X(kDequeCopy, "deque.copy")                     \
  X(kDequeCompare, "deque.compare")               \
  X(kDequeRepr, "deque.repr")                     \
  X(kDequeAppend, "deque.append")                 \
  X(kDequeAppendLeft, "deque.appendleft")         \
  X(kDequeExtend, "deque.extend")                 \
  X(kDequeExtendLeft, "deque.extendleft")         \
  X(kDequeInsert, "deque.insert")                 \
  X(kDequePop, "deque.pop")                       \
  X(kDequePopLeft, "deque.popleft")               \
  X(kDequeRemove, "deque.remove")                 \
  X(kDequeClear, "deque.clear")                   \
  X(kDequeRotate, "deque.rotate")                 \
  X(kDequeReverse, "deque.reverse")               \
  X(kDequeInplaceRepeat, "deque.imul")            \
  X(kDequeIterate, "deque.iterate")               \
  /* bytearray */                                 \
  X(kBytesGetItem, "bytearray.getitem")           \
  X(kBytesSetItem, "bytearray.setitem")           \
  X(kBytesDelItem, "bytearray.delitem")           \
  X(kBytesLen, "bytearray.len")                   \
  X(kBytesRead, "bytearray.read")                 \
  X(kBytesSlice, "bytearray.slice")               \
  X(kBytesSetSlice, "bytearray.setslice")         \
  X(kBytesConcat, "bytearray.concat")             \
  X(kBytesRepeat, "bytearray.repeat")             \
  X(kBytesInplaceRepeat, "bytearray.imul")        \
  X(kBytesCompare, "bytearray.compare")           \
  X(kBytesCopy, "bytearray.copy")                 \
  X(kBytesRepr, "bytearray.repr")                 \
  X(kBytesAppend, "bytearray.append")             \
  X(kBytesInsert, "bytearray.insert")             \
  X(kBytesExtend, "bytearray.extend")             \
  X(kBytesPop, "bytearray.pop")                   \
  X(kBytesRemove, "bytearray.remove")             \
  X(kBytesClear, "bytearray.clear")               \
  X(kBytesReverse, "bytearray.reverse")           \
  X(kBytesIterate, "bytearray.iterate")           \
  /* array.array */                               \
  X(kArrayGetItem, "array.getitem")               \
  X(kArraySetItem, "array.setitem")               \
  X(kArrayLen, "array.len")                       \
  X(kArrayRead, "array.read")                     \
  X(kArrayResize, "array.resize")                 \
  X(kArrayChange, "array.change")                 \
  X(kArrayIterate, "array.iterate")               \
  /* memoryview: the object whose memory it is */ \
  X(kBufferGetItem, "memoryview.getitem")         \
  X(kBufferSetItem, "memoryview.setitem")         \
  /* iterators */                                 \
  X(kIteratorNext, "iterator.next")               \
  X(kGeneratorNext, "generator.next")             \
  /* heapq, on a list */                          \
  X(kHeapPush, "heapq.heappush")                  \
  X(kHeapPop, "heapq.heappop")                    \
  X(kHeapReplace, "heapq.heapreplace")            \
  X(kHeapPushPop, "heapq.heappushpop")            \
  X(kHeapify, "heapq.heapify")                    \
  /* OrderedDict */                               \
  X(kDictMoveToEnd, "dict.move_to_end")

/* FTP_RACE_HOOKS(X): X(name, parameters). A table row `entry F name 0 1 op=...` calls
 * ftp_race_<name>. Parameters, a letter each: p pointer, l Py_ssize_t or Py_hash_t (int64_t), i int
 * (int32_t), o the row's operation (uint32_t, always last).
 *
 * Variables of an object. A list has its elements, its structure (which elements there are) and its
 * order (which element stands at which index), and so have deques, bytearrays and arrays; a dict
 * its keys, its structure and its content (that no key was taken away by a whole-container
 * operation), a set its elements likewise. An iterator is one variable.
 */
#define FTP_RACE_HOOKS(X)                                                                          \
  /* list, index: one element; index may be out of range, nothing happens then. */                 \
  X(list_item_read, "plo")                                                                         \
  X(list_item_write, "plo")                                                                        \
  /* list: its structure is read. */                                                               \
  X(list_read, "po")                                                                               \
  /* list: its structure is written, elements keep their indices (append, pop from the end). */    \
  X(list_write, "po")                                                                              \
  /* list: elements get other indices or all go (insert, sort, clear, slice assignment). */        \
  X(list_reorder, "po")                                                                            \
  /* list: an element is appended: structure and the new element. */                               \
  X(list_append, "po")                                                                             \
  /* list, index as the caller gave it (negative: from the end). */                                \
  X(list_pop, "plo")                                                                               \
  /* list iterator: reads the structure of its list. */                                            \
  X(list_iterate, "po")                                                                            \
  /* dict, key, hash: one key. */                                                                  \
  X(dict_key_read, "pplo")                                                                         \
  X(dict_key_write, "pplo")                                                                        \
  /* dict, key: as above, for functions that compute the hash themselves. The key is exact str, or \
   * its hash is cached or computed by C code; others are not tracked. */                          \
  X(dict_key_read_unhashed, "ppo")                                                                 \
  X(dict_key_write_unhashed, "ppo")                                                                \
  /* dict: its structure is read. */                                                               \
  X(dict_read, "po")                                                                               \
  /* dict: a key is added or removed: commutes with other such. */                                 \
  X(dict_resize, "po")                                                                             \
  /* dict: all keys are concerned (clear). */                                                      \
  X(dict_write, "po")                                                                              \
  /* dict, the (key, value) that was popped; nullptr: none. */                                     \
  X(dict_popitem, "ppo")                                                                           \
  /* dict, dict: the first gets the keys of the second. */                                         \
  X(dict_update, "ppo")                                                                            \
  /* dict iterator: reads the structure of its dict. */                                            \
  X(dict_iterate, "po")                                                                            \
  /* set, element, hash: one element. A write may add or remove it: set_resize says so afterwards. \
   */                                                                                              \
  X(set_key_read, "pplo")                                                                          \
  X(set_key_write, "pplo")                                                                         \
  /* set: its structure is written, and commutes with other such, if the number of its elements is \
   * no longer what it was at this thread's last set_key_write of it. */                           \
  X(set_resize, "po")                                                                              \
  /* set (anything else is not tracked): its structure is read. */                                 \
  X(set_read, "po")                                                                                \
  /* set iterator: reads the structure of its set. */                                              \
  X(set_iterate, "po")                                                                             \
  /* set: all elements are concerned. */                                                           \
  X(set_write, "po")                                                                               \
  /* set, the element that was popped; nullptr: none. */                                           \
  X(set_pop, "ppo")                                                                                \
  /* set, set: the first gets the elements of the second. */                                       \
  X(set_update, "ppo")                                                                             \
  /* deque, bytearray, array, as the operation says; index: as the hooks of lists. */              \
  X(sequence_item_read, "plo")                                                                     \
  X(sequence_item_write, "plo")                                                                    \
  X(sequence_read, "po")                                                                           \
  X(sequence_write, "po")                                                                          \
  X(sequence_reorder, "po")                                                                        \
  /* sequence, index as the caller gave it. */                                                     \
  X(sequence_pop, "plo")                                                                           \
  /* sequence, what stands between its brackets (an int or a slice), and what is assigned or       \
   * nullptr: the operation is that of one element. */                                             \
  X(sequence_subscript, "ppo")                                                                     \
  X(sequence_ass_subscript, "pppo")                                                                \
  /* deque, its maxlen: an element is appended; a full one loses its first. */                     \
  X(deque_append, "plo")                                                                           \
  /* memoryview, address of the item in the memory. */                                             \
  X(buffer_read, "ppo")                                                                            \
  X(buffer_write, "ppo")                                                                           \
  /* memoryview: all items, or a slice. */                                                         \
  X(buffer_read_all, "po")                                                                         \
  X(buffer_write_all, "po")                                                                        \
  /* iterator: its state is written, unless nobody else can have it. */                            \
  X(iterator_next, "po")                                                                           \
  /* OrderedDict: its keys get another order. */                                                   \
  X(dict_reorder, "po")                                                                            \
  /* object, name: an attribute in the object's own values. */                                     \
  X(attribute_read, "ppo")                                                                         \
  X(attribute_write, "ppo")                                                                        \
  /* object, name: while inside, a dict access with this name is this object's attribute. */       \
  X(attribute_enter, "pp")                                                                         \
  X(attribute_leave, "")                                                                           \
  /* object, dict: the dict is the object's __dict__. */                                           \
  X(dict_of_object, "pp")                                                                          \
  /* address of the object, PyMemberDef: a __slots__ member. */                                    \
  X(slot_read, "ppo")                                                                              \
  X(slot_write, "ppo")                                                                             \
  /* type, name. */                                                                                \
  X(class_read, "ppo")                                                                             \
  X(class_write, "ppo")                                                                            \
  /* globals, key. */                                                                              \
  X(global_read, "ppo")                                                                            \
  X(global_write, "ppo")                                                                           \
  X(cell_read, "po")                                                                               \
  X(cell_write, "po")                                                                              \
  /* tstate: a Python frame was entered, is about to be left. */                                   \
  X(frame_push, "p")                                                                               \
  X(frame_pop, "p")                                                                                \
  /* lock, result (Py_True or Py_None: acquired). */                                               \
  X(lock_acquired, "pp")                                                                           \
  X(lock_released, "p")                                                                            \
  X(rlock_acquired, "pp")                                                                          \
  X(rlock_released, "p")                                                                           \
  /* ThreadHandle of the thread about to start (always). */                                        \
  X(thread_start, "p")                                                                             \
  /* ThreadHandle: first thing in the new thread; last thing in it. */                             \
  X(thread_begin, "p")                                                                             \
  X(thread_end, "p")                                                                               \
  /* ThreadHandle, 0: joined. */                                                                   \
  X(thread_join, "pi")                                                                             \
  /* ThreadHandle, result (Py_True: it has ended). */                                              \
  X(thread_is_done, "pp")                                                                          \
  /* The interpreter shuts down, and all threads have ended that are no daemons. */                \
  X(threads_ended, "")                                                                             \
  /* channel (SimpleQueue, deque), item: who gets the item is after who put it. */                 \
  X(channel_put, "pp")                                                                             \
  X(channel_get, "pp")                                                                             \
  /* weak reference that was made with a callback; whose callback is about to run. */              \
  X(weakref_made, "p")                                                                             \
  X(weakref_called, "p")                                                                           \
  /* descriptor; descriptor, how many bytes were read from it (pipes, files). */                   \
  X(fd_write, "i")                                                                                 \
  X(fd_read, "il")                                                                                 \
  /* socket; socket, 0 if nothing came of it. */                                                   \
  X(socket_write, "p")                                                                             \
  X(socket_read, "pi")                                                                             \
  /* weak reference to the socket below TLS (NULL: there is none); what was read, or NULL. */      \
  X(tls_write, "p")                                                                                \
  X(tls_read, "pp")                                                                                \
  /* a signal is sent to this process; a handler is about to run. */                               \
  X(signal_send, "")                                                                               \
  X(signal_handle, "")                                                                             \
  /* Between the two the interpreter works for itself, until a newer Python frame is entered. */   \
  X(look_away_enter, "")                                                                           \
  X(look_away_leave, "")                                                                           \
  /* object: its last reference is gone. */                                                        \
  X(dealloc, "p")                                                                                  \
  /* object, result < 0: its finaliser has resurrected it. */                                      \
  X(resurrected, "pi")                                                                             \
  /* object: its finaliser is about to run. */                                                     \
  X(finalize, "p")                                                                                 \
  /* weak reference: the collector takes it away from its object; its callback may follow. */      \
  X(weakref_clear, "p")                                                                            \
  /* object: a thread that does not own it drops a reference, and it may be the last one. */       \
  X(drop, "p")                                                                                     \
  /* the process ends, with or without finalisation (always). */                                   \
  X(before_exit, "")                                                                               \
  /* arguments, their number: sys.audit(event, ...) was called (always). "fthreadprof.test" and a  \
   * str or None: the test that the thread runs from now on. */                                    \
  X(audit, "pl")                                                                                   \
  /* PyConfig before the interpreter starts: specialised bytecode is switched off (always). */     \
  X(configure, "p")

#ifdef __cplusplus
namespace fthreadprof {
enum class RaceOperation : uint8_t {
#define FTP_RACE_OPERATION(identifier, name) identifier,
  FTP_RACE_OPERATIONS(FTP_RACE_OPERATION)
#undef FTP_RACE_OPERATION
};
}  // namespace fthreadprof

extern "C" {
#endif

/* Not 0 from the start of the second thread on. Written by the runtime only. */
extern int32_t ftp_race_tracking;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* FTHREADPROF_RACE_ABI_H_ */
