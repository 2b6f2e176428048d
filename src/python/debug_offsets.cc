#include "python/debug_offsets.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "python/debug_offsets_table.h"

namespace fthreadprof {
namespace {

// One struct of the table, its parts put together.
struct Group {
  const char* name;
  uint64_t max_size;
  bool head;  // whether it starts with a PyObject
  std::span<const Column> columns;
};

// struct _gil_runtime_state is under 300 bytes; pycore_gil.h.

uint64_t Width(Kind kind) {
  switch (kind) {
    case Kind::kPointer:
      return 8;
    case Kind::kInt:
    case Kind::kInGil:
    case Kind::kOfGil:
      return 4;
    case Kind::kByte:
      return 1;
    default:
      return 0;
  }
}

uint64_t Alignment(Kind kind) {
  switch (kind) {
    case Kind::kPointer:
    case Kind::kInline:
    case Kind::kNested:
    case Kind::kSize:
      return 8;
    case Kind::kInt:
    case Kind::kInGil:
    case Kind::kOfGil:
      return 4;
    default:
      return 1;
  }
}

uint64_t Load(const Parsed& parsed, size_t slot) {
  uint64_t value;
  std::memcpy(&value, reinterpret_cast<const char*>(&parsed) + slot, sizeof value);
  return value;
}

void Store(Parsed& parsed, size_t slot, uint64_t value) {
  std::memcpy(reinterpret_cast<char*>(&parsed) + slot, &value, sizeof value);
}

class TableReader {
 public:
  explicit TableReader(std::span<const uint8_t> bytes) : bytes_(bytes) {
    static_assert(DebugOffsets::kAbsent == ~uint64_t{0});
    std::memset(static_cast<void*>(&parsed_), 0xff, sizeof parsed_);
  }

  absl::StatusOr<DebugOffsets> Read() {
    FTP_RETURN_IF_ERROR(ReadHeader());
    for (const Part& part : kTable) {
      if (part.minor > parsed_.offsets.minor()) continue;
      for (const Column& column : part.columns) FTP_RETURN_IF_ERROR(ReadColumn(column));
    }
    FTP_RETURN_IF_ERROR(CheckGroups());
    FTP_RETURN_IF_ERROR(ResolveGil());
    FTP_RETURN_IF_ERROR(Derive());
    return parsed_.offsets;
  }

 private:
  absl::StatusOr<uint64_t> Next() {
    if (bytes_.size() - at_ < sizeof(uint64_t)) return Bad("is cut short");
    uint64_t value;
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  absl::Status ReadHeader() {
    DebugOffsets& offsets = parsed_.offsets;
    offsets.version_hex = 0;
    if (bytes_.size() < kDebugCookie.size() ||
        std::memcmp(bytes_.data(), kDebugCookie.data(), kDebugCookie.size()) != 0) {
      return absl::InvalidArgumentError(
          "there is no table of debug offsets: this is not Python 3.13 or later");
    }
    at_ = kDebugCookie.size();
    FTP_ASSIGN_OR_RETURN(const uint64_t version, Next());
    if (version >> 24 != 3) return Bad(absl::StrFormat("has the version 0x%x", version));
    offsets.version_hex = static_cast<uint32_t>(version);
    const std::string supported = "; fthreadprof reads 3.13, 3.14 and 3.15";
    if (offsets.minor() > 15) {
      return absl::UnimplementedError(
          absl::StrCat("Python 3.", offsets.minor(), " is not supported yet", supported));
    }
    if (offsets.minor() < 13) {
      return absl::UnimplementedError(
          absl::StrCat("Python 3.", offsets.minor(), " is not supported", supported));
    }
    FTP_ASSIGN_OR_RETURN(const uint64_t free_threaded, Next());
    if (free_threaded > 1) return Bad("says neither free-threaded nor not");
    offsets.free_threaded = free_threaded == 1;
    return absl::OkStatus();
  }

  absl::Status ReadColumn(const Column& column) {
    FTP_ASSIGN_OR_RETURN(const uint64_t value, Next());
    const bool lacking = column.free_threaded_only && !parsed_.offsets.free_threaded;
    if (column.slot == kNoSlot || lacking) return absl::OkStatus();
    if (value == DebugOffsets::kAbsent) return Bad(absl::StrCat("lacks ", column.name));
    Store(parsed_, column.slot, value);
    return absl::OkStatus();
  }

  absl::Status CheckGroups() {
    for (size_t i = 0; i < kTable.size();) {
      Group group{kTable[i].group, kTable[i].max_size, kTable[i].head, {}};
      std::vector<Column> columns;
      for (; i < kTable.size() && std::string_view(kTable[i].group) == group.name; ++i) {
        if (kTable[i].minor > parsed_.offsets.minor()) continue;
        columns.insert(columns.end(), kTable[i].columns.begin(), kTable[i].columns.end());
      }
      group.columns = columns;
      FTP_RETURN_IF_ERROR(CheckGroup(group));
    }
    return absl::OkStatus();
  }

  // Fields must lie behind the head, inside the struct, aligned, and not over each other. The last
  // tells a pre-release whose columns are shifted from the layout that its version has now.
  absl::Status CheckGroup(const Group& group) {
    if (group.columns.empty() || group.columns[0].kind != Kind::kSize) return absl::OkStatus();
    const uint64_t size = Load(parsed_, group.columns[0].slot);
    const uint64_t head = group.head ? parsed_.offsets.pyobject.size : 0;
    if (size > group.max_size || size % 8 != 0 || size == 0 || size < head) {
      return Bad(absl::StrFormat("gives %s a size of %d", group.name, size));
    }
    std::vector<std::pair<uint64_t, uint64_t>> fields;  // [start, end)
    for (const Column& column : group.columns.subspan(1)) {
      if (column.kind == Kind::kUnused || column.kind == Kind::kOfGil) continue;
      const uint64_t offset = Load(parsed_, column.slot);
      if (offset == DebugOffsets::kAbsent) continue;  // ReadColumn has let only GIL builds lack it
      const uint64_t width = Width(column.kind);
      if (offset < head || offset > size || width > size - offset ||
          offset % Alignment(column.kind) != 0) {
        return Bad(absl::StrFormat("puts %s.%s at %d", group.name, column.name, offset));
      }
      if (width > 0) fields.emplace_back(offset, offset + width);
    }
    std::sort(fields.begin(), fields.end());
    for (size_t i = 1; i < fields.size(); ++i) {
      if (fields[i].first < fields[i - 1].second) {
        return Bad(absl::StrFormat("puts two fields of %s at %d", group.name, fields[i].first));
      }
    }
    return absl::OkStatus();
  }

  // The target follows *ceval_gil, so the fields are kept relative to the struct; the table counts
  // them from the interpreter, `enabled` alone from the struct.
  absl::Status ResolveGil() {
    auto& interpreter = parsed_.offsets.interpreter_state;
    for (uint64_t* field : {&interpreter.gil_locked, &interpreter.gil_last_holder}) {
      if (*field < parsed_.gil_runtime_state) return Bad("puts the GIL's fields before the GIL");
      *field -= parsed_.gil_runtime_state;
    }
    // last_holder is a pointer, the others are ints.
    if (interpreter.gil_last_holder % 8 != 0) return Bad("has a misaligned GIL");
    for (uint64_t field :
         {interpreter.gil_locked, interpreter.gil_last_holder, interpreter.gil_enabled}) {
      if (field == DebugOffsets::kAbsent) continue;
      if (field > DebugOffsets::kMaxGilSize || field % 4 != 0)
        return Bad("has a GIL of an absurd size");
    }
    return absl::OkStatus();
  }

  // Fields that the table leaves out but a minor version fixes. tests/headers compares each with
  // offsetof in CPython's own headers.
  absl::Status Derive() {
    DebugOffsets& o = parsed_.offsets;
    // struct _ts: {_status, _whence, state}; 3.14 puts holds_gil before _whence, 3.15 gil_requested
    // too; cpython/pystate.h.
    o.thread_state.state = o.thread_state.status + 4 * static_cast<uint64_t>(o.minor() - 11);
    // {native_thread_id, delete_later, critical_section}; cpython/pystate.h.
    o.thread_state.critical_section = o.thread_state.native_thread_id + 16;
    // struct _gil_runtime_state: {int locked; unsigned long switch_number}; pycore_gil.h.
    o.interpreter_state.gil_switch_number = o.interpreter_state.gil_locked + 8;
    // _PyInterpreterFrame: {instr_ptr, int stacktop} in 3.13 only; pycore_frame.h.
    if (o.minor() == 13) o.interpreter_frame.stacktop = o.interpreter_frame.instr_ptr + 8;
    // PyCodeObject: {co_firstlineno, co_nlocalsplus, co_framesize, co_nlocals, co_ncellvars,
    // co_nfreevars, co_version}; cpython/code.h.
    o.code_object.nlocalsplus = o.code_object.firstlineno + 4;
    o.code_object.framesize = o.code_object.firstlineno + 8;
    o.code_object.version = o.code_object.firstlineno + 24;
    // PyCodeObject begins as a tuple does, then {co_consts, co_names, co_exceptiontable}.
    o.code_object.exceptiontable = o.tuple_object.ob_size + 24;
    // PyTypeObject: {tp_name, tp_basicsize}; cpython/object.h. PyHeapTypeObject: {ht_type, 57
    // pointers of as_async, as_number, as_mapping, as_sequence, as_buffer, ht_name, ht_slots,
    // ht_qualname; ht_cached_keys}; cpython/object.h.
    const uint64_t tp_basicsize = o.type_object.tp_name + 8;
    const uint64_t ht_cached_keys = o.type_object.size + 464;
    if (o.minor() >= 15 && (o.type_object.tp_basicsize != tp_basicsize ||
                            o.type_object.ht_cached_keys != ht_cached_keys)) {
      return Bad("has a type object of an unknown shape");
    }
    o.type_object.tp_basicsize = tp_basicsize;
    o.type_object.ht_cached_keys = ht_cached_keys;
    return CheckDerived();
  }

  absl::Status CheckDerived() {
    const DebugOffsets& o = parsed_.offsets;
    const bool fits =
        o.thread_state.state + 4 <= o.thread_state.size &&
        o.thread_state.critical_section + 8 <= o.thread_state.size &&
        o.interpreter_state.gil_switch_number + 8 <= DebugOffsets::kMaxGilSize &&
        o.code_object.exceptiontable + 8 <= o.code_object.size &&
        (o.minor() > 13 || o.interpreter_frame.stacktop + 4 <= o.interpreter_frame.size) &&
        o.code_object.version + 4 <= o.code_object.size &&
        o.type_object.tp_basicsize + 8 <= o.type_object.size &&
        o.interpreter_state.gc <=
            o.interpreter_state.size - std::min(o.gc.size, o.interpreter_state.size);
    return fits ? absl::OkStatus() : Bad("is too tight for the fields it leaves out");
  }

  absl::Status Bad(std::string_view what) const {
    const DebugOffsets& offsets = parsed_.offsets;
    const bool known = offsets.version_hex != 0;
    const bool final_release = (offsets.version_hex >> 4 & 0xf) == 0xf;
    return absl::InvalidArgumentError(absl::StrCat(
        "the table of debug offsets ",
        known ? absl::StrCat("of this Python ", offsets.VersionString(), " ") : std::string(),
        std::string(what),
        known && !final_release ? "; a pre-release's layout may not be the final one" : ""));
  }

  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
  Parsed parsed_;
};

}  // namespace

std::string DebugOffsets::VersionString() const {
  std::string version =
      absl::StrCat(major(), ".", minor(), ".", static_cast<int>(version_hex >> 8 & 0xff));
  const int serial = static_cast<int>(version_hex & 0xf);
  switch (version_hex >> 4 & 0xf) {  // patchlevel.h
    case 0xa:
      return absl::StrCat(version, "a", serial);
    case 0xb:
      return absl::StrCat(version, "b", serial);
    case 0xc:
      return absl::StrCat(version, "rc", serial);
    default:
      return version;
  }
}

absl::StatusOr<DebugOffsets> DebugOffsets::Parse(std::span<const uint8_t> bytes) {
  return TableReader(bytes).Read();
}

}  // namespace fthreadprof
