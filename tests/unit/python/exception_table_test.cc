#include "python/exception_table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace fthreadprof {
namespace {

// Objects/exception_handling_notes.txt: most significant six bits first.
void PutVarint(std::vector<uint8_t>& table, uint32_t value, uint8_t first_bit) {
  std::vector<uint8_t> digits;
  do {
    digits.insert(digits.begin(), value & 0x3f);
    value >>= 6;
  } while (value != 0);
  for (size_t i = 0; i + 1 < digits.size(); ++i) digits[i] |= 0x40;
  digits.front() |= first_bit;
  table.insert(table.end(), digits.begin(), digits.end());
}

void PutEntry(std::vector<uint8_t>& table, uint32_t begin, uint32_t size, uint32_t target,
              uint32_t depth) {
  PutVarint(table, begin, 0x80);
  PutVarint(table, size, 0);
  PutVarint(table, target, 0);
  PutVarint(table, depth << 1 | 1, 0);
}

TEST(ExceptionTable, KnowsTheDepthOfEachInstruction) {
  std::vector<uint8_t> bytes;
  PutEntry(bytes, 4, 3, 100, 1);
  PutEntry(bytes, 7, 70, 4000, 2);
  PutEntry(bytes, 5000, 1, 6000, 65);
  const ExceptionTable table = ExceptionTable::Parse(bytes);
  EXPECT_EQ(table.DepthAt(3), 0u);
  EXPECT_EQ(table.DepthAt(4), 1u);
  EXPECT_EQ(table.DepthAt(6), 1u);
  EXPECT_EQ(table.DepthAt(7), 2u);
  EXPECT_EQ(table.DepthAt(76), 2u);
  EXPECT_EQ(table.DepthAt(77), 0u);
  EXPECT_EQ(table.DepthAt(5000), 65u);
  EXPECT_EQ(table.DepthAt(UINT32_MAX), 0u);
}

// As `dis` shows it of `def f(lock):\n with lock:\n  g()` in 3.13: the body, and two handlers.
TEST(ExceptionTable, OfARealWith) {
  const uint8_t bytes[] = {0x83, 0x0b, 0x17, 0x03, 0x97, 0x0a, 0x25, 0x07};
  const ExceptionTable table = ExceptionTable::Parse(bytes);
  EXPECT_EQ(table.DepthAt(2), 0u) << "BEFORE_WITH: it does not have the lock yet";
  EXPECT_EQ(table.DepthAt(3), 1u);
  EXPECT_EQ(table.DepthAt(13), 1u);
  EXPECT_EQ(table.DepthAt(14), 0u) << "it calls __exit__";
  EXPECT_EQ(table.DepthAt(23), 3u);
  EXPECT_EQ(table.DepthAt(33), 0u);
}

TEST(ExceptionTable, OfNothingIsEmpty) {
  EXPECT_EQ(ExceptionTable().DepthAt(0), 0u);
  EXPECT_EQ(ExceptionTable::Parse({}).DepthAt(0), 0u);
}

TEST(ExceptionTable, WhatMakesNoSenseEndsIt) {
  std::vector<uint8_t> bytes;
  PutEntry(bytes, 4, 3, 100, 1);
  std::vector<uint8_t> overlap = bytes;
  PutEntry(overlap, 5, 3, 100, 2);
  EXPECT_EQ(ExceptionTable::Parse(overlap).DepthAt(7), 0u);
  std::vector<uint8_t> cut = bytes;
  cut.push_back(0x88);
  cut.push_back(0x01);
  EXPECT_EQ(ExceptionTable::Parse(cut).DepthAt(4), 1u);
  EXPECT_EQ(ExceptionTable::Parse(cut).DepthAt(8), 0u);
  std::mt19937 random(5);
  for (int round = 0; round < 2000; ++round) {  // it ends
    std::vector<uint8_t> any(random() % 40);
    for (uint8_t& byte : any) byte = static_cast<uint8_t>(random());
    ExceptionTable::Parse(any).DepthAt(static_cast<uint32_t>(random()));
  }
}

}  // namespace
}  // namespace fthreadprof
