#include "profile/lock_waits.h"

#include <algorithm>

namespace fthreadprof {
namespace {

// About 8 MiB each.
constexpr size_t kMaxLockPairs = size_t{1} << 18;

}  // namespace

const char* LockKindName(LockKind kind) {
  switch (kind) {
    case LockKind::kObject:
      return "object";
    case LockKind::kLock:
      return "lock";
    case LockKind::kRLock:
      return "rlock";
    case LockKind::kNative:
      break;
  }
  return "native";
}

void LockWaits::Add(const LoggedSample& sample) {
  samples_[sample.lock] += sample.weight;
  const uint64_t lock = uint64_t{sample.lock} << 32;
  if (waiters_.size() < kMaxLockPairs) waiters_.insert(lock | sample.thread);
  const std::array<uint32_t, 3> blame = {sample.lock, sample.stack, sample.holder};
  if (stacks_.size() < kMaxLockPairs || stacks_.contains(blame)) stacks_[blame] += sample.weight;
}

std::vector<LockWaits::Lock> LockWaits::Table() const {
  absl::flat_hash_map<uint32_t, Lock> locks;
  for (const auto& [lock, samples] : samples_) locks[lock] = {.lock = lock, .samples = samples};
  for (const uint64_t pair : waiters_) ++locks[static_cast<uint32_t>(pair >> 32)].waiters;
  for (const auto& [blame, samples] : stacks_) {
    const auto [lock, waiter, holder] = blame;
    locks[lock].stacks.push_back({waiter, holder, samples});
  }
  std::vector<Lock> table;
  for (auto& [id, lock] : locks) {
    std::sort(lock.stacks.begin(), lock.stacks.end(), [](const Stack& a, const Stack& b) {
      if (a.samples != b.samples) return a.samples > b.samples;
      return a.stack != b.stack ? a.stack < b.stack : a.holder < b.holder;
    });
    table.push_back(std::move(lock));
  }
  std::sort(table.begin(), table.end(), [](const Lock& a, const Lock& b) {
    return a.samples != b.samples ? a.samples > b.samples : a.lock < b.lock;
  });
  return table;
}

}  // namespace fthreadprof
