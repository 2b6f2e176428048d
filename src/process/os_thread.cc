#include "process/os_thread.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "process/proc_file.h"

namespace fthreadprof {

absl::StatusOr<KernelActivity> ParseKernelActivity(std::string_view text) {
  KernelActivity activity;
  if (text.starts_with("running")) return activity;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = std::from_chars(at, end, activity.number);
  if (number.ec != std::errc()) return absl::InvalidArgumentError("not the text of a syscall file");
  at = number.ptr;
  for (uint64_t& argument : activity.arguments) {
    constexpr std::string_view kPrefix = " 0x";
    if (!std::string_view(at, end).starts_with(kPrefix)) break;
    const auto parsed = std::from_chars(at + kPrefix.size(), end, argument, 16);
    if (parsed.ec != std::errc()) break;
    at = parsed.ptr;
  }
  activity.kind =
      activity.number < 0 ? KernelActivity::Kind::kBlocked : KernelActivity::Kind::kSyscall;
  return activity;
}

std::string OsThread::Path(const char* file) const {
  return absl::StrCat("/proc/", pid_, "/task/", tid_, "/", file);
}

std::string OsThread::Comm() const {
  auto comm = ReadProcFile(Path("comm"));
  if (!comm.ok()) return "";
  return std::string(absl::StripTrailingAsciiWhitespace(*comm));
}

absl::StatusOr<SchedulerTimes> OsThread::Times() const {
  FTP_ASSIGN_OR_RETURN(const std::string text, ReadProcFile(Path("schedstat")));
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(text), ' ', absl::SkipEmpty());
  uint64_t on_cpu_ns = 0;
  uint64_t queued_ns = 0;
  if (fields.size() < 2 || !absl::SimpleAtoi(fields[0], &on_cpu_ns) ||
      !absl::SimpleAtoi(fields[1], &queued_ns)) {
    return absl::NotFoundError("no scheduler statistics");
  }
  return SchedulerTimes{static_cast<double>(on_cpu_ns) * 1e-9,
                        static_cast<double>(queued_ns) * 1e-9};
}

absl::StatusOr<uint64_t> OsThread::Timeslices() {
  if (!schedstat_fd_.valid()) {
    schedstat_fd_ = UniqueFd(open(Path("schedstat").c_str(), O_RDONLY | O_CLOEXEC));
  }
  char buffer[256];
  const ssize_t size =
      schedstat_fd_.valid() ? pread(schedstat_fd_.get(), buffer, sizeof buffer, 0) : -1;
  const absl::string_view text(buffer, size > 0 ? static_cast<size_t>(size) : 0);
  uint64_t slices = 0;
  // The last of three numbers; 0 where the kernel does not count.
  if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(text.substr(text.rfind(' ') + 1)), &slices) ||
      slices == 0) {
    return absl::NotFoundError("no scheduler statistics");
  }
  return slices;
}

absl::StatusOr<KernelActivity> OsThread::ReadActivity() {
  if (syscall_hidden_) return ReadActivityFromStat();
  if (!syscall_fd_.valid()) {
    syscall_fd_ = UniqueFd(open(Path("syscall").c_str(), O_RDONLY | O_CLOEXEC));
    if (!syscall_fd_.valid()) return ReadWhatIsShown();
  }
  char buffer[256];
  const ssize_t size = pread(syscall_fd_.get(), buffer, sizeof buffer, 0);
  if (size <= 0) return ReadWhatIsShown();
  return ParseKernelActivity({buffer, static_cast<size_t>(size)});
}

// Kernels may lack the file, or refuse it while they show the rest. A thread that has ended has no
// `stat` either.
absl::StatusOr<KernelActivity> OsThread::ReadWhatIsShown() {
  const absl::StatusOr<KernelActivity> activity = ReadActivityFromStat();
  syscall_hidden_ = activity.ok();
  return activity;
}

absl::StatusOr<KernelActivity> OsThread::ReadActivityFromStat() const {
  FTP_ASSIGN_OR_RETURN(const ProcStat stat, ReadProcStat(Path("stat")));
  KernelActivity activity;
  if (stat.state != 'R') activity.kind = KernelActivity::Kind::kBlocked;
  return activity;
}

}  // namespace fthreadprof
