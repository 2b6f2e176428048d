#include "profile/sample_log.h"

#include <zstd.h>

#include <cstdlib>

#include "profile/zstd_check.h"

namespace fthreadprof {
namespace {

// 16 Ki samples compress in well under a millisecond: a sampler at 1 kHz does not miss its next
// pass.
constexpr size_t kBlockSamples = 16 * 1024;

}  // namespace

void SampleLog::Append(const LoggedSample& sample) {
  pending_.push_back(sample);
  ++size_;
  if (pending_.size() == kBlockSamples) CompressPending();
}

void SampleLog::CompressPending() {
  const std::string raw = EncodeSamples(pending_);
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
    const auto samples = DecodeSamples(raw);
    if (!samples.ok()) std::abort();  // we encoded them ourselves
    for (const LoggedSample& sample : *samples) visit(sample);
  }
  for (const LoggedSample& sample : pending_) visit(sample);
}

size_t SampleLog::memory_bytes() const {
  size_t bytes = pending_.capacity() * sizeof(LoggedSample) + blocks_.capacity() * sizeof(Block);
  for (const Block& block : blocks_) bytes += block.compressed.capacity();
  return bytes;
}

}  // namespace fthreadprof
