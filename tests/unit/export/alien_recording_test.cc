// Recordings that are read, but that no recorder wrote: every output of them is well-formed.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "export/exporter.h"
#include "export/summary.h"
#include "profile/recording_reader.h"
#include "profile/recording_writer.h"
#include "unit/export/decoded_totals.h"
#include "unit/export/proto_fields.h"
#include "unit/export/test_profile.h"
#include "unit/profile/recording_blocks.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

std::vector<std::string> RecordedBlocks() {
  const std::string path = testing::TempDir() + "alien_recording_test." + std::to_string(getpid());
  Profile profile = EmptyProfile();
  {
    RecordingWriter writer(profile, {path});
    FillMixed(profile, SamplingMode::kWall);
    EXPECT_TRUE(writer.Finish().ok());
  }
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  std::filesystem::remove(path);
  return ContentsOf(bytes.str());
}

void ExpectWellFormed(const Profile& profile) {
  for (const ExportFormat& format : ExportFormats()) {
    if (format.write == nullptr) continue;
    const std::string bytes = Written(format.write, profile, {.processes = true, .threads = true});
    if (format.name == "speedscope" || format.name == "gecko") {
      EXPECT_TRUE(nlohmann::json::accept(bytes)) << format.name;
    } else if (format.name == "pprof") {
      EXPECT_NO_THROW(ProtoFields(Gunzip(bytes)));
    } else if (format.name == "perfetto") {
      EXPECT_NO_THROW(ProtoFields{bytes});
    }
  }
  std::ostringstream summary;
  EXPECT_TRUE(WriteSummary(profile, summary).ok());
  EXPECT_TRUE(nlohmann::json::accept(summary.str()));
}

TEST(AlienRecording, HasWellFormedOutputs) {
  const std::vector<std::string> blocks = RecordedBlocks();
  std::mt19937 random(4);
  int read = 0;
  for (int round = 0; round < Repetitions(600); ++round) {
    std::string fuzzed = RecordingHeader();
    const size_t changed = random() % blocks.size();
    for (size_t i = 0; i < blocks.size(); ++i) {
      std::string raw = blocks[i];
      for (uint32_t changes = i == changed ? 1 + random() % 3 : 0; changes > 0; --changes) {
        raw[random() % raw.size()] = static_cast<char>(random());
      }
      fuzzed += BlockOf(raw);
    }
    std::istringstream in(fuzzed);
    Profile profile;
    if (!ReadRecording(in, "x.ftp", std::nullopt, profile).ok()) continue;
    ++read;
    ExpectWellFormed(profile);
  }
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace fthreadprof
