#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <streambuf>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"

namespace fthreadprof {
namespace {

// While it lives, writing to a closed pipe or beyond the file size limit fails with an errno
// instead of killing the process.
class WriteSignalsBlocked {
 public:
  WriteSignalsBlocked() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGPIPE);
    sigaddset(&signals_, SIGXFSZ);
    sigpending(&pending_before_);
    pthread_sigmask(SIG_BLOCK, &signals_, &mask_before_);
  }
  ~WriteSignalsBlocked() {
    const int saved_errno = errno;
    Discard(SIGPIPE);
    Discard(SIGXFSZ);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    errno = saved_errno;
  }
  WriteSignalsBlocked(const WriteSignalsBlocked&) = delete;
  WriteSignalsBlocked& operator=(const WriteSignalsBlocked&) = delete;

 private:
  // Takes the signal that our write raised, not one that was waiting before.
  void Discard(int signal) {
    if (sigismember(&pending_before_, signal) == 1) return;
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    const timespec at_once = {0, 0};
    while (sigtimedwait(&only, nullptr, &at_once) < 0 && errno == EINTR) {
    }
  }

  sigset_t signals_, pending_before_, mask_before_;
};

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string Reason(int error, const std::string& path) {
  switch (error) {
    case ENOENT:
      return absl::StrCat("there is no directory ", DirectoryOf(path));
    case ENOTDIR:
      return absl::StrCat(DirectoryOf(path), " is not a directory");
    case EISDIR:
      return "it is a directory";
    case EACCES:
    case EPERM:
      return absl::StrCat("no permission to write there (directory ", DirectoryOf(path), ")");
    case ENOSPC:
      return "the disk is full";
    case EDQUOT:
      return "the disk quota is used up";
    case EFBIG:
      return "it would be larger than the file size limit (ulimit -f)";
    case EPIPE:
      return "its reader has closed the pipe";
    default:
      return std::strerror(error);
  }
}

absl::Status WriteError(int error, const std::string& path) {
  const std::string message =
      absl::StrCat("cannot write ", path.empty() ? "''" : path, ": ",
                   path.empty() ? "the name is empty" : Reason(error, path));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return path.empty() ? absl::InvalidArgumentError(message) : absl::NotFoundError(message);
    case EISDIR:
      return absl::InvalidArgumentError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::UnknownError(message);
  }
}

// The descriptor that `path` stands for: "-", /dev/stdout, /dev/stderr, /dev/fd/N. Such a name is
// written through the descriptor, also where it leads to a regular file: that file belongs to
// whoever redirected us, who may have more to write to it.
std::optional<int> DescriptorNamed(std::string_view path) {
  if (path == "-" || path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view prefix : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(prefix)) continue;
    const std::string_view digits = path.substr(prefix.size());
    int fd = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), fd);
    if (error == std::errc() && end == digits.data() + digits.size() && fd >= 0) return fd;
  }
  return std::nullopt;
}

// Where a chain of symbolic links ends; `path` itself when it leads nowhere yet.
std::string ResolveLinks(const std::string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result = resolved;
  std::free(resolved);
  return result;
}

// Creates a file beside `path` under a name of our own (short: `path` may be as long as names get).
// errno says why not.
std::pair<UniqueFd, std::string> CreateNeighbour(const std::string& path) {
  const std::string directory = DirectoryOf(path);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    std::string name = absl::StrCat(directory, "/.fthreadprof-", getpid(), "-", attempt, ".tmp");
    UniqueFd fd(open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (fd.valid()) return {std::move(fd), std::move(name)};
    if (errno != EEXIST) break;
  }
  return {UniqueFd(), ""};
}

// Whether `path` ends in a name that a file can have.
bool NamesAFile(const std::string& path) {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  return !name.empty() && name != "." && name != "..";
}

void KeepOwnerAndMode(int fd, const struct stat& old) {
  // Best effort: only root can give a file back to its owner.
  if (fchown(fd, old.st_uid, old.st_gid) != 0) errno = 0;
  if (fchmod(fd, old.st_mode & 0777) != 0) errno = 0;
}

}  // namespace

// A stream buffer over a descriptor that remembers the errno of its first failure.
class AtomicFile::Buffer : public std::streambuf {
 public:
  explicit Buffer(UniqueFd fd) : fd_(std::move(fd)) {
    setp(bytes_.data(), bytes_.data() + bytes_.size());
  }

  int fd() const { return fd_.get(); }
  int error() const { return error_; }
  void set_error(int error) {
    if (error_ == 0) error_ = error;
  }

 protected:
  int_type overflow(int_type character) override {
    if (sync() != 0) return traits_type::eof();
    if (!traits_type::eq_int_type(character, traits_type::eof())) {
      *pptr() = traits_type::to_char_type(character);
      pbump(1);
    }
    return traits_type::not_eof(character);
  }

  int sync() override {
    if (error_ != 0) return -1;
    const WriteSignalsBlocked blocked;
    for (const char* next = pbase(); next < pptr();) {
      const ssize_t written = write(fd_.get(), next, static_cast<size_t>(pptr() - next));
      if (written >= 0) {
        next += written;
      } else if (errno != EINTR) {
        error_ = errno;
        return -1;
      }
    }
    setp(bytes_.data(), bytes_.data() + bytes_.size());
    return 0;
  }

 private:
  UniqueFd fd_;
  int error_ = 0;
  std::array<char, 64 * 1024> bytes_;
};

AtomicFile::AtomicFile(std::unique_ptr<Buffer> buffer, std::string path, std::string temporary,
                       std::string final_path)
    : buffer_(std::move(buffer)),
      stream_(buffer_.get()),
      path_(std::move(path)),
      temporary_(std::move(temporary)),
      final_path_(std::move(final_path)) {}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

std::ostream& AtomicFile::stream() { return stream_; }

absl::StatusOr<std::unique_ptr<AtomicFile>> AtomicFile::Create(const std::string& path) {
  const auto make = [&](UniqueFd fd, std::string temporary,
                        std::string final_path) -> absl::StatusOr<std::unique_ptr<AtomicFile>> {
    if (!fd.valid()) return WriteError(errno, path);
    return std::unique_ptr<AtomicFile>(new AtomicFile(std::make_unique<Buffer>(std::move(fd)), path,
                                                      std::move(temporary), std::move(final_path)));
  };
  if (const std::optional<int> named = DescriptorNamed(path)) {
    return make(UniqueFd(fcntl(*named, F_DUPFD_CLOEXEC, 0)), "", "");
  }
  struct stat old;
  if (stat(path.c_str(), &old) != 0) {
    if (errno != ENOENT || !NamesAFile(path)) return WriteError(errno, path);
    auto [fd, temporary] = CreateNeighbour(path);
    return make(std::move(fd), std::move(temporary), path);
  }
  if (!S_ISREG(old.st_mode)) {  // opening a directory fails with EISDIR
    return make(UniqueFd(open(path.c_str(), O_WRONLY | O_CLOEXEC)), "", "");
  }
  if (access(path.c_str(), W_OK) != 0) return WriteError(errno, path);
  std::string final_path = ResolveLinks(path);
  auto [fd, temporary] = CreateNeighbour(final_path);
  if (fd.valid()) KeepOwnerAndMode(fd.get(), old);
  return make(std::move(fd), std::move(temporary), std::move(final_path));
}

absl::StatusOr<std::unique_ptr<AtomicFile>> AtomicFile::CreateInPlace(const std::string& path) {
  const std::optional<int> named = DescriptorNamed(path);
  UniqueFd fd(named ? fcntl(*named, F_DUPFD_CLOEXEC, 0)
                    : open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd.valid()) return WriteError(errno, path);
  return std::unique_ptr<AtomicFile>(
      new AtomicFile(std::make_unique<Buffer>(std::move(fd)), path, "", ""));
}

absl::Status AtomicFile::CheckWritable(const std::string& path) {
  struct stat old;
  if (!DescriptorNamed(path) && stat(path.c_str(), &old) == 0 && !S_ISREG(old.st_mode)) {
    if (S_ISDIR(old.st_mode)) return WriteError(EISDIR, path);
    return access(path.c_str(), W_OK) == 0 ? absl::OkStatus() : WriteError(errno, path);
  }
  return Create(path).status();
}

absl::Status AtomicFile::Commit() {
  stream_.flush();
  const std::string temporary = std::exchange(temporary_, "");
  // A full disk may show only when the bytes are really written. Pipes and devices know no fsync.
  if (!temporary.empty() && buffer_->error() == 0 && fsync(buffer_->fd()) != 0) {
    buffer_->set_error(errno);
  }
  if (!temporary.empty() && buffer_->error() == 0 &&
      rename(temporary.c_str(), final_path_.c_str()) != 0) {
    buffer_->set_error(errno);
  }
  if (buffer_->error() == 0) return absl::OkStatus();
  if (!temporary.empty()) unlink(temporary.c_str());
  return WriteError(buffer_->error(), path_);
}

}  // namespace fthreadprof
