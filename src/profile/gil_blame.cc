#include "profile/gil_blame.h"

#include <algorithm>

namespace fthreadprof {
namespace {

// About 8 MiB. Beyond it new pairs are counted as of an unknown holder.
constexpr size_t kMaxPairs = size_t{1} << 18;

}  // namespace

void GilBlame::Add(const LoggedSample& sample, uint64_t gil) {
  const bool waits = sample.state == ThreadState::kGilWait;
  if (!waits && !sample.has_gil) return;
  Pass& pass = passes_[gil];
  if (pass.time_us != sample.time_us) {
    Close(pass, samples_);
    pass.time_us = sample.time_us;
    pass.holder = 0;
    pass.waiters.clear();
  }
  // A thread that was given the GIL while it was looked at may still seem to wait.
  if (sample.has_gil) {
    pass.holder = sample.stack;
  } else {
    pass.waiters.push_back(sample.stack);
  }
}

void GilBlame::Close(const Pass& pass, Samples& samples) {
  for (const uint32_t waiter : pass.waiters) {
    uint64_t pair = uint64_t{waiter} << 32 | pass.holder;
    if (samples.size() >= kMaxPairs && !samples.contains(pair)) pair = uint64_t{waiter} << 32;
    ++samples[pair];
  }
}

std::vector<GilBlame::Entry> GilBlame::Table() const {
  Samples samples = samples_;
  for (const auto& [gil, pass] : passes_) Close(pass, samples);
  std::vector<Entry> entries;
  entries.reserve(samples.size());
  for (const auto& [pair, count] : samples) {
    entries.push_back({.waiter = static_cast<uint32_t>(pair >> 32),
                       .holder = static_cast<uint32_t>(pair),
                       .samples = count});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    if (a.samples != b.samples) return a.samples > b.samples;
    return a.waiter != b.waiter ? a.waiter < b.waiter : a.holder < b.holder;
  });
  return entries;
}

}  // namespace fthreadprof
