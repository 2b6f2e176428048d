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
  X(kListRemovePython, "list.remove.python")

/* FTP_RACE_HOOKS(X): X(name, parameters). A table row `entry F name 0 1 op=...` calls
 * ftp_race_<name>. Parameters, a letter each: p pointer, l Py_ssize_t or Py_hash_t (int64_t), i int
 * (int32_t), o the row's operation (uint32_t, always last).
 *
 * Variables of an object. A list has its elements, its structure (which elements there are) and its
 * order (which element stands at which index); a dict its keys, its structure and its content (that
 * no key was taken away by a whole-container operation).
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
  /* channel (SimpleQueue, deque), item: who gets the item is after who put it. */                 \
  X(channel_put, "pp")                                                                             \
  X(channel_get, "pp")                                                                             \
  /* Between the two the interpreter works for itself, until a newer Python frame is entered. */   \
  X(look_away_enter, "")                                                                           \
  X(look_away_leave, "")                                                                           \
  /* object: its last reference is gone. */                                                        \
  X(dealloc, "p")                                                                                  \
  /* object, result < 0: its finaliser has resurrected it. */                                      \
  X(resurrected, "pi")                                                                             \
  /* object: its finaliser is about to run. */                                                     \
  X(finalize, "p")                                                                                 \
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
