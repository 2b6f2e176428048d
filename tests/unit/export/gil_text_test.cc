#include "export/gil_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "export/digest.h"
#include "export/gecko.h"
#include "export/perfetto.h"
#include "export/pprof.h"
#include "export/speedscope.h"
#include "export/summary.h"
#include "export/title.h"
#include "unit/export/decoded_totals.h"
#include "unit/export/proto_fields.h"
#include "unit/export/test_profile.h"

namespace fthreadprof {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kOneAtATime = "threads run Python code one at a time.";

// The import of `old` turned the GIL on in the middle of a recording.
Profile Flipped() {
  Profile profile = SmallProfile();
  profile.target().gil_enabled = true;
  profile.target().gil_cause =
      GilCause{.module = "old._c",
               .is_certain = true,
               .at_s = 0.02,
               .stack = {{"<module>", "/app.py", 1}, {"load", "/app.py", 7}},
               .imported = {{"fine", "/fine.so", true}, {"old._c", "/old.so", false}}};
  profile.totals.gil_enabled_passes = 2;
  return profile;
}
constexpr const char* kFlipped =
    "The GIL is ON in this free-threaded build, for 50.0% of the time: the import of old._c turned "
    "it on 0.02 s into the recording; since then threads run Python code one at a time.";

TEST(WhyGilIsOn, SaysWhatIsKnown) {
  EXPECT_EQ(WhyGilIsOn(std::nullopt), "");
  EXPECT_EQ(WhyGilIsOn(GilCause()), "");
  EXPECT_EQ(WhyGilIsOn(GilCause{.by_option = true}), "PYTHON_GIL=1 or -X gil=1 turned it on");
  EXPECT_EQ(WhyGilIsOn(GilCause{.module = "a\nb", .is_certain = true}),
            "the import of a␊b turned it on");
  EXPECT_EQ(WhyGilIsOn(GilCause{.module = "a", .at_s = 1}),
            "most likely the import of a turned it on 1.00 s into the recording");
  EXPECT_EQ(WhyGilIsOn(GilCause{.at_s = 1}),
            "an import that was not seen turned it on 1.00 s into the recording");
}

TEST(GilWarning, OnlyOnAFreeThreadedBuildThatHadItOn) {
  Profile profile = SmallProfile();
  EXPECT_EQ(GilWarning(profile), std::nullopt);
  profile.totals.gil_enabled_passes = 1;
  EXPECT_EQ(GilWarning(profile),
            "The GIL was ON for 25.0% of the time in this free-threaded build.")
      << "it executed another program since";
  profile.totals.gil_enabled_passes = 4;
  profile.target().gil_enabled = true;
  const std::string on = std::string("The GIL is ON in this free-threaded build: ") + kOneAtATime;
  EXPECT_EQ(GilWarning(profile), on);
  profile.totals.gil_enabled_passes = 0;
  EXPECT_EQ(GilWarning(profile), on) << "also before the first pass";
  profile.target().gil_cause = GilCause{.by_option = true};
  EXPECT_EQ(GilWarning(profile),
            std::string("The GIL is ON in this free-threaded build: PYTHON_GIL=1 or -X gil=1 "
                        "turned it on; ") +
                kOneAtATime);
  profile.target().free_threaded = false;
  EXPECT_EQ(GilWarning(profile), std::nullopt);
}

TEST(GilWarning, SaysWhenAndByWhat) { EXPECT_EQ(GilWarning(Flipped()), kFlipped); }

TEST(GilWarning, NamesTheProcessOfATree) {
  Profile profile = Flipped();
  profile.AddProcess({.pid = 3, .python = "3.13.5", .free_threaded = true, .gil_enabled = false});
  EXPECT_EQ(GilWarning(profile),
            "The GIL is ON in 1 of 2 processes of free-threaded builds: in them threads run Python "
            "code one at a time. In process 100 the import of old._c turned it on 0.02 s into the "
            "recording.");
}

TEST(GilDetails, WhereItCameFromAndWhatElseWasImported) {
  Profile profile = Flipped();
  EXPECT_EQ(GilDetails(profile),
            "It was imported by load (/app.py:7).\n"
            "Extension modules that were imported until then: fine, old._c (without the "
            "declaration).\n");
  profile.target().gil_cause->stack.clear();
  profile.target().gil_cause->imported.resize(1);
  EXPECT_EQ(GilDetails(profile), "The import itself was not seen.\n") << "the one that did it";
  profile.target().gil_cause->is_certain = false;
  EXPECT_THAT(GilDetails(profile), HasSubstr("until then: fine.\n"));
  profile.target().gil_cause->imported.resize(20, {"more", "/more.so", true});
  EXPECT_THAT(GilDetails(profile), HasSubstr("more and 12 more.\n"));
  EXPECT_EQ(GilDetails(SmallProfile()), "");
}

TEST(GilDetails, NamesTheProgramsOwnLine) {
  Profile profile = Flipped();
  GilCause& cause = *profile.target().gil_cause;
  cause.imported.clear();
  cause.stack.push_back({"lazy", "/usr/lib/python3.14t/importlib/__init__.py", 88});
  cause.stack.push_back({"<module>", "/venv/lib/python3.14t/site-packages/old/__init__.py", 29});
  EXPECT_EQ(GilDetails(profile),
            "It was imported by load (/app.py:7), through <module> "
            "(/venv/lib/python3.14t/site-packages/old/__init__.py:29).\n");
  cause.stack.erase(cause.stack.begin(), cause.stack.begin() + 2);
  EXPECT_EQ(GilDetails(profile),
            "It was imported by <module> "
            "(/venv/lib/python3.14t/site-packages/old/__init__.py:29).\n")
      << "python -m, and no line is the program's";
}

TEST(GilDetails, SaysThatTheImportWasNotSeen) {
  Profile profile = Flipped();
  profile.target().gil_cause = GilCause{.module = "old", .is_certain = true};
  EXPECT_EQ(GilDetails(profile),
            "The import itself was not seen: it was over when the recording began.\n");
  profile.target().gil_cause = GilCause{.by_option = true};
  EXPECT_EQ(GilDetails(profile), "");
}

TEST(EveryOutput, SaysFirstThatTheGilIsOn) {
  const Profile profile = Flipped();
  EXPECT_THAT(Digest(profile, 4), StartsWith(std::string(kFlipped) + "\nIt was imported by"));
  const std::string name = std::string(kFlipped) + " process 100: python3.13t app.py";
  EXPECT_EQ(NameOf(profile, {}), name);
  EXPECT_EQ(json::parse(Written(WriteSpeedscope, profile))["name"], name);
  EXPECT_EQ(json::parse(Written(WriteGecko, profile))["meta"]["product"], name);
  EXPECT_EQ(NameOf(SmallProfile(), {}), "process 100: python3.13t app.py");
}

TEST(EveryOutput, PprofHasItAsItsFirstComment) {
  constexpr uint32_t kStrings = 6, kComment = 13;
  ProtoFields fields(Gunzip(Written(WritePprof, Flipped())));
  const std::vector<uint64_t> comments = fields.Packed(kComment);
  ASSERT_EQ(comments.size(), 3u);
  EXPECT_EQ(fields.texts[kStrings][comments[0]], kFlipped);
}

TEST(EveryOutput, PerfettoHasItAsAnEventOfTheProcess) {
  constexpr uint32_t kPacket = 1, kTimestamp = 8, kTrackEvent = 11;
  ProtoFields trace(Written(WritePerfetto, Flipped()));
  for (const std::string& message : trace.texts[kPacket]) {
    ProtoFields packet(message);
    if (!packet.texts.contains(kTrackEvent)) continue;
    ProtoFields event(packet.Text(kTrackEvent));
    EXPECT_EQ(packet.Number(kTimestamp), 20'000'000u) << "nanoseconds";
    EXPECT_EQ(event.Number(9), 3u) << "an instant";
    EXPECT_EQ(event.Number(11), 1u) << "of the process's track";
    EXPECT_EQ(event.Text(23),
              "The GIL is ON: the import of old._c turned it on 0.02 s into the recording");
    return;  // it is the first of all
  }
  FAIL() << "there is no event";
}

TEST(EveryOutput, TheSummaryHasItAll) {
  std::ostringstream out;
  ASSERT_TRUE(WriteSummary(Flipped(), out).ok());
  const json summary = json::parse(out.str());
  const json& gil = summary["gil"];
  EXPECT_EQ(gil["enabled_by"], json::parse(R"({"module": "old._c", "certain": true, "pid": 100,
      "stack": [{"function": "<module>", "file": "/app.py", "line": 1},
                {"function": "load", "file": "/app.py", "line": 7}]})"));
  EXPECT_EQ(gil["enabled_at_s"], 0.02);
  EXPECT_EQ(gil["enabled_by_option"], false);
  EXPECT_EQ(gil["imported"],
            json::parse(R"([{"name": "fine", "file": "/fine.so", "declares_gil_not_used": true},
                {"name": "old._c", "file": "/old.so", "declares_gil_not_used": false}])"));
  EXPECT_EQ(summary["processes"][0]["gil_enabled_by"], gil["enabled_by"]);
}

TEST(EveryOutput, TheSummaryBlamesNobodyWithoutReason) {
  Profile profile = Flipped();
  profile.target().gil_cause = GilCause{.by_option = true};
  std::ostringstream out;
  ASSERT_TRUE(WriteSummary(profile, out).ok());
  const json gil = json::parse(out.str())["gil"];
  EXPECT_TRUE(gil["enabled_by"].is_null());
  EXPECT_EQ(gil["enabled_by_option"], true);
  EXPECT_TRUE(gil["enabled_at_s"].is_null());
}

}  // namespace
}  // namespace fthreadprof
