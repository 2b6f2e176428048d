#include "contention/lock_reader.h"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include <optional>
#include <string>

#include "unit/process/fake_memory.h"
#include "unit/python/fake_target.h"

namespace fthreadprof {
namespace {

using Kind = ParkedOn::Kind;

class LockReaderTest : public testing::TestWithParam<const char*> {
 protected:
  static constexpr uint64_t kReady = uint64_t{1} << 12;
  static constexpr uint64_t kTypeSubclass = uint64_t{1} << 31;
  static constexpr uint64_t kState = 0x1000'0000;

  LockReaderTest() {
    thread_.state_address = kState;
    type_of_types_ = objects_.Allocate(offsets_.type_object.size);
    memory_.Write(type_of_types_ + offsets_.type_object.tp_flags, kReady | kTypeSubclass);
  }
  uint64_t NewType(const std::string& name, uint64_t flags = kReady) {
    const uint64_t type = objects_.Allocate(offsets_.type_object.size);
    memory_.Write(type + offsets_.pyobject.ob_type, type_of_types_);
    memory_.Write(type + offsets_.type_object.tp_flags, flags);
    Rename(type, name);
    return type;
  }
  // The name ends where the mapped memory does.
  void Rename(uint64_t type, const std::string& name) {
    const uint64_t at = objects_.Allocate(4096) + 4096 - name.size() - 1;
    memory_.WriteBytes(at, name.c_str(), name.size() + 1);
    memory_.Write(type + offsets_.type_object.tp_name, at);
  }
  uint64_t NewObject(uint64_t type) {
    const uint64_t object = objects_.Allocate(offsets_.pyobject.size + 16);
    memory_.Write(object + offsets_.pyobject.ob_type, type);
    return object;
  }
  // What a thread does that CPython parked on `address`.
  KernelActivity Parked(uint64_t address, uint64_t operation = FUTEX_WAIT_BITSET_PRIVATE) {
    const uint64_t entry = objects_.Allocate(24);
    memory_.Write(entry + 8, address);
    KernelActivity activity{.kind = KernelActivity::Kind::kSyscall, .number = SYS_futex};
    activity.arguments[0] = entry + 16;
    activity.arguments[1] = operation | FUTEX_CLOCK_REALTIME;
    return activity;
  }
  ParkedOn Read(const KernelActivity& activity) { return reader_.Read(activity, thread_); }
  // What a futex is that is no lock of CPython's that says so.
  Kind other() const { return offsets_.minor() >= 14 ? Kind::kNative : Kind::kNothing; }
  bool is_free_threaded() const { return offsets_.free_threaded; }
  // PyMutex of an object (free-threaded builds), of a Lock.
  static uint64_t MutexOf(uint64_t object) { return object + 10; }
  uint64_t MutexIn(uint64_t lock) const { return lock + offsets_.pyobject.size; }

  FakeMemory memory_;
  const DebugOffsets offsets_ = TargetOffsets(GetParam());
  FakeObjects objects_{memory_, offsets_};
  uint64_t type_of_types_ = 0;
  LockReader reader_{memory_, offsets_};
  PythonThread thread_;
};
INSTANTIATE_TEST_SUITE_P(Releases, LockReaderTest, testing::ValuesIn(kTargetReleases));

TEST_P(LockReaderTest, TellsALockByItsType) {
  const uint64_t lock = NewObject(NewType("_thread.lock"));
  const ParkedOn on_lock = Read(Parked(MutexIn(lock)));
  EXPECT_EQ(on_lock.kind, Kind::kLock);
  EXPECT_EQ(on_lock.address, lock);
  const uint64_t rlock = NewObject(NewType("_thread.RLock"));
  const ParkedOn on_rlock = Read(Parked(MutexIn(rlock), FUTEX_WAIT_PRIVATE));
  EXPECT_EQ(on_rlock.kind, Kind::kRLock);
  EXPECT_EQ(on_rlock.address, rlock);
}

TEST_P(LockReaderTest, AnEmptyQueueIsNoLock) {
  const uint64_t queue = NewObject(NewType("_queue.SimpleQueue"));
  EXPECT_EQ(Read(Parked(MutexIn(queue))).kind, Kind::kQueue);
  EXPECT_EQ(LockKindOf(Read(Parked(MutexIn(queue)))), std::nullopt);
}

TEST_P(LockReaderTest, AnObjectHasALockWhereThereIsNoGil) {
  const uint64_t dict = NewObject(NewType("dict"));
  const ParkedOn parked = Read(Parked(MutexOf(dict)));
  if (is_free_threaded()) {
    EXPECT_EQ(parked.kind, Kind::kObject);
    EXPECT_EQ(parked.address, dict);
    EXPECT_EQ(parked.type, "dict");
  } else {
    EXPECT_EQ(parked.kind, other());
  }
}

TEST_P(LockReaderTest, AThreadOnItsOwnStateIsStopped) {
  const uint64_t state = offsets_.thread_state.state;
  EXPECT_EQ(Read(Parked(kState + state)).kind, Kind::kStopped);
  EXPECT_EQ(Read(Parked(kState + 0x1000 + state)).kind, other()) << "another thread's";
}

TEST_P(LockReaderTest, OnlyAWaitOnAFutexIsOne) {
  const uint64_t address = MutexIn(NewObject(NewType("_thread.lock")));
  KernelActivity activity = Parked(address, FUTEX_WAKE_PRIVATE);
  EXPECT_EQ(Read(activity).kind, Kind::kNothing);
  activity = Parked(address);
  activity.number = SYS_read;
  EXPECT_EQ(Read(activity).kind, Kind::kNothing);
  activity = Parked(address);
  activity.kind = KernelActivity::Kind::kRunning;
  EXPECT_EQ(Read(activity).kind, Kind::kNothing);
}

TEST_P(LockReaderTest, WhatIsNoObjectIsNotBelieved) {
  const uint64_t no_type = NewType("dict", /*flags=*/0);
  const uint64_t of_no_type = NewType("dict");
  memory_.Write(of_no_type + offsets_.pyobject.ob_type, NewType("dict"));
  const uint64_t unnamed = NewType("dict");
  memory_.Write<uint64_t>(unnamed + offsets_.type_object.tp_name, 16);
  for (const uint64_t type :
       {uint64_t{0}, uint64_t{12}, ~uint64_t{7}, no_type, of_no_type, unnamed}) {
    const uint64_t object = NewObject(type);
    EXPECT_EQ(Read(Parked(MutexOf(object))).kind, other()) << type;
    EXPECT_EQ(Read(Parked(MutexIn(object))).kind, other()) << type;
  }
  for (const uint64_t address : {uint64_t{0}, uint64_t{1}, uint64_t{0xdead'0000}, ~uint64_t{0}}) {
    EXPECT_EQ(Read(Parked(address)).kind, other()) << address;
  }
  KernelActivity nowhere = Parked(1);
  nowhere.arguments[0] = 0;
  EXPECT_EQ(Read(nowhere).kind, other());
  EXPECT_EQ(Read(nowhere).type, "");
}

// A class that a program made may go, and another one come where it was.
TEST_P(LockReaderTest, TheNameOfAClassIsReadEachTime) {
  if (!is_free_threaded()) return;
  const uint64_t type = NewType("Before", kReady | TypeFlags::kHeapType);
  const uint64_t object = NewObject(type);
  EXPECT_EQ(Read(Parked(MutexOf(object))).type, "Before");
  Rename(type, "After");
  EXPECT_EQ(Read(Parked(MutexOf(object))).type, "After");
}

TEST_P(LockReaderTest, ANameWithoutAnEndIsCutOff) {
  if (!is_free_threaded()) return;
  const uint64_t object = NewObject(NewType(std::string(3000, 'x')));
  EXPECT_LT(Read(Parked(MutexOf(object))).type.size(), 200u);
}

// 3.13's RLock, and the Lock of its first releases: `lock` points at the semaphore that the thread
// waits for, and is on its evaluation stack.
TEST_P(LockReaderTest, ASemaphoreIsTheLockOnTheStackThatPointsAtIt) {
  const uint64_t semaphore = objects_.Allocate(32);
  const uint64_t rlock = NewObject(NewType("_thread.RLock"));
  memory_.Write(rlock + offsets_.pyobject.size, semaphore);
  const uint64_t other_rlock = NewObject(NewType("_thread.RLock"));
  const uint64_t list = NewObject(NewType("list"));
  memory_.Write(list + offsets_.pyobject.size, semaphore);
  const uint64_t stack = objects_.Allocate(6 * 8);
  memory_.Write(stack, other_rlock);
  memory_.Write(stack + 8, list);
  memory_.Write<uint64_t>(stack + 16, 0x1235);
  memory_.Write<uint64_t>(stack + 24, 0x7000'0000'0000);  // nothing is there
  KernelActivity activity{.kind = KernelActivity::Kind::kSyscall, .number = SYS_futex};
  activity.arguments = {semaphore, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME};
  thread_.evaluation_stack = {stack, 6};
  EXPECT_EQ(Read(activity).kind, other());
  memory_.Write(stack + 32, rlock);
  const ParkedOn parked = Read(activity);
  if (offsets_.minor() >= 14) {
    EXPECT_EQ(parked.kind, Kind::kNative) << "there they are no semaphores";
    return;
  }
  EXPECT_EQ(parked.kind, Kind::kRLock);
  EXPECT_EQ(parked.address, rlock);
  thread_.evaluation_stack = {0x7000'0000'0000, 6};
  EXPECT_EQ(Read(activity).kind, Kind::kNothing);
  thread_.evaluation_stack = {};
  EXPECT_EQ(Read(activity).kind, Kind::kNothing);
}

}  // namespace
}  // namespace fthreadprof
