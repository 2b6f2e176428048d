// FakeThreading lays out an interpreter whose sys.modules has `threading` with some threads in
// `_active`.
#ifndef FTHREADPROF_TESTS_UNIT_PYTHON_FAKE_THREADING_H_
#define FTHREADPROF_TESTS_UNIT_PYTHON_FAKE_THREADING_H_

#include <string>
#include <vector>

#include "python/thread_names.h"
#include "unit/python/fake_objects.h"

namespace fthreadprof {

class FakeThreading {
 public:
  FakeThreading(FakeMemory& memory, const DebugOffsets& offsets)
      : memory_(memory), o_(offsets), objects_(memory, offsets) {
    const ObjectPtr daemonic = objects_.Str("_daemonic");
    shared_keys_ = objects_.Keys(
        DictKeys::kSplit,
        {{objects_.Str("_name"), {}}, {daemonic, {}}, {objects_.Str("_ident"), {}}}, 6);
    thread_class_ = objects_.Class(shared_keys_, true);
    active_ = objects_.Dict(objects_.Keys(DictKeys::kGeneral, {}));
    const ObjectPtr globals = objects_.StrDict({{objects_.Str("_active"), active_}});
    modules_ = objects_.StrDict({{objects_.Str("sys"), objects_.Module(objects_.StrDict({}))},
                                 {objects_.Str("threading"), objects_.Module(globals)}});
    interpreter_ = InterpreterPtr(objects_.Allocate(o_.interpreter_state.size));
    SetModules(modules_);
  }

  // A Thread object and its entry; SetActive makes it visible.
  DictEntry Thread(uint64_t ident, const std::u32string& name) {
    const ObjectPtr key = objects_.Ident(ident);
    const ObjectPtr thread = objects_.Instance(
        thread_class_,
        FakeObjects::Values({objects_.Str(name), objects_.Str("x"), key}, {0, 1, 2}, true));
    return {key, thread};
  }
  // As Thread, with its attributes in a __dict__.
  DictEntry ThreadWithDict(uint64_t ident, const std::u32string& name) {
    const ObjectPtr key = objects_.Ident(ident);
    const ObjectPtr dict = objects_.StrDict(
        {{objects_.Str("_ident"), key}, {objects_.Str("_name"), objects_.Str(name)}});
    return {key,
            objects_.Instance(thread_class_, FakeObjects::Values({{}, {}, {}}, {}, false), dict)};
  }
  void SetActive(const std::vector<DictEntry>& threads) {
    FakeObjects::Entries entries;
    for (const DictEntry& thread : threads) entries.emplace_back(thread.key, thread.value);
    const uint64_t keys = objects_.Keys(DictKeys::kGeneral, entries, 7);
    memory_.Write<uint64_t>(active_.address() + o_.dict_object.ma_keys, keys);
  }
  void SetModules(ObjectPtr modules) {
    memory_.Write<uint64_t>(interpreter_.address() + o_.interpreter_state.imports_modules,
                            modules.address());
  }
  // The address of `_name` in a Thread that has its attributes inline.
  uint64_t NameSlot(const DictEntry& thread) const {
    return thread.value.address() + o_.pyobject.size + DictValues::kHeaderSize;
  }

  InterpreterPtr interpreter() const { return interpreter_; }
  FakeObjects& objects() { return objects_; }

 private:
  FakeMemory& memory_;
  const DebugOffsets& o_;
  FakeObjects objects_;
  uint64_t shared_keys_ = 0;
  uint64_t thread_class_ = 0;
  ObjectPtr active_;
  ObjectPtr modules_;
  InterpreterPtr interpreter_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_PYTHON_FAKE_THREADING_H_
