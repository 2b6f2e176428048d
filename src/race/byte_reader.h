// ByteReader takes little-endian numbers and strings off the front of foreign bytes. It never reads
// past their end: the first read that would fails, and so does every later one; the values that a
// failed reader returns are zeros and empty strings.
//
// Lifetime: views the bytes. Thread safety: none.
#ifndef FTHREADPROF_RACE_BYTE_READER_H_
#define FTHREADPROF_RACE_BYTE_READER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fthreadprof {

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  // Everything was read, and nothing was missing.
  bool done() const { return ok_ && bytes_.empty(); }
  size_t remaining() const { return bytes_.size(); }

  uint8_t U8() { return Number<uint8_t>(); }
  uint16_t U16() { return Number<uint16_t>(); }
  uint32_t U32() { return Number<uint32_t>(); }
  int32_t I32() { return Number<int32_t>(); }
  uint64_t U64() { return Number<uint64_t>(); }

  std::string_view Bytes(size_t size) {
    if (!ok_ || size > bytes_.size()) {
      Fail();
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  // A number of elements that take at least `element_size` bytes each; fails when that many can't
  // follow, so that the result may size a vector.
  uint32_t Count(size_t element_size) {
    const uint32_t count = U32();
    if (count > bytes_.size() / element_size) {
      Fail();
      return 0;
    }
    return count;
  }

  void Fail() {
    ok_ = false;
    bytes_ = {};
  }

 private:
  template <typename T>
  T Number() {
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    T value = 0;
    const std::string_view taken = Bytes(sizeof(T));
    std::copy(taken.begin(), taken.end(), reinterpret_cast<char*>(&value));
    return value;
  }

  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_BYTE_READER_H_
