#include "reporter.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "cpython_bridge.h"

namespace fthreadprof::race {
namespace {

using race_log::ConstantKind;
using race_log::RecordKind;

constexpr size_t kNodeBitmapBytes = (size_t{1} << 26) / 8;

// Text in a buffer of fixed size; what does not fit is left out.
class FixedText {
 public:
  void Put(char c) {
    if (size_ < sizeof data_) data_[size_++] = c;
  }
  void Put(const char* text) {
    for (; *text != '\0'; ++text) Put(*text);
  }
  void PutUtf8(uint32_t c) {
    if (c >= 0xd800 && c < 0xe000) c = '?';  // a surrogate has no UTF-8
    if (size_ + 4 > sizeof data_) {
      size_ = sizeof data_;
    } else if (c < 0x80) {
      Put(static_cast<char>(c));
    } else if (c < 0x800) {
      Put(static_cast<char>(0xc0 | c >> 6));
      PutTail(c, 0);
    } else if (c < 0x10000) {
      Put(static_cast<char>(0xe0 | c >> 12));
      PutTail(c, 6);
      PutTail(c, 0);
    } else {
      Put(static_cast<char>(0xf0 | c >> 18));
      PutTail(c, 12);
      PutTail(c, 6);
      PutTail(c, 0);
    }
  }
  const char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void PutTail(uint32_t c, int shift) { Put(static_cast<char>(0x80 | (c >> shift & 0x3f))); }
  char data_[2048];
  size_t size_ = 0;
};

void PutString(FixedText& text, PyObject* object) {
  if (object == nullptr || !PyUnicode_Check(object)) return;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(object);
  const int kind = PyUnicode_KIND(object);
  const void* data = PyUnicode_DATA(object);
  for (Py_ssize_t i = 0; i < length && text.size() < 2040; ++i) {
    text.PutUtf8(PyUnicode_READ(kind, data, i));
  }
}

constexpr Py_ssize_t kMaxReprLength = 60;

void PutStringRepr(FixedText& text, PyObject* object) {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(object);
  const int kind = PyUnicode_KIND(object);
  const void* data = PyUnicode_DATA(object);
  text.Put('\'');
  for (Py_ssize_t i = 0; i < length && i < kMaxReprLength; ++i) {
    const uint32_t c = PyUnicode_READ(kind, data, i);
    if (c == '\'' || c == '\\') text.Put('\\');
    if (c == '\n') {
      text.Put("\\n");
    } else if (c < 0x20) {
      text.Put('?');
    } else {
      text.PutUtf8(c);
    }
  }
  if (length > kMaxReprLength) text.Put("...");
  text.Put('\'');
}

// The repr of a constant or key of a built-in type; empty for others, whose repr may be Python
// code.
ConstantKind PutRepr(FixedText& text, PyObject* object) {
  char number[40];
  if (object == Py_None) {
    text.Put("None");
    return ConstantKind::kNone;
  }
  if (PyBool_Check(object)) {
    text.Put(object == Py_True ? "True" : "False");
    return ConstantKind::kBool;
  }
  if (PyUnicode_CheckExact(object)) {
    PutStringRepr(text, object);
    return ConstantKind::kStr;
  }
  if (PyLong_CheckExact(object)) {
    if (_PyLong_IsCompact(reinterpret_cast<PyLongObject*>(object))) {
      snprintf(
          number, sizeof number, "%lld",
          static_cast<long long>(_PyLong_CompactValue(reinterpret_cast<PyLongObject*>(object))));
      text.Put(number);
    }
    return ConstantKind::kInt;
  }
  if (PyFloat_CheckExact(object)) {
    snprintf(number, sizeof number, "%.12g", PyFloat_AS_DOUBLE(object));
    text.Put(number);
    return ConstantKind::kFloat;
  }
  if (PyBytes_CheckExact(object)) return ConstantKind::kBytes;
  if (PyTuple_CheckExact(object)) {
    text.Put('(');
    const Py_ssize_t size = PyTuple_GET_SIZE(object);
    for (Py_ssize_t i = 0; i < size && i < 4; ++i) {
      if (i > 0) text.Put(", ");
      const size_t before = text.size();
      PutRepr(text, PyTuple_GET_ITEM(object, i));
      if (text.size() == before) text.Put("...");
    }
    text.Put(size > 4 ? ", ...)" : size == 1 ? ",)" : ")");
    return ConstantKind::kTuple;
  }
  if (PyCode_Check(object)) return ConstantKind::kCode;
  return ConstantKind::kOther;
}

size_t ReadFile(const char* path, char* data, size_t capacity) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t size = read(fd, data, capacity);
  close(fd);
  return size < 0 ? 0 : static_cast<size_t>(size);
}

bool IsBackward(const char* opcode_name) { return strstr(opcode_name, "BACKWARD") != nullptr; }

}  // namespace

bool Reporter::Open(const char* directory) {
  if (strlen(directory) >= sizeof directory_) return false;
  strcpy(directory_, directory);
  void* memory = mmap(nullptr, kNodeBitmapBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || !log_.Open(directory_)) return false;
  written_nodes_ = static_cast<uint8_t*>(memory);
  WriteProcess();
  WriteOpcodes();
  return log_.Flush();
}

bool Reporter::ReopenInChild() {
  memset(pairs_, 0, sizeof pairs_);
  memset(codes_, 0, sizeof codes_);
  pair_count_ = code_count_ = 0;
  munmap(written_nodes_, kNodeBitmapBytes);
  for (uint32_t id = 1; id <= detector_.registry.thread_count(); ++id) {
    detector_.registry.record(id).logged = false;
  }
  char directory[sizeof directory_];
  strcpy(directory, directory_);
  return Open(directory);
}

void Reporter::WriteProcess() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  static char arguments[1 << 15];
  const size_t size = ReadFile("/proc/self/cmdline", arguments, sizeof arguments);
  log_.Begin(RecordKind::kProcess);
  log_.String(path, length < 0 ? 0 : static_cast<size_t>(length));
  log_.String(PY_VERSION);
  log_.U32(static_cast<uint32_t>(getppid()));
  uint32_t count = 0;
  for (size_t i = 0; i < size; ++i) count += arguments[i] == '\0';
  log_.U32(count);
  for (size_t i = 0, n = 0; n < count; ++n) {
    const size_t end = i + strnlen(arguments + i, size - i);
    log_.String(arguments + i, end - i);
    i = end + 1;
  }
  log_.End();
}

void Reporter::WriteOpcodes() {
  uint32_t count = 0;
  for (int opcode = 0; opcode < 256; ++opcode) count += ftp_opcode_name(opcode) != nullptr;
  log_.Begin(RecordKind::kOpcodes);
  log_.U32(count);
  for (int opcode = 0; opcode < 256; ++opcode) {
    const char* name = ftp_opcode_name(opcode);
    if (name == nullptr) continue;
    log_.U8(static_cast<uint8_t>(opcode));
    log_.U8(static_cast<uint8_t>(ftp_opcode_caches(opcode)));
    log_.U16(ftp_opcode_jumps(opcode) ? race_log::kOpcodeJumps : 0);
    log_.String(name);
  }
  log_.End();
}

Reporter::Pair* Reporter::FindPair(const RaceFinding& finding) {
  const CallingContexts& contexts = detector_.contexts;
  uint64_t sides[2];
  const Access* accesses[2] = {&finding.earlier, &finding.later};
  for (int i = 0; i < 2; ++i) {
    const void* code = contexts.node(accesses[i]->node).code;
    sides[i] = Mix(reinterpret_cast<uintptr_t>(code) * 31 + accesses[i]->offset + 1) +
               static_cast<uint64_t>(accesses[i]->kind);
  }
  // Symmetrical: which side comes first is chance.
  uint64_t key = Mix(sides[0] ^ sides[1]) ^ Mix(sides[0] + sides[1]);
  key = Mix(key + static_cast<uint64_t>(finding.variable_kind)) | 1;
  for (uint32_t i = key >> 20 & (kPairs - 1);; i = (i + 1) & (kPairs - 1)) {
    Pair& pair = pairs_[i];
    if (pair.key == key) return &pair;
    if (pair.key != 0) continue;
    if (pair_count_ == kMaxPairs) return nullptr;
    pair.key = key;
    return &pair;
  }
}

void Reporter::Report(const RaceFinding& finding) {
  SpinLockHolder holder(lock_);
  Pair* pair = FindPair(finding);
  if (pair == nullptr) return;
  ++pair->count;
  if (pair->id == 0) {
    pair->id = ++pair_count_;
    pair->reported_count = 1;
    NeedAccess(finding.earlier);
    NeedAccess(finding.later);
    WriteRace(finding, pair->id);
    WriteTests(finding, pair->id);
    log_.Flush();
  } else if (pair->count >= 2 * uint64_t{pair->reported_count}) {
    // So that a killed process leaves a count that is at most half too small.
    WriteCount(*pair);
    log_.Flush();
  }
}

void Reporter::Notice(const char* sentence) {
  SpinLockHolder holder(lock_);
  log_.Begin(RecordKind::kNotice);
  log_.String(sentence);
  log_.End();
  log_.Flush();
}

uint32_t Reporter::AddTest(PyObject* name) {
  FixedText text;
  PutString(text, name);
  SpinLockHolder holder(lock_);
  if (test_count_ == kMaxTests) return 0;
  char* copy = strndup(text.data(), text.size());
  if (copy == nullptr) return 0;
  tests_[test_count_] = copy;
  return ++test_count_;
}

void Reporter::WriteCount(Pair& pair) {
  pair.reported_count = static_cast<uint32_t>(pair.count);
  log_.Begin(RecordKind::kCount);
  log_.U32(pair.id);
  log_.U64(pair.count);
  log_.End();
}

void Reporter::WriteCounts(bool ends) {
  SpinLockHolder holder(lock_);
  if (written_nodes_ == nullptr) return;
  for (Pair& pair : pairs_) {
    if (pair.id != 0 && pair.count != pair.reported_count) WriteCount(pair);
  }
  if (ends) {
    log_.Begin(RecordKind::kEnd);
    log_.U64(detector_.registry.thread_count());
    log_.U64(detector_.shadows.count());
    log_.U64(detector_.arena.mapped());
    log_.End();
  }
  log_.Flush();
}

void Reporter::WriteRace(const RaceFinding& finding, uint32_t id) {
  log_.Begin(RecordKind::kRace);
  log_.U32(id);
  log_.U8(static_cast<uint8_t>(finding.object_kind));
  log_.U8(static_cast<uint8_t>(finding.variable_kind));
  log_.U64(reinterpret_cast<uintptr_t>(finding.object));
  PyTypeObject* const type = finding.object_kind == race_log::ObjectKind::kClass
                                 ? reinterpret_cast<PyTypeObject*>(finding.object)
                                 : Py_TYPE(finding.object);
  FixedText name;
  if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0) {
    PutString(name, reinterpret_cast<PyHeapTypeObject*>(type)->ht_qualname);
  } else {
    name.Put(type->tp_name);
  }
  log_.String(name.data(), name.size());
  FixedText key;
  if (finding.has_index) {
    char number[24];
    snprintf(number, sizeof number, "%lld", static_cast<long long>(finding.index));
    key.Put(number);
  } else if (finding.member != nullptr) {
    key.Put(finding.member);
  } else if (finding.key != nullptr && race_log::IsContainer(finding.object_kind)) {
    PutRepr(key, finding.key);
  } else if (finding.key != nullptr) {
    PutString(key, finding.key);
  }
  log_.String(key.data(), key.size());
  WriteAccess(finding.earlier);
  WriteAccess(finding.later);
  log_.End();
}

void Reporter::WriteAccess(const Access& access) {
  log_.U32(detector_.registry.ThreadAt(access.slot, access.clock));
  log_.U8(access.kind == AccessKind::kRead ? 0 : 1);
  log_.U8(access.operation);
  WritePlace(access.node, access.offset);
  const LockSets::Set* locks = detector_.lock_sets.Get(access.lock_set);
  const uint32_t count = locks == nullptr ? 0 : locks->size;
  log_.U32(count);
  for (uint32_t i = 0; i < count; ++i) {
    log_.U64(locks->locks[i].address);
    log_.U8(static_cast<uint8_t>(locks->locks[i].kind));
    WriteLocation(locks->locks[i].location);
  }
}

void Reporter::WriteTests(const RaceFinding& finding, uint32_t id) {
  const auto test_of = [this](const Access& access) {
    return detector_.registry.TestAt(access.slot, access.clock);
  };
  const uint32_t earlier = test_of(finding.earlier);
  const uint32_t later = test_of(finding.later);
  if (earlier == 0 && later == 0) return;
  log_.Begin(RecordKind::kTests);
  log_.U32(id);
  WriteTest(earlier);
  WriteTest(later);
  log_.End();
}

void Reporter::WriteTest(uint32_t test) { log_.String(test == 0 ? "" : tests_[test - 1]); }

void Reporter::WritePlace(uint32_t node, uint32_t offset) {
  log_.U32(node);
  log_.U32(offset);
}

void Reporter::WriteLocation(uint32_t location) {
  if (location <= kOutsideNode) {
    WritePlace(location, 0);
    return;
  }
  const ContextNode& place = detector_.contexts.node(location);
  WritePlace(place.parent, place.offset);
}

void Reporter::NeedAccess(const Access& access) {
  NeedThread(detector_.registry.ThreadAt(access.slot, access.clock));
  NeedContext(access.node);
  const LockSets::Set* locks = detector_.lock_sets.Get(access.lock_set);
  for (uint32_t i = 0; locks != nullptr && i < locks->size; ++i) {
    NeedLocation(locks->locks[i].location);
  }
}

void Reporter::NeedLocation(uint32_t location) {
  if (location > kOutsideNode) NeedContext(detector_.contexts.node(location).parent);
}

// Parents first. Not recursive: stacks are deep.
void Reporter::NeedContext(uint32_t node) {
  for (;;) {
    uint32_t top = node;  // the outermost one that is not written
    uint32_t missing = 0;
    for (uint32_t n = node; n > kOutsideNode; n = detector_.contexts.node(n).parent) {
      if ((written_nodes_[n / 8] >> n % 8 & 1) != 0) break;
      top = n;
      ++missing;
    }
    if (missing == 0) return;
    const ContextNode& context = detector_.contexts.node(top);
    const uint32_t code = NeedCode(static_cast<PyCodeObject*>(context.code));
    log_.Begin(RecordKind::kNode);
    log_.U32(top);
    log_.U32(context.parent);
    log_.U32(code);
    log_.U32(context.offset);
    log_.End();
    written_nodes_[top / 8] = static_cast<uint8_t>(written_nodes_[top / 8] | 1 << top % 8);
  }
}

void Reporter::NeedThread(uint32_t thread) {
  // A starter may be many threads up; each is written once.
  while (thread != 0 && !detector_.registry.record(thread).logged) {
    ThreadRecord& record = detector_.registry.record(thread);
    NeedLocation(record.location);
    log_.Begin(RecordKind::kThread);
    log_.U32(thread);
    log_.U64(record.native_id);
    log_.String(record.name);
    log_.U32(record.starter);
    WriteLocation(record.location);
    log_.End();
    record.logged = true;
    thread = record.starter;
  }
}

uint32_t Reporter::NeedCode(PyCodeObject* code) {
  for (uint32_t i = Mix(reinterpret_cast<uintptr_t>(code)) & (kCodes - 1);;
       i = (i + 1) & (kCodes - 1)) {
    if (codes_[i] == code) return i + 1;
    if (codes_[i] != nullptr) continue;
    if (code_count_ == kCodes / 2) return 0;
    ++code_count_;
    codes_[i] = code;
    WriteCode(code, i + 1);
    return i + 1;
  }
}

void Reporter::WriteCode(PyCodeObject* code, uint32_t id) {
  const auto put_string = [this](PyObject* object) {
    FixedText text;
    PutString(text, object);
    log_.String(text.data(), text.size());
  };
  log_.Begin(RecordKind::kCode);
  log_.U32(id);
  put_string(code->co_filename);
  put_string(code->co_qualname);
  log_.String("");
  log_.U32(static_cast<uint32_t>(code->co_firstlineno));
  log_.U32(static_cast<uint32_t>(code->co_flags));
  log_.U32(static_cast<uint32_t>(code->co_argcount + code->co_kwonlyargcount +
                                 ((code->co_flags & CO_VARARGS) != 0) +
                                 ((code->co_flags & CO_VARKEYWORDS) != 0)));
  const char* kinds = PyBytes_AS_STRING(code->co_localspluskinds);
  log_.U32(static_cast<uint32_t>(code->co_nlocalsplus));
  for (int i = 0; i < code->co_nlocalsplus; ++i) {
    put_string(PyTuple_GET_ITEM(code->co_localsplusnames, i));
    log_.U8(static_cast<uint8_t>(kinds[i]));
  }
  log_.U32(static_cast<uint32_t>(PyTuple_GET_SIZE(code->co_names)));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_names); ++i) {
    put_string(PyTuple_GET_ITEM(code->co_names, i));
  }
  log_.U32(static_cast<uint32_t>(PyTuple_GET_SIZE(code->co_consts)));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); ++i) {
    FixedText text;
    const ConstantKind kind = PutRepr(text, PyTuple_GET_ITEM(code->co_consts, i));
    log_.U8(static_cast<uint8_t>(kind));
    log_.String(text.data(), text.size());
  }
  const auto units = static_cast<int>(Py_SIZE(code));
  // Twice over the code: the number of instructions comes first.
  for (const bool counting : {true, false}) {
    uint32_t count = 0;
    uint32_t extended = 0;
    for (int i = 0; i < units;) {
      int opcode, argument;
      ftp_code_unit(code, i, &opcode, &argument);
      const auto full = static_cast<uint32_t>(argument) | extended << 8;
      const char* name = ftp_opcode_name(opcode);
      const int next = i + 1 + ftp_opcode_caches(opcode);
      if (name != nullptr && strcmp(name, "EXTENDED_ARG") == 0) {
        extended = full;
        i = next;
        continue;
      }
      extended = 0;
      ++count;
      if (!counting) {
        uint32_t target = race_log::kNoTarget;
        if (name != nullptr && ftp_opcode_jumps(opcode)) {
          target = static_cast<uint32_t>(next) + (IsBackward(name) ? 0 - full : full);
        }
        const int line = PyCode_Addr2Line(code, i * 2);
        log_.U32(static_cast<uint32_t>(i));
        log_.U8(static_cast<uint8_t>(opcode));
        log_.U32(full);
        log_.U32(static_cast<uint32_t>(ftp_opcode_popped(opcode, static_cast<int>(full))));
        log_.U32(static_cast<uint32_t>(ftp_opcode_pushed(opcode, static_cast<int>(full))));
        log_.U32(line > 0 ? static_cast<uint32_t>(line) : 0);
        log_.U32(target);
      }
      i = next;
    }
    if (counting) log_.U32(count);
  }
  log_.End();
}

}  // namespace fthreadprof::race
