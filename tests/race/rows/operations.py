"""One operation a row of the hook table, each against a write in another thread that nothing orders.

A case is a line: the table's function, how the object is made, the operation, the conflicting one. The
test (tests/integration/test_race_rows.py) wants a race at every line, so a row that is missing or does
not fire is seen. Cases named `-` are other ways to a function that has a case already.
"""
import collections
import sys
import threading
import types
import _weakref

import _testcapi as testcapi
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
    ("delitemif_lock_held", table, lambda made: _weakref._remove_dead_weakref(made, "c"), lambda made: made.get("c")),
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
