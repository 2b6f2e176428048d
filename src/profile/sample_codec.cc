#include "profile/sample_codec.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/status_macros.h"

namespace fthreadprof {
namespace {

void PutVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// Takes numbers off bytes that may be anything: after the first that is cut off or too long, all
// are 0, and `ok` says so.
class VarintReader {
 public:
  explicit VarintReader(std::string_view in) : in_(in) {}

  uint64_t Take() {
    uint64_t value = 0;
    for (unsigned shift = 0; ok_ && shift < 64; shift += 7) {
      if (in_.empty()) break;
      const auto byte = static_cast<uint8_t>(in_.front());
      in_.remove_prefix(1);
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  // A number of things that take at least `bytes_each` bytes of what is left.
  size_t TakeCount(size_t bytes_each) {
    const uint64_t count = Take();
    if (count > in_.size() / bytes_each) ok_ = false;
    return ok_ ? count : 0;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return in_.empty(); }

 private:
  std::string_view in_;
  bool ok_ = true;
};

// Stack, GIL, stop and state of a sample in one number, its weight, its lock and who holds that.
using SampleKind = std::array<uint64_t, 4>;

constexpr uint64_t kHasGil = 0x80;
constexpr uint64_t kStopsWorld = 0x40;
constexpr uint64_t kStateMask = 0x3f;

SampleKind KindOf(const LoggedSample& sample) {
  return {uint64_t{sample.stack} << 8 | (sample.has_gil ? kHasGil : 0) |
              (sample.stops_world ? kStopsWorld : 0) | static_cast<uint8_t>(sample.state),
          sample.weight, sample.lock, sample.holder};
}

bool SetKind(LoggedSample& sample, const SampleKind& numbers) {
  const auto [kind, weight, lock, holder] = numbers;
  sample.holder = static_cast<uint32_t>(holder);
  sample.lock = static_cast<uint32_t>(lock);
  sample.weight = static_cast<uint32_t>(weight);
  sample.stack = static_cast<uint32_t>(kind >> 8);
  sample.state = static_cast<ThreadState>(kind & kStateMask);
  sample.has_gil = (kind & kHasGil) != 0;
  sample.stops_world = (kind & kStopsWorld) != 0;
  return kind >> 40 == 0 && (kind & kStateMask) < kThreadStateCount && weight >= 1 &&
         weight <= UINT32_MAX && lock <= UINT32_MAX && holder <= UINT32_MAX;
}

}  // namespace

std::string EncodeSamples(std::span<const LoggedSample> samples) {
  absl::flat_hash_map<SampleKind, uint64_t> kind_numbers;  // kind -> 1 + its index
  absl::flat_hash_map<uint32_t, uint64_t> last_of_thread;  // thread -> number of its last kind
  std::string kinds, times, threads, numbers;
  uint64_t last_time = samples.front().time_us;
  for (const LoggedSample& sample : samples) {
    PutVarint(times, sample.time_us - last_time);
    last_time = sample.time_us;
    PutVarint(threads, sample.thread);
    const auto [kind, is_new] = kind_numbers.try_emplace(KindOf(sample), kind_numbers.size() + 1);
    if (is_new) {
      for (const uint64_t number : kind->first) PutVarint(kinds, number);
    }
    uint64_t& last = last_of_thread[sample.thread];
    PutVarint(numbers, kind->second == last ? 0 : kind->second);
    last = kind->second;
  }
  std::string raw;
  PutVarint(raw, samples.size());
  PutVarint(raw, samples.front().time_us);
  PutVarint(raw, kind_numbers.size());
  return raw + kinds + times + threads + numbers;
}

absl::StatusOr<std::vector<LoggedSample>> DecodeSamples(std::string_view raw) {
  const absl::Status damaged = absl::DataLossError("samples that do not hold together");
  VarintReader in(raw);
  std::vector<LoggedSample> samples(in.TakeCount(3));
  uint64_t time = in.Take();
  std::vector<SampleKind> kinds(in.TakeCount(std::tuple_size_v<SampleKind>));
  for (SampleKind& kind : kinds) {
    for (uint64_t& number : kind) number = in.Take();
  }
  for (LoggedSample& sample : samples) {
    const uint64_t step = in.Take();
    if (time + step < time) return damaged;
    sample.time_us = time += step;
  }
  for (LoggedSample& sample : samples) {
    const uint64_t thread = in.Take();
    if (thread > UINT32_MAX) return damaged;
    sample.thread = static_cast<uint32_t>(thread);
  }
  absl::flat_hash_map<uint32_t, uint64_t> last_of_thread;
  for (LoggedSample& sample : samples) {
    uint64_t& last = last_of_thread[sample.thread];
    if (const uint64_t number = in.Take(); number != 0) last = number;
    if (last == 0 || last > kinds.size() || !SetKind(sample, kinds[last - 1])) return damaged;
  }
  if (!in.ok() || !in.at_end()) return damaged;
  return samples;
}

}  // namespace fthreadprof
