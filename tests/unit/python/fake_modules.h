// FakeModules lays out sys.modules of a free-threaded FakeTarget, with extension modules in it, and
// sys.flags.
#ifndef FTHREADPROF_TESTS_UNIT_PYTHON_FAKE_MODULES_H_
#define FTHREADPROF_TESTS_UNIT_PYTHON_FAKE_MODULES_H_

#include <string>

#include "python/object_layout.h"
#include "python/thread_names.h"
#include "unit/python/fake_target.h"

namespace fthreadprof {

class FakeModules {
 public:
  explicit FakeModules(FakeTarget& target)
      : target_(target), module_type_(Type("module", 0)), int_type_(Type("int", kLongFlag)) {
    SetFlag(false);
    Publish();
  }

  InterpreterPtr interpreter() const { return InterpreterPtr(target_.main_interpreter()); }

  // An import: `file` is "" for a module that is built in; `declares` what it says of the GIL.
  void Import(const std::string& name, const std::string& file, bool declares) {
    FakeObjects& objects = target_.objects();
    FakeObjects::Entries globals;
    if (!file.empty()) globals.emplace_back(objects.Str("__file__"), objects.Str(file));
    const ModuleLayout fields = ModuleLayout::Of(target_.offsets());
    const uint64_t module = objects.Allocate(fields.size);
    objects.SetType(module, module_type_);
    Put(module + ModuleDictField(target_.offsets()), objects.StrDict(globals).address());
    Put(module + fields.definition, kSomeAddress);
    if (target_.offsets().minor() < 15) {
      Put(module + fields.gil, declares ? 1 : 0);
    } else {
      target_.memory().Write<uint8_t>(module + fields.gil, declares ? 0 : 1);
    }
    modules_.emplace_back(objects.Str(name), ObjectPtr(module));
    Publish();
  }
  // A module that Python code made.
  void ImportPython(const std::string& name) {
    FakeObjects& objects = target_.objects();
    const uint64_t module = objects.Allocate(ModuleLayout::Of(target_.offsets()).size);
    objects.SetType(module, module_type_);
    modules_.emplace_back(objects.Str(name), ObjectPtr(module));
    Publish();
  }
  void Forget() {
    modules_.clear();
    Publish();
  }

  // sys.flags.gil: 1 or None.
  void SetFlag(bool on) {
    FakeObjects& objects = target_.objects();
    const uint64_t none = objects.Allocate(target_.offsets().pyobject.size);
    objects.SetType(none, Type("NoneType", 0));
    ObjectPtr one = objects.Int({1});
    objects.SetType(one.address(), int_type_);
    const uint64_t items = target_.offsets().tuple_object.ob_item;
    const uint64_t flags = objects.Allocate(items + 19 * kWordSize);
    objects.SetType(flags, Type("sys.flags", 0));
    Put(flags + items + 18 * kWordSize, on ? one.address() : none);
    const ObjectPtr sys = objects.StrDict({{objects.Str("flags"), ObjectPtr(flags)}});
    Put(interpreter().address() + target_.offsets().interpreter_state.sysdict, sys.address());
  }

 private:
  static constexpr uint64_t kLongFlag = TypeFlags::kLongSubclass;
  static constexpr uint64_t kSomeAddress = 0x5555'1234'5678;

  void Put(uint64_t address, uint64_t value) { target_.memory().Write<uint64_t>(address, value); }
  void Publish() {
    Put(interpreter().address() + target_.offsets().interpreter_state.imports_modules,
        target_.objects().StrDict(modules_).address());
  }
  uint64_t Type(const std::string& name, uint64_t flags) {
    FakeObjects& objects = target_.objects();
    const uint64_t type = objects.Allocate(target_.offsets().type_object.size);
    const uint64_t text = objects.Allocate(256);
    target_.memory().WriteBytes(text, name.c_str(), name.size() + 1);
    Put(type + target_.offsets().type_object.tp_name, text);
    Put(type + target_.offsets().type_object.tp_flags, flags);
    return type;
  }

  FakeTarget& target_;
  const uint64_t module_type_;
  const uint64_t int_type_;
  FakeObjects::Entries modules_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_PYTHON_FAKE_MODULES_H_
