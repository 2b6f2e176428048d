#include "python/line_table.h"

#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "unit/python/test_offsets.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

std::vector<uint8_t> FromHex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  if (hex == "-") return bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// "2*0,3*1" is 0, 0, 1, 1, 1.
std::vector<int> ExpandLines(const std::string& runs) {
  std::vector<int> lines;
  std::istringstream in(runs);
  for (std::string run; std::getline(in, run, ',');) {
    const size_t star = run.find('*');
    lines.insert(lines.end(), std::stoul(run.substr(0, star)), std::stoi(run.substr(star + 1)));
  }
  return lines;
}

class LineTableOfRelease : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Compiled, LineTableOfRelease, testing::Values("3.13", "3.14", "3.15"));

// FTHREADPROF_LINE_TABLES names another file in the same form, for wider checks by hand.
TEST_P(LineTableOfRelease, AgreesWithCPython) {
  const char* other = std::getenv("FTHREADPROF_LINE_TABLES");
  std::ifstream file(other != nullptr ? std::filesystem::path(other)
                                      : TestData("line_tables/" + GetParam() + ".txt"));
  size_t tables = 0;
  for (std::string row; std::getline(file, row);) {
    if (row.starts_with('#')) continue;
    std::istringstream in(row);
    int first_line = 0;
    std::string hex, runs;
    in >> first_line >> hex >> runs;
    const LineTable table = LineTable::Parse(FromHex(hex), first_line);
    const std::vector<int> lines = ExpandLines(runs);
    for (uint32_t unit = 0; unit < lines.size(); ++unit) {
      ASSERT_EQ(table.LineAt(unit), lines[unit]) << "unit " << unit << " of " << row;
    }
    EXPECT_EQ(table.LineAt(static_cast<uint32_t>(lines.size())), 0) << row;
    ++tables;
  }
  EXPECT_GE(tables, 9u);
}

TEST(LineTable, DecodesEveryKindOfEntry) {
  const std::vector<uint8_t> bytes = {
      0x80 | 0 << 3 | 1,
      0x12,  // short, 2 units: line 10
      0x80 | 9 << 3 | 0,
      0x7f,  // short, 1 unit: line 10
      0x80 | 10 << 3 | 0,
      1,
      2,  // one line + 0: 10
      0x80 | 11 << 3 | 0,
      1,
      2,  // one line + 1: 11
      0x80 | 12 << 3 | 7,
      1,
      2,  // one line + 2, 8 units: 13
      0x80 | 13 << 3 | 0,
      0x07,  // no columns, - 3: 10
      0x80 | 14 << 3 | 0,
      0x50,
      3,
      0,
      1,
      1  // long, + (16 + 3 * 64) / 2 = + 104: 114
      ,
      0x80 | 15 << 3 | 2,  // no location, 3 units
      0x80 | 0 << 3 | 0,
      0x12,  // short: 114 again
  };
  const LineTable table = LineTable::Parse(bytes, 10);
  const int expected[] = {10, 10, 10, 10, 11,  13, 13, 13, 13,  13,
                          13, 13, 13, 10, 114, 0,  0,  0,  114, 0};
  for (uint32_t unit = 0; unit < std::size(expected); ++unit) {
    EXPECT_EQ(table.LineAt(unit), expected[unit]) << unit;
  }
  EXPECT_EQ(table.LineAt(~uint32_t{0}), 0);
}

TEST(LineTable, EmptyHasNoLines) {
  EXPECT_EQ(LineTable().LineAt(0), 0);
  EXPECT_EQ(LineTable::Parse({}, 5).LineAt(0), 0);
}

TEST(LineTable, KeepsWhatCameBeforeNonsense) {
  const std::vector<uint8_t> good = {0x80 | 1 << 3 | 1, 0x12};
  const std::vector<std::vector<uint8_t>> nonsense = {
      {0x80 | 13 << 3},                                            // cut short
      {0x80 | 13 << 3, 0x40},                                      // more should follow
      {0x80 | 13 << 3, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f},  // endless
      {0x80 | 13 << 3, 0x7e, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f},        // beyond int
      {0x80 | 13 << 3, 0x80 | 13 << 3},                            // an entry inside an entry
  };
  for (const std::vector<uint8_t>& tail : nonsense) {
    std::vector<uint8_t> bytes = good;
    bytes.insert(bytes.end(), tail.begin(), tail.end());
    bytes.push_back(0x80 | 1 << 3 | 0);
    bytes.push_back(0x12);
    const LineTable table = LineTable::Parse(bytes, 7);
    EXPECT_EQ(table.LineAt(1), 7);
    EXPECT_EQ(table.LineAt(2), 0) << tail.size();
  }
  EXPECT_EQ(LineTable::Parse(std::vector<uint8_t>{0x12, 0x88, 0x12}, 7).LineAt(0), 0);
}

TEST(LineTable, HasNoLineBelowZero) {
  const std::vector<uint8_t> bytes = {0x80 | 13 << 3, 0x0b, 0x80 | 13 << 3, 0x0c};  // - 5, + 6
  const LineTable table = LineTable::Parse(bytes, 3);
  EXPECT_EQ(table.LineAt(0), 0);
  EXPECT_EQ(table.LineAt(1), 4);
}

TEST(LineTable, SurvivesRandomBytes) {
  std::mt19937 random(7);
  for (int i = 0; i < Repetitions(20'000); ++i) {
    std::vector<uint8_t> bytes(random() % 64);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    const LineTable table = LineTable::Parse(bytes, static_cast<int>(random()));
    for (uint32_t unit = 0; unit < 8 * 64; ++unit) EXPECT_GE(table.LineAt(unit), 0);
  }
}

}  // namespace
}  // namespace fthreadprof
