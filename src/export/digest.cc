#include "export/digest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "export/gil_text.h"
#include "export/text.h"
#include "profile/figures.h"

namespace fthreadprof {
namespace {

// Smaller shares are not worth a word.
constexpr double kWorthAWord = 0.01;
// A share of the waiting from which on one pair of functions stands for it.
constexpr double kMostly = 0.5;

const char* Says(ThreadState state) {
  switch (state) {
    case ThreadState::kRunning:
      return "runs Python";
    case ThreadState::kNative:
      return "runs native code";
    case ThreadState::kRunnable:
      return "waits for a CPU";
    case ThreadState::kGilWait:
      return "waits for the GIL";
    case ThreadState::kLockWait:
      return "waits for a lock";
    case ThreadState::kNativeLock:
      return "waits for a native lock";
    case ThreadState::kStopped:
      return "is stopped by the interpreter";
    case ThreadState::kIdle:
      return "is idle";
    case ThreadState::kIo:
      return "waits for I/O";
    case ThreadState::kSleep:
      return "sleeps";
    case ThreadState::kOther:
    case ThreadState::kAwaiting:
      break;
  }
  return "is of unknown use";
}

std::string Percent(double fraction) { return absl::StrFormat("%.0f %%", 100 * fraction); }

std::string Count(size_t count, const char* one) {
  return absl::StrCat(count, " ", one, count == 1 ? "" : one[0] == 'p' ? "es" : "s");
}

// Before all else: a free-threaded build that ran with its GIL on.
std::string GilLines(const Profile& profile) {
  const std::optional<std::string> warning = GilWarning(profile);
  return warning ? absl::StrCat(*warning, "\n", GilDetails(profile)) : "";
}

std::string Headline(const Profile& profile) {
  const auto threads = std::count_if(
      profile.threads().begin(), profile.threads().end(),
      [](const ProfiledThread& thread) { return !thread.tasks && thread.samples > 0; });
  std::string line = Count(static_cast<size_t>(threads), "thread");
  const auto processes = std::count_if(profile.processes().begin(), profile.processes().end(),
                                       [](const TargetInfo& p) { return !p.python.empty(); });
  if (processes > 1) {
    absl::StrAppend(&line, " in ", Count(static_cast<size_t>(processes), "process"));
  }
  if (const auto cores = EffectiveCores(profile)) {
    absl::StrAppendFormat(&line, ", %.1f effective cores", *cores);
  }
  return line;
}

// "62 % of thread time runs Python, 30 % is idle"
std::string Ledger(const Profile& profile) {
  std::vector<std::pair<double, ThreadState>> shares;
  for (size_t i = 0; i < kThreadStateCount; ++i) {
    const auto state = static_cast<ThreadState>(i);
    const double share = StateFraction(profile, state).value_or(0);
    if (share >= kWorthAWord) shares.emplace_back(share, state);
  }
  std::sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  return absl::StrJoin(shares, ", ", [&](std::string* out, const auto& share) {
    absl::StrAppend(out, Percent(share.first), share == shares.front() ? " of thread time " : " ",
                    Says(share.second));
  });
}

// A function, by where its innermost frames mostly are.
struct Callee {
  std::string name;
  std::string file;

  auto operator<=>(const Callee&) const = default;
};

Callee CalleeOf(const Profile& profile, StackId stack) {
  const Frame& frame = profile.frame(profile.InnermostFrame(stack));
  return {frame.function, frame.file};
}

// Samples of a function by line.
using LineSamples = std::map<int, uint64_t>;

std::string Spelled(const Callee& function, const LineSamples& lines) {
  const auto most = std::max_element(
      lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const size_t slash = function.file.rfind('/');
  const std::string file =
      slash == std::string::npos ? function.file : function.file.substr(slash + 1);
  std::string text = absl::StrCat("`", function.name, "` (", file);
  if (most->first > 0) absl::StrAppend(&text, ":", most->first);
  absl::StrAppend(&text, ")");
  return PlainText(text);
}

// The pair of functions whose waiting was longest, as a sentence; "" when it is not known.
std::string GilBlamed(const Profile& profile) {
  struct Pair {
    uint64_t samples = 0;
    LineSamples waiter{};
    LineSamples holder{};
  };
  std::map<std::pair<Callee, Callee>, Pair> pairs;
  uint64_t all = 0;
  for (const GilBlame::Entry& entry : profile.gil_blame().Table()) {
    all += entry.samples;
    if (entry.holder == kEmptyStack || entry.waiter == kEmptyStack) continue;
    Pair& pair = pairs[{CalleeOf(profile, entry.waiter), CalleeOf(profile, entry.holder)}];
    pair.samples += entry.samples;
    pair.waiter[profile.frame(profile.InnermostFrame(entry.waiter)).line] += entry.samples;
    pair.holder[profile.frame(profile.InnermostFrame(entry.holder)).line] += entry.samples;
  }
  const auto most = std::max_element(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
    return a.second.samples < b.second.samples;
  });
  if (most == pairs.end()) return "";
  const double share = static_cast<double>(most->second.samples) / static_cast<double>(all);
  if (share < kWorthAWord) return "";
  return absl::StrCat(share >= kMostly ? "Mostly " : "Most often ",
                      Spelled(most->first.first, most->second.waiter), " waits while ",
                      Spelled(most->first.second, most->second.holder), " has the GIL (",
                      Percent(share), " of that waiting).\n");
}

// "the lock of a dict"
std::string Spelled(const WaitedLock& lock) {
  switch (lock.kind) {
    case LockKind::kObject:
      return absl::StrCat("the lock of a ", PlainText(lock.type));
    case LockKind::kLock:
      return "a Lock";
    case LockKind::kRLock:
      return "an RLock";
    case LockKind::kNative:
      break;
  }
  return "a lock of native code";
}

// The function that waited longest for locks of a kind, as a sentence; "" when it is not known.
std::string LocksBlamed(const Profile& profile) {
  struct Waiting {
    uint64_t samples = 0;
    LineSamples lines{};
  };
  std::map<std::pair<Callee, std::string>, Waiting> waiting;
  uint64_t all = 0;
  for (const LockWaits::Lock& lock : profile.lock_waits().Table()) {
    all += lock.samples;
    for (const LockWaits::Stack& stack : lock.stacks) {
      if (stack.stack == kEmptyStack) continue;
      Waiting& sum = waiting[{CalleeOf(profile, stack.stack), Spelled(profile.lock(lock.lock))}];
      sum.samples += stack.samples;
      sum.lines[profile.frame(profile.InnermostFrame(stack.stack)).line] += stack.samples;
    }
  }
  const auto most = std::max_element(
      waiting.begin(), waiting.end(),
      [](const auto& a, const auto& b) { return a.second.samples < b.second.samples; });
  if (most == waiting.end()) return "";
  const double share = static_cast<double>(most->second.samples) / static_cast<double>(all);
  if (share < kWorthAWord) return "";
  return absl::StrCat(share >= kMostly ? "Mostly " : "Most often ",
                      Spelled(most->first.first, most->second.lines), " waits for ",
                      most->first.second, " (", Percent(share), " of the waiting for locks).\n");
}

// What the figures say of the ways to run these threads; "" when they say nothing.
std::string Advice(const Profile& profile, unsigned cores) {
  const auto share = [&](ThreadState state) { return StateFraction(profile, state).value_or(0); };
  const double waits = share(ThreadState::kGilWait);
  const double works = share(ThreadState::kRunning) + share(ThreadState::kNative);
  const std::optional<double> effective = EffectiveCores(profile);
  if (waits >= 0.05 && effective && *effective > 0 && works > 0) {
    // As many as work now, and those that wait to.
    const double wanted = *effective * (works + waits) / works;
    const double bound = std::min(wanted, static_cast<double>(cores)) / *effective;
    if (bound < 1.05) return "";
    return absl::StrFormat(
        "Without the GIL (free threading, or processes) %.1f threads would work at a time instead "
        "of %.1f: on the %u cores of this machine at most %.1f times as fast, less what they then "
        "wait for each other's locks.\n",
        wanted, *effective, cores, bound);
  }
  if (works < 0.1 && waits < kWorthAWord &&
      share(ThreadState::kIo) + share(ThreadState::kSleep) + share(ThreadState::kIdle) > 0.8) {
    return absl::StrCat("Code runs in ", Percent(works),
                        " of thread time: what limits this is what its threads wait for, and "
                        "neither free threading nor more processes change that.\n");
  }
  return "";
}

}  // namespace

std::string Digest(const Profile& profile, unsigned cores) {
  std::string digest = GilLines(profile);
  const std::string ledger = Ledger(profile);
  if (ledger.empty()) return digest;
  absl::StrAppend(&digest, Headline(profile), ". ", ledger, ".\n");
  if (StateFraction(profile, ThreadState::kGilWait).value_or(0) >= kWorthAWord) {
    absl::StrAppend(&digest, GilBlamed(profile));
  }
  if (StateFraction(profile, ThreadState::kLockWait).value_or(0) +
          StateFraction(profile, ThreadState::kNativeLock).value_or(0) >=
      kWorthAWord) {
    absl::StrAppend(&digest, LocksBlamed(profile));
  }
  return digest + Advice(profile, cores);
}

}  // namespace fthreadprof
