// Perturbation: `--seed`: delays at random points of a thread, so that orders come about which the
// machine's own schedule seldom gives: threads that would be done before the next one starts wait
// for each other, who would come first comes last.
//
// Every decision follows from the seed, from which thread it is (which child of which) and from
// how often that thread came by the place: the same seed makes the same decisions in every run,
// however the threads are interleaved. What the machine makes of them may differ.
//
// A delay is a sleep of the attached thread, since a hook may be inside of a critical section that
// to detach would give up: a stop-the-world waits for it, so it is short.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_PERTURBATION_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_PERTURBATION_H_

#include <cstdint>

namespace fthreadprof::race {

// Part of a RaceThread.
class Perturbation {
 public:
  // `identity` 0: nothing is perturbed. A thread that was not `started` by one that is tracked is
  // there already, and has no first access.
  void Begin(uint64_t identity, bool started) {
    *this = Perturbation();
    identity_ = identity;
    is_first_ = started;
    level_ = static_cast<uint8_t>(Mix(identity, 1) % kLevels);
  }
  bool is_on() const { return identity_ != 0; }

  // Of the thread that this one starts next.
  uint64_t NextChild() { return is_on() ? Mix(identity_, ++children_) : 0; }

  // The thread has let others go on: it gave back a lock, put an item, started a thread. It is
  // delayed at its next access, when all that it does for that is done.
  void SetDue() { due_ = true; }
  // Both are true once.
  bool TakeDue() { return Take(due_); }
  bool TakeFirst() { return Take(is_first_); }

  // Each in microseconds, 0: none; `place` is the same in every run.
  // The thread begins, at the same moment as another one: who comes first follows from the seed.
  uint32_t DelayAtStart() const { return level_ == 0 ? 0 : LengthOf(Mix(identity_, 2), kLongUnit); }
  // The thread synchronises here.
  uint32_t DelayAtSynchronization(uint64_t place) {
    if (Mix(identity_, ++synchronizations_) % kChangesLevel == 0) {
      level_ = static_cast<uint8_t>(Mix(~identity_, synchronizations_) % kLevels);
    }
    return DelayAt(place, kLongUnit);
  }
  // It touches here what another thread has touched, too.
  uint32_t DelayAtContention(uint64_t place) { return DelayAt(~place, kShortUnit); }

  // The finaliser of splitmix64 over both.
  static uint64_t Mix(uint64_t a, uint64_t b) {
    uint64_t z = a + b * 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

 private:
  // How slow a thread is at present, the opposite of a priority: 0 is never delayed, each next
  // level four times as long as the one before.
  static constexpr uint32_t kLevels = 4;
  static constexpr uint32_t kChangesLevel = 8;  // one in so many synchronisations
  static constexpr uint32_t kLongUnit = 200;
  static constexpr uint32_t kShortUnit = 50;
  static constexpr uint32_t kPlaces = 128;
  // A place's first visits are delayed one time in kSeldom, later ones ever more seldom: a loop is
  // not slowed for long.
  static constexpr uint32_t kSeldom = 2;
  static constexpr uint32_t kFirstVisits = 8;

  static bool Take(bool& flag) {
    const bool was = flag;
    flag = false;
    return was;
  }

  uint32_t DelayAt(uint64_t place, uint32_t unit) {
    const uint32_t visit = visits_[place % kPlaces]++;
    if (level_ == 0) return 0;
    const uint64_t roll = Mix(Mix(identity_, place), visit);
    return roll % (kSeldom * (1 + visit / kFirstVisits)) == 0 ? LengthOf(roll, unit) : 0;
  }
  uint32_t LengthOf(uint64_t roll, uint32_t unit) const {
    const uint32_t longest = unit << 2 * level_;
    return longest / 4 + static_cast<uint32_t>((roll >> 32) % longest);
  }

  uint64_t identity_ = 0;
  uint32_t children_ = 0;
  uint32_t synchronizations_ = 0;
  uint8_t level_ = 0;
  bool is_first_ = false;
  bool due_ = false;
  uint32_t visits_[kPlaces] = {};  // by place; several may share one
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_PERTURBATION_H_
