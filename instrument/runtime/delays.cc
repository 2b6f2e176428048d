#include "delays.h"

#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "synchronization.h"

namespace fthreadprof::race {
namespace {

constexpr uint32_t kNap = 50;               // microseconds
constexpr uint32_t kLongestWait = 25'000;   // for company
constexpr uint32_t kAloneUntilHalved = 16;  // threads that waited in vain

uint64_t first_identity = 0;  // 0: no seed

// Threads at their first access. A thread that has waited in vain leaves again.
std::atomic<uint32_t> waiting{0};
std::atomic<uint32_t> departures{0};
std::atomic<uint32_t> alone{0};  // that left without company, since somebody had it

void Sleep(uint32_t microseconds) {
  if (microseconds == 0) return;
  KeepErrno keep;
  timespec left = {microseconds / 1'000'000, static_cast<long>(microseconds % 1'000'000) * 1000};
  // A signal's handler runs after the delay: it is short.
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

// The same in every run: neither an address nor a hash of Python's.
uint64_t PlaceIn(const _PyInterpreterFrame* frame) {
  const PyCodeObject* code = CodeOf(frame);
  Py_ssize_t size = 0;
  const char* name = AsciiData(code->co_qualname, &size);
  uint64_t hash = HashBytes(name, name == nullptr ? 0 : static_cast<size_t>(size));
  hash = (hash ^ static_cast<uint32_t>(code->co_firstlineno)) * 0x100000001b3;
  return (hash ^ OffsetIn(frame)) * 0x100000001b3;
}

// Until another thread is at its first access, too. A program that runs its threads one by one is
// not held up for long by it.
void WaitForCompany() {
  if (waiting.fetch_add(1) != 0) {
    waiting.store(0);
    alone.store(0);
    departures.fetch_add(1);
    Sleep(kNap);  // as long as the other one takes to find out
    return;
  }
  const uint32_t departure = departures.load();
  const uint32_t longest = kLongestWait >> std::min(alone.load() / kAloneUntilHalved, 8U);
  for (uint32_t waited = 0; waited < longest; waited += kNap) {
    Sleep(kNap);
    if (departures.load() != departure) return;
  }
  uint32_t still = 1;
  if (waiting.compare_exchange_strong(still, 0)) alone.fetch_add(1);
}

}  // namespace

void ReadSeed() {
  const char* seed = getenv("FTHREADPROF_RACE_SEED");
  if (seed == nullptr || *seed == '\0') return;
  first_identity = Perturbation::Mix(strtoull(seed, nullptr, 10), 0x5eed) | 1;
}

uint64_t IdentityOfAdopted(const RaceThread& thread) {
  return first_identity == 0 ? 0 : Perturbation::Mix(first_identity, thread.id);
}

void DelayInLock(RaceThread& thread, const _PyInterpreterFrame* frame) {
  if (!thread.perturbation.is_on() || frame == nullptr) return;
  Sleep(thread.perturbation.DelayAtSynchronization(~PlaceIn(frame)));
}

void DelayBeforeAccess(RaceThread& thread, const _PyInterpreterFrame* frame) {
  if (thread.perturbation.TakeFirst()) {
    WaitForCompany();
    Sleep(thread.perturbation.DelayAtStart());
  } else if (thread.perturbation.TakeDue()) {
    Sleep(thread.perturbation.DelayAtSynchronization(PlaceIn(frame)));
  }
}

void DelayAtContention(RaceThread& thread, const _PyInterpreterFrame* frame) {
  Sleep(thread.perturbation.DelayAtContention(PlaceIn(frame)));
}

}  // namespace fthreadprof::race
