// RaceLogReader: race logs (fthreadprof/race_log.h, docs/race-log.md) as values. The bytes come
// from the process under test and are not trusted: every length is checked, every id refers to a
// record that came before (so chains of nodes end), and strings become UTF-8 without control
// characters.
//
// Lifetime: a RaceLog owns all it holds. Thread safety: a RaceLog does not change once it is read.
#ifndef FTHREADPROF_RACE_RACE_LOG_READER_H_
#define FTHREADPROF_RACE_RACE_LOG_READER_H_

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fthreadprof/race_log.h"

namespace fthreadprof {

inline constexpr uint32_t kUnknownNode = 0;
inline constexpr uint32_t kOutsidePython = 1;

struct LoggedOpcode {
  std::string name;  // "" where the interpreter has none
  uint8_t cache_units = 0;
  uint16_t flags = 0;  // race_log::kOpcode*
};
using OpcodeTable = std::array<LoggedOpcode, 256>;

struct LoggedInstruction {
  uint32_t offset = 0;  // code units
  uint8_t opcode = 0;
  uint32_t argument = 0;
  int32_t popped = -1;
  int32_t pushed = -1;
  uint32_t line = 0;
  uint32_t target = race_log::kNoTarget;
};

struct LoggedCode {
  struct Local {
    std::string name;
    uint8_t kind = 0;  // CO_FAST_*
  };
  struct Constant {
    race_log::ConstantKind kind = race_log::ConstantKind::kOther;
    std::string repr;
  };

  std::string file;
  std::string function;  // qualified name
  std::string module;
  uint32_t first_line = 0;
  uint32_t flags = 0;
  uint32_t argument_count = 0;
  std::vector<Local> locals;
  std::vector<std::string> names;
  std::vector<Constant> constants;
  std::vector<LoggedInstruction> instructions;  // offsets ascend

  // The instruction that covers `offset` (inline caches belong to theirs); nullopt before the
  // first.
  std::optional<uint32_t> InstructionAt(uint32_t offset) const;
  uint32_t LineAt(uint32_t offset) const;  // 0: not known
};

struct LoggedPlace {
  uint32_t node = kUnknownNode;
  uint32_t offset = 0;
};

struct LoggedNode {
  LoggedPlace caller;
  const LoggedCode* code = nullptr;  // null: not known
};

struct LoggedThread {
  uint64_t native_id = 0;
  std::string name;
  uint32_t started_by = 0;
  LoggedPlace started_at;
};

struct LoggedLock {
  uint64_t address = 0;
  race_log::LockKind kind = race_log::LockKind::kLock;
  LoggedPlace acquired_at;
};

struct LoggedAccess {
  uint32_t thread = 0;
  bool is_write = false;
  uint8_t operation = 0;  // FTP_RACE_OPERATIONS
  LoggedPlace place;
  std::vector<LoggedLock> locks;
};

struct LoggedRace {
  race_log::ObjectKind object_kind = race_log::ObjectKind::kInstance;
  race_log::VariableKind variable_kind = race_log::VariableKind::kElement;
  uint64_t address = 0;
  std::string type;
  std::string key;
  LoggedAccess earlier, later;
  std::string earlier_test, later_test;  // that the accesses' threads ran; "" none
  uint64_t count = 1;
};

// What one process wrote, as far as it could be read.
struct RaceLog {
  uint32_t pid = 0;
  uint32_t parent_pid = 0;
  std::string executable;
  std::string python_version;
  std::vector<std::string> arguments;
  OpcodeTable opcodes;
  absl::node_hash_map<uint32_t, LoggedCode> codes;
  absl::flat_hash_map<uint32_t, LoggedNode> nodes;
  absl::flat_hash_map<uint32_t, LoggedThread> threads;
  std::vector<LoggedRace> races;
  std::vector<std::string> notices;
  bool ended = false;  // in good order

  uint64_t records = 0;
  // kDataLoss when something in the middle made no sense: a sentence for the user.
  absl::Status problem;
};

// `name` is what messages call the log. Never fails: what can't be read is the log's `problem`.
std::unique_ptr<RaceLog> ParseRaceLog(std::string_view bytes, const std::string& name);

// All *.racelog of `directory` by name; a file that can't be read at all is a log with a `problem`.
// Fails with kNotFound or kPermissionDenied when the directory can't be listed.
absl::StatusOr<std::vector<std::unique_ptr<RaceLog>>> ReadRaceLogFiles(
    const std::filesystem::path& directory);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_RACE_LOG_READER_H_
