#include "process/os_process.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <climits>
#include <filesystem>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "process/proc_file.h"

namespace fthreadprof {
namespace {

// The numbers behind `key` in the text of a /proc status file.
std::vector<int64_t> StatusNumbers(const std::string& text, absl::string_view key) {
  std::vector<int64_t> numbers;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, key) || !absl::ConsumePrefix(&line, ":")) continue;
    for (absl::string_view word : absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
      int64_t number = 0;
      if (absl::SimpleAtoi(word, &number)) numbers.push_back(number);
    }
    break;
  }
  return numbers;
}

}  // namespace

absl::StatusOr<OsProcess> OsProcess::Open(pid_t pid) {
  const auto status = ReadProcFile(absl::StrCat("/proc/", pid, "/status"));
  if (!status.ok()) return absl::NotFoundError(absl::StrCat("there is no process ", pid));
  OsProcess process(pid);
  const auto stat = ReadProcStat(absl::StrCat("/proc/", pid, "/stat"));
  if (!stat.ok()) return absl::NotFoundError(absl::StrCat("there is no process ", pid));
  process.start_time_ = stat->start_time;
  const std::vector<int64_t> uids = StatusNumbers(*status, "Uid");
  if (uids.size() > 1) process.uid_ = static_cast<uid_t>(uids[1]);
  if (clock_getcpuclockid(pid, &process.cpu_clock_) != 0) {
    return absl::NotFoundError(absl::StrCat("there is no process ", pid));
  }
  process.in_other_namespace_ = StatusNumbers(*status, "NSpid").size() > 1;
  return process;
}

std::string OsProcess::Executable() const {
  char path[PATH_MAX];
  const ssize_t size = readlink(absl::StrCat("/proc/", pid_, "/exe").c_str(), path, sizeof path);
  return size > 0 ? std::string(path, static_cast<size_t>(size)) : "";
}

std::string OsProcess::CommandLine() const {
  const auto text = ReadProcFile(absl::StrCat("/proc/", pid_, "/cmdline"));
  if (!text.ok()) return "";
  return absl::StrJoin(absl::StrSplit(*text, '\0', absl::SkipEmpty()), " ");
}

bool OsProcess::IsAlive() const {
  const auto stat = ReadProcStat(absl::StrCat("/proc/", pid_, "/stat"));
  // That we can't look now (too many open files) does not end it.
  if (!stat.ok()) return !absl::IsNotFound(stat.status());
  return !stat->has_ended() && stat->start_time == start_time_;
}

absl::StatusOr<double> OsProcess::CpuSeconds() const {
  timespec time;
  if (clock_gettime(cpu_clock_, &time) != 0) {
    return absl::NotFoundError(absl::StrCat("process ", pid_, " has ended"));
  }
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::optional<pid_t> OsProcess::HostTid(pid_t tid) {
  if (!in_other_namespace_) return tid;
  auto it = host_tids_.find(tid);
  // A thread id may have been reused inside: trust the map only while the host's thread exists.
  if (it == host_tids_.end() ||
      access(absl::StrCat("/proc/", pid_, "/task/", it->second).c_str(), F_OK) != 0) {
    ReadNamespacedTids();
    it = host_tids_.find(tid);
  }
  if (it == host_tids_.end()) return std::nullopt;
  return it->second;
}

void OsProcess::ReadNamespacedTids() {
  host_tids_.clear();
  std::error_code error;
  for (const auto& task :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", pid_, "/task"), error)) {
    const auto status = ReadProcFile(absl::StrCat(task.path().string(), "/status"));
    if (!status.ok()) continue;
    const std::vector<int64_t> tids = StatusNumbers(*status, "NSpid");
    if (!tids.empty()) {
      host_tids_[static_cast<pid_t>(tids.back())] = static_cast<pid_t>(tids.front());
    }
  }
}

}  // namespace fthreadprof
