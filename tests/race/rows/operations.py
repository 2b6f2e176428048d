"""One operation a row of the hook table, each against a write in another thread that nothing orders.

A case is a line: the table's function, how the object is made, the operation, the conflicting one. The
test (tests/integration/test_race_rows.py) wants a race at every line, so a row that is missing or does
not fire is seen. Cases named `-` are other ways to a function that has a case already.
"""
import array
import collections
import heapq
import itertools
import pickle
import sys
import threading
import types
import weakref
import _weakref

import _testcapi as testcapi
import _testinternalcapi as testinternalcapi
import _testlimitedcapi as capi


class Plain:
    klass = 1

    def __init__(self):
        self.x = 1


class Slotted:
    __slots__ = ("x",)

    def __init__(self):
        self.x = 1


class WithDict(Exception):  # its __dict__ is no managed one
    def __init__(self):
        self.x = 1


class Materialised(Plain):
    pass


def materialised():
    made = Materialised()
    made.__dict__["y"] = 1
    return made


def big():  # too many attributes for inline values
    made = Plain()
    for number in range(40):
        setattr(made, f"a{number}", number)
    return made


def dead_reference():
    return {"c": weakref.ref(Plain())}


def numbers():
    return [3, 1, 2]


def table():
    return {"a": 1, "b": 2}


def cell():
    return types.CellType(1)


def other_closure():
    value = 1

    def get():
        return value

    def put():
        nonlocal value
        value = 2

    return get, put


def frame_closure():
    value = 1

    def get():
        value  # a free variable of this frame
        return sys._getframe().f_locals["value"]

    def put():
        value
        sys._getframe().f_locals["value"] = 2

    return get, put


def other_frame_closure():  # races are told apart by their places
    value = 1

    def get():
        value
        return sys._getframe().f_locals["value"]

    def put():
        value
        sys._getframe().f_locals["value"] = 2

    return get, put


def split():  # a __dict__ whose keys are those of its class, and one of them has no value
    Plain().z = 1
    return vars(Plain())


def set_cell(made):
    made.cell_contents = 2


def closure():
    value = 1

    def get():
        return value

    def put():
        nonlocal value
        value = 2

    return get, put


def set_global(_):
    global shared_global
    shared_global = 2


shared_global = 1
append = lambda made: made.append(9)
setitem = lambda made: made.__setitem__(0, 9)
insert_key = lambda made: made.__setitem__("new", 9)
set_key = lambda made: made.__setitem__("a", 9)
clear = lambda made: made.clear()
set_x = lambda made: setattr(made, "x", 2)


def add_in_place(made):
    made += [4]


def delete_item(made):
    del made[0]


def assign_slice(made):
    made[0:1] = [7]


def assign_stepped(made):
    made[::2] = [7, 7]


def words():
    return {"a", "b", "c"}


def ring():
    return collections.deque([3, 1, 2])


def ordered():
    return collections.OrderedDict(a=1, b=2)


def data():
    return bytearray(b"abc")


def samples():
    return array.array("l", [3, 1, 2])


def view():
    return memoryview(bytearray(b"abcd"))


def endless():
    while True:
        yield 1


def set_init(made):
    made.__init__(("z",))


def subtract(made):
    made -= {"a"}


def flip(made):
    made ^= {"q": 1}.keys()


def cut(made):
    del made[0:1]


def delete_all(made):
    made.difference_update(made)


def put(made):
    made[0] = 7


def put_slice(made):
    made[0:2] = b"xy"


def repeat(made):
    made *= 2


class FromItems:  # an iterator by __getitem__
    def __getitem__(self, index):
        return index


class Flags:
    def __iter__(self):
        return iter((1, 1, 1))


add = lambda made: made.add("z")
discard = lambda made: made.discard("a")
rotate = lambda made: made.rotate()
fill = lambda made: made.append(7)
move = lambda made: made.move_to_end("a")
other = lambda made: next(made)

CASES = [
    ("list_get_item_ref", numbers, lambda made: made[0], setitem),
    ("list_ass_item_lock_held", numbers, lambda made: made.__setitem__(1, 5), clear),
    ("list_ass_item_lock_held", numbers, lambda made: delete_item(made), append),
    ("list_length", numbers, lambda made: len(made), append),
    ("list___reversed___impl", numbers, lambda made: reversed(made), append),
    ("list_contains", numbers, lambda made: 7 in made, append),
    ("list_index_impl", numbers, lambda made: made.index(3), append),
    ("list_count", numbers, lambda made: made.count(3), append),
    ("list_slice_wrap", numbers, lambda made: made[0:2], append),
    ("list_copy_impl", numbers, lambda made: made.copy(), append),
    ("PyList_AsTuple", numbers, lambda made: tuple(made), append),
    ("list_concat_lock_held", numbers, lambda made: made + [1], append),
    ("list_concat_lock_held", numbers, lambda made: [1] + made, append),
    ("list_repeat_lock_held", numbers, lambda made: made * 2, append),
    ("list_richcompare_impl", numbers, lambda made: made == [1], append),
    ("list_richcompare_impl", numbers, lambda made: [1] == made, append),
    ("list_repr", numbers, lambda made: repr(made), append),
    ("listiter_next", numbers, lambda made: sum(made), append),
    ("listreviter_next", numbers, lambda made: sum(reversed(made)), append),
    ("list_append_impl", numbers, lambda made: made.append(1), lambda made: len(made)),
    ("list_pop_impl", numbers, lambda made: made.pop(), lambda made: len(made)),
    ("list_extend", numbers, lambda made: made.extend((1,)), lambda made: len(made)),
    ("list_inplace_concat", numbers, lambda made: add_in_place(made), lambda made: len(made)),
    ("list_inplace_repeat", numbers, lambda made: made.__imul__(2), lambda made: len(made)),
    ("ins1", numbers, lambda made: made.insert(0, 1), lambda made: len(made)),
    ("list_remove_impl", numbers, lambda made: made.remove(3), append),
    ("adjust_slice_indexes", numbers, lambda made: assign_stepped(made), lambda made: made[0]),
    ("list_ass_slice_lock_held", numbers, lambda made: assign_slice(made), lambda made: made[0]),
    ("py_list_clear_impl", numbers, lambda made: made.clear(), lambda made: len(made)),
    ("list_clear", numbers, lambda made: made.__init__((1,)), lambda made: len(made)),
    ("list_sort_impl", numbers, lambda made: made.sort(), lambda made: made[0]),
    ("list_reverse_impl", numbers, lambda made: made.reverse(), lambda made: made[0]),
    ("PySequence_Fast", numbers, lambda made: ",".join(made) if made == 1 else "".join(map(str, made)), append),
    ("dict_subscript", table, lambda made: made["a"], set_key),
    ("dict_get_impl", table, lambda made: made.get("a"), set_key),
    ("_PyDict_Contains_KnownHash", table, lambda made: "a" in made, set_key),
    ("setitem_take2_lock_held", table, lambda made: made.__setitem__("a", 1), lambda made: made["a"]),
    ("dict_setdefault_ref_lock_held", table, lambda made: made.setdefault("a", 1), set_key),
    ("delitem_knownhash_lock_held", table, lambda made: made.__delitem__("b"), lambda made: made.get("b")),
    ("_PyDict_Pop_KnownHash", table, lambda made: made.pop("b"), lambda made: made.get("b")),
    ("dict_length", table, lambda made: len(made), insert_key),
    ("dictview_len", table, lambda made: len(made.keys()), insert_key),
    ("keys_lock_held", table, lambda made: dict.keys(made) and [*made.keys()], insert_key),
    ("copy_lock_held", table, lambda made: made.copy(), insert_key),
    ("dict_equal_lock_held", table, lambda made: made == {"a": 1, "b": 3}, insert_key),
    ("dict_equal_lock_held", table, lambda made: {"a": 1, "b": 3} == made, insert_key),
    ("dict_repr_lock_held", table, lambda made: repr(made), insert_key),
    ("dict_dict_merge", table, lambda made: {"x": 1}.update(made), insert_key),
    ("dict_dict_merge", table, lambda made: made.update({"z": 1}), lambda made: len(made)),
    ("dictiter_iternext_threadsafe", table, lambda made: list(zip(made.items())), insert_key),
    ("dictreviter_iter_lock_held", table, lambda made: list(reversed(made)), insert_key),
    ("dictiter_len", table, lambda made: iter(made).__length_hint__(), insert_key),
    ("listiter_len", numbers, lambda made: iter(made).__length_hint__(), append),
    ("listreviter_len", numbers, lambda made: reversed(made).__length_hint__(), append),
    ("values_lock_held", table, lambda made: capi.dict_values(made), insert_key),
    ("keys_lock_held", table, lambda made: capi.dict_keys(made), insert_key),
    ("items_lock_held", table, lambda made: capi.dict_items(made), insert_key),
    ("PyDict_Size", table, lambda made: capi.dict_size(made), insert_key),
    ("PyDict_Next", table, lambda made: capi.dict_next(made, 0), insert_key),
    ("dict_getitem", table, lambda made: capi.dict_getitem(made, "a"), set_key),
    ("PyDict_GetItemWithError", table, lambda made: capi.dict_getitemwitherror(made, "a"), set_key),
    ("_PyDict_GetItemRef_KnownHash", table, lambda made: testcapi.dict_getitemref(made, "a"), set_key),
    ("_PyBytes_FromList", numbers, lambda made: bytes(made), append),
    ("bytearray___init___impl", numbers, lambda made: bytearray(made), append),
    ("ga_repr_items_list", numbers, lambda made: repr(types.GenericAlias(dict, (made,))), append),
    ("_PyDict_GetItem_KnownHash", table, lambda made: collections._count_elements(made, "a"), set_key),
    ("_PyDict_SetItem_KnownHash_LockHeld", table, lambda made: collections._count_elements(made, "b"), lambda made: made["b"]),
    ("delitemif_lock_held", dead_reference, lambda made: _weakref._remove_dead_weakref(made, "c"), lambda made: made.get("c")),
    ("insert_to_emptydict", dict, lambda made: made.__setitem__("a", 1), lambda made: len(made)),
    ("insert_combined_dict", table, lambda made: made.__setitem__("c", 1), lambda made: len(made)),
    ("_PyDictValues_AddToInsertionOrder", split, lambda made: made.__setitem__("z", 1), lambda made: len(made)),
    ("delitem_common", table, lambda made: made.__delitem__("a"), lambda made: len(made)),
    ("PyCell_GET", frame_closure, lambda made: made[0](), lambda made: made[1]()),
    ("PyCell_SET", other_frame_closure, lambda made: made[1](), lambda made: made[0]()),
    ("PyList_GetItem", numbers, lambda made: capi.list_getitem(made, 0), setitem),
    ("PyList_SetItem", numbers, lambda made: capi.list_setitem(made, 0, 1), lambda made: made[0]),
    ("PyList_Size", numbers, lambda made: capi.list_size(made), append),
    ("PyList_GetSlice", numbers, lambda made: capi.list_getslice(made, 0, 1), append),
    ("PyList_Append", numbers, lambda made: capi.list_append(made, 1), lambda made: len(made)),
    ("list_ass_slice", numbers, lambda made: capi.list_setslice(made, 0, 1, [4]), lambda made: made[0]),
    ("PyList_Reverse", numbers, lambda made: capi.list_reverse(made), lambda made: made[0]),
    ("PyList_Clear", numbers, lambda made: testcapi.list_clear(made), lambda made: len(made)),
    ("PyList_Extend", numbers, lambda made: testcapi.list_extend(made, [1]), lambda made: len(made)),
    ("clear_lock_held", table, lambda made: made.clear(), lambda made: len(made)),
    ("dict_popitem_impl", table, lambda made: made.popitem(), lambda made: len(made)),
    ("list_extend_dict", table, lambda made: [].extend(made), insert_key),
    ("list_extend_dictitems", table, lambda made: [].extend(made.items()), insert_key),
    ("set_update_dict_lock_held", table, lambda made: set(made), insert_key),
    ("dict_dict_fromkeys", table, lambda made: dict.fromkeys(made), insert_key),
    ("dictitems_xor_lock_held", table, lambda made: made.items() ^ {"q": 1}.items(), insert_key),
    ("_PyObject_TryGetInstanceAttribute", Plain, lambda made: made.x, set_x),
    ("store_instance_attr_lock_held", Plain, lambda made: set_x(made), lambda made: made.x),
    ("_PyObject_GenericGetAttrWithDict", WithDict, lambda made: made.x, set_x),
    ("_PyObjectDict_SetItem", WithDict, lambda made: set_x(made), lambda made: made.x),
    ("_PyObject_MaterializeManagedDict_LockHeld", Plain, lambda made: vars(made)["x"], set_x),
    ("-", materialised, lambda made: made.x, set_x),
    ("-", big, lambda made: made.a39, lambda made: setattr(made, "a39", 2)),
    ("PyMember_GetOne", Slotted, lambda made: made.x, set_x),
    ("PyMember_SetOne", Slotted, lambda made: set_x(made), lambda made: made.x),
    ("_PyType_LookupRef", lambda: type("Made", (), {"x": 1}), lambda made: made.x, set_x),
    ("type_setattro", lambda: type("Made", (), {"x": 1}), lambda made: set_x(made), lambda made: made.x),
    ("_PyDict_LoadGlobal", Plain, lambda made: shared_global, set_global),
    ("PyCell_GetRef", closure, lambda made: made[0](), lambda made: made[1]()),
    ("PyCell_SwapTakeRef", other_closure, lambda made: made[1](), lambda made: made[0]()),
    ("cell_get_contents", cell, lambda made: made.cell_contents, set_cell),
    ("cell_set_contents", cell, lambda made: set_cell(made), lambda made: made.cell_contents),
    ("cell_richcompare", cell, lambda made: made == types.CellType(2), set_cell),
    ("cell_richcompare", cell, lambda made: types.CellType(2) == made, set_cell),
    ("OrderedDict_move_to_end_impl", ordered, lambda made: made.move_to_end("a"), lambda made: list(made)),
    ("odictiter_iternext", ordered, lambda made: [key for key in made], move),
    ("odict_repr", ordered, lambda made: repr(made), move),
    ("odict_copy", ordered, lambda made: made.copy(), move),
    ("_heapq_heappush_impl", numbers, lambda made: heapq.heappush(made, 0), append),
    ("heappop_internal", numbers, lambda made: heapq.heappop(made), append),
    ("heapreplace_internal", numbers, lambda made: heapq.heapreplace(made, 0), append),
    ("_heapq_heappushpop_impl", numbers, lambda made: heapq.heappushpop(made, 9), append),
    ("heapify_internal", numbers, lambda made: heapq.heapify(made), append),
    ("save_list", numbers, lambda made: pickle.dumps(made), append),
    ("array_array_fromlist", numbers, lambda made: array.array("l").fromlist(made), append),
    ("set_add_key", words, lambda made: made.add("z"), lambda made: len(made)),
    ("set_discard_key", words, lambda made: made.remove("a"), lambda made: len(made)),
    ("set_contains_key", words, lambda made: "z" in made, add),
    ("set_pop_impl", words, lambda made: made.pop(), lambda made: len(made)),
    ("set_iter", words, lambda made: iter(made), add),
    ("setiter_iternext", words, lambda made: sum(map(len, made)), add),
    ("setiter_len", words, lambda made: iter(made).__length_hint__(), add),
    ("set_len", words, lambda made: len(made), add),
    ("set_copy_impl", words, lambda made: made.copy(), add),
    ("set_merge_lock_held", words, lambda made: {"x"}.union(made), add),
    ("set_merge_lock_held", words, lambda made: made.update({"x", "y"}), lambda made: len(made)),
    ("list_extend_set", words, lambda made: [].extend(made), add),
    ("set_repr_lock_held", words, lambda made: repr(made), add),
    ("set_richcompare", words, lambda made: made == {"a"}, add),
    ("set_richcompare", words, lambda made: {"a"} == made, add),
    ("set_issubset_impl", words, lambda made: made.issubset({"a"}), add),
    ("set_issubset_impl", words, lambda made: {"a"}.issubset(made), add),
    ("set_issuperset_impl", words, lambda made: made.issuperset(["a"]), add),
    ("set_isdisjoint_impl", words, lambda made: made.isdisjoint({"q"}), add),
    ("set_isdisjoint_impl", words, lambda made: {"q"}.isdisjoint(made), add),
    ("set_intersection", words, lambda made: made & {"a"}, add),
    ("set_intersection", words, lambda made: {"a"} & made, add),
    ("set_difference", words, lambda made: made - {"a"}, add),
    ("set_difference", words, lambda made: {"a"} - made, add),
    ("set_symmetric_difference_update_set", words, lambda made: {"a"} ^ made, add),
    ("set_symmetric_difference_update_set", words, lambda made: made.symmetric_difference_update({"q"}), lambda made: len(made)),
    ("set_symmetric_difference_update_dict", words, lambda made: made.symmetric_difference_update({"q": 1}), lambda made: len(made)),
    ("_PySet_NextEntryRef", words, lambda made: pickle.dumps(made), add),
    ("_PySet_NextEntry", words, lambda made: testinternalcapi.set_next_entry(made, 0), add),
    ("set_update_dict_lock_held", words, lambda made: made.update({"q": 1}), lambda made: len(made)),
    ("set_difference_update_internal", words, lambda made: subtract(made), lambda made: len(made)),
    ("set_swap_bodies", words, lambda made: made.intersection_update({"a"}), lambda made: len(made)),
    ("set_clear_impl", words, lambda made: made.clear(), lambda made: len(made)),
    ("set_clear_internal", words, lambda made: set_init(made), lambda made: len(made)),
    ("set_clear_internal", words, lambda made: delete_all(made), lambda made: len(made)),
    ("deque_item_lock_held", ring, lambda made: made[0], rotate),
    ("deque_ass_item_lock_held", ring, lambda made: put(made), lambda made: made[0]),
    ("deque_ass_item_lock_held", ring, lambda made: delete_item(made), lambda made: made[0]),
    ("deque_len", ring, lambda made: len(made), fill),
    ("deque_contains_lock_held", ring, lambda made: 7 in made, fill),
    ("deque_index_impl", ring, lambda made: made.index(3), fill),
    ("deque_count_impl", ring, lambda made: made.count(3), fill),
    ("deque_copy_impl", ring, lambda made: made.copy(), fill),
    ("deque_concat_lock_held", ring, lambda made: made + ring(), fill),
    ("deque_concat_lock_held", ring, lambda made: ring() + made, fill),
    ("deque_repr", ring, lambda made: repr(made), fill),
    ("deque_richcompare", ring, lambda made: made < ring(), fill),
    ("deque_iter", ring, lambda made: iter(made), fill),
    ("deque_reviter", ring, lambda made: reversed(made), fill),
    ("dequeiter_next_lock_held", ring, lambda made: list(zip(made)), fill),
    ("dequereviter_next_lock_held", ring, lambda made: list(zip(reversed(made))), fill),
    ("deque_append_lock_held", ring, lambda made: made.append(1), lambda made: len(made)),
    ("deque_appendleft_lock_held", ring, lambda made: made.appendleft(1), lambda made: made[0]),
    ("deque_extend_impl", ring, lambda made: made.extend((1,)), lambda made: len(made)),
    ("deque_extendleft_impl", ring, lambda made: made.extendleft((1,)), lambda made: made[0]),
    ("deque_insert_impl", ring, lambda made: made.insert(1, 5), lambda made: made[0]),
    ("deque_pop_impl", ring, lambda made: made.pop(), lambda made: len(made)),
    ("deque_popleft_impl", ring, lambda made: made.popleft(), lambda made: made[0]),
    ("deque_remove_impl", ring, lambda made: made.remove(3), lambda made: made[0]),
    ("deque_clearmethod_impl", ring, lambda made: made.clear(), lambda made: len(made)),
    ("deque_init_impl", ring, lambda made: made.__init__((1,)), lambda made: made[0]),
    ("deque_rotate_impl", ring, lambda made: made.rotate(), lambda made: made[0]),
    ("deque_reverse_impl", ring, lambda made: made.reverse(), lambda made: made[0]),
    ("deque_inplace_repeat_lock_held", ring, lambda made: repeat(made), lambda made: made[0]),
    ("bytearray_length", data, lambda made: len(made), fill),
    ("bytearray_getitem", data, lambda made: capi.sequence_getitem(made, 0), put),
    ("bytearray_setitem", data, lambda made: capi.sequence_setitem(made, 0, 7), lambda made: made[0]),
    ("bytearray_subscript", data, lambda made: made[0], put),
    ("bytearray_subscript", data, lambda made: made[0:2], fill),
    ("bytearray_ass_subscript", data, lambda made: put(made), lambda made: made[0]),
    ("bytearray_ass_subscript", data, lambda made: cut(made), lambda made: made[0]),
    ("PyByteArray_Concat", data, lambda made: made + b"x", fill),
    ("PyByteArray_Concat", data, lambda made: b"x" + made if made == 1 else bytearray(b"x") + made, fill),
    ("bytearray_repeat", data, lambda made: made * 2, fill),
    ("bytearray_richcompare", data, lambda made: made == b"x", fill),
    ("bytearray_richcompare", data, lambda made: bytearray(b"x") == made, fill),
    ("bytearray_copy_impl", data, lambda made: made.copy(), fill),
    ("bytearray_repr", data, lambda made: repr(made), fill),
    ("bytearray_find_impl", data, lambda made: made.find(b"b"), fill),
    ("bytearray_rfind_impl", data, lambda made: made.rfind(b"b"), fill),
    ("bytearray_index_impl", data, lambda made: made.index(b"b"), fill),
    ("bytearray_rindex_impl", data, lambda made: made.rindex(b"b"), fill),
    ("bytearray_count_impl", data, lambda made: made.count(b"b"), fill),
    ("bytearray_contains", data, lambda made: 98 in made, fill),
    ("bytearray_startswith_impl", data, lambda made: made.startswith(b"a"), fill),
    ("bytearray_endswith_impl", data, lambda made: made.endswith(b"a"), fill),
    ("bytearray_removeprefix_impl", data, lambda made: made.removeprefix(b"a"), fill),
    ("bytearray_removesuffix_impl", data, lambda made: made.removesuffix(b"a"), fill),
    ("bytearray_translate_impl", data, lambda made: made.translate(None, b"a"), fill),
    ("bytearray_replace_impl", data, lambda made: made.replace(b"a", b"b"), fill),
    ("bytearray_split_impl", data, lambda made: made.split(b"b"), fill),
    ("bytearray_rsplit_impl", data, lambda made: made.rsplit(b"b"), fill),
    ("bytearray_partition", data, lambda made: made.partition(b"b"), fill),
    ("bytearray_rpartition", data, lambda made: made.rpartition(b"b"), fill),
    ("bytearray_strip_impl_helper", data, lambda made: made.strip(), fill),
    ("bytearray_decode_impl", data, lambda made: made.decode(), fill),
    ("bytearray_splitlines_impl", data, lambda made: made.splitlines(), fill),
    ("bytearray_hex_impl", data, lambda made: made.hex(), fill),
    ("bytearrayiter_next", data, lambda made: list(zip(made)), fill),
    ("bytearray_append_impl", data, lambda made: made.append(1), lambda made: len(made)),
    ("bytearray_extend", data, lambda made: made.extend(b"x"), lambda made: len(made)),
    ("bytearray_iconcat", data, lambda made: made.__iadd__(b"x"), lambda made: len(made)),
    ("bytearray_pop_impl", data, lambda made: made.pop(), lambda made: len(made)),
    ("bytearray_insert_impl", data, lambda made: made.insert(0, 1), lambda made: made[0]),
    ("bytearray_remove_impl", data, lambda made: made.remove(97), lambda made: made[0]),
    ("bytearray_clear_impl", data, lambda made: made.clear(), lambda made: len(made)),
    ("bytearray_reverse_impl", data, lambda made: made.reverse(), lambda made: made[0]),
    ("bytearray_irepeat", data, lambda made: repeat(made), lambda made: made[0]),
    ("bytearray_pop_impl", data, lambda made: made.pop(0), lambda made: made[0]),
    ("array_length", samples, lambda made: len(made), fill),
    ("array_item", samples, lambda made: capi.sequence_getitem(made, 0), put),
    ("array_ass_item", samples, lambda made: capi.sequence_setitem(made, 0, 7), lambda made: made[0]),
    ("array_subscr", samples, lambda made: made[0], put),
    ("array_ass_subscr", samples, lambda made: put(made), lambda made: made[0]),
    ("array_richcompare", samples, lambda made: made == samples(), fill),
    ("array_array___copy___impl", samples, lambda made: made.__copy__(), fill),
    ("array_concat", samples, lambda made: made + samples(), fill),
    ("array_repeat", samples, lambda made: made * 2, fill),
    ("array_array_count", samples, lambda made: made.count(3), fill),
    ("array_array_index_impl", samples, lambda made: made.index(3), fill),
    ("array_contains", samples, lambda made: 7 in made, fill),
    ("array_array_tolist_impl", samples, lambda made: made.tolist(), fill),
    ("array_array_tobytes_impl", samples, lambda made: made.tobytes(), fill),
    ("array_array_tofile_impl", samples, lambda made: made.tofile(open("/dev/null", "wb")), fill),
    ("array_repr", samples, lambda made: repr(made), fill),
    ("arrayiter_next", samples, lambda made: list(zip(made)), fill),
    ("array_array_append", samples, lambda made: made.append(1), lambda made: len(made)),
    ("array_do_extend", samples, lambda made: made.extend(samples()), lambda made: len(made)),
    ("array_iter_extend", samples, lambda made: made.extend((1,)), lambda made: len(made)),
    ("array_array_fromlist", samples, lambda made: made.fromlist([1]), lambda made: len(made)),
    ("array_array_pop_impl", samples, lambda made: made.pop(), lambda made: len(made)),
    ("array_array_insert_impl", samples, lambda made: made.insert(0, 1), lambda made: made[0]),
    ("array_array_remove", samples, lambda made: made.remove(3), lambda made: made[0]),
    ("array_array_clear_impl", samples, lambda made: made.clear(), lambda made: len(made)),
    ("array_array_byteswap_impl", samples, lambda made: made.byteswap(), lambda made: made[0]),
    ("array_array_reverse_impl", samples, lambda made: made.reverse(), lambda made: made[0]),
    ("array_inplace_repeat", samples, lambda made: repeat(made), lambda made: made[0]),
    ("unpack_single", view, lambda made: made[0], put),
    ("pack_single", view, lambda made: put(made), lambda made: made[0]),
    ("memoryview_tobytes_impl", view, lambda made: made.tobytes(), put),
    ("memoryview_tolist_impl", view, lambda made: made.tolist(), put),
    ("copy_single", view, lambda made: put_slice(made), lambda made: made[0]),
    ("gen_send_ex2", endless, lambda made: next(made), other),
    ("tupleiter_next", lambda: iter((1, 2, 3)), lambda made: next(made), other),
    ("rangeiter_next", lambda: iter(range(9)), lambda made: next(made), other),
    ("longrangeiter_next", lambda: iter(range(10**30, 10**31)), lambda made: next(made), other),
    ("unicode_ascii_iter_next", lambda: iter("abc"), lambda made: next(made), other),
    ("unicodeiter_next", lambda: iter("abc\u20ac"), lambda made: next(made), other),
    ("striter_next", lambda: iter(b"abc"), lambda made: next(made), other),
    ("bytearrayiter_next", lambda: iter(data()), lambda made: next(made), other),
    ("memoryiter_next", lambda: iter(view()), lambda made: next(made), other),
    ("arrayiter_next", lambda: iter(samples()), lambda made: next(made), other),
    ("odictiter_iternext", lambda: iter(ordered()), lambda made: next(made), other),
    ("iter_iternext", lambda: iter(FromItems()), lambda made: next(made), other),
    ("calliter_iternext", lambda: iter(int, 1), lambda made: next(made), other),
    ("enum_next", lambda: enumerate("abc"), lambda made: next(made), other),
    ("reversed_next", lambda: reversed("abc"), lambda made: next(made), other),
    ("zip_next", lambda: zip("abc", "abc"), lambda made: next(made), other),
    ("map_next", lambda: map(str, "abc"), lambda made: next(made), other),
    ("filter_next", lambda: filter(None, "abc"), lambda made: next(made), other),
    ("batched_next", lambda: itertools.batched("abcdef", 2), lambda made: next(made), other),
    ("pairwise_next", lambda: itertools.pairwise("abcd"), lambda made: next(made), other),
    ("groupby_next", lambda: itertools.groupby("abcd"), lambda made: next(made), other),
    ("tee_next", lambda: itertools.tee("abcd")[0], lambda made: next(made), other),
    ("cycle_next", lambda: itertools.cycle("abcd"), lambda made: next(made), other),
    ("dropwhile_next", lambda: itertools.dropwhile(str.isdigit, "1abcd"), lambda made: next(made), other),
    ("takewhile_next", lambda: itertools.takewhile(str.isalpha, "abcd"), lambda made: next(made), other),
    ("islice_next", lambda: itertools.islice("abcd", 3), lambda made: next(made), other),
    ("starmap_next", lambda: itertools.starmap(max, zip("abcd", "abcd")), lambda made: next(made), other),
    ("chain_next", lambda: itertools.chain("abcd"), lambda made: next(made), other),
    ("product_next", lambda: itertools.product("abcd"), lambda made: next(made), other),
    ("combinations_next", lambda: itertools.combinations("abcd", 2), lambda made: next(made), other),
    ("cwr_next", lambda: itertools.combinations_with_replacement("abcd", 2), lambda made: next(made), other),
    ("permutations_next", lambda: itertools.permutations("abcd", 2), lambda made: next(made), other),
    ("accumulate_next", lambda: itertools.accumulate(range(9)), lambda made: next(made), other),
    ("compress_next", lambda: itertools.compress("abcd", Flags()), lambda made: next(made), other),
    ("filterfalse_next", lambda: itertools.filterfalse(str.isdigit, "abcd"), lambda made: next(made), other),
    ("zip_longest_next", lambda: itertools.zip_longest("abcd"), lambda made: next(made), other),
    ("dequeiter_next", lambda: iter(ring()), lambda made: next(made), other),
    ("dequereviter_next", lambda: reversed(ring()), lambda made: next(made), other),
    ("-", lambda: iter(numbers()), lambda made: next(made), other),
    ("-", lambda: reversed(numbers()), lambda made: next(made), other),
    ("-", lambda: iter(table()), lambda made: next(made), other),
    ("-", lambda: iter(words()), lambda made: next(made), other),
]


def run(case):
    _, make, operation, conflicting = case
    made = make()
    threads = [threading.Thread(target=lambda f=f: f(made)) for f in (operation, conflicting)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


for case in CASES:
    run(case)
