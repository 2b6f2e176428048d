#include "race/race_log_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "race/byte_reader.h"
#include "race/plain_text.h"

namespace fthreadprof {
namespace {

using race_log::RecordKind;

constexpr size_t kFileHeaderSize = sizeof(race_log::kMagic) + 4 + 4;
constexpr size_t kRecordHeaderSize = 4 + 2 + 2 + 4;
constexpr size_t kInstructionSize = 4 + 1 + 4 + 4 + 4 + 4 + 4;
constexpr size_t kLockSize = 8 + 1 + 4 + 4;
// A run's findings are some megabytes; what is beyond this is not read, and a notice says so.
constexpr size_t kMaxFileSize = size_t{1} << 30;

uint32_t Fnv1a(std::string_view bytes) {
  uint32_t hash = 0x811c9dc5;
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x01000193;
  return hash;
}

std::string TakeString(ByteReader& reader) {
  const uint32_t size = reader.U32();
  if (size > race_log::kMaxString) reader.Fail();
  return PrintableText(reader.Bytes(size));
}

LoggedPlace TakePlace(ByteReader& reader) {
  const uint32_t node = reader.U32();
  return {node, reader.U32()};
}

// Turns records into a RaceLog. Each Take* leaves the reader failed when the record makes no sense.
class LogBuilder {
 public:
  explicit LogBuilder(RaceLog& log) : log_(log) {}

  // False: the record makes no sense; what it would have added is left out.
  bool Take(RecordKind kind, std::string_view payload) {
    ByteReader reader(payload);
    switch (kind) {
      case RecordKind::kProcess:
        return TakeProcess(reader);
      case RecordKind::kOpcodes:
        return TakeOpcodes(reader);
      case RecordKind::kCode:
        return TakeCode(reader);
      case RecordKind::kNode:
        return TakeNode(reader);
      case RecordKind::kThread:
        return TakeThread(reader);
      case RecordKind::kRace:
        return TakeRace(reader);
      case RecordKind::kCount:
        return TakeCount(reader);
      case RecordKind::kNotice:
        log_.notices.push_back(TakeString(reader));
        return reader.done();
      case RecordKind::kTests:
        return TakeTests(reader);
      case RecordKind::kEnd:
        reader.Bytes(3 * sizeof(uint64_t));
        return log_.ended = reader.done();
    }
    return false;
  }

 private:
  bool TakeProcess(ByteReader& reader) {
    log_.executable = TakeString(reader);
    log_.python_version = TakeString(reader);
    log_.parent_pid = reader.U32();
    log_.arguments.resize(reader.Count(sizeof(uint32_t)));
    for (std::string& argument : log_.arguments) argument = TakeString(reader);
    return reader.done();
  }

  bool TakeOpcodes(ByteReader& reader) {
    const uint32_t count = reader.U32();
    if (count > log_.opcodes.size()) return false;
    for (uint32_t i = 0; i < count && reader.ok(); ++i) {
      LoggedOpcode& opcode = log_.opcodes[reader.U8()];
      opcode.cache_units = reader.U8();
      opcode.flags = reader.U16();
      opcode.name = TakeString(reader);
    }
    return reader.done();
  }

  bool TakeCode(ByteReader& reader) {
    const uint32_t id = reader.U32();
    LoggedCode code;
    code.file = TakeString(reader);
    code.function = TakeString(reader);
    code.module = TakeString(reader);
    code.first_line = reader.U32();
    code.flags = reader.U32();
    code.argument_count = reader.U32();
    code.locals.resize(reader.Count(sizeof(uint32_t) + 1));
    for (LoggedCode::Local& local : code.locals) {
      local.name = TakeString(reader);
      local.kind = reader.U8();
    }
    code.names.resize(reader.Count(sizeof(uint32_t)));
    for (std::string& name : code.names) name = TakeString(reader);
    code.constants.resize(reader.Count(1 + sizeof(uint32_t)));
    for (LoggedCode::Constant& constant : code.constants) {
      constant.kind = static_cast<race_log::ConstantKind>(reader.U8());
      constant.repr = TakeString(reader);
    }
    code.instructions.resize(reader.Count(kInstructionSize));
    for (LoggedInstruction& instruction : code.instructions) instruction = TakeInstruction(reader);
    const bool ascending = std::ranges::is_sorted(code.instructions, std::ranges::less_equal{},
                                                  &LoggedInstruction::offset);
    // Id 0 stands for a code object that is not known.
    if (!reader.done() || !ascending || id == 0) return false;
    return log_.codes.try_emplace(id, std::move(code)).second;
  }

  static LoggedInstruction TakeInstruction(ByteReader& reader) {
    LoggedInstruction instruction;
    instruction.offset = reader.U32();
    instruction.opcode = reader.U8();
    instruction.argument = reader.U32();
    instruction.popped = reader.I32();
    instruction.pushed = reader.I32();
    instruction.line = reader.U32();
    instruction.target = reader.U32();
    return instruction;
  }

  bool TakeNode(ByteReader& reader) {
    const uint32_t id = reader.U32();
    LoggedNode node;
    node.caller.node = reader.U32();
    const uint32_t code = reader.U32();
    node.caller.offset = reader.U32();
    if (!reader.done() || id <= kOutsidePython || !IsKnown(node.caller)) return false;
    // A code object too large for the runtime's buffer is not in the log.
    const auto known = log_.codes.find(code);
    if (known != log_.codes.end()) node.code = &known->second;
    return log_.nodes.try_emplace(id, node).second;
  }

  bool TakeThread(ByteReader& reader) {
    const uint32_t id = reader.U32();
    LoggedThread thread;
    thread.native_id = reader.U64();
    thread.name = TakeString(reader);
    thread.started_by = reader.U32();
    thread.started_at = TakePlace(reader);
    if (!reader.done() || !IsKnown(thread.started_at)) return false;
    log_.threads.insert_or_assign(id, std::move(thread));
    return true;
  }

  bool TakeRace(ByteReader& reader) {
    const uint32_t id = reader.U32();
    LoggedRace race;
    const uint8_t object = reader.U8();
    const uint8_t variable = reader.U8();
    race.object_kind = static_cast<race_log::ObjectKind>(object);
    race.variable_kind = static_cast<race_log::VariableKind>(variable);
    race.address = reader.U64();
    race.type = TakeString(reader);
    race.key = TakeString(reader);
    race.earlier = TakeAccess(reader);
    race.later = TakeAccess(reader);
    const bool kinds_known = object >= 1 && object <= uint8_t{11} && variable >= 1 && variable <= 3;
    if (!reader.done() || !kinds_known) return false;
    if (!race_numbers_.try_emplace(id, log_.races.size()).second) return false;
    log_.races.push_back(std::move(race));
    return true;
  }

  LoggedAccess TakeAccess(ByteReader& reader) {
    LoggedAccess access;
    access.thread = reader.U32();
    access.is_write = reader.U8() != 0;
    access.operation = reader.U8();
    access.place = TakePlace(reader);
    if (!IsKnown(access.place)) reader.Fail();
    access.locks.resize(reader.Count(kLockSize));
    for (LoggedLock& lock : access.locks) {
      lock.address = reader.U64();
      lock.kind = static_cast<race_log::LockKind>(reader.U8());
      lock.acquired_at = TakePlace(reader);
      if (!IsKnown(lock.acquired_at)) reader.Fail();
    }
    return access;
  }

  bool TakeTests(ByteReader& reader) {
    const auto race = race_numbers_.find(reader.U32());
    const std::string earlier = TakeString(reader);
    const std::string later = TakeString(reader);
    if (!reader.done()) return false;
    if (race == race_numbers_.end()) return true;  // it was too large for the runtime's buffer
    log_.races[race->second].earlier_test = earlier;
    log_.races[race->second].later_test = later;
    return true;
  }

  bool TakeCount(ByteReader& reader) {
    const auto race = race_numbers_.find(reader.U32());
    const uint64_t count = reader.U64();
    if (!reader.done()) return false;
    // A race too large for the runtime's buffer is not in the log.
    if (race != race_numbers_.end()) log_.races[race->second].count = std::max<uint64_t>(count, 1);
    return true;
  }

  bool IsKnown(const LoggedPlace& place) const {
    return place.node <= kOutsidePython || log_.nodes.contains(place.node);
  }

  RaceLog& log_;
  absl::flat_hash_map<uint32_t, size_t> race_numbers_;  // id in the log -> index in races
};

void ReadRecords(std::string_view bytes, const std::string& name, RaceLog& log) {
  LogBuilder builder(log);
  while (bytes.size() >= kRecordHeaderSize) {
    ByteReader header(bytes.substr(0, kRecordHeaderSize));
    const uint32_t size = header.U32();
    const auto kind = static_cast<RecordKind>(header.U16());
    const uint16_t reserved = header.U16();
    const uint32_t checksum = header.U32();
    const bool plausible = size <= race_log::kMaxPayload && reserved == 0;
    if (plausible && size > bytes.size() - kRecordHeaderSize) return;  // truncated: no error
    const std::string_view payload =
        plausible ? bytes.substr(kRecordHeaderSize, size) : std::string_view();
    if (!plausible || Fnv1a(payload) != checksum || !builder.Take(kind, payload)) {
      log.problem = absl::DataLossError(absl::StrCat(
          "The race log ", name, " is corrupt after ", log.records,
          log.records == 1 ? " record" : " records", "; what was read before is reported."));
      return;
    }
    ++log.records;
    bytes.remove_prefix(kRecordHeaderSize + size);
  }
}

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path) {
  std::string bytes;
  std::error_code error;
  const auto problem = [&](const char* reason) {
    return absl::DataLossError(absl::StrCat("The race log ", path.filename().string(),
                                            " could not be read (", reason, ")."));
  };
  // A directory or a pipe of that name would block or fail in odd ways.
  if (!std::filesystem::is_regular_file(path, error)) return problem("not a file");
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return problem(std::strerror(errno));
  const uint64_t size = std::filesystem::file_size(path, error);
  bytes.resize(error ? 0 : std::min<uint64_t>(size, kMaxFileSize));
  const size_t read = std::fread(bytes.data(), 1, bytes.size(), file);
  const bool failed = std::ferror(file) != 0;
  std::fclose(file);
  if (failed) return problem("reading failed");
  bytes.resize(read);
  return bytes;
}

std::unique_ptr<RaceLog> ReadLogFile(const std::filesystem::path& path) {
  absl::StatusOr<std::string> bytes = ReadFile(path);
  const std::string name = PrintableText(path.filename().string());
  if (!bytes.ok()) {
    auto log = std::make_unique<RaceLog>();
    log->problem = bytes.status();
    return log;
  }
  std::unique_ptr<RaceLog> log = ParseRaceLog(*bytes, name);
  if (bytes->size() == kMaxFileSize && log->problem.ok()) {
    log->problem = absl::DataLossError(
        absl::StrCat("The race log ", name, " is larger than 1 GiB; its beginning is reported."));
  }
  return log;
}

}  // namespace

std::optional<uint32_t> LoggedCode::InstructionAt(uint32_t offset) const {
  const auto after =
      std::ranges::upper_bound(instructions, offset, std::less{}, &LoggedInstruction::offset);
  if (after == instructions.begin()) return std::nullopt;
  return static_cast<uint32_t>(after - instructions.begin() - 1);
}

uint32_t LoggedCode::LineAt(uint32_t offset) const {
  const std::optional<uint32_t> index = InstructionAt(offset);
  return index ? instructions[*index].line : 0;
}

std::unique_ptr<RaceLog> ParseRaceLog(std::string_view bytes, const std::string& name) {
  auto log = std::make_unique<RaceLog>();
  const std::string_view magic(race_log::kMagic, sizeof(race_log::kMagic));
  if (!bytes.starts_with(magic.substr(0, bytes.size()))) {
    log->problem = absl::DataLossError(absl::StrCat(
        name, " is not a race log, or its beginning is corrupt; it is left out of the report."));
    return log;
  }
  if (bytes.size() < kFileHeaderSize) return log;  // truncated before the first record
  ByteReader header(bytes.substr(magic.size()));
  const uint32_t version = header.U32();
  log->pid = header.U32();
  if (version != race_log::kVersion) {
    log->problem = absl::DataLossError(absl::StrCat(
        "The race log ", name, " has version ", version, ", and this fthreadprof reads version ",
        race_log::kVersion,
        "; build the interpreter anew with: fthreadprof interpreter build --flavor race"));
    return log;
  }
  ReadRecords(bytes.substr(kFileHeaderSize), name, *log);
  return log;
}

absl::StatusOr<std::vector<std::unique_ptr<RaceLog>>> ReadRaceLogFiles(
    const std::filesystem::path& directory) {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".racelog") paths.push_back(entry->path());
  }
  if (error) {
    const std::string message = absl::StrCat("The directory of race logs, ", directory.string(),
                                             ", can't be read: ", error.message(), ".");
    if (error == std::errc::permission_denied) return absl::PermissionDeniedError(message);
    return absl::NotFoundError(message);
  }
  std::ranges::sort(paths);
  std::vector<std::unique_ptr<RaceLog>> logs;
  for (const std::filesystem::path& path : paths) logs.push_back(ReadLogFile(path));
  return logs;
}

}  // namespace fthreadprof
