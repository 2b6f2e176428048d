#include "profile/sample_log.h"

#include <zstd.h>

#include <cstdlib>
#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace fthreadprof {
namespace {

// A block is raw: count, first time, kinds (count, then stack, GIL and state of each), and three
// columns of `count` varints: the time as the difference to the sample before, the thread, and the
// kind: 0 for "as this thread's last sample in the block", else 1 + the index of the kind. All of
// it stays in this process, so there is neither a version nor a defence against foreign bytes.
//
// 16 Ki samples compress in well under a millisecond: a sampler at 1 kHz does not miss its next
// pass.
constexpr size_t kBlockSamples = 16 * 1024;
constexpr int kCompressionLevel = 1;

void PutVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

uint64_t TakeVarint(std::string_view& in) {
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<uint8_t>(in.front());
    in.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
}

// Stack, state and GIL of a sample, in one number.
uint64_t KindOf(const LoggedSample& sample) {
  return uint64_t{sample.stack} << 8 | static_cast<uint64_t>(sample.has_gil) << 7 |
         static_cast<uint8_t>(sample.state);
}

std::string EncodeBlock(const std::vector<LoggedSample>& samples) {
  absl::flat_hash_map<uint64_t, uint64_t> kind_numbers;    // kind -> 1 + its index
  absl::flat_hash_map<uint32_t, uint64_t> last_of_thread;  // thread -> number of its last kind
  std::string kinds, times, threads, numbers;
  uint64_t last_time = samples.front().time_us;
  for (const LoggedSample& sample : samples) {
    PutVarint(times, sample.time_us - last_time);
    last_time = sample.time_us;
    PutVarint(threads, sample.thread);
    const auto [kind, is_new] = kind_numbers.try_emplace(KindOf(sample), kind_numbers.size() + 1);
    if (is_new) PutVarint(kinds, kind->first);
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

std::vector<LoggedSample> DecodeBlock(std::string_view raw) {
  std::vector<LoggedSample> samples(TakeVarint(raw));
  uint64_t time = TakeVarint(raw);
  std::vector<uint64_t> kinds(TakeVarint(raw));
  for (uint64_t& kind : kinds) kind = TakeVarint(raw);
  for (LoggedSample& sample : samples) sample.time_us = time += TakeVarint(raw);
  for (LoggedSample& sample : samples) sample.thread = static_cast<uint32_t>(TakeVarint(raw));
  absl::flat_hash_map<uint32_t, uint64_t> last_of_thread;
  for (LoggedSample& sample : samples) {
    uint64_t& last = last_of_thread[sample.thread];
    if (const uint64_t number = TakeVarint(raw); number != 0) last = number;
    const uint64_t kind = kinds[last - 1];
    sample.stack = static_cast<uint32_t>(kind >> 8);
    sample.state = static_cast<ThreadState>(kind & 0x7f);
    sample.has_gil = (kind & 0x80) != 0;
  }
  return samples;
}

// zstd fails only on a wrong buffer size or without memory: our own mistake, or nothing to be done.
size_t CheckZstd(size_t result) {
  if (ZSTD_isError(result)) std::abort();
  return result;
}

}  // namespace

void SampleLog::Append(const LoggedSample& sample) {
  pending_.push_back(sample);
  ++size_;
  if (pending_.size() == kBlockSamples) CompressPending();
}

void SampleLog::CompressPending() {
  const std::string raw = EncodeBlock(pending_);
  std::string buffer(ZSTD_compressBound(raw.size()), '\0');
  buffer.resize(CheckZstd(
      ZSTD_compress(buffer.data(), buffer.size(), raw.data(), raw.size(), kCompressionLevel)));
  blocks_.push_back({std::string(buffer), raw.size()});  // a copy: its capacity fits
  pending_.clear();
}

void SampleLog::ForEach(const std::function<void(const LoggedSample&)>& visit) const {
  std::string raw;
  for (const Block& block : blocks_) {
    raw.resize(block.raw_size);
    CheckZstd(
        ZSTD_decompress(raw.data(), raw.size(), block.compressed.data(), block.compressed.size()));
    for (const LoggedSample& sample : DecodeBlock(raw)) visit(sample);
  }
  for (const LoggedSample& sample : pending_) visit(sample);
}

size_t SampleLog::memory_bytes() const {
  size_t bytes = pending_.capacity() * sizeof(LoggedSample) + blocks_.capacity() * sizeof(Block);
  for (const Block& block : blocks_) bytes += block.compressed.capacity();
  return bytes;
}

}  // namespace fthreadprof
