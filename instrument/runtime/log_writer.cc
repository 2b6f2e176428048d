#include "log_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace fthreadprof::race {
namespace {

uint32_t Checksum(const char* data, size_t size) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < size; ++i) {
    hash = (hash ^ static_cast<unsigned char>(data[i])) * 16777619u;
  }
  return hash;
}

bool WriteAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

}  // namespace

bool LogWriter::Open(const char* directory) {
  const int saved_errno = errno;
  const auto pid = static_cast<uint32_t>(getpid());
  int fd = -1;
  for (int n = 0; fd < 0 && n < 10000; ++n) {
    snprintf(path_, sizeof path_, "%s/%u.%d.racelog", directory, pid, n);
    fd = open(path_, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST) break;
  }
  bool ok = fd >= 0;
  if (ok) {
    char header[16];
    memcpy(header, race_log::kMagic, 8);
    memcpy(header + 8, &race_log::kVersion, 4);
    memcpy(header + 12, &pid, 4);
    ok = WriteAll(fd, header, sizeof header);
    close(fd);
  }
  if (!ok)
    dprintf(STDERR_FILENO, "fthreadprof: cannot write the race log %s: %s\n", path_,
            strerror(errno));
  errno = saved_errno;
  return ok;
}

void LogWriter::Append(const void* data, size_t size) {
  if (overflow_ || size > kCapacity - size_) {
    overflow_ = true;
    return;
  }
  memcpy(buffer_ + size_, data, size);
  size_ += size;
}

void LogWriter::Begin(race_log::RecordKind kind) {
  // Room for a large record; what it refers to stands before it either way.
  if (size_ > kCapacity / 2) Flush();
  overflow_ = false;
  record_ = size_;
  U32(0);
  U16(static_cast<uint16_t>(kind));
  U16(0);
  U32(0);
}

void LogWriter::String(const char* data, size_t size) {
  if (size > race_log::kMaxString) size = race_log::kMaxString;
  U32(static_cast<uint32_t>(size));
  Append(data, size);
}

void LogWriter::String(const char* text) { String(text, strlen(text)); }

bool LogWriter::End() {
  if (overflow_) {
    size_ = record_;
    return false;
  }
  const auto payload = static_cast<uint32_t>(size_ - record_ - kHeader);
  const uint32_t checksum = Checksum(buffer_ + record_ + kHeader, payload);
  memcpy(buffer_ + record_, &payload, 4);
  memcpy(buffer_ + record_ + 8, &checksum, 4);
  return true;
}

bool LogWriter::Flush() {
  if (size_ == 0) return true;
  const int saved_errno = errno;
  const int fd = open(path_, O_WRONLY | O_APPEND | O_CLOEXEC);
  bool ok = fd >= 0 && WriteAll(fd, buffer_, size_);
  if (!ok && !complained_) {
    complained_ = true;
    dprintf(STDERR_FILENO, "fthreadprof: cannot write the race log %s: %s\n", path_,
            strerror(errno));
  }
  if (fd >= 0) close(fd);
  size_ = 0;
  errno = saved_errno;
  return ok;
}

}  // namespace fthreadprof::race
