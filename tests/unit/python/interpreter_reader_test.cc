// InterpreterReader on fake targets of each release: still ones, and ones that move in the middle
// of a pass, at every place where that can be.
#include "python/interpreter_reader.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/python/fake_target.h"
#include "unit/repetition.h"

namespace fthreadprof {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Stack = PythonThread::Stack;
using Thread = FakeTarget::Thread;

class InterpreterReaderTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { main_ = NewThread(); }

  // A thread that runs run() called from C.
  Thread* NewThread() {
    Thread* thread = target_.NewThread();
    target_.CallFromC(thread, run_);
    target_.Finish();
    return thread;
  }
  const PythonThread* Find(const Thread* thread) const {
    for (const PythonThread* seen : reader_.threads()) {
      if (seen->state_address == thread->state) return seen;
    }
    return nullptr;
  }
  std::string StackOf(const Thread* thread) const {
    const PythonThread* seen = Find(thread);
    if (seen == nullptr) return "not listed";
    if (seen->stack == Stack::kTorn) return "torn";
    if (seen->stack == Stack::kEnded) return "ended";
    return Describe(*seen);
  }
  std::vector<std::string> Stacks() const {
    std::vector<std::string> stacks;
    for (const PythonThread* seen : reader_.threads()) stacks.push_back(Describe(*seen));
    return stacks;
  }
  // A pass, and a change of the target once it has read `boundary` pieces of memory. False when it
  // took fewer.
  bool ReadPassWithChange(size_t boundary, const std::function<void()>& change) {
    const size_t start = memory_.pieces_read;
    bool done = false;
    memory_.after_piece = [&](const MemoryPiece&) {
      if (done || memory_.pieces_read - start <= boundary) return;
      done = true;
      change();
    };
    EXPECT_TRUE(reader_.ReadPass().ok());
    memory_.after_piece = nullptr;
    return done;
  }
  // Passes until all is learnt. The bound keeps a test from waiting for ever.
  void WarmUp(int passes = 3) {
    for (int i = 0; i < passes; ++i) ASSERT_TRUE(reader_.ReadPass().ok());
  }
  // A code object that was not met again and again for a while counts as volatile.
  void WaitUntilCodeIsOld() {
    for (int pass = 0; pass < 30; ++pass) {
      absl::SleepFor(absl::Milliseconds(5));
      WarmUp(1);
    }
  }
  size_t CallsOfNextPass() {
    const size_t before = memory_.calls;
    EXPECT_TRUE(reader_.ReadPass().ok());
    return memory_.calls - before;
  }
  bool is_free_threaded() const { return target_.offsets().free_threaded; }

  FakeMemory memory_;
  FakeTarget target_{memory_, TargetOffsets(GetParam())};
  const FakeCode* run_ = target_.NewCode("run", 10);
  const FakeCode* work_ = target_.NewCode("work", 200, 30, 25);
  const FakeCode* leaf_ = target_.NewCode("leaf", 300, 8, 14);
  const FakeCode* gen_ = target_.NewCode("gen", 400, 16, 18);
  Thread* main_ = nullptr;
  InterpreterReader reader_{memory_, target_.runtime()};
};
INSTANTIATE_TEST_SUITE_P(Releases, InterpreterReaderTest, testing::ValuesIn(kTargetReleases));

TEST_P(InterpreterReaderTest, ReadsAStackWithItsLines) {
  target_.Call(main_, work_, 3);
  target_.Call(main_, leaf_, 7);
  target_.SetUnit(main_, 5);
  target_.Finish();
  ASSERT_TRUE(reader_.ReadPass().ok());
  EXPECT_EQ(StackOf(main_), "leaf:305;work:207;run:13");
  EXPECT_EQ(StackOf(main_), target_.Truth(*main_));
  const PythonThread& seen = *Find(main_);
  EXPECT_EQ(seen.ident, main_->ident);
  EXPECT_EQ(seen.native_thread_id, 1001u);
  EXPECT_EQ(seen.frames[0].code->file, "/app/leaf.py");
  EXPECT_EQ(seen.attachment, PythonThread::Attachment::kAttached);
  EXPECT_EQ(seen.interpreter.address(), target_.main_interpreter());
}

TEST_P(InterpreterReaderTest, ReadsEntryFramesAndGenerators) {
  FakeTarget::Generator* outer = target_.NewGenerator(gen_);
  FakeTarget::Generator* inner = target_.NewGenerator(gen_);
  target_.Resume(main_, outer, 4);
  target_.Resume(main_, inner, 6);
  target_.Call(main_, work_, 8);
  target_.CallFromC(main_, leaf_);
  target_.Finish();
  WarmUp();
  EXPECT_EQ(StackOf(main_), "leaf:300;work:200;gen:408;gen:406;run:14");
  target_.ReturnToC(main_);
  target_.Return(main_);
  target_.Yield(main_, inner);
  target_.SetUnit(main_, 9);
  target_.Finish();
  ASSERT_TRUE(reader_.ReadPass().ok());
  EXPECT_EQ(StackOf(main_), "gen:409;run:14");
}

TEST_P(InterpreterReaderTest, AThreadThatRunsNoPythonIsEmpty) {
  target_.ReturnToC(main_);
  target_.Finish();
  Thread* fresh = target_.NewThread();
  for (int pass = 0; pass < 2; ++pass) {
    ASSERT_TRUE(reader_.ReadPass().ok());
    EXPECT_EQ(Find(main_)->stack, Stack::kEmpty);
    EXPECT_EQ(Find(fresh)->stack, Stack::kEmpty);
    EXPECT_THAT(Find(fresh)->frames, IsEmpty());
  }
}

TEST_P(InterpreterReaderTest, UnchangedMeansLineByLine) {
  WarmUp();
  EXPECT_TRUE(Find(main_)->unchanged);
  target_.SetUnit(main_, 1);
  target_.Finish();
  WarmUp(1);
  EXPECT_FALSE(Find(main_)->unchanged);
  WarmUp(1);
  EXPECT_TRUE(Find(main_)->unchanged);
}

TEST_P(InterpreterReaderTest, AStackAfterAnEmptyOneHasChanged) {
  WarmUp();
  target_.ReturnToC(main_);
  target_.Finish();
  WarmUp(1);
  EXPECT_FALSE(Find(main_)->unchanged);
  target_.CallFromC(main_, run_);
  target_.Finish();
  WarmUp(1);
  EXPECT_EQ(StackOf(main_), "run:10");
  EXPECT_FALSE(Find(main_)->unchanged);
}

TEST_P(InterpreterReaderTest, SteadyStateTakesOneCall) {
  std::vector<Thread*> threads = {main_};
  for (const size_t count : {1, 3, 100}) {
    while (threads.size() < count) {
      threads.push_back(NewThread());
      target_.Resume(threads.back(), target_.NewGenerator(gen_));
      target_.CallFromC(threads.back(), work_);
      for (size_t i = 0; i < 20; ++i) target_.Call(threads.back(), leaf_);
      target_.Finish();
    }
    WarmUp();
    for (int pass = 0; pass < 200; ++pass) {
      // They run: the same functions, other lines.
      target_.SetUnit(threads[pass % count], pass % 8);
      target_.Finish();
      ASSERT_EQ(CallsOfNextPass(), 1u) << count << " threads, pass " << pass;
    }
    for (Thread* thread : threads) EXPECT_EQ(StackOf(thread), target_.Truth(*thread));
  }
}

TEST_P(InterpreterReaderTest, ReadsTheGil) {
  const uint64_t interpreter = target_.main_interpreter();
  target_.SetGil(interpreter, 1, 1, main_->state);
  WarmUp(1);
  EXPECT_TRUE(reader_.gil().enabled);
  EXPECT_TRUE(reader_.gil().locked);
  EXPECT_EQ(reader_.gil().holder, main_->state);
  EXPECT_EQ(reader_.gil().address, target_.GilAddress(interpreter));
  target_.SetGil(interpreter, 0, 0, main_->state);
  WarmUp(1);
  EXPECT_EQ(reader_.gil().enabled, !is_free_threaded());
  EXPECT_FALSE(reader_.gil().locked);
  EXPECT_EQ(reader_.gil().holder, 0u);
}

TEST_P(InterpreterReaderTest, SeesTheCollectorAndHandOffsOfTheGil) {
  ASSERT_TRUE(reader_.ReadPass().ok());
  EXPECT_FALSE(reader_.AnyCollects());
  target_.SetCollecting(target_.main_interpreter(), 1);
  const uint64_t gil = target_.GilAddress(target_.main_interpreter());
  target_.Put(gil + target_.offsets().interpreter_state.gil_switch_number, 1234567);
  ASSERT_TRUE(reader_.ReadPass().ok());
  EXPECT_TRUE(reader_.AnyCollects());
  EXPECT_EQ(reader_.gil().switches, 1234567u);
  ASSERT_EQ(reader_.gil_count(), 1u);
  EXPECT_EQ(reader_.GilAt(0).switches, 1234567u);
}

TEST_P(InterpreterReaderTest, AttachmentIsOfTheCallThatReadTheStack) {
  WarmUp();
  EXPECT_TRUE(ReadPassWithChange(
      0, [&] { target_.SetAttachment(main_, PythonThread::Attachment::kDetached); }));
  EXPECT_EQ(Find(main_)->attachment, PythonThread::Attachment::kDetached);
}

// Else what C code calls for a microsecond would hardly ever be seen.
TEST_P(InterpreterReaderTest, ACallThatEndsWhileItIsReadIsSeen) {
  FakeTarget::Generator* generator = target_.NewGenerator(gen_);
  const auto call_from_c = [&] { target_.CallFromC(main_, work_); };
  const auto return_to_c = [&] { target_.ReturnToC(main_); };
  const auto resume = [&] { target_.Resume(main_, generator); };
  const auto yield = [&] { target_.Yield(main_, generator); };
  const std::pair<std::function<void()>, std::function<void()>> calls[] = {
      {call_from_c, return_to_c}, {resume, yield}};
  for (const auto& [call, end] : calls) {
    call();
    target_.Finish();
    WarmUp();
    const std::string truth = target_.Truth(*main_);
    bool ended = false;
    memory_.after_piece = [&](const MemoryPiece& piece) {
      if (ended || piece.address != main_->state) return;
      ended = true;
      end();
      target_.Finish();
    };
    WarmUp(1);
    memory_.after_piece = nullptr;
    EXPECT_TRUE(ended);
    EXPECT_EQ(StackOf(main_), truth);
    WarmUp(1);
    EXPECT_EQ(StackOf(main_), target_.Truth(*main_));
  }
}

TEST_P(InterpreterReaderTest, ACallThatWasNeverReadIsNotGuessed) {
  WarmUp();
  target_.CallFromC(main_, work_);
  target_.Finish();
  bool ended = false;
  memory_.after_piece = [&](const MemoryPiece& piece) {
    if (ended || piece.address != main_->state) return;
    ended = true;
    target_.ReturnToC(main_);
    target_.Finish();
  };
  WarmUp(1);
  EXPECT_TRUE(ended);
  EXPECT_EQ(StackOf(main_), target_.Truth(*main_));
}

// What is known of callers is no reason not to follow what the frames say.
TEST_P(InterpreterReaderTest, AGeneratorThatAnotherOneResumesNowIsCalledByThatOne) {
  FakeTarget::Generator* first = target_.NewGenerator(gen_);
  FakeTarget::Generator* second = target_.NewGenerator(gen_);
  target_.Call(main_, work_);
  for (FakeTarget::Generator* generator : {first, second}) target_.Resume(main_, generator);
  target_.Finish();
  WarmUp();
  for (FakeTarget::Generator* generator : {second, first}) target_.Yield(main_, generator);
  target_.Finish();
  for (FakeTarget::Generator* generator : {target_.NewGenerator(gen_), first, second}) {
    target_.Resume(main_, generator);
  }
  target_.Finish();
  ASSERT_TRUE(reader_.ReadPass().ok());
  EXPECT_EQ(StackOf(main_), target_.Truth(*main_));
}

// While a long copy is made, a loop that calls two functions comes round between each of its parts
// and the next, always so that the data stack shows the one function and the generator that the
// other one resumes.
TEST_P(InterpreterReaderTest, AGeneratorThatAnotherFunctionResumedIsNotItsCallee) {
  const FakeCode* other = target_.NewCode("other", 500, 30, 25);  // its frame is as large as work's
  // Others that were resumed lately make the copy long; they are copied first.
  std::vector<FakeTarget::Generator*> others;
  for (int i = 0; i < 12; ++i) others.push_back(target_.NewGenerator(gen_));
  FakeTarget::Generator* generator = target_.NewGenerator(gen_);
  const auto is_in_work = [&] { return main_->frames.back().code == gen_; };
  const auto go_to_other = [&] {
    if (!is_in_work()) return;
    target_.Yield(main_, generator);
    target_.Return(main_);
    target_.Call(main_, other);
    target_.CallFromC(main_, leaf_);
    target_.Finish();
  };
  const auto go_to_work = [&] {
    if (is_in_work()) return;
    target_.ReturnToC(main_);
    target_.Return(main_);
    target_.Call(main_, work_);
    target_.Resume(main_, generator);
    target_.Finish();
  };
  target_.Call(main_, work_);
  target_.Resume(main_, generator);
  for (FakeTarget::Generator* another : others) {
    target_.Resume(main_, another);
    target_.Finish();
    WarmUp(1);
    target_.Yield(main_, another);
    target_.Finish();
  }
  size_t long_copies = 0;
  size_t since_data_stack = 0;
  memory_.after_piece = [&](const MemoryPiece& piece) {
    ++since_data_stack;
    const bool is_generator =
        piece.address <= generator->address && generator->address < piece.address + piece.size;
    if (piece.address == main_->state) go_to_other();
    if (piece.address == main_->chunks.back()) since_data_stack = 0;
    if (since_data_stack == 4) go_to_work();
    if (is_generator && since_data_stack >= 4) go_to_other();
    long_copies += is_generator && since_data_stack > 8;
  };
  for (int pass = 0; pass < 20; ++pass) {
    go_to_work();
    ASSERT_TRUE(reader_.ReadPass().ok());
    EXPECT_TRUE(StackOf(main_) == "torn" || target_.possible().contains(StackOf(main_)))
        << StackOf(main_);
  }
  EXPECT_GT(long_copies, 0u);
}

TEST_P(InterpreterReaderTest, FollowsThreadsThatComeAndGo) {
  std::vector<Thread*> threads = {main_};
  for (int i = 0; i < 8; ++i) threads.push_back(NewThread());
  WarmUp();
  for (const bool unmap : {false, true}) {
    for (const size_t which : {7, 3, 1}) {  // none the newest, none the main thread
      target_.EndThread(threads[which], unmap);
      threads.erase(threads.begin() + static_cast<std::ptrdiff_t>(which));
      if (which == 3) threads.push_back(NewThread());
      ASSERT_TRUE(reader_.ReadPass().ok());
      EXPECT_THAT(reader_.threads(), SizeIs(threads.size())) << which << unmap;
      for (Thread* thread : threads) EXPECT_EQ(StackOf(thread), "run:10");
    }
    for (int i = 0; i < 3; ++i) threads.push_back(NewThread());
  }
}

TEST_P(InterpreterReaderTest, TheNewestThreadEnds) {
  Thread* newest = NewThread();
  WarmUp();
  target_.EndThread(newest);
  ASSERT_TRUE(reader_.ReadPass().ok());
  EXPECT_THAT(Stacks(), ElementsAre("run:10"));
}

// A thread that ends after the list's head was read: its state is freed and may hold anything. The
// others must be seen all the same.
TEST_P(InterpreterReaderTest, AThreadThatEndsInThePassHidesNoOther) {
  for (const bool unmap : {false, true}) {
    for (size_t boundary = 0; boundary < 12; ++boundary) {
      std::vector<Thread*> threads;
      for (int i = 0; i < 5; ++i) threads.push_back(NewThread());
      WarmUp();
      const size_t start = memory_.pieces_read;
      bool ended = false;
      memory_.after_piece = [&](const MemoryPiece&) {
        if (ended || memory_.pieces_read - start <= boundary) return;
        ended = true;
        target_.EndThread(threads[2], unmap);
        if (unmap) return;
        const auto& t = target_.offsets().thread_state;
        target_.Put(threads[2]->state + t.next, 0xdead'beef'0000);  // what malloc puts there
        target_.Put(threads[2]->state + t.prev, 0x1234);
      };
      ASSERT_TRUE(reader_.ReadPass().ok());
      memory_.after_piece = nullptr;
      ASSERT_TRUE(ended);
      for (const size_t other : {0, 1, 3, 4}) {
        EXPECT_EQ(StackOf(threads[other]), "run:10") << boundary << " thread " << other;
      }
      EXPECT_EQ(StackOf(main_), "run:10") << boundary;
      for (const size_t other : {0, 1, 3, 4}) target_.EndThread(threads[other]);
      ASSERT_TRUE(reader_.ReadPass().ok());
      EXPECT_THAT(Stacks(), ElementsAre("run:10"));
    }
  }
}

// The state of a thread that ended is given to another one, at any moment of a pass.
TEST_P(InterpreterReaderTest, AStackIsNeverGivenToTheThreadThatHadTheAddressBefore) {
  Thread* thread = NewThread();
  std::string stack = "run:10";
  bool in_time = true;
  for (size_t boundary = 0; in_time; ++boundary) {
    WarmUp();
    std::map<uint64_t, std::string> possible = {{thread->ident, stack}};
    in_time = ReadPassWithChange(boundary, [&] {
      const uint64_t state = thread->state;
      target_.EndThread(thread, false);
      thread = target_.NewThread(0, state);
      target_.CallFromC(thread, boundary % 2 == 0 ? work_ : leaf_);
      target_.Finish();
      stack = boundary % 2 == 0 ? "work:200" : "leaf:300";
    });
    possible[thread->ident] = stack;
    const PythonThread* seen = Find(thread);
    ASSERT_NE(seen, nullptr);
    if (seen->stack == Stack::kComplete) {
      EXPECT_EQ(Describe(*seen), possible[seen->ident]) << boundary;
    }
    WarmUp(1);
    EXPECT_EQ(Find(thread)->ident, thread->ident);
    EXPECT_EQ(StackOf(thread), stack);
  }
}

TEST_P(InterpreterReaderTest, AnEndedThreadIsNotTorn) {
  bool in_time = true;
  size_t ended = 0;
  for (size_t boundary = 0; in_time; ++boundary) {
    Thread* thread = NewThread();
    WarmUp();
    in_time = ReadPassWithChange(boundary, [&] { target_.EndThread(thread); });
    const std::string seen = StackOf(thread);
    EXPECT_THAT(seen, testing::AnyOf("ended", "not listed", "run:10")) << boundary;
    ended += seen != "run:10";
    EXPECT_EQ(StackOf(main_), "run:10");
  }
  EXPECT_GT(ended, 2u);
}

TEST_P(InterpreterReaderTest, ListsThatLoopOrLeadNowhereEnd) {
  const auto& t = target_.offsets().thread_state;
  Thread* thread = NewThread();
  WarmUp();
  const uint64_t good = target_.Get(thread->state + t.next);
  for (const uint64_t next : {thread->state, uint64_t{1}, ~uint64_t{0}, ~uint64_t{0} - 15,
                              uint64_t{0xdead'0000}, FakeTarget::kRuntime}) {
    target_.Put(thread->state + t.next, next);
    const size_t before = memory_.pieces_read;
    ASSERT_TRUE(reader_.ReadPass().ok());
    EXPECT_LT(memory_.pieces_read - before, 200u);
    EXPECT_EQ(StackOf(thread), "run:10");
  }
  target_.Put(thread->state + t.next, good);
  WarmUp(1);
  EXPECT_THAT(Stacks(), ElementsAre("run:10", "run:10"));
}

TEST_P(InterpreterReaderTest, CorruptFrameChainsAreTorn) {
  target_.Call(main_, work_);
  target_.Finish();
  WarmUp();
  const auto& f = target_.offsets().interpreter_frame;
  const uint64_t frame = main_->frames.back().address;
  const uint64_t good = target_.Get(frame + f.previous);
  for (const uint64_t previous :
       {uint64_t{0}, frame, uint64_t{1}, ~uint64_t{0}, ~uint64_t{0} - 7, ~uint64_t{0} - 63,
        uint64_t{0xdead'0000}, FakeTarget::kRuntime, frame + 1, good + 8}) {
    target_.Put(frame + f.previous, previous);
    const size_t before = memory_.pieces_read;
    ASSERT_TRUE(reader_.ReadPass().ok());
    EXPECT_LT(memory_.pieces_read - before, 2000u) << previous;
    EXPECT_EQ(StackOf(main_), "torn") << previous;
  }
  target_.Put(frame + f.previous, good);
  WarmUp(1);
  EXPECT_EQ(StackOf(main_), "work:200;run:13");
}

TEST_P(InterpreterReaderTest, ReferencesThatAreNoCodeAreTorn) {
  WarmUp();
  const auto& f = target_.offsets().interpreter_frame;
  const uint64_t frame = main_->frames.back().address;
  const uint64_t good = target_.Get(frame + f.executable);
  const uint64_t string = target_.objects().Str("no code").address();
  for (const uint64_t executable : {uint64_t{0}, uint64_t{1}, uint64_t{3}, good | 2, string}) {
    target_.Put(frame + f.executable, executable);
    ASSERT_TRUE(reader_.ReadPass().ok());
    const std::string seen = StackOf(main_);
    // A frame without executable was popped, and nothing is left then.
    EXPECT_TRUE(seen == "torn" || seen.empty()) << seen;
  }
}

TEST_P(InterpreterReaderTest, RecursionGrowsOverManyChunksAndBack) {
  for (const bool unmap : {false, true}) {
    target_.unmap_chunks = unmap;
    for (int depth = 0; depth < 600; ++depth) {
      target_.Call(main_, work_, 1 + depth % 20);
      target_.Finish();
      if (depth % 20 == 0) {
        ASSERT_TRUE(reader_.ReadPass().ok());
        ASSERT_EQ(StackOf(main_), target_.Truth(*main_)) << depth;
      }
    }
    EXPECT_GT(main_->chunks.size(), 24u);
    WarmUp();
    EXPECT_EQ(CallsOfNextPass(), 1u);
    for (int depth = 0; depth < 600; ++depth) {
      target_.Return(main_);
      target_.Finish();
      if (depth % 20 == 0) {
        ASSERT_TRUE(reader_.ReadPass().ok());
        ASSERT_EQ(StackOf(main_), target_.Truth(*main_)) << depth;
      }
    }
  }
}

// A stack never seen before, deep and over many chunks, entry frames, generators and code objects,
// is read in its first pass: one that is only there for a moment must not be torn for its depth.
TEST_P(InterpreterReaderTest, ADeepStackIsReadInItsFirstPass) {
  for (int i = 0; i < 60; ++i) {
    const FakeCode* code = target_.NewCode(absl::StrCat("f", i), 1000 * i, 20, 100);
    target_.Call(main_, code);
    target_.Resume(main_, target_.NewGenerator(gen_));
    target_.CallFromC(main_, work_);
  }
  target_.Finish();
  ASSERT_GT(main_->chunks.size(), 10u);
  ASSERT_TRUE(reader_.ReadPass().ok());
  EXPECT_EQ(StackOf(main_), target_.Truth(*main_));
}

TEST_P(InterpreterReaderTest, GeneratorsAtNewPlacesEachTimeStayAffordable) {
  for (int i = 0; i < 40; ++i) target_.Call(main_, work_);
  target_.Finish();
  WarmUp();
  for (int pass = 0; pass < 300; ++pass) {
    FakeTarget::Generator* generators[4];
    for (auto& generator : generators) {
      generator = target_.NewGenerator(gen_);
      target_.Resume(main_, generator);
    }
    target_.Finish();
    const size_t calls = CallsOfNextPass();
    ASSERT_EQ(StackOf(main_), target_.Truth(*main_)) << pass;
    ASSERT_LT(calls, 24u) << pass;
    for (int i = 3; i >= 0; --i) target_.Yield(main_, generators[i]);
    target_.Finish();
  }
}

// As in an event loop: another chain of coroutines each time, more of them than are copied, but the
// same again and again.
TEST_P(InterpreterReaderTest, ChainsThatTakeTurnsNeedOneCallMore) {
  constexpr size_t kChains = 50, kDepth = 10;
  FakeTarget::Generator* generators[kChains][kDepth];
  for (auto& chain : generators) {
    for (auto& generator : chain) generator = target_.NewGenerator(gen_);
  }
  target_.CallFromC(main_, work_);
  for (size_t pass = 0; pass < 5 * kChains; ++pass) {
    auto& chain = generators[pass * 7 % kChains];
    for (FakeTarget::Generator* generator : chain) target_.Resume(main_, generator);
    target_.Call(main_, work_);
    target_.Finish();
    const size_t calls = CallsOfNextPass();
    ASSERT_EQ(StackOf(main_), target_.Truth(*main_)) << pass;
    if (pass >= kChains) ASSERT_LE(calls, 2u) << pass;
    target_.Return(main_);
    for (size_t i = kDepth; i > 0; --i) target_.Yield(main_, chain[i - 1]);
    target_.Finish();
  }
}

TEST_P(InterpreterReaderTest, ADeadTopFrameShowsItsCaller) {
  target_.Call(main_, work_, 3);
  target_.Finish();
  WarmUp();
  // The callee is pushed after the frames were copied, before the current frame is read.
  bool pushed = false;
  memory_.after_piece = [&](const MemoryPiece& piece) {
    const bool is_stack =
        piece.address <= main_->frames.front().address || piece.address == main_->chunks.back();
    if (pushed || !is_stack || piece.address != main_->chunks.back()) return;
    pushed = true;
    target_.Call(main_, leaf_, 4);
    target_.Finish();
  };
  ASSERT_TRUE(reader_.ReadPass().ok());
  ASSERT_TRUE(pushed);
  EXPECT_TRUE(target_.possible().contains(StackOf(main_))) << StackOf(main_);
}

TEST_P(InterpreterReaderTest, ReadsSubinterpreters) {
  const uint64_t second = target_.NewInterpreter();
  Thread* thread = target_.NewThread(second);
  target_.CallFromC(thread, work_);
  target_.Finish();
  WarmUp();
  EXPECT_EQ(StackOf(thread), "work:200");
  EXPECT_EQ(Find(thread)->interpreter.address(), second);
  EXPECT_EQ(Find(thread)->interpreter_id, 1);
  EXPECT_EQ(Find(main_)->interpreter.address(), target_.main_interpreter());
  EXPECT_EQ(Find(main_)->interpreter_id, 0);
  EXPECT_EQ(reader_.gil().address, target_.GilAddress(target_.main_interpreter()));
  EXPECT_EQ(CallsOfNextPass(), 1u);
  target_.EndThread(thread);
  target_.EndInterpreter();
  ASSERT_TRUE(reader_.ReadPass().ok());
  EXPECT_THAT(Stacks(), ElementsAre("run:10"));
  const uint64_t third = target_.NewInterpreter();
  ASSERT_TRUE(reader_.ReadPass().ok());
  Thread* newest = target_.NewThread(third);
  target_.CallFromC(newest, leaf_);
  target_.Finish();
  WarmUp(1);
  EXPECT_THAT(Stacks(), ElementsAre("leaf:300", "run:10"));
}

TEST_P(InterpreterReaderTest, EachThreadIsJudgedByItsInterpretersGil) {
  const uint64_t own = target_.NewInterpreter();
  Thread* thread = target_.NewThread(own);
  target_.SetGil(target_.main_interpreter(), 1, 0, 0);
  target_.SetGil(own, 1, 1, thread->state);
  WarmUp();
  EXPECT_EQ(reader_.GilOf(*Find(thread)).address, target_.GilAddress(own));
  EXPECT_EQ(reader_.GilOf(*Find(thread)).holder, thread->state);
  EXPECT_EQ(reader_.GilOf(*Find(main_)).address, target_.GilAddress(target_.main_interpreter()));
  EXPECT_FALSE(reader_.GilOf(*Find(main_)).locked);
  EXPECT_TRUE(reader_.AnyGilHeld());
  EXPECT_EQ(CallsOfNextPass(), 1u);
  target_.SetGil(own, 1, 0, 0);
  WarmUp(1);
  EXPECT_FALSE(reader_.AnyGilHeld());
}

// It is linked before it has a GIL; then it has its own, or gets the main interpreter's.
TEST_P(InterpreterReaderTest, ASubinterpreterGetsItsGilLater) {
  const uint64_t gil_at = target_.offsets().interpreter_state.ceval_gil;
  for (const bool is_shared : {false, true}) {
    const uint64_t second = target_.NewInterpreter();
    const uint64_t main_gil = target_.GilAddress(target_.main_interpreter());
    const uint64_t gil = is_shared ? main_gil : target_.GilAddress(second);
    target_.Put(second + gil_at, 0);
    Thread* thread = target_.NewThread(second);
    WarmUp();
    ASSERT_NE(Find(thread), nullptr);
    EXPECT_EQ(reader_.gil().address, main_gil);
    target_.Put(second + gil_at, gil);
    WarmUp(1);
    EXPECT_EQ(reader_.GilOf(*Find(thread)).address, gil);
    EXPECT_EQ(reader_.gil().address, main_gil);
  }
}

// It comes or goes at any moment of the pass: the target as a whole stays there.
TEST_P(InterpreterReaderTest, SubinterpretersThatComeAndGoInThePass) {
  for (const bool ends : {false, true}) {
    for (size_t boundary = 0; boundary < 25; ++boundary) {
      if (ends) target_.NewInterpreter();
      if (boundary % 2 == 0) WarmUp();  // else the list is learnt in the pass that is disturbed
      bool done = false;
      const size_t start = memory_.pieces_read;
      memory_.after_piece = [&](const MemoryPiece&) {
        if (done || memory_.pieces_read - start <= boundary) return;
        done = true;
        if (ends) target_.EndInterpreter();
        if (!ends) target_.NewInterpreter();
      };
      EXPECT_TRUE(reader_.ReadPass().ok()) << ends << " " << boundary;
      EXPECT_EQ(StackOf(main_), "run:10") << ends << " " << boundary;
      memory_.after_piece = nullptr;
      if (ends != done) target_.EndInterpreter();
    }
  }
}

TEST_P(InterpreterReaderTest, InterpretersThatLoopAreFewReads) {
  target_.Put(target_.main_interpreter() + target_.offsets().interpreter_state.next,
              target_.main_interpreter());
  const size_t before = memory_.pieces_read;
  reader_.ReadPass().IgnoreError();
  EXPECT_LT(memory_.pieces_read - before, 200u);
}

TEST_P(InterpreterReaderTest, TheInterpreterMayBeGone) {
  WarmUp();
  target_.EndInterpreter();
  EXPECT_TRUE(absl::IsUnavailable(reader_.ReadPass()));
  EXPECT_THAT(reader_.threads(), IsEmpty());
  target_.NewInterpreter();
  main_ = NewThread();
  ASSERT_TRUE(reader_.ReadPass().ok());
  EXPECT_THAT(Stacks(), ElementsAre("run:10"));
  memory_.regions().clear();  // another program runs in the process
  EXPECT_TRUE(absl::IsUnavailable(reader_.ReadPass()));
}

TEST_P(InterpreterReaderTest, TheProcessMayBeGoneAtAnyCall) {
  target_.Call(main_, work_);
  target_.Finish();
  for (size_t last = 0;; ++last) {
    InterpreterReader reader(memory_, target_.runtime());
    memory_.gone = false;
    memory_.before_call = [&, calls = size_t{0}]() mutable { memory_.gone = calls++ == last; };
    const absl::Status status = reader.ReadPass();
    memory_.before_call = nullptr;
    if (status.ok()) break;
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    ASSERT_LT(last, 100u);
  }
  memory_.gone = true;
  std::vector<const CodeInfo*> stale;
  EXPECT_TRUE(absl::IsNotFound(reader_.ReadPass()));
}

// --- Code objects whose address another takes ---

TEST_P(InterpreterReaderTest, VerifyCodeFindsAddressesThatChangedHands) {
  target_.Call(main_, work_);
  target_.Finish();
  WarmUp();
  WaitUntilCodeIsOld();
  std::vector<const CodeInfo*> stale;
  ASSERT_TRUE(reader_.VerifyCode(stale).ok());
  EXPECT_THAT(stale, IsEmpty());
  WarmUp(1);
  const CodeInfo* doubtful = Find(main_)->frames.front().code;
  target_.NewCode("other", 900, 30, 25, work_->address);
  ASSERT_TRUE(reader_.VerifyCode(stale).ok());
  EXPECT_THAT(stale, ElementsAre(doubtful));
  EXPECT_EQ(doubtful->function, "work");  // still valid
  // From now on that address is verified in the call that reads the stack.
  WarmUp(2);
  EXPECT_EQ(StackOf(main_), "other:900;run:13");
  ASSERT_TRUE(reader_.VerifyCode(stale).ok());
  EXPECT_THAT(stale, IsEmpty());
  EXPECT_EQ(CallsOfNextPass(), 1u);
}

TEST_P(InterpreterReaderTest, VerifyCodeSurvivesUnreadableAddresses) {
  target_.Call(main_, work_);
  target_.Call(main_, leaf_);
  target_.Finish();
  WarmUp();
  WaitUntilCodeIsOld();
  memory_.regions().erase(work_->address);
  std::vector<const CodeInfo*> stale;
  ASSERT_TRUE(reader_.VerifyCode(stale).ok());
  ASSERT_THAT(stale, SizeIs(1));
  EXPECT_EQ(stale[0]->function, "work");
}

// Code made, run and freed for ever at one address: no stack ever shows another one's name. The
// naive model: what the thread ran in the pass.
TEST_P(InterpreterReaderTest, VolatileCodeIsNeverShownUnderAnotherName) {
  const FakeCode* code = target_.NewCode("made0", 5000, 20, 20);
  int made = 0;
  int shown = 0;
  const auto remake = [&] {
    target_.Return(main_);
    target_.Finish();
    ++made;
    code = target_.NewCode(absl::StrCat("made", made), 5000 + 10 * made, 20, 20, code->address);
    target_.Call(main_, code);
    target_.Finish();
  };
  target_.Call(main_, code);
  target_.Finish();
  std::vector<std::string> batch;
  std::vector<const CodeInfo*> stale;
  for (int pass = 0; pass < 400; ++pass) {
    const int before = made;
    const size_t boundary = pass % 23;
    const size_t start = memory_.pieces_read;
    bool moved = false;
    memory_.after_piece = [&](const MemoryPiece&) {
      if (moved || memory_.pieces_read - start <= boundary) return;
      moved = true;
      remake();
    };
    ASSERT_TRUE(reader_.ReadPass().ok());
    memory_.after_piece = nullptr;
    const std::string seen = StackOf(main_);
    ASSERT_TRUE(reader_.VerifyCode(stale).ok());
    if (seen == "torn") continue;
    bool doubtful = false;
    for (const StackFrame& frame : Find(main_)->frames) {
      for (const CodeInfo* info : stale) doubtful |= info == frame.code;
    }
    if (doubtful) continue;
    ++shown;
    ASSERT_TRUE(target_.possible().contains(seen)) << seen;
    const std::string name = seen.substr(0, seen.find(':'));
    if (name == "run") continue;  // between two of them
    EXPECT_TRUE(name == absl::StrCat("made", before) || name == absl::StrCat("made", made))
        << seen << " in a pass that began with " << before;
  }
  EXPECT_GT(shown, 200);
}

TEST_P(InterpreterReaderTest, AnUnreadableVolatileAddressSpoilsNoOtherThread) {
  const FakeCode* first = target_.NewCode("first", 1, 20, 20);
  const FakeCode* second = target_.NewCode("second", 1, 20, 20);
  Thread* other = NewThread();
  target_.Call(main_, first);
  target_.Call(other, second);
  target_.Finish();
  std::vector<const CodeInfo*> stale;
  WarmUp();
  WaitUntilCodeIsOld();
  for (const FakeCode* code : {first, second}) {
    target_.NewCode("again", 1, 20, 20, code->address);
  }
  ASSERT_TRUE(reader_.VerifyCode(stale).ok());
  ASSERT_THAT(stale, SizeIs(2));
  WarmUp(2);
  ASSERT_EQ(StackOf(main_), "again:1;run:13");
  for (const auto& [gone, thread, left] :
       {std::tuple(first, main_, other), std::tuple(second, other, main_)}) {
    const auto kept = memory_.regions()[gone->address];
    target_.Return(thread);
    target_.Finish();
    memory_.regions().erase(gone->address);
    WarmUp(1);
    EXPECT_EQ(StackOf(left), "again:1;run:13");
    EXPECT_EQ(StackOf(thread), "run:13");
    memory_.AddRegion(gone->address, kept);
    target_.Call(thread, gone);
    target_.Finish();
    WarmUp(2);
  }
}

// --- Thread-local bytecode ---

using BytecodeCopiesTest = InterpreterReaderTest;
INSTANTIATE_TEST_SUITE_P(Releases, BytecodeCopiesTest,
                         testing::ValuesIn(kThreadLocalBytecodeReleases));

TEST_P(BytecodeCopiesTest, AreFollowed) {
  target_.GrowThreadLocalBytecode(run_, 4);
  target_.GrowThreadLocalBytecode(work_, 2);
  for (uint32_t index = 1; index < 4; ++index) {
    Thread* thread = target_.NewThread();
    thread->tlbc_index = index;
    target_.CallFromC(thread, run_);
    if (index < 2) target_.Call(thread, work_, index);
    target_.SetUnit(thread, 7);
    target_.Finish();
  }
  WarmUp();
  EXPECT_THAT(Stacks(), ElementsAre("run:17", "run:17", "work:207;run:11", "run:10"));
  // A thread with an index past the array that was cached.
  target_.GrowThreadLocalBytecode(work_, 6);
  Thread* late = target_.NewThread();
  late->tlbc_index = 5;
  target_.CallFromC(late, work_);
  target_.SetUnit(late, 9);
  target_.Finish();
  WarmUp(1);
  EXPECT_EQ(StackOf(late), "work:209");
  WarmUp(1);
  EXPECT_EQ(CallsOfNextPass(), 1u);
  // The copies are freed and made anew elsewhere.
  target_.MoveThreadLocalBytecode(work_);
  target_.SetUnit(late, 12);
  target_.Finish();
  WarmUp(1);
  EXPECT_EQ(StackOf(late), "work:212");
}

TEST_P(BytecodeCopiesTest, AnIndexWithoutACopyIsTorn) {
  target_.GrowThreadLocalBytecode(run_, 3);
  WarmUp();
  const auto& f = target_.offsets().interpreter_frame;
  for (const uint32_t index : {3u, 1u << 20, 0x7fff'ffffu}) {
    memory_.Write(main_->frames.back().address + f.tlbc_index, index);
    WarmUp(1);
    EXPECT_EQ(StackOf(main_), "torn") << index;
  }
}

// --- A target that moves within the pass ---

// What the thread does for ever: calls of two functions that call each other's leaf, through C and
// through a generator, over the end of a chunk.
void Script(FakeTarget& target, Thread* thread, const FakeCode* work, const FakeCode* leaf,
            FakeTarget::Generator* generator) {
  target.Call(thread, work, 2);
  target.Call(thread, leaf, 4);
  target.SetUnit(thread, 1);
  target.Return(thread);
  target.Call(thread, leaf, 6);
  target.Return(thread);
  target.CallFromC(thread, leaf);
  target.SetUnit(thread, 2);
  target.ReturnToC(thread);
  target.Return(thread);
  target.Resume(thread, generator, 5);
  target.SetUnit(thread, 3);
  target.Call(thread, leaf, 7);
  target.Return(thread);
  target.Yield(thread, generator);
  target.Call(thread, leaf, 8);
  target.Return(thread);
}

class MovingTargetTest : public InterpreterReaderTest {
 protected:
  void Go(size_t steps) {
    for (size_t i = 0; i < steps; ++i) {
      if (target_.pending_steps() == 0) Script(target_, main_, work_, leaf_, generator_);
      target_.Advance();
    }
  }
  // Fills the chunk, so that the script's deeper calls need another one.
  void NearTheEndOfAChunk() {
    const FakeCode* filler = target_.NewCode("filler", 700, 20, 60);
    while (main_->chunks.back() + FakeTarget::kChunkSize - main_->data_top > 60 * 8) {
      target_.Call(main_, filler);
      target_.Finish();
    }
  }
  size_t CountTorn() {
    size_t torn = 0;
    for (const PythonThread* thread : reader_.threads()) torn += thread->stack == Stack::kTorn;
    return torn;
  }
  FakeTarget::Generator* generator_ = target_.NewGenerator(gen_);
};
INSTANTIATE_TEST_SUITE_P(Releases, MovingTargetTest, testing::ValuesIn(kTargetReleases));

// At each boundary between two parts of what a pass copies, the target makes some steps at once and
// then stands still. From every point of its script.
TEST_P(MovingTargetTest, OneMoveAtAnyBoundaryGivesATrueStack) {
  NearTheEndOfAChunk();
  memory_.part_size = 64;
  WarmUp();
  size_t seen = 0;
  for (const size_t burst : {1, 2, 3, 5, 8, 13, 21}) {
    for (size_t boundary = 0; boundary < 120; ++boundary) {
      Go(1 + boundary % 5);
      size_t parts = 0;
      memory_.after_part = [&] {
        if (parts++ == boundary) Go(burst);
      };
      ASSERT_TRUE(reader_.ReadPass().ok());
      memory_.after_part = nullptr;
      if (Find(main_)->stack == Stack::kTorn) continue;
      ++seen;
      ASSERT_TRUE(target_.possible().contains(StackOf(main_)))
          << StackOf(main_) << " burst " << burst << " boundary " << boundary;
    }
  }
  EXPECT_GT(seen, 7 * 120 * 95 / 100);
}

// It never stands still: a step at every boundary.
TEST_P(MovingTargetTest, ATargetThatNeverStandsStillIsSeenTruly) {
  NearTheEndOfAChunk();
  WarmUp();
  memory_.part_size = 64;
  size_t seen = 0;
  const auto kPasses = static_cast<size_t>(Repetitions(3000));
  for (size_t pass = 0; pass < kPasses; ++pass) {
    const size_t every = 1 + pass % 7;
    size_t parts = 0;
    memory_.after_part = [&] {
      if (parts++ % every == 0) Go(1);
    };
    ASSERT_TRUE(reader_.ReadPass().ok());
    memory_.after_part = nullptr;
    Go(pass % 11);
    if (Find(main_)->stack == Stack::kTorn) continue;
    ++seen;
    ASSERT_TRUE(target_.possible().contains(StackOf(main_))) << StackOf(main_) << " " << pass;
  }
  EXPECT_GT(seen, kPasses / 2);
}

}  // namespace
}  // namespace fthreadprof
