// RaceLogBuilder writes race logs (fthreadprof/race_log.h) from literals: the format once more, by
// itself, so that a mistake of the reader or of the runtime shows.
#ifndef FTHREADPROF_TESTS_UNIT_RACE_LOG_BUILDER_H_
#define FTHREADPROF_TESTS_UNIT_RACE_LOG_BUILDER_H_

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "fthreadprof/race_abi.h"
#include "fthreadprof/race_log.h"
#include "race/race_log_reader.h"

namespace fthreadprof {

// "list.append" -> its number.
inline uint8_t OperationNumber(std::string_view name) {
  static constexpr std::string_view kNames[] = {
#define FTP_RACE_OPERATION(identifier, text) text,
      FTP_RACE_OPERATIONS(FTP_RACE_OPERATION)
#undef FTP_RACE_OPERATION
  };
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<uint8_t>(i);
  }
  std::cerr << "no operation " << name << "\n";
  std::abort();
}

// A payload, field by field.
class Payload {
 public:
  Payload& U8(uint8_t value) { return Raw(&value, sizeof value); }
  Payload& U16(uint16_t value) { return Raw(&value, sizeof value); }
  Payload& U32(uint32_t value) { return Raw(&value, sizeof value); }
  Payload& I32(int32_t value) { return Raw(&value, sizeof value); }
  Payload& U64(uint64_t value) { return Raw(&value, sizeof value); }
  Payload& Str(std::string_view text) {
    U32(static_cast<uint32_t>(text.size()));
    return Raw(text.data(), text.size());
  }
  Payload& Place(const LoggedPlace& place) { return U32(place.node).U32(place.offset); }
  const std::string& bytes() const { return bytes_; }

 private:
  Payload& Raw(const void* data, size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
    return *this;
  }
  std::string bytes_;
};

struct AccessLiteral {
  uint32_t thread = 1;
  bool is_write = false;
  std::string operation;
  LoggedPlace place;
  std::vector<LoggedLock> locks = {};
};

struct RaceLiteral {
  race_log::ObjectKind object_kind = race_log::ObjectKind::kList;
  race_log::VariableKind variable_kind = race_log::VariableKind::kStructure;
  std::string type = "list";
  std::string key = "";
  AccessLiteral earlier = {};
  AccessLiteral later = {};
  uint64_t address = 0x7f0000001000;
};

class RaceLogBuilder {
 public:
  explicit RaceLogBuilder(uint32_t pid = 4711) {
    bytes_.assign(race_log::kMagic, sizeof race_log::kMagic);
    bytes_ += Payload().U32(race_log::kVersion).U32(pid).bytes();
  }

  RaceLogBuilder& Record(race_log::RecordKind kind, const Payload& payload) {
    uint32_t checksum = 2166136261u;
    for (const char byte : payload.bytes()) {
      checksum = (checksum ^ static_cast<uint8_t>(byte)) * 16777619u;
    }
    offsets_.push_back(bytes_.size());
    bytes_ += Payload()
                  .U32(static_cast<uint32_t>(payload.bytes().size()))
                  .U16(static_cast<uint16_t>(kind))
                  .U16(0)
                  .U32(checksum)
                  .bytes() +
              payload.bytes();
    return *this;
  }

  RaceLogBuilder& Process() {
    return Record(race_log::RecordKind::kProcess, Payload()
                                                      .Str("/opt/python3.13t")
                                                      .Str("3.13.5")
                                                      .U32(4000)
                                                      .U32(2)
                                                      .Str("python")
                                                      .Str("app.py"));
  }

  RaceLogBuilder& Opcodes(const OpcodeTable& table) {
    Payload payload;
    payload.U32(256);
    for (uint32_t i = 0; i < table.size(); ++i) {
      payload.U8(static_cast<uint8_t>(i)).U8(table[i].cache_units).U16(table[i].flags);
      payload.Str(table[i].name);
    }
    return Record(race_log::RecordKind::kOpcodes, payload);
  }

  // Returns the code's id.
  uint32_t Code(const LoggedCode& code) {
    Payload payload;
    payload.U32(++codes_).Str(code.file).Str(code.function).Str(code.module);
    payload.U32(code.first_line).U32(code.flags).U32(code.argument_count);
    payload.U32(static_cast<uint32_t>(code.locals.size()));
    for (const LoggedCode::Local& local : code.locals) payload.Str(local.name).U8(local.kind);
    payload.U32(static_cast<uint32_t>(code.names.size()));
    for (const std::string& name : code.names) payload.Str(name);
    payload.U32(static_cast<uint32_t>(code.constants.size()));
    for (const LoggedCode::Constant& constant : code.constants) {
      payload.U8(static_cast<uint8_t>(constant.kind)).Str(constant.repr);
    }
    payload.U32(static_cast<uint32_t>(code.instructions.size()));
    for (const LoggedInstruction& instruction : code.instructions) {
      payload.U32(instruction.offset).U8(instruction.opcode).U32(instruction.argument);
      payload.I32(instruction.popped).I32(instruction.pushed);
      payload.U32(instruction.line).U32(instruction.target);
    }
    Record(race_log::RecordKind::kCode, payload);
    return codes_;
  }

  // Returns the node's id. `caller`: where the function was called.
  uint32_t Node(uint32_t code, LoggedPlace caller = {kOutsidePython, 0}) {
    const uint32_t id = nodes_++;
    Record(race_log::RecordKind::kNode,
           Payload().U32(id).U32(caller.node).U32(code).U32(caller.offset));
    return id;
  }

  RaceLogBuilder& Thread(uint32_t id, uint64_t native_id, const std::string& name,
                         uint32_t started_by = 0, LoggedPlace started_at = {}) {
    return Record(race_log::RecordKind::kThread,
                  Payload().U32(id).U64(native_id).Str(name).U32(started_by).Place(started_at));
  }

  // Returns the race's id.
  uint32_t Race(const RaceLiteral& race) {
    Payload payload;
    payload.U32(++races_).U8(static_cast<uint8_t>(race.object_kind));
    payload.U8(static_cast<uint8_t>(race.variable_kind)).U64(race.address);
    payload.Str(race.type).Str(race.key);
    for (const AccessLiteral* access : {&race.earlier, &race.later}) {
      payload.U32(access->thread).U8(access->is_write ? 1 : 0);
      payload.U8(OperationNumber(access->operation)).Place(access->place);
      payload.U32(static_cast<uint32_t>(access->locks.size()));
      for (const LoggedLock& lock : access->locks) {
        payload.U64(lock.address).U8(static_cast<uint8_t>(lock.kind)).Place(lock.acquired_at);
      }
    }
    Record(race_log::RecordKind::kRace, payload);
    return races_;
  }

  RaceLogBuilder& Tests(uint32_t race, const std::string& earlier, const std::string& later) {
    return Record(race_log::RecordKind::kTests, Payload().U32(race).Str(earlier).Str(later));
  }
  RaceLogBuilder& Count(uint32_t race, uint64_t count) {
    return Record(race_log::RecordKind::kCount, Payload().U32(race).U64(count));
  }
  RaceLogBuilder& Notice(const std::string& sentence) {
    return Record(race_log::RecordKind::kNotice, Payload().Str(sentence));
  }
  RaceLogBuilder& End() {
    return Record(race_log::RecordKind::kEnd, Payload().U64(3).U64(1000).U64(1 << 20));
  }

  const std::string& bytes() const { return bytes_; }
  // Where each record begins.
  const std::vector<size_t>& record_offsets() const { return offsets_; }

 private:
  std::string bytes_;
  std::vector<size_t> offsets_;
  uint32_t codes_ = 0;
  uint32_t nodes_ = 2;
  uint32_t races_ = 0;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_RACE_LOG_BUILDER_H_
