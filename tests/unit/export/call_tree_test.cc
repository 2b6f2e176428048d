#include "export/call_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "export/text.h"
#include "unit/export/test_profile.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

using Counts = std::map<std::vector<std::string>, uint64_t>;

// The naive model: each stack spelled out.
Counts NaiveCounts(const Profile& profile, const ExportOptions& options) {
  Counts counts;
  for (ThreadIndex thread = 0; thread < profile.threads().size(); ++thread) {
    for (const auto& [key, count] : profile.SelectedStacks(thread)) {
      std::vector<std::string> texts;
      const ProfiledThread& of = profile.threads()[thread];
      if (options.processes) texts.push_back(ProcessText(profile.processes()[of.process]));
      if (options.threads) texts.push_back(ThreadText(of));
      if (of.interpreter != 0) texts.push_back(InterpreterText(of));
      for (const FrameId frame : profile.FramesOf(key.stack)) {
        texts.push_back(FrameText(profile.frame(frame), options.function_only));
      }
      if (key.stack == kEmptyStack) texts.push_back("(no Python frames)");
      if (options.by_state) texts.push_back(StateFrameText(key.state));
      counts[texts] += count;
    }
  }
  return counts;
}

Counts CountsOf(const CallTree& tree) {
  Counts counts;
  for (CallTree::NodeId id = 0; id < tree.nodes().size(); ++id) {
    if (tree.nodes()[id].self == 0) continue;
    std::vector<std::string> texts;
    for (CallTree::NodeId up = id; up != CallTree::kRoot; up = tree.nodes()[up].parent) {
      texts.insert(texts.begin(), tree.LabelOf(up).text);
    }
    EXPECT_EQ(texts.size(), tree.nodes()[id].depth);
    EXPECT_FALSE(counts.contains(texts)) << "two nodes for one stack";
    counts[texts] = tree.nodes()[id].self;
  }
  return counts;
}

void ExpectConsistent(const CallTree& tree) {
  for (CallTree::NodeId id = 0; id < tree.nodes().size(); ++id) {
    const CallTree::Node& node = tree.nodes()[id];
    uint64_t total = node.self;
    EXPECT_EQ(std::accumulate(node.states.begin(), node.states.end(), uint64_t{0}), node.total);
    std::vector<std::string> texts;
    for (const CallTree::NodeId child : node.children) {
      EXPECT_GT(child, id);
      EXPECT_EQ(tree.nodes()[child].parent, id);
      total += tree.nodes()[child].total;
      texts.push_back(tree.LabelOf(child).text);
    }
    EXPECT_EQ(node.total, total);
    EXPECT_TRUE(std::is_sorted(texts.begin(), texts.end()));
  }
}

TEST(CallTree, MatchesTheNaiveModelOnRandomProfiles) {
  std::mt19937 random(11);
  for (int round = 0; round < Repetitions(40); ++round) {
    Profile profile;
    profile.AddProcess({.pid = 7, .parent_pid = 0, .command = "worker"});
    // Threads of a process don't stand together, and two are of one subinterpreter.
    for (int thread = 0; thread < 5; ++thread) {
      profile.AddThread(10 + thread, "same name", static_cast<ProcessIndex>(thread % 2));
      profile.thread(static_cast<ThreadIndex>(thread)).interpreter = thread < 3 ? 0 : 4;
    }
    for (uint64_t sample = 0; sample < 300; ++sample) {
      std::vector<Frame> frames(random() % 7);
      for (Frame& frame : frames) {
        frame = {std::string(1, static_cast<char>('a' + random() % 3)), "/x.py",
                 static_cast<int>(random() % 3)};
      }
      profile.AddSample({static_cast<ThreadIndex>(random() % 5), StackOf(profile, frames),
                         static_cast<ThreadState>(random() % kThreadStateCount), false, sample});
    }
    for (const bool threads : {false, true}) {
      for (const bool function_only : {false, true}) {
        for (const bool processes : {false, true}) {
          for (const bool by_state : {false, true}) {
            const ExportOptions options = {.processes = processes,
                                           .threads = threads,
                                           .function_only = function_only,
                                           .by_state = by_state};
            const CallTree tree = CallTree::Build(profile, options);
            EXPECT_EQ(CountsOf(tree), NaiveCounts(profile, options));
            ExpectConsistent(tree);
          }
        }
      }
    }
  }
}

TEST(CallTree, KnowsTheStatesOfAllThatComesThrough) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(1, "t");
  const Frame f = {"f", "/x.py", 1}, g = {"g", "/x.py", 2};
  profile.AddSample({thread, StackOf(profile, {f}), ThreadState::kRunning, false, 0});
  profile.AddSample({thread, StackOf(profile, {f, g}), ThreadState::kRunning, false, 1, 3});
  profile.AddSample({thread, StackOf(profile, {f, g}), ThreadState::kGilWait, false, 2});
  CallTree::StateSamples of_f{}, of_g{};
  of_f[size_t(ThreadState::kRunning)] = 4;
  of_g[size_t(ThreadState::kRunning)] = 3;
  of_f[size_t(ThreadState::kGilWait)] = of_g[size_t(ThreadState::kGilWait)] = 1;
  const CallTree tree = CallTree::Build(profile, {});
  ASSERT_EQ(tree.nodes().size(), 3u);
  EXPECT_EQ(tree.nodes()[CallTree::kRoot].states, of_f);
  EXPECT_EQ(tree.nodes()[1].states, of_f);
  EXPECT_EQ(tree.nodes()[2].states, of_g);
}

TEST(CallTree, EmptyProfileIsARootWithoutSamples) {
  Profile profile = EmptyProfile();
  profile.AddThread(1, "idle");
  const CallTree tree = CallTree::Build(profile, {.threads = true});
  EXPECT_EQ(tree.total(), 0u);
  EXPECT_EQ(tree.nodes().size(), 1u);
  EXPECT_EQ(tree.LabelOf(CallTree::kRoot).text, "no samples");
}

TEST(CallTree, TellsTheProgramFromLibraries) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(1, "t");
  const std::map<std::string, CallTree::Origin> files = {
      {"/srv/app.py", CallTree::Origin::kProgram},
      {"<string>", CallTree::Origin::kProgram},
      {"<frozen importlib._bootstrap>", CallTree::Origin::kLibrary},
      {"/usr/lib/python3.13/json/decoder.py", CallTree::Origin::kLibrary},
      {"/venv/lib/python3.14t/site-packages/x.py", CallTree::Origin::kLibrary},
      {"/usr/lib/python3/dist-packages/x.py", CallTree::Origin::kLibrary}};
  for (const auto& [file, origin] : files) {
    profile.AddSample(
        {thread, StackOf(profile, {{"f", file, 0}}), ThreadState::kRunning, false, 0});
  }
  const CallTree tree = CallTree::Build(profile, {});
  for (CallTree::NodeId id = 1; id < tree.nodes().size(); ++id) {
    const std::string text = tree.LabelOf(id).text;
    EXPECT_EQ(tree.LabelOf(id).origin, files.at(text.substr(3, text.size() - 4))) << text;
  }
}

// Every depth of a deep recursion: quadratic when each stack is spelled out.
TEST(CallTree, DeepStacksShareTheirCallers) {
  Profile profile;
  const ThreadIndex thread = profile.AddThread(1, "t");
  const FrameId frame = profile.InternFrame({"f", "/x.py", 1});
  StackId stack = kEmptyStack;
  for (uint64_t pass = 0; pass < 100'000; ++pass) {
    stack = profile.InternStack(stack, frame);
    profile.AddSample({thread, stack, ThreadState::kRunning, false, pass});
  }
  const CallTree tree = CallTree::Build(profile, {});
  EXPECT_EQ(tree.nodes().size(), 100'001u);
  EXPECT_EQ(tree.nodes().back().depth, 100'000u);
  EXPECT_EQ(tree.total(), 100'000u);
}

}  // namespace
}  // namespace fthreadprof
