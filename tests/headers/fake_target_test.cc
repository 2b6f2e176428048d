// Reads the fake targets (fake_target.c) from outside, as a profiler does, step by step, and
// compares with what they say they hold: the proof for builds that we may have no interpreter of
// (3.14t, 3.15t).
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "process/live_process_memory.h"
#include "python/interpreter_reader.h"
#include "python/runtime_locator.h"
#include "python/task_reader.h"
#include "python/thread_names.h"

namespace fthreadprof {
namespace {

using nlohmann::json;

// A child with a pipe to its stdin and one from its stdout; ended by closing the former.
class FakeTarget {
 public:
  explicit FakeTarget(const std::string& program) {
    int to_child[2];
    int from_child[2];
    if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to_child[0], 0);
    posix_spawn_file_actions_adddup2(&actions, from_child[1], 1);
    std::string name = program;
    char* arguments[] = {name.data(), nullptr};
    if (posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(to_child[0]);
    close(from_child[1]);
    in_ = fdopen(to_child[1], "w");
    out_ = fdopen(from_child[0], "r");
  }
  ~FakeTarget() {
    if (in_ != nullptr) fclose(in_);
    if (out_ != nullptr) fclose(out_);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }
  FakeTarget(const FakeTarget&) = delete;
  FakeTarget& operator=(const FakeTarget&) = delete;

  pid_t pid() const { return pid_; }
  std::string ReadLine() {
    std::string line;
    for (int c; (c = fgetc(out_)) != EOF && c != '\n';) line.push_back(static_cast<char>(c));
    return line;
  }
  void TakeStep() {
    fputc('\n', in_);
    fflush(in_);
  }

 private:
  pid_t pid_ = -1;
  FILE* in_ = nullptr;
  FILE* out_ = nullptr;
};

// What the readers see, in the form of the target's own words.
json Describe(const InterpreterReader& reader,
              const absl::flat_hash_map<uint64_t, std::string>& names) {
  json threads = json::array();
  for (const PythonThread* thread : reader.threads()) {
    json frames = json::array();
    for (auto frame = thread->frames.rbegin(); frame != thread->frames.rend(); ++frame) {
      frames.push_back({{"function", frame->code->function},
                        {"file", frame->code->file},
                        {"line", frame->line}});
    }
    EXPECT_EQ(thread->stack,
              frames.empty() ? PythonThread::Stack::kEmpty : PythonThread::Stack::kComplete);
    const auto name = names.find(thread->ident);
    threads.push_back({{"ident", thread->ident},
                       {"tid", thread->native_thread_id},
                       {"state", static_cast<int>(thread->attachment)},
                       {"name", name == names.end() ? "" : name->second},
                       {"frames", frames}});
  }
  std::sort(threads.begin(), threads.end(),
            [](const json& a, const json& b) { return a["tid"] < b["tid"]; });
  return threads;
}

class FakeTargetTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ASSERT_EQ(target_.ReadLine(), "ready");
    auto runtime = FindPythonRuntime(target_.pid(), memory_);
    ASSERT_TRUE(runtime.ok()) << runtime.status();
    runtime_ = *runtime;
  }

  FakeTarget target_{GetParam()};
  LiveProcessMemory memory_{target_.pid()};
  PythonRuntime runtime_;
};
constexpr const char* kPrograms[] = {FTHREADPROF_FAKE_TARGETS};
INSTANTIATE_TEST_SUITE_P(Programs, FakeTargetTest, testing::ValuesIn(kPrograms));

TEST_P(FakeTargetTest, IsReadAsItIs) {
  InterpreterReader reader(memory_, runtime_);
  ThreadNames names(memory_, runtime_.offsets);
  for (int last = 1, step = 0; step <= last; ++step) {
    if (step > 0) target_.TakeStep();
    const json expected = json::parse(target_.ReadLine());
    ASSERT_EQ(expected["step"], step);
    EXPECT_EQ(expected["version"], runtime_.offsets.version_hex);
    last = expected["last"];
    // The second pass reads what the first predicted.
    for (int pass = 0; pass < 2; ++pass) {
      ASSERT_TRUE(reader.ReadPass().ok());
      std::vector<const CodeInfo*> stale;
      ASSERT_TRUE(reader.VerifyCode(stale).ok());
      if (!stale.empty()) {
        // An address changed hands: what the pass named is dropped, the next names the new one.
        ASSERT_TRUE(reader.ReadPass().ok());
      }
      ASSERT_FALSE(reader.threads().empty());
      const auto read = names.Read(reader.threads()[0]->interpreter);
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(Describe(reader, *read), expected["threads"]) << "step " << step;
    }
  }
}

TEST_P(FakeTargetTest, ReadsTasks) {
  InterpreterReader reader(memory_, runtime_);
  ASSERT_TRUE(reader.ReadPass().ok());
  TaskReader tasks(memory_, runtime_.offsets, target_.pid());
  // Slices of one step, and then a sweep that finds all unchanged.
  for (int sweep = 0; sweep < 2; ++sweep) {
    int slices = 1;
    while (!tasks.Continue(reader.threads(), TaskReader::Clock::time_point())) {
      ASSERT_LT(++slices, 100) << tasks.problem();
    }
    ASSERT_EQ(tasks.tasks().size(), 2u);
    const WaitingTask& fetch = tasks.tasks()[0];
    EXPECT_EQ(fetch.task->name, "fetch ü");
    EXPECT_EQ(fetch.thread_ident, 0x7f1200002000u);
    ASSERT_EQ(fetch.task->frames.size(), 2u);
    EXPECT_EQ(fetch.task->frames[0].code->function, "outer");
    EXPECT_EQ(fetch.task->frames[0].line, 102);
    EXPECT_EQ(fetch.task->frames[1].code->function, "gen");
    EXPECT_EQ(fetch.task->frames[1].line, 3);
    EXPECT_EQ(fetch.awaiter, 1u);
    EXPECT_FALSE(fetch.is_awaiter);
    const WaitingTask& unnamed = tasks.tasks()[1];
    EXPECT_EQ(unnamed.task->name, "Task-12345678901");
    EXPECT_EQ(unnamed.task->frames.size(), 1u);
    EXPECT_EQ(unnamed.awaiter, 1u);
    EXPECT_TRUE(unnamed.is_awaiter);
  }
}

TEST_P(FakeTargetTest, ReadsTheGil) {
  InterpreterReader reader(memory_, runtime_);
  ASSERT_TRUE(reader.ReadPass().ok());
  EXPECT_EQ(reader.gil().enabled, !runtime_.offsets.free_threaded);
  EXPECT_FALSE(reader.gil().locked);
  EXPECT_NE(reader.gil().address, 0u);
}

}  // namespace
}  // namespace fthreadprof
