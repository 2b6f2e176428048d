// Real bytecode for tests: tests/data/race/snippets.py as 3.13t, 3.14 and 3.15 compile it
// (tests/tools/dump_bytecode.py).
#ifndef FTHREADPROF_TESTS_UNIT_RACE_BYTECODE_H_
#define FTHREADPROF_TESTS_UNIT_RACE_BYTECODE_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "race/race_log_reader.h"
#include "unit/test_data.h"

namespace fthreadprof {

inline std::filesystem::path RaceTestData(const std::string& name) {
  return TestData("race/" + name);
}

// What a comment of snippets.py says about a line.
struct Expectation {
  uint32_t line = 0;
  std::string text;
};

struct Bytecode {
  OpcodeTable opcodes;
  std::map<std::string, LoggedCode> codes;  // by qualified name
  std::map<std::string, std::vector<Expectation>> expected;

  const LoggedCode& code(const std::string& function) const {
    const auto found = codes.find(function);
    if (found == codes.end()) {
      std::cerr << "snippets.py has no " << function << "\n";
      std::abort();
    }
    return found->second;
  }
};

inline LoggedCode CodeFromJson(const nlohmann::json& json) {
  LoggedCode code;
  code.file = "/home/me/snippets.py";
  code.function = json["function"];
  code.module = "snippets";
  code.first_line = json["first_line"];
  code.argument_count = json["arguments"];
  for (const auto& local : json["locals"]) code.locals.push_back({local[0], local[1]});
  for (const auto& name : json["names"]) code.names.push_back(name);
  for (const auto& repr : json["constants"]) {
    code.constants.push_back({race_log::ConstantKind::kOther, repr});
  }
  for (const auto& row : json["instructions"]) {
    code.instructions.push_back({.offset = row[0],
                                 .opcode = row[1],
                                 .argument = row[2],
                                 .popped = row[3],
                                 .pushed = row[4],
                                 .line = row[5],
                                 .target = row[6] == -1 ? race_log::kNoTarget : uint32_t{row[6]}});
  }
  return code;
}

// `version`: "3.13t", "3.14" or "3.15".
inline const Bytecode& BytecodeOf(const std::string& version) {
  static auto& known = *new std::map<std::string, Bytecode>();
  const auto [entry, is_new] = known.try_emplace(version);
  Bytecode& bytecode = entry->second;
  if (!is_new) return bytecode;
  std::ifstream file(RaceTestData("bytecode-" + version + ".json"));
  const nlohmann::json json = nlohmann::json::parse(file);
  for (const auto& [number, name] : json["opcodes"].items()) {
    bytecode.opcodes[std::stoul(number)].name = name;
  }
  for (const auto& row : json["codes"]) {
    LoggedCode code = CodeFromJson(row);
    for (const auto& expectation : row["expected"]) {
      bytecode.expected[code.function].push_back({expectation[0], expectation[1]});
    }
    bytecode.codes.emplace(code.function, std::move(code));
  }
  return bytecode;
}

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_RACE_BYTECODE_H_
