// FakeTarget is an interpreter laid out by hand in a FakeMemory as a release of CPython would: the
// runtime, interpreters with their thread lists, the GIL, code objects, data stack chunks, C stacks
// and generators. It runs in steps, each a single write in the order in which CPython makes them,
// so that a test can move it in the middle of a read.
//
// The naive model beside it: every thread's stack as a list, and the set of all stacks that ever
// were true.
#ifndef FTHREADPROF_TESTS_UNIT_PYTHON_FAKE_TARGET_H_
#define FTHREADPROF_TESTS_UNIT_PYTHON_FAKE_TARGET_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "python/interpreter_reader.h"
#include "unit/process/fake_memory.h"
#include "unit/python/fake_objects.h"
#include "unit/python/test_offsets.h"

namespace fthreadprof {

// The offsets of a release, captured; those of "3.14.8t" and "3.15.0t" are made up from the GIL
// build's: objects have a longer head, code has thread-local bytecode.
inline DebugOffsets TargetOffsets(const std::string& release) {
  if (release == "3.13.5t" || !release.ends_with('t')) return CapturedOffsets(release);
  DebugOffsets o = CapturedOffsets(release.substr(0, release.size() - 1));
  o.free_threaded = true;
  constexpr uint64_t kHead = 16;
  for (uint64_t* field : {&o.pyobject.size,
                          &o.pyobject.ob_type,
                          &o.code_object.size,
                          &o.code_object.filename,
                          &o.code_object.name,
                          &o.code_object.qualname,
                          &o.code_object.linetable,
                          &o.code_object.firstlineno,
                          &o.code_object.framesize,
                          &o.code_object.version,
                          &o.tuple_object.size,
                          &o.tuple_object.ob_size,
                          &o.tuple_object.ob_item,
                          &o.long_object.size,
                          &o.long_object.lv_tag,
                          &o.long_object.ob_digit,
                          &o.dict_object.size,
                          &o.dict_object.ma_keys,
                          &o.dict_object.ma_values,
                          &o.bytes_object.ob_size,
                          &o.bytes_object.ob_sval,
                          &o.unicode_object.size,
                          &o.unicode_object.state,
                          &o.unicode_object.length,
                          &o.unicode_object.asciiobject_size,
                          &o.type_object.size,
                          &o.type_object.tp_name,
                          &o.type_object.tp_flags,
                          &o.type_object.tp_basicsize,
                          &o.type_object.ht_cached_keys}) {
    *field += kHead;
  }
  o.code_object.co_tlbc = o.code_object.co_code_adaptive + kHead;
  o.code_object.co_code_adaptive += kHead + 8;
  o.code_object.size += 8;
  o.interpreter_frame.tlbc_index = o.interpreter_frame.localsplus;
  o.interpreter_frame.localsplus += 8;
  o.interpreter_frame.size += 8;
  o.interpreter_state.tlbc_generation = o.interpreter_state.size;
  o.interpreter_state.size += 8;
  o.interpreter_state.gil_enabled = 0;
  o.interpreter_state.gil_locked += 8;
  o.interpreter_state.gil_last_holder += 8;
  return o;
}

inline const char* const kTargetReleases[] = {"3.13.5t", "3.13.15", "3.14.8",
                                              "3.14.8t", "3.15.0",  "3.15.0t"};
// Those of them that have thread-local bytecode.
inline const char* const kThreadLocalBytecodeReleases[] = {"3.14.8t", "3.15.0t"};

struct FakeCode {
  uint64_t address = 0;
  std::string function;
  std::string file;
  int first_line = 1;  // code unit n is on line first_line + n
  uint64_t units = 0;
  uint64_t frame_bytes = 0;
  std::vector<uint64_t> copies;  // thread-local bytecode by index; [0] is the main copy
};

class FakeTarget {
 public:
  static constexpr uint64_t kRuntime = 0x5555'0000'0000;
  static constexpr uint64_t kChunkSize = 4096;
  static constexpr uint64_t kChunkHeader = 24;

  enum class Kind { kEntry, kThread, kGenerator };
  struct Frame {
    Kind kind;
    uint64_t address = 0;
    const FakeCode* code = nullptr;
    uint64_t unit = 0;
  };
  struct Generator {
    uint64_t address = 0;
    const FakeCode* code = nullptr;
    uint64_t unit = 0;
  };
  struct Thread {
    uint64_t state = 0;
    uint64_t interpreter = 0;
    uint64_t ident = 0;
    uint64_t c_stack = 0;  // grows down
    std::vector<uint64_t> chunks;
    uint64_t data_top = 0;
    uint32_t tlbc_index = 0;
    std::vector<Frame> frames;  // outermost first
  };

  FakeTarget(FakeMemory& memory, const DebugOffsets& offsets)
      : memory_(memory), o_(offsets), objects_(memory, o_) {
    memory_.AddZeros(kRuntime, o_.runtime_state.interpreters_head + 8);
    code_type_ = objects_.Allocate(o_.type_object.size);
    const uint64_t name = objects_.Allocate(8);
    memory_.WriteBytes(name, "code", 5);
    Put(code_type_ + o_.type_object.tp_name, name);
    none_ = objects_.Allocate(o_.pyobject.size);
    NewInterpreter();
  }

  PythonRuntime runtime() const { return {RemotePtr<RuntimeTag>(kRuntime), o_}; }
  const DebugOffsets& offsets() const { return o_; }
  FakeMemory& memory() { return memory_; }
  FakeObjects& objects() { return objects_; }

  // Interpreters: the newest is first in the list, [0] here is the main one.
  uint64_t NewInterpreter() {
    const auto& i = o_.interpreter_state;
    uint64_t size =
        std::max({i.id, i.next, i.threads_head, i.ceval_gil, i.imports_modules, i.sysdict}) + 8;
    if (i.tlbc_generation != DebugOffsets::kAbsent) size = std::max(size, i.tlbc_generation + 8);
    size = std::max(size, i.gc + o_.gc.collecting + 4);
    const uint64_t address = objects_.Allocate(size);
    const uint64_t gil = objects_.Allocate(256);
    Put(address + i.id, interpreters_.size());
    Put(address + i.ceval_gil, gil);
    Put(address + i.next, interpreters_.empty() ? 0 : interpreters_.back());
    Put(kRuntime + o_.runtime_state.interpreters_head, address);
    interpreters_.push_back(address);
    SetGil(address, o_.free_threaded ? 0 : 1, 0, 0);
    return address;
  }
  // The newest interpreter ends; its memory is gone.
  void EndInterpreter() {
    const uint64_t ended = interpreters_.back();
    interpreters_.pop_back();
    Put(kRuntime + o_.runtime_state.interpreters_head,
        interpreters_.empty() ? 0 : interpreters_.back());
    memory_.regions().erase(ended);
  }
  uint64_t main_interpreter() const { return interpreters_.front(); }
  uint64_t GilAddress(uint64_t interpreter) {
    return Get(interpreter + o_.interpreter_state.ceval_gil);
  }
  void SetGil(uint64_t interpreter, int32_t enabled, int32_t locked, uint64_t holder) {
    const uint64_t gil = GilAddress(interpreter);
    const auto& i = o_.interpreter_state;
    if (i.gil_enabled != DebugOffsets::kAbsent) memory_.Write(gil + i.gil_enabled, enabled);
    memory_.Write(gil + i.gil_locked, locked);
    Put(gil + i.gil_last_holder, holder);
  }

  // A code object at `address`, or a new place. One that is written where another was has a version
  // and names of its own.
  const FakeCode* NewCode(const std::string& function, int first_line = 100, uint64_t units = 20,
                          uint64_t words = 20, uint64_t address = 0) {
    const auto& c = o_.code_object;
    auto code = std::make_unique<FakeCode>();
    const uint64_t size = std::max(c.size, c.co_code_adaptive) + 2 * units;
    code->address = address != 0 ? address : objects_.Allocate(size);
    code->function = function;
    code->file = "/app/" + function + ".py";
    code->first_line = first_line;
    code->units = units;
    code->frame_bytes = 8 * words;
    code->copies = {code->address + c.co_code_adaptive};
    std::vector<uint8_t> table;
    for (uint64_t unit = 0; unit < units; ++unit) {
      const int kind = unit == 0 ? 10 : 11;  // the same line, the next line; then two columns
      table.insert(table.end(), {static_cast<uint8_t>(0x80 | kind << 3), 0, 1});
    }
    const uint64_t at = code->address;
    objects_.SetType(at, code_type_);
    memory_.Write<uint64_t>(at + o_.tuple_object.ob_size, units);
    memory_.Write<uint32_t>(at + c.version, ++last_version_);
    memory_.Write<int32_t>(at + c.firstlineno, first_line);
    memory_.Write<int32_t>(at + c.framesize, static_cast<int32_t>(words));
    Put(at + c.name, objects_.Str(function).address());
    Put(at + c.qualname, objects_.Str(function).address());
    Put(at + c.filename, objects_.Str(code->file).address());
    Put(at + c.linetable, objects_.Bytes(table).address());
    if (c.co_tlbc != DebugOffsets::kAbsent) Put(at + c.co_tlbc, 0);
    codes_.push_back(std::move(code));
    return codes_.back().get();
  }
  // Instructions of `code` from unit `begin` to `end` are inside a `with`: an exception there
  // leaves `depth` words of the evaluation stack.
  void Protect(const FakeCode* code, uint8_t begin, uint8_t end, uint8_t depth) {
    const std::vector<uint8_t> table = {static_cast<uint8_t>(0x80 | begin),
                                        static_cast<uint8_t>(end - begin), 0x3f,
                                        static_cast<uint8_t>(depth << 1 | 1)};
    Put(code->address + o_.code_object.exceptiontable, objects_.Bytes(table).address());
  }
  // Word `slot` of the evaluation stack of the thread's frame, the innermost being 0. A reference
  // from 3.14 on.
  void PutOnStack(const Thread& thread, size_t frame, size_t slot, uint64_t object) {
    std::vector<const Frame*> frames;
    for (auto at = thread.frames.rbegin(); at != thread.frames.rend(); ++at) {
      if (at->kind != Kind::kEntry) frames.push_back(&*at);
    }
    Put(frames.at(frame)->address + o_.interpreter_frame.localsplus + 8 * slot, Reference(object));
  }
  void SetCollecting(uint64_t interpreter, int32_t collecting) {
    memory_.Write(interpreter + o_.interpreter_state.gc + o_.gc.collecting, collecting);
  }
  void SetCriticalSection(const Thread* thread, uint64_t pointer) {
    Put(thread->state + o_.thread_state.critical_section, pointer);
  }

  // Gives the code object an array of `size` thread-local copies of its bytecode.
  void GrowThreadLocalBytecode(const FakeCode* code, size_t size) {
    auto& copies = codes_[IndexOf(code)]->copies;
    while (copies.size() < size) copies.push_back(objects_.Allocate(2 * code->units));
    const uint64_t array = objects_.Allocate(8 + 8 * size);
    memory_.Write<int64_t>(array, static_cast<int64_t>(size));
    for (size_t i = 0; i < size; ++i) Put(array + 8 + 8 * i, copies[i]);
    Put(code->address + o_.code_object.co_tlbc, array);
  }
  // All copies but the main one are freed and made elsewhere, as the collector does.
  void MoveThreadLocalBytecode(const FakeCode* code) {
    auto& copies = codes_[IndexOf(code)]->copies;
    const size_t size = copies.size();
    copies.resize(1);
    GrowThreadLocalBytecode(code, size);
    const uint64_t at = main_interpreter() + o_.interpreter_state.tlbc_generation;
    memory_.Write<uint32_t>(at, static_cast<uint32_t>(Get(at)) + 1);
  }

  // Threads: the newest is first in its interpreter's list.
  Thread* NewThread(uint64_t interpreter = 0, uint64_t state = 0) {
    const auto& t = o_.thread_state;
    auto thread = std::make_unique<Thread>();
    thread->interpreter = interpreter != 0 ? interpreter : main_interpreter();
    thread->state = state != 0 ? state : objects_.Allocate(StateSize());
    thread->ident = 0x7000'0000'0000 + 0x1000 * ++last_thread_;
    thread->c_stack = objects_.Allocate(0x2000) + 0x2000;
    PushChunk(*thread);
    const uint64_t at = thread->state;
    Put(at + t.interp, thread->interpreter);
    Put(at + t.thread_id, thread->ident);
    Put(at + t.native_thread_id, 1000 + last_thread_);
    SetAttachment(thread.get(), PythonThread::Attachment::kAttached);
    Put(at + t.current_frame, 0);
    if (t.base_frame != DebugOffsets::kAbsent) {
      const uint64_t base = at + t.size;  // embedded in _PyThreadStateImpl
      Put(at + t.base_frame, base);
      Put(at + t.current_frame, base);
      WriteFrame(base, 0, none_, 0, 3, 0);
    }
    const uint64_t head_at = thread->interpreter + o_.interpreter_state.threads_head;
    const uint64_t head = Get(head_at);
    Put(at + t.next, head);
    Put(at + t.prev, 0);
    if (head != 0) Put(head + t.prev, at);
    Put(head_at, at);
    threads_.push_back(std::move(thread));
    return threads_.back().get();
  }
  // The thread leaves the list; with `unmap` its state can't be read any more.
  void EndThread(Thread* thread, bool unmap = true) {
    const auto& t = o_.thread_state;
    const uint64_t previous = Get(thread->state + t.prev);
    const uint64_t next = Get(thread->state + t.next);
    if (previous != 0) Put(previous + t.next, next);
    if (previous == 0) Put(thread->interpreter + o_.interpreter_state.threads_head, next);
    if (next != 0) Put(next + t.prev, previous);
    if (unmap) memory_.regions().erase(thread->state);
    thread->frames.clear();
  }
  void SetAttachment(Thread* thread, PythonThread::Attachment attachment) {
    memory_.Write<int32_t>(thread->state + o_.thread_state.state, static_cast<int32_t>(attachment));
  }

  // What a thread does. Each enqueues steps; Advance takes one, Finish all.
  void SetUnit(Thread* thread, uint64_t unit) {
    Enqueue([=, this] {
      Frame& frame = thread->frames.back();
      frame.unit = unit;
      Put(frame.address + o_.interpreter_frame.instr_ptr,
          Instruction(*thread, *frame.code, frame.unit));
      Record(*thread);
    });
  }
  // A Python function calls another: the caller is at `unit`.
  void Call(Thread* thread, const FakeCode* code, uint64_t unit = 3) {
    SetUnit(thread, unit);
    EnqueuePush(thread, code, [=] { return thread->frames.back().address; });
  }
  // C code calls a Python function: an entry frame comes first.
  void CallFromC(Thread* thread, const FakeCode* code) {
    const auto entry = std::make_shared<uint64_t>();
    Enqueue([=, this] {
      thread->c_stack -= 128;
      *entry = thread->c_stack;
      WriteFrame(*entry, CurrentFrame(*thread), none_, 0, 3, 0);
    });
    EnqueuePush(thread, code, [=] { return *entry; }, entry);
  }
  void Return(Thread* thread) {
    Enqueue([=, this] { PopCurrent(*thread); });
    Enqueue([=, this] { ClearFrame(thread->frames.back().address); });
    Enqueue([=, this] {
      const Frame popped = thread->frames.back();
      thread->frames.pop_back();
      if (popped.kind == Kind::kThread) PopData(*thread, popped.address);
    });
    EnqueueResumeCaller(thread);
  }
  // Back to C: also the entry frame goes, and its place on the C stack is overwritten.
  void ReturnToC(Thread* thread) {
    Return(thread);
    Enqueue([=, this] {
      const Frame entry = thread->frames.back();
      thread->frames.pop_back();
      SetCurrent(*thread, entry.address);
      SetCurrent(*thread, Get(entry.address + o_.interpreter_frame.previous));
      thread->c_stack += 128;
      const std::vector<uint8_t> garbage(o_.interpreter_frame.owner + 1, 0xa5);
      memory_.WriteBytes(entry.address, garbage.data(), garbage.size());
    });
  }
  Generator* NewGenerator(const FakeCode* code) {
    auto generator = std::make_unique<Generator>();
    generator->address = objects_.Allocate(code->frame_bytes);
    generator->code = code;
    WriteFrame(generator->address, 0, code->address, code->copies[0], 1, 0);
    generators_.push_back(std::move(generator));
    return generators_.back().get();
  }
  void Resume(Thread* thread, Generator* generator, uint64_t unit = 3) {
    SetUnit(thread, unit);
    Enqueue([=, this] {
      SaveStackTop(thread->frames.back());
      Put(generator->address + o_.interpreter_frame.instr_ptr,
          Instruction(*thread, *generator->code, generator->unit));
      WriteTlbcIndex(generator->address, thread->tlbc_index);
      Put(generator->address + o_.interpreter_frame.previous, thread->frames.back().address);
    });
    Enqueue([=, this] {
      thread->frames.push_back(
          {Kind::kGenerator, generator->address, generator->code, generator->unit});
      SetCurrent(*thread, generator->address);
      Record(*thread);
    });
    Enqueue([=, this] { SetRunning(generator->address); });
  }
  void Yield(Thread* thread, Generator* generator) {
    Enqueue([=, this] {
      generator->unit = thread->frames.back().unit;
      SaveStackTop(thread->frames.back());
      thread->frames.pop_back();
      SetCurrent(*thread, thread->frames.back().address);
      Record(*thread);
    });
    Enqueue([=, this] { Put(generator->address + o_.interpreter_frame.previous, 0); });
    EnqueueResumeCaller(thread);
  }

  bool Advance() {
    if (steps_.empty()) return false;
    const std::function<void()> step = std::move(steps_.front());
    steps_.pop_front();
    step();
    return true;
  }
  void Finish() {
    while (Advance()) {
    }
  }
  size_t pending_steps() const { return steps_.size(); }

  // The thread's stack as it is: "inner:12;outer:3".
  std::string Truth(const Thread& thread) const {
    std::string text;
    for (auto frame = thread.frames.rbegin(); frame != thread.frames.rend(); ++frame) {
      if (frame->kind == Kind::kEntry) continue;
      const int line = frame->code->first_line + static_cast<int>(frame->unit);
      absl::StrAppend(&text, text.empty() ? "" : ";", frame->code->function, ":", line);
    }
    return text;
  }
  // All stacks that were ever true, of any thread.
  const std::set<std::string>& possible() const { return possible_; }

  uint64_t Get(uint64_t address) {
    uint64_t value = 0;
    const auto after = memory_.regions().upper_bound(address);
    const auto& [start, bytes] = *std::prev(after);
    std::memcpy(&value, bytes.data() + (address - start), sizeof value);
    return value;
  }
  void Put(uint64_t address, uint64_t value) { memory_.Write(address, value); }
  uint64_t CurrentFrame(const Thread& thread) {
    return Get(thread.state + o_.thread_state.current_frame);
  }
  // Frees chunks that are no longer used, so that reading them fails.
  bool unmap_chunks = false;

 private:
  void Enqueue(std::function<void()> step) { steps_.push_back(std::move(step)); }
  bool has_stacktop() const { return o_.interpreter_frame.stacktop != DebugOffsets::kAbsent; }
  uint64_t StateSize() const { return o_.thread_state.size + o_.interpreter_frame.size; }
  size_t IndexOf(const FakeCode* code) const {
    for (size_t i = 0;; ++i) {
      if (codes_[i].get() == code) return i;
    }
  }
  uint64_t Instruction(const Thread& thread, const FakeCode& code, uint64_t unit) const {
    const uint32_t index = code.copies.size() > thread.tlbc_index ? thread.tlbc_index : 0;
    return code.copies[index] + 2 * unit;
  }
  void Record(const Thread& thread) { possible_.insert(Truth(thread)); }

  // References carry the tag of a borrowed one from 3.14 on, so that a reader must mask it.
  uint64_t Reference(uint64_t object) const { return o_.minor() >= 14 ? object | 1 : object; }
  void WriteFrame(uint64_t at, uint64_t previous, uint64_t executable, uint64_t instruction,
                  uint8_t owner, uint32_t tlbc_index) {
    const auto& f = o_.interpreter_frame;
    Put(at + f.previous, previous);
    Put(at + f.executable, Reference(executable));
    Put(at + f.instr_ptr, instruction);
    memory_.Write<uint8_t>(at + f.owner, owner);
    WriteTlbcIndex(at, tlbc_index);
    if (has_stacktop()) memory_.Write<int32_t>(at + f.stacktop, 2);
  }
  void WriteTlbcIndex(uint64_t at, uint32_t index) {
    if (o_.interpreter_frame.tlbc_index == DebugOffsets::kAbsent) return;
    memory_.Write<uint32_t>(at + o_.interpreter_frame.tlbc_index, index);
  }
  void SetCurrent(const Thread& thread, uint64_t frame) {
    Put(thread.state + o_.thread_state.current_frame, frame);
  }
  // 3.13: _PyFrame_SetStackPointer, _PyFrame_GetStackPointer.
  void SaveStackTop(const Frame& frame) {
    if (!has_stacktop() || frame.kind == Kind::kEntry) return;
    memory_.Write<int32_t>(frame.address + o_.interpreter_frame.stacktop, 2);
  }
  void SetRunning(uint64_t frame) {
    if (has_stacktop()) memory_.Write<int32_t>(frame + o_.interpreter_frame.stacktop, -1);
  }
  void EnqueueResumeCaller(Thread* thread) {
    Enqueue([=, this] {
      const Frame& caller = thread->frames.back();
      if (caller.kind != Kind::kEntry) SetRunning(caller.address);
    });
  }
  // 3.13: _PyFrame_ClearLocals; later: PyStackRef_CLEAR(frame->f_executable).
  void ClearFrame(uint64_t frame) {
    const auto& f = o_.interpreter_frame;
    if (has_stacktop()) {
      memory_.Write<int32_t>(frame + f.stacktop, 0);
    } else {
      Put(frame + f.executable, 1);
    }
  }
  void PopCurrent(Thread& thread) {
    const Frame dying = thread.frames.back();
    SetCurrent(thread, Get(dying.address + o_.interpreter_frame.previous));
    thread.frames.pop_back();
    Record(thread);
    thread.frames.push_back(dying);
  }

  void EnqueuePush(Thread* thread, const FakeCode* code, std::function<uint64_t()> caller,
                   std::shared_ptr<uint64_t> entry = nullptr) {
    const auto at = std::make_shared<uint64_t>();
    Enqueue([=, this] { *at = PushData(*thread, code->frame_bytes); });
    Enqueue([=, this] {
      if (entry == nullptr) SaveStackTop(thread->frames.back());
      WriteFrame(*at, caller(), code->address, Instruction(*thread, *code, 0), 0,
                 thread->tlbc_index);
    });
    Enqueue([=, this] {
      if (entry != nullptr) thread->frames.push_back({Kind::kEntry, *entry});
      thread->frames.push_back({Kind::kThread, *at, code});
      SetCurrent(*thread, *at);
      Record(*thread);
    });
    Enqueue([=, this] { SetRunning(*at); });
  }
  // _PyThreadState_PushFrame, push_chunk.
  uint64_t PushData(Thread& thread, uint64_t size) {
    if (thread.data_top + size > thread.chunks.back() + kChunkSize) PushChunk(thread);
    const uint64_t at = thread.data_top;
    thread.data_top += size;
    return at;
  }
  void PushChunk(Thread& thread) {
    uint64_t chunk = 0;
    if (free_chunks_.empty()) {
      chunk = objects_.Allocate(kChunkSize);
    } else {
      chunk = free_chunks_.back();
      free_chunks_.pop_back();
      if (!memory_.regions().contains(chunk)) memory_.AddZeros(chunk, kChunkSize);
    }
    const uint64_t previous = thread.chunks.empty() ? 0 : thread.chunks.back();
    Put(chunk, previous);
    Put(chunk + 8, kChunkSize);
    if (previous != 0) Put(previous + 16, (thread.data_top - previous - kChunkHeader) / 8);
    thread.chunks.push_back(chunk);
    thread.data_top = chunk + kChunkHeader + (previous == 0 ? 8 : 0);
    Put(thread.state + o_.thread_state.datastack_chunk, chunk);
  }
  // _PyThreadState_PopFrame.
  void PopData(Thread& thread, uint64_t frame) {
    thread.data_top = frame;
    const uint64_t chunk = thread.chunks.back();
    if (frame != chunk + kChunkHeader) return;
    const uint64_t previous = Get(chunk);
    thread.chunks.pop_back();
    thread.data_top = previous + kChunkHeader + 8 * Get(previous + 16);
    Put(thread.state + o_.thread_state.datastack_chunk, previous);
    free_chunks_.push_back(chunk);
    if (unmap_chunks) memory_.regions().erase(chunk);
  }

  FakeMemory& memory_;
  const DebugOffsets o_;
  FakeObjects objects_;
  uint64_t code_type_ = 0;
  uint64_t none_ = 0;
  std::vector<uint64_t> interpreters_;
  std::vector<std::unique_ptr<FakeCode>> codes_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<std::unique_ptr<Generator>> generators_;
  std::vector<uint64_t> free_chunks_;
  std::deque<std::function<void()>> steps_;
  std::set<std::string> possible_;
  uint32_t last_version_ = 0;
  uint64_t last_thread_ = 0;
};

// "inner:12;outer:3" of what a reader saw.
inline std::string Describe(const PythonThread& thread) {
  std::string text;
  for (const StackFrame& frame : thread.frames) {
    absl::StrAppend(&text, text.empty() ? "" : ";", frame.code->function, ":", frame.line);
  }
  return text;
}

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_PYTHON_FAKE_TARGET_H_
