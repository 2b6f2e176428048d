// A value at an offset of bytes that were copied from elsewhere, aligned or not.
#ifndef FTHREADPROF_BASE_LOAD_H_
#define FTHREADPROF_BASE_LOAD_H_

#include <cstdint>
#include <cstring>

namespace fthreadprof {

// REQUIRES: sizeof(T) bytes can be read at bytes + offset.
template <typename T>
T Load(const uint8_t* bytes, uint64_t offset) {
  T value;
  std::memcpy(&value, bytes + offset, sizeof value);
  return value;
}

}  // namespace fthreadprof

#endif  // FTHREADPROF_BASE_LOAD_H_
