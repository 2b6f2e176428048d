#include "process/process_tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "process/proc_file.h"

namespace fthreadprof {
namespace {

using namespace std::chrono_literals;

constexpr auto kFullLookInterval = 500ms;
// A full look may take one part in so many of the time.
constexpr int kFullLookShare = 50;
// More new ids than this are not looked up one by one.
constexpr pid_t kMaxNewIds = 512;

}  // namespace

ProcessTree::ProcessTree(pid_t root, std::string proc)
    : proc_(std::move(proc)),
      loadavg_(open(absl::StrCat(proc_, "/loadavg").c_str(), O_RDONLY | O_CLOEXEC)),
      members_{root} {}

std::vector<ProcessTree::Member> ProcessTree::FindNew() {
  std::vector<Member> found;
  pid_t last = 0;
  const bool is_known = FindLastId(last);
  const Clock::time_point now = Clock::now();
  const bool can_follow = is_known && last_ != 0 && last >= last_ && last - last_ <= kMaxNewIds;
  // Where loadavg tells nothing the full looks must do, as often as they are cheap.
  const bool is_due = now >= next_full_look_ || (is_known && !can_follow);
  if (is_due) {
    LookAtAll(found);
    const Clock::duration cost = Clock::now() - now;
    const Clock::duration interval = is_known ? Clock::duration(kFullLookInterval) : 10ms;
    next_full_look_ = now + std::max(interval, cost * kFullLookShare);
    unseen_.clear();
  } else if (is_known && (last != last_ || !unseen_.empty())) {
    LookAtNewIds(last, found);
  }
  last_ = last;
  return found;
}

// "0.00 0.01 0.05 1/234 5678": the last number is the id that was given last.
bool ProcessTree::FindLastId(pid_t& last) {
  char buffer[128];
  if (!loadavg_.valid()) return false;
  const ssize_t size = pread(loadavg_.get(), buffer, sizeof buffer, 0);
  if (size <= 0) return false;
  std::string_view text(buffer, static_cast<size_t>(size));
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  const size_t space = text.rfind(' ');
  if (space == std::string_view::npos) return false;
  text.remove_prefix(space + 1);
  return absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &last) && last > 0;
}

void ProcessTree::LookAtNewIds(pid_t last, std::vector<Member>& found) {
  std::vector<pid_t> unseen;
  for (const pid_t id : std::exchange(unseen_, {})) {
    // It has ended by now if it still can't be seen.
    std::vector<pid_t> ended;
    LookAt(id, ended, found);
  }
  for (pid_t id = last_ + 1; id <= last; ++id) LookAt(id, unseen, found);
  unseen_ = std::move(unseen);
}

// An id is given a moment before its process can be seen.
void ProcessTree::LookAt(pid_t id, std::vector<pid_t>& unseen, std::vector<Member>& found) {
  if (members_.contains(id)) return;
  const auto stat = ReadProcStat(absl::StrCat(proc_, "/", id, "/stat"));
  if (!stat.ok()) {
    unseen.push_back(id);
    return;
  }
  if (stat->has_ended() || !members_.contains(stat->parent_pid) || !IsProcess(id)) return;
  members_.insert(id);
  found.push_back({id, stat->parent_pid});
}

void ProcessTree::LookAtAll(std::vector<Member>& found) {
  std::unordered_map<pid_t, std::vector<pid_t>> children;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(proc_, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry->path().filename().string(), &pid)) continue;
    const auto stat = ReadProcStat(absl::StrCat(proc_, "/", pid, "/stat"));
    if (stat.ok() && !stat->has_ended()) children[stat->parent_pid].push_back(pid);
  }
  std::vector<pid_t> parents(members_.begin(), members_.end());
  while (!parents.empty()) {
    const pid_t parent = parents.back();
    parents.pop_back();
    for (const pid_t pid : children[parent]) {
      if (!members_.insert(pid).second) continue;
      found.push_back({pid, parent});
      parents.push_back(pid);
    }
  }
}

// As opposed to a thread, which /proc shows under its id too when it is asked.
bool ProcessTree::IsProcess(pid_t id) const {
  const auto status = ReadProcFile(absl::StrCat(proc_, "/", id, "/status"));
  return status.ok() && absl::StrContains(*status, absl::StrCat("\nTgid:\t", id, "\n"));
}

}  // namespace fthreadprof
