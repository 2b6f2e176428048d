#include "contention/lock_holders.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/process/fake_memory.h"
#include "unit/python/fake_target.h"

namespace fthreadprof {
namespace {

using Kind = ParkedOn::Kind;
using Thread = FakeTarget::Thread;

// Two threads in run() which called work(), and one that waits.
class LockHoldersTest : public testing::TestWithParam<const char*> {
 protected:
  LockHoldersTest() {
    for (Thread** thread : {&first_, &second_, &waiter_}) {
      *thread = target_.NewThread();
      target_.CallFromC(*thread, run_);
      target_.Call(*thread, work_, /*unit=*/3);
    }
    target_.Finish();
  }
  const PythonThread* Find(const Thread* thread) const {
    for (const PythonThread* seen : reader_.threads()) {
      if (seen->state_address == thread->state) return seen;
    }
    return nullptr;
  }
  // Who holds what `waiter_` is parked on, by a pass of now.
  const Thread* HolderOf(Kind kind, uint64_t address) {
    for (int pass = 0; pass < 3; ++pass) EXPECT_TRUE(reader_.ReadPass().ok());
    LockWait wait{.waiter = Find(waiter_), .parked = {kind, address, "dict"}};
    holders_.Find({&wait, 1});
    for (const Thread* thread : {first_, second_, waiter_}) {
      if (wait.holder != nullptr && wait.holder->state_address == thread->state) return thread;
    }
    EXPECT_EQ(wait.holder, nullptr);
    return nullptr;
  }
  // What `with lock:` keeps on the stack: a bound __exit__ in 3.13, the lock itself later.
  uint64_t KeptBy(uint64_t lock) {
    if (target_.offsets().minor() >= 14) return lock;
    const uint64_t method = target_.objects().Allocate(target_.offsets().pyobject.size + 32);
    target_.Put(method + BoundSelfField(target_.offsets()), lock);
    return method;
  }
  uint64_t NewObject() { return target_.objects().Allocate(target_.offsets().pyobject.size + 32); }
  // A critical section of these mutexes; the pointer to it, tagged.
  uint64_t NewSection(uint64_t previous, uint64_t mutex, uint64_t mutex2 = 0) {
    const uint64_t section = target_.objects().Allocate(CriticalSection::kSize);
    target_.Put(section + CriticalSection::kPrevious, previous);
    target_.Put(section + CriticalSection::kMutex, mutex);
    target_.Put(section + CriticalSection::kMutex2, mutex2);
    return section | (mutex2 != 0 ? CriticalSection::kTwoMutexes : 0);
  }

  FakeMemory memory_;
  FakeTarget target_{memory_, TargetOffsets(GetParam())};
  const FakeCode* run_ = target_.NewCode("run", 10);
  const FakeCode* work_ = target_.NewCode("work", 200, 30, 25);
  Thread* first_ = nullptr;
  Thread* second_ = nullptr;
  Thread* waiter_ = nullptr;
  InterpreterReader reader_{memory_, target_.runtime()};
  LockHolders holders_{memory_, reader_};
};
INSTANTIATE_TEST_SUITE_P(Releases, LockHoldersTest, testing::ValuesIn(kTargetReleases));

TEST_P(LockHoldersTest, AnRLockNamesItsOwner) {
  const uint64_t rlock = NewObject();
  EXPECT_EQ(HolderOf(Kind::kRLock, rlock), nullptr) << "nobody has it";
  target_.Put(rlock + RLockOwnerField(target_.offsets()), second_->ident);
  EXPECT_EQ(HolderOf(Kind::kRLock, rlock), second_);
  target_.Put(rlock + RLockOwnerField(target_.offsets()), 0x1234);
  EXPECT_EQ(HolderOf(Kind::kRLock, rlock), nullptr) << "a thread that is gone";
}

TEST_P(LockHoldersTest, ALockIsHeldByWhoIsInsideItsWith) {
  const uint64_t lock = NewObject();
  target_.Protect(run_, 2, 5, 2);
  target_.PutOnStack(*second_, /*frame=*/1, /*slot=*/1, KeptBy(lock));
  EXPECT_EQ(HolderOf(Kind::kLock, lock), second_) << "in the caller of its innermost function";
  EXPECT_EQ(HolderOf(Kind::kLock, NewObject()), nullptr) << "of another lock";
}

TEST_P(LockHoldersTest, OnlyWhatIsInUseOfAStackTells) {
  const uint64_t lock = NewObject();
  target_.Protect(run_, 2, 5, 1);
  target_.PutOnStack(*second_, 1, 1, KeptBy(lock));
  EXPECT_EQ(HolderOf(Kind::kLock, lock), nullptr) << "behind what is in use";
  target_.PutOnStack(*second_, 1, 0, KeptBy(lock));
  EXPECT_EQ(HolderOf(Kind::kLock, lock), second_);
  target_.Protect(run_, 4, 5, 1);
  InterpreterReader fresh(memory_, target_.runtime());
  ASSERT_TRUE(fresh.ReadPass().ok());
  LockWait wait{.parked = {Kind::kLock, lock, ""}};
  LockHolders(memory_, fresh).Find({&wait, 1});
  EXPECT_EQ(wait.holder, nullptr) << "not inside";
}

TEST_P(LockHoldersTest, WhoeverWaitsForALockThatItHoldsIsNamed) {
  const uint64_t lock = NewObject();
  target_.Protect(run_, 2, 5, 1);
  target_.PutOnStack(*waiter_, 1, 0, KeptBy(lock));
  EXPECT_EQ(HolderOf(Kind::kLock, lock), waiter_);
}

TEST_P(LockHoldersTest, TwoThatSeemToHoldALockAreNone) {
  const uint64_t lock = NewObject();
  target_.Protect(run_, 2, 5, 1);
  target_.PutOnStack(*first_, 1, 0, KeptBy(lock));
  target_.PutOnStack(*second_, 1, 0, KeptBy(lock));
  EXPECT_EQ(HolderOf(Kind::kLock, lock), nullptr);
}

TEST_P(LockHoldersTest, ACriticalSectionNamesWhatItLocks) {
  const uint64_t object = NewObject();
  const uint64_t mutex = object + kObjectMutexField;
  target_.SetCriticalSection(second_, NewSection(0, mutex));
  EXPECT_EQ(HolderOf(Kind::kObject, object), second_);
  EXPECT_EQ(HolderOf(Kind::kObject, NewObject()), nullptr);
  target_.SetCriticalSection(second_, NewSection(0, NewObject(), mutex));
  EXPECT_EQ(HolderOf(Kind::kObject, object), second_) << "the second of two";
  target_.SetCriticalSection(
      second_, NewSection(NewSection(NewSection(0, mutex), NewObject(), NewObject()), NewObject()));
  EXPECT_EQ(HolderOf(Kind::kObject, object), second_) << "around two others";
}

TEST_P(LockHoldersTest, ASectionThatWasGivenBackHoldsNothing) {
  const uint64_t object = NewObject();
  const uint64_t section = NewSection(0, object + kObjectMutexField);
  target_.SetCriticalSection(second_, section | CriticalSection::kInactive);
  EXPECT_EQ(HolderOf(Kind::kObject, object), nullptr);
  target_.SetCriticalSection(second_, NewSection(section | CriticalSection::kInactive, NewObject()));
  EXPECT_EQ(HolderOf(Kind::kObject, object), nullptr) << "inside of one that is active";
  target_.SetCriticalSection(second_, section);
  target_.SetAttachment(second_, PythonThread::Attachment::kDetached);
  EXPECT_EQ(HolderOf(Kind::kObject, object), nullptr);
}

TEST_P(LockHoldersTest, WhatIsCorruptNamesNobody) {
  const uint64_t object = NewObject();
  constexpr uint64_t kNowhere = 0x6666'0000'0000;
  target_.SetCriticalSection(first_, kNowhere);
  target_.SetCriticalSection(second_, NewSection(0, object + kObjectMutexField));
  EXPECT_EQ(HolderOf(Kind::kObject, object), second_) << "the others are still read";
  const uint64_t loop = NewSection(0, NewObject());
  target_.Put(loop + CriticalSection::kPrevious, loop);
  target_.SetCriticalSection(first_, loop);
  EXPECT_EQ(HolderOf(Kind::kObject, NewObject()), nullptr);
  target_.Protect(run_, 2, 5, 31);  // deeper than the frame
  target_.PutOnStack(*second_, 1, 0, kNowhere);
  EXPECT_EQ(HolderOf(Kind::kLock, object), nullptr);
  EXPECT_EQ(HolderOf(Kind::kRLock, kNowhere), nullptr);
}

TEST_P(LockHoldersTest, NobodyWaitsNothingIsRead) {
  ASSERT_TRUE(reader_.ReadPass().ok());
  const size_t calls = memory_.calls;
  holders_.Find({});
  LockWait native{.waiter = Find(waiter_), .parked = {Kind::kNative, 0x1000, ""}};
  holders_.Find({&native, 1});
  EXPECT_EQ(memory_.calls, calls);
}

}  // namespace
}  // namespace fthreadprof
