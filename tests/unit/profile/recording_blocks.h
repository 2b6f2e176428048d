// Recordings taken apart into their blocks and put together again, for the tests that damage them
// behind the checksums.
#ifndef FTHREADPROF_TESTS_UNIT_PROFILE_RECORDING_BLOCKS_H_
#define FTHREADPROF_TESTS_UNIT_PROFILE_RECORDING_BLOCKS_H_

#include <zstd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "profile/recording_format.h"

namespace fthreadprof {

inline std::string RecordingHeader() {
  return std::string(recording::kMagic) + recording::kVersion;
}

// A block with the content `raw`.
inline std::string BlockOf(const std::string& raw) {
  std::string frame(ZSTD_compressBound(raw.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), raw.data(), raw.size(), 1));
  std::string length(4, '\0');
  for (size_t i = 0; i < 4; ++i) length[i] = static_cast<char>(frame.size() >> (8 * i));
  return length + frame;
}

// The contents of the blocks of an intact recording.
inline std::vector<std::string> ContentsOf(const std::string& recording) {
  std::vector<std::string> contents;
  for (size_t at = RecordingHeader().size(); at < recording.size();) {
    size_t length = 0;
    for (size_t i = 0; i < 4; ++i) {
      length |= size_t{static_cast<uint8_t>(recording[at + i])} << (8 * i);
    }
    const std::string frame = recording.substr(at + 4, length);
    std::string raw(ZSTD_getFrameContentSize(frame.data(), frame.size()), '\0');
    ZSTD_decompress(raw.data(), raw.size(), frame.data(), frame.size());
    contents.push_back(raw);
    at += 4 + length;
  }
  return contents;
}

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_PROFILE_RECORDING_BLOCKS_H_
