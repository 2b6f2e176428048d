// A log of two threads that run functions of snippets.py, for tests of what is made of it.
#ifndef FTHREADPROF_TESTS_UNIT_RACE_SAMPLE_LOG_H_
#define FTHREADPROF_TESTS_UNIT_RACE_SAMPLE_LOG_H_

#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "race/access_pattern.h"
#include "unit/race/bytecode.h"
#include "unit/race/log_builder.h"

namespace fthreadprof {

inline constexpr uint32_t kMainThread = 1, kFirstWorker = 2, kSecondWorker = 3;
inline constexpr char kLibraryFile[] = "/usr/lib/python3.13/collections/__init__.py";

// The offset of the instruction that reads or writes such an object in `code`; of the `nth` of
// them.
inline uint32_t OffsetOf(const LoggedCode& code, const OpcodeTable& opcodes,
                         race_log::ObjectKind kind, bool writes, int nth = 0) {
  const SymbolicCode symbolic(code, ResolveOpcodes(opcodes));
  for (uint32_t i = 0; i < code.instructions.size(); ++i) {
    const std::optional<Target> target = TargetAt(symbolic, i, kind, "");
    if (target && (writes ? target->writes : target->reads) && nth-- == 0) {
      return code.instructions[i].offset;
    }
  }
  std::cerr << code.function << " has no such access\n";
  std::abort();
}

// The log begins with a main thread that starts the two others in the module's code.
class SampleLog {
 public:
  explicit SampleLog(const std::string& version = "3.13t", uint32_t pid = 4711)
      : builder(pid), bytecode_(BytecodeOf(version)) {
    builder.Process().Opcodes(bytecode_.opcodes);
    const LoggedCode& module = bytecode_.code("<module>");
    const LoggedPlace start = {AddFunction("<module>"), module.instructions.back().offset};
    builder.Thread(kMainThread, 4711, "MainThread");
    builder.Thread(kFirstWorker, 4712, "Thread-1 (work)", kMainThread, start);
    builder.Thread(kSecondWorker, 4713, "Thread-2 (work)", kMainThread, start);
  }

  // Returns the node of `function` called from `caller`.
  uint32_t AddFunction(const std::string& function, LoggedPlace caller = {kOutsidePython, 0},
                       const std::string& file = "") {
    LoggedCode code = bytecode_.code(function);
    if (!file.empty()) code.file = file;
    return builder.Node(builder.Code(code), caller);
  }

  // The place where a new call of `function` reads or writes such an object.
  LoggedPlace At(const std::string& function, race_log::ObjectKind kind, bool writes, int nth = 0,
                 const std::string& file = "") {
    const uint32_t offset =
        OffsetOf(bytecode_.code(function), bytecode_.opcodes, kind, writes, nth);
    return {AddFunction(function, {kOutsidePython, 0}, file), offset};
  }
  uint32_t Offset(const std::string& function, race_log::ObjectKind kind, bool writes,
                  int nth = 0) const {
    return OffsetOf(bytecode_.code(function), bytecode_.opcodes, kind, writes, nth);
  }

  std::unique_ptr<RaceLog> Read() const { return ParseRaceLog(builder.bytes(), "sample.racelog"); }

  RaceLogBuilder builder;

 private:
  const Bytecode& bytecode_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_RACE_SAMPLE_LOG_H_
