// RemotePtr<T> is an address in the target's memory, never to be dereferenced here. T only
// documents what lies there: `RemotePtr<PyCodeObject>` with a forward-declared tag type.
#ifndef FTHREADPROF_PROCESS_REMOTE_PTR_H_
#define FTHREADPROF_PROCESS_REMOTE_PTR_H_

#include <compare>
#include <cstdint>
#include <utility>

namespace fthreadprof {

template <typename T>
class RemotePtr {
 public:
  constexpr RemotePtr() = default;
  constexpr explicit RemotePtr(uint64_t address) : address_(address) {}

  constexpr uint64_t address() const { return address_; }
  constexpr explicit operator bool() const { return address_ != 0; }
  // The address `bytes` further; wraps around like the untrusted arithmetic it is.
  template <typename U = T>
  constexpr RemotePtr<U> Offset(uint64_t bytes) const {
    return RemotePtr<U>(address_ + bytes);
  }
  friend constexpr auto operator<=>(RemotePtr, RemotePtr) = default;
  template <typename H>
  friend H AbslHashValue(H h, RemotePtr p) {
    return H::combine(std::move(h), p.address_);
  }

 private:
  uint64_t address_ = 0;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROCESS_REMOTE_PTR_H_
