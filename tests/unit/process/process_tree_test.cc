// ProcessTree on a /proc made by hand, where ids are given as the test says, and on real children.
#include "process/process_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ProcessTreeTest : public testing::Test {
 protected:
  ProcessTreeTest() {
    std::string path = "/tmp/process-tree-test-XXXXXX";
    proc_ = mkdtemp(path.data());
    SetLast(100);
    Add(100, 1);
  }
  ~ProcessTreeTest() override { std::filesystem::remove_all(proc_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(absl::StrCat(proc_, "/", name)) << text;
  }
  void SetLast(pid_t last) { Write("loadavg", absl::StrCat("0.1 0.2 0.3 2/345 ", last, "\n")); }
  // A process, or a thread of process `tgid`.
  void Add(pid_t pid, pid_t parent, pid_t tgid = 0, char state = 'S') {
    std::filesystem::create_directory(absl::StrCat(proc_, "/", pid));
    Write(absl::StrCat(pid, "/stat"),
          absl::StrCat(pid, " (a) b) ", std::string(1, state), " ", parent,
                       " 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 10 20"));
    Write(absl::StrCat(pid, "/status"),
          absl::StrCat("Name:\ta\nTgid:\t", tgid != 0 ? tgid : pid, "\nPid:\t", pid, "\n"));
  }
  void Remove(pid_t pid) { std::filesystem::remove_all(absl::StrCat(proc_, "/", pid)); }

  static std::vector<std::string> Texts(const std::vector<ProcessTree::Member>& members) {
    std::vector<std::string> texts;
    for (const auto& member : members) {
      texts.push_back(absl::StrCat(member.pid, " of ", member.parent));
    }
    return texts;
  }

  std::string proc_;
};

TEST_F(ProcessTreeTest, FindsThoseThatAreThereWithParentsFirst) {
  Add(7, 103);  // ids are given anew after the highest
  Add(103, 100);
  Add(104, 1);
  Add(105, 104);
  Add(106, 100, 0, 'Z');
  ProcessTree tree(100, proc_);
  EXPECT_THAT(Texts(tree.FindNew()), ElementsAre("103 of 100", "7 of 103"));
  EXPECT_THAT(Texts(tree.FindNew()), IsEmpty());
}

TEST_F(ProcessTreeTest, LooksOnlyAtNewIds) {
  ProcessTree tree(100, proc_);
  EXPECT_THAT(tree.FindNew(), IsEmpty());
  Add(99, 100);
  EXPECT_THAT(tree.FindNew(), IsEmpty()) << "its id was given long ago";
  Add(110, 100);
  Add(111, 110);
  Add(112, 2);
  SetLast(112);
  EXPECT_THAT(Texts(tree.FindNew()), ElementsAre("110 of 100", "111 of 110"));
}

TEST_F(ProcessTreeTest, ThreadsAreNoProcesses) {
  ProcessTree tree(100, proc_);
  tree.FindNew();
  Add(101, 100);
  Add(102, 100, 101);  // a thread of 101 has its parent
  SetLast(102);
  EXPECT_THAT(Texts(tree.FindNew()), ElementsAre("101 of 100"));
}

// An id is given before its process is to be seen.
TEST_F(ProcessTreeTest, AnIdThatCannotBeSeenYetIsLookedAtOnceMore) {
  ProcessTree tree(100, proc_);
  tree.FindNew();
  SetLast(102);
  EXPECT_THAT(tree.FindNew(), IsEmpty());
  Add(101, 100);
  EXPECT_THAT(Texts(tree.FindNew()), ElementsAre("101 of 100"));
  Add(102, 100);
  EXPECT_THAT(tree.FindNew(), IsEmpty()) << "it counts as ended";
}

TEST_F(ProcessTreeTest, AChildStaysWhenItsParentEnds) {
  ProcessTree tree(100, proc_);
  tree.FindNew();
  Add(101, 100);
  SetLast(101);
  tree.FindNew();
  tree.Forget(100);
  Remove(100);
  Add(102, 101);
  Add(103, 100);  // another process has the id
  SetLast(103);
  EXPECT_THAT(Texts(tree.FindNew()), ElementsAre("102 of 101"));
}

TEST_F(ProcessTreeTest, WhenIdsStartAnewAllAreLookedAt) {
  ProcessTree tree(100, proc_);
  tree.FindNew();
  Add(5, 100);
  SetLast(6);
  EXPECT_THAT(Texts(tree.FindNew()), ElementsAre("5 of 100"));
  Add(900, 5);
  SetLast(100'000);
  EXPECT_THAT(Texts(tree.FindNew()), ElementsAre("900 of 5"));
}

TEST_F(ProcessTreeTest, WithoutLoadavgAllAreLookedAtNowAndThen) {
  for (const char* text : {"", "nonsense", "0.1 0.2 0.3 2/345 -7", "1 2 3 4/5 99999999999999"}) {
    Write("loadavg", text);
    Remove(101);
    ProcessTree tree(100, proc_);
    tree.FindNew();
    Add(101, 100);
    std::vector<ProcessTree::Member> found;
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (found.empty() && absl::Now() < deadline) found = tree.FindNew();
    EXPECT_THAT(Texts(found), ElementsAre("101 of 100")) << text;
  }
}

TEST_F(ProcessTreeTest, FilesThatMakeNoSenseAreNoProcesses) {
  for (const char* text : {"", "101", "101 (x", "101 (x) S", "101 (x) S x 1 1 0 -1 4 1 2 3"}) {
    ProcessTree tree(100, proc_);
    SetLast(100);
    tree.FindNew();
    Add(101, 100);
    Write("101/stat", text);
    SetLast(101);
    EXPECT_THAT(tree.FindNew(), IsEmpty()) << text;
    ProcessTree anew(100, proc_);
    EXPECT_THAT(anew.FindNew(), IsEmpty()) << text;
  }
}

// Whatever the files say, no process is found that is not there, and none twice.
TEST_F(ProcessTreeTest, SurvivesHostileFiles) {
  std::mt19937 random(6);
  const auto spoil = [&](std::string text) {
    for (uint32_t i = random() % 4; i > 0; --i) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) text.resize(random() % text.size());
    return text;
  };
  for (int round = 0; round < Repetitions(300); ++round) {
    SetLast(100);
    ProcessTree tree(100, proc_);
    tree.FindNew();
    for (const pid_t pid : {101, 102}) {
      Add(pid, pid - 1);
      Write(absl::StrCat(pid, "/stat"),
            spoil(absl::StrCat(pid, " (a) S ", pid - 1,
                               " 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 10 20")));
      Write(absl::StrCat(pid, "/status"), spoil(absl::StrCat("Name:\ta\nTgid:\t", pid, "\n")));
    }
    Write("loadavg", spoil("0.1 0.2 0.3 2/345 102\n"));
    std::set<pid_t> found;
    for (int look = 0; look < 3; ++look) {
      for (const ProcessTree::Member& member : tree.FindNew()) {
        EXPECT_TRUE(member.pid == 101 || member.pid == 102) << member.pid;
        EXPECT_TRUE(found.insert(member.pid).second) << member.pid;
      }
    }
  }
}

TEST(ProcessTreeOfThisProcess, FindsAChildAtOnce) {
  ProcessTree tree(getpid());
  tree.FindNew();
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  std::vector<ProcessTree::Member> found;
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (found.empty() && absl::Now() < deadline) found = tree.FindNew();
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].pid, child);
  EXPECT_EQ(found[0].parent, getpid());
}

}  // namespace
}  // namespace fthreadprof
