// UniqueFd owns one file descriptor and closes it when it goes out of scope. Movable, not copyable;
// not thread safe.
#ifndef FTHREADPROF_BASE_UNIQUE_FD_H_
#define FTHREADPROF_BASE_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace fthreadprof {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~UniqueFd() { Reset(); }

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }

  // Closes the descriptor. A failure of close() is ignored: nothing here buffers unwritten data.
  void Reset() {
    if (fd_ >= 0) {
      close(fd_);
      fd_ = -1;
    }
  }

 private:
  int fd_ = -1;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_BASE_UNIQUE_FD_H_
