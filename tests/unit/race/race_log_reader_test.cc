#include "race/race_log_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <utility>

#include "race/race_report.h"
#include "race/report_builder.h"
#include "unit/interpreter/temporary_directory.h"
#include "unit/race/sample_log.h"

namespace fthreadprof {
namespace {

using race_log::ObjectKind;
using race_log::RecordKind;
using testing::ElementsAre;
using testing::HasSubstr;

// Everything that a log can hold.
SampleLog FullLog() {
  SampleLog sample;
  const LoggedPlace write = sample.At("Stats.increment", ObjectKind::kInstance, true);
  const LoggedPlace read = sample.At("Stats.increment", ObjectKind::kInstance, false);
  RaceLiteral race = {.object_kind = ObjectKind::kInstance,
                      .variable_kind = race_log::VariableKind::kElement,
                      .type = "Stats",
                      .key = "hits",
                      .earlier = {kFirstWorker, true, "attribute.store", write},
                      .later = {kSecondWorker, false, "attribute.load", read}};
  race.later.locks = {{0x10, race_log::LockKind::kRLock, write}};
  const uint32_t id = sample.builder.Race(race);
  sample.builder.Tests(id, "", "test_x.py::test_y").Count(id, 7);
  sample.builder.Notice("Shadow memory is full.").Count(id, 12).End();
  return sample;
}

TEST(RaceLogReader, ReadsWhatWasWritten) {
  const std::unique_ptr<RaceLog> log = FullLog().Read();
  EXPECT_TRUE(log->problem.ok()) << log->problem;
  EXPECT_TRUE(log->ended);
  EXPECT_EQ(log->pid, 4711u);
  EXPECT_EQ(log->parent_pid, 4000u);
  EXPECT_EQ(log->executable, "/opt/python3.13t");
  EXPECT_EQ(log->python_version, "3.13.5");
  EXPECT_THAT(log->arguments, ElementsAre("python", "app.py"));
  EXPECT_THAT(log->notices, ElementsAre("Shadow memory is full."));
  ASSERT_EQ(log->races.size(), 1u);
  const LoggedRace& race = log->races[0];
  EXPECT_EQ(race.object_kind, ObjectKind::kInstance);
  EXPECT_EQ(race.variable_kind, race_log::VariableKind::kElement);
  EXPECT_EQ(race.type, "Stats");
  EXPECT_EQ(race.key, "hits");
  EXPECT_EQ(race.count, 12u);
  EXPECT_EQ(race.earlier_test, "");
  EXPECT_EQ(race.later_test, "test_x.py::test_y");
  EXPECT_TRUE(race.earlier.is_write);
  EXPECT_EQ(race.later.thread, kSecondWorker);
  ASSERT_EQ(race.later.locks.size(), 1u);
  EXPECT_EQ(race.later.locks[0].address, 0x10u);
  EXPECT_EQ(race.later.locks[0].kind, race_log::LockKind::kRLock);
  EXPECT_EQ(log->threads.at(kFirstWorker).name, "Thread-1 (work)");
  EXPECT_EQ(log->threads.at(kFirstWorker).native_id, 4712u);
  EXPECT_EQ(log->threads.at(kFirstWorker).started_by, kMainThread);
}

TEST(RaceLogReader, ReadsCodeWhole) {
  const std::unique_ptr<RaceLog> log = FullLog().Read();
  const LoggedCode& expected = BytecodeOf("3.13t").code("Stats.increment");
  const LoggedRace& race = log->races.at(0);
  const LoggedCode& code = *log->nodes.at(race.earlier.place.node).code;
  EXPECT_EQ(code.function, expected.function);
  EXPECT_EQ(code.file, expected.file);
  EXPECT_EQ(code.names, expected.names);
  EXPECT_EQ(code.locals.size(), expected.locals.size());
  ASSERT_EQ(code.instructions.size(), expected.instructions.size());
  for (size_t i = 0; i < code.instructions.size(); ++i) {
    EXPECT_EQ(code.instructions[i].offset, expected.instructions[i].offset);
    EXPECT_EQ(code.instructions[i].argument, expected.instructions[i].argument);
    EXPECT_EQ(code.instructions[i].popped, expected.instructions[i].popped);
    EXPECT_EQ(code.instructions[i].target, expected.instructions[i].target);
  }
  EXPECT_EQ(code.LineAt(race.earlier.place.offset), code.first_line + 1);
}

TEST(RaceLogReader, AnOffsetInTheCachesBelongsToTheInstructionBefore) {
  LoggedCode code;
  code.instructions = {{.offset = 1, .line = 5}, {.offset = 4, .line = 6}};
  EXPECT_EQ(code.InstructionAt(0), std::nullopt);
  EXPECT_EQ(code.InstructionAt(1), 0u);
  EXPECT_EQ(code.InstructionAt(3), 0u);
  EXPECT_EQ(code.InstructionAt(100), 1u);
  EXPECT_EQ(code.LineAt(4), 6u);
  EXPECT_EQ(code.LineAt(0), 0u);
}

TEST(RaceLogReader, EveryTruncationIsFine) {
  const SampleLog sample = FullLog();
  const std::string& bytes = sample.builder.bytes();
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const std::unique_ptr<RaceLog> log = ParseRaceLog(bytes.substr(0, size), "cut.racelog");
    EXPECT_TRUE(log->problem.ok()) << size << ": " << log->problem;
    size_t whole = 0;
    for (const size_t offset : sample.builder.record_offsets()) whole += offset < size;
    EXPECT_LE(log->records, whole);
    EXPECT_GE(log->records + 1, whole);
  }
}

// Bit flips in each record: never a crash, and every record before the damage is kept.
TEST(RaceLogReader, AnyFlippedBitKeepsWhatCameBefore) {
  const SampleLog sample = FullLog();
  const std::vector<size_t>& offsets = sample.builder.record_offsets();
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = sample.builder.bytes();
    const size_t at = 16 + random() % (bytes.size() - 16);
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
    const std::unique_ptr<RaceLog> log = ParseRaceLog(bytes, "flipped.racelog");
    uint64_t before = 0;
    while (before + 1 < offsets.size() && offsets[before + 1] <= at) ++before;
    EXPECT_EQ(log->records, before) << at;
    if (log->problem.ok()) continue;  // a size beyond the end: as if truncated
    EXPECT_EQ(log->problem.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(log->problem.message()),
                HasSubstr("flipped.racelog is corrupt after " + std::to_string(before)));
  }
}

// With the checksum made right again the nonsense reaches the records' readers and all that
// follows.
TEST(RaceLogReader, SurvivesNonsenseWithARightChecksum) {
  const SampleLog sample = FullLog();
  const std::string& good = sample.builder.bytes();
  const std::vector<size_t>& offsets = sample.builder.record_offsets();
  std::mt19937 random(4);
  size_t rejected = 0;
  for (int round = 0; round < 600; ++round) {
    RaceLogBuilder builder;
    for (size_t i = 0; i < offsets.size(); ++i) {
      const size_t end = i + 1 < offsets.size() ? offsets[i + 1] : good.size();
      std::string payload = good.substr(offsets[i] + 12, end - offsets[i] - 12);
      uint16_t kind = 0;
      std::memcpy(&kind, good.data() + offsets[i] + 4, sizeof kind);
      if (random() % offsets.size() == 0) {
        for (int flips = 0; flips < 3; ++flips) {
          char& byte = payload[random() % payload.size()];
          byte = static_cast<char>(random() % 2 == 0 ? byte ^ (1 << random() % 8) : random());
        }
      }
      Payload raw;
      for (const char byte : payload) raw.U8(static_cast<uint8_t>(byte));
      builder.Record(static_cast<RecordKind>(kind), raw);
    }
    const std::unique_ptr<RaceLog> log = ParseRaceLog(builder.bytes(), "odd.racelog");
    rejected += !log->problem.ok();
    ReportBuilder report({.working_directory = "", .source = false});
    report.BeginRun();
    report.Add(*log);
    EXPECT_FALSE(RenderJson(report.Finish(), 0).empty());
  }
  EXPECT_GT(rejected, 30u);
}

TEST(RaceLogReader, RejectsWhatRefersToLaterRecords) {
  RaceLogBuilder builder;
  builder.Process();
  // A node that is its own caller would be a stack without end.
  builder.Record(RecordKind::kNode, Payload().U32(2).U32(2).U32(0).U32(0));
  EXPECT_THAT(std::string(ParseRaceLog(builder.bytes(), "x")->problem.message()),
              HasSubstr("corrupt after 1 record;"));
}

TEST(RaceLogReader, RejectsANodeThatChanges) {
  RaceLogBuilder builder;
  builder.Record(RecordKind::kNode, Payload().U32(2).U32(1).U32(0).U32(0));
  builder.Record(RecordKind::kNode, Payload().U32(3).U32(2).U32(0).U32(0));
  builder.Record(RecordKind::kNode, Payload().U32(2).U32(3).U32(0).U32(0));
  EXPECT_FALSE(ParseRaceLog(builder.bytes(), "x")->problem.ok());
}

TEST(RaceLogReader, RejectsUnknownRecordsAndTrailingBytes) {
  EXPECT_FALSE(
      ParseRaceLog(RaceLogBuilder().Record(RecordKind{99}, Payload()).bytes(), "x")->problem.ok());
  RaceLogBuilder longer;
  longer.Record(RecordKind::kNotice, Payload().Str("a").U8(0));
  EXPECT_FALSE(ParseRaceLog(longer.bytes(), "x")->problem.ok());
}

TEST(RaceLogReader, RejectsCountsThatNoPayloadCouldHold) {
  RaceLogBuilder builder;
  builder.Record(RecordKind::kProcess,
                 Payload().Str("").Str("").U32(0).U32(0xffffffff).Str("python"));
  EXPECT_FALSE(ParseRaceLog(builder.bytes(), "x")->problem.ok());
}

// The runtime leaves out what does not fit its buffer.
TEST(RaceLogReader, AcceptsCodeAndRacesThatWereTooLarge) {
  RaceLogBuilder builder;
  builder.Node(77);
  builder.Count(5, 3).Tests(5, "a", "b");
  const std::unique_ptr<RaceLog> log = ParseRaceLog(builder.bytes(), "x");
  EXPECT_TRUE(log->problem.ok()) << log->problem;
  EXPECT_EQ(log->nodes.at(2).code, nullptr);
}

TEST(RaceLogReader, NamesAFileThatIsNoLog) {
  EXPECT_THAT(std::string(ParseRaceLog("#!/bin/sh\n", "a.racelog")->problem.message()),
              HasSubstr("a.racelog is not a race log"));
}

TEST(RaceLogReader, AnotherVersionSaysHowToGetTheRightOne) {
  std::string bytes = RaceLogBuilder().Process().bytes();
  bytes[8] = 9;
  const std::unique_ptr<RaceLog> log = ParseRaceLog(bytes, "a.racelog");
  EXPECT_EQ(log->records, 0u);
  EXPECT_THAT(std::string(log->problem.message()),
              HasSubstr("fthreadprof interpreter build --flavor race"));
}

TEST(RaceLogReader, TextBecomesPrintable) {
  RaceLogBuilder builder;
  builder.Notice("a\x1b[2Jb\xff");
  EXPECT_THAT(ParseRaceLog(builder.bytes(), "x")->notices, ElementsAre("a\uFFFD[2Jb\uFFFD"));
}

TEST(RaceLogFiles, AreReadByName) {
  const TemporaryDirectory directory;
  std::ofstream(directory.path() / "2.0.racelog") << RaceLogBuilder(2).Process().bytes();
  std::ofstream(directory.path() / "1.0.racelog") << RaceLogBuilder(1).Process().bytes();
  std::ofstream(directory.path() / "notes.txt") << "not ours";
  std::filesystem::create_directory(directory.path() / "3.0.racelog");
  const auto logs = ReadRaceLogFiles(directory.path());
  ASSERT_TRUE(logs.ok()) << logs.status();
  ASSERT_EQ(logs->size(), 3u);
  EXPECT_EQ((*logs)[0]->pid, 1u);
  EXPECT_EQ((*logs)[1]->pid, 2u);
  EXPECT_THAT(std::string((*logs)[2]->problem.message()), HasSubstr("3.0.racelog"));
}

TEST(RaceLogFiles, AMissingDirectoryIsASentence) {
  const auto logs = ReadRaceLogFiles("/nonexistent/logs");
  EXPECT_EQ(logs.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(logs.status().message()), HasSubstr("/nonexistent/logs"));
}

}  // namespace
}  // namespace fthreadprof
