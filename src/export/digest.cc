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
#include "export/advice.h"
#include "export/gil_text.h"
#include "export/library_file.h"
#include "export/state_style.h"
#include "export/text.h"
#include "profile/figures.h"

namespace fthreadprof {
namespace {

// Smaller shares are not worth a word.
constexpr double kWorthAWord = 0.01;
// A share of the waiting from which on one pair of functions stands for it.
constexpr double kMostly = 0.5;

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
  const StateShares all = StateSharesOf(profile);
  for (size_t i = 0; i < kThreadStateCount; ++i) {
    if (all[i] >= kWorthAWord) shares.emplace_back(all[i], static_cast<ThreadState>(i));
  }
  std::sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  return absl::StrJoin(shares, ", ", [&](std::string* out, const auto& share) {
    absl::StrAppend(out, Percent(share.first), share == shares.front() ? " of thread time " : " ",
                    StateSays(share.second));
  });
}

// The function of the program itself that a stack is in: who waits in `Condition.wait`, or has a
// lock while it is in `json.dumps`, is known by what called that.
struct Callee {
  std::string name;
  std::string file;

  auto operator<=>(const Callee&) const = default;
};

// Its frame; the innermost one where all are of libraries.
const Frame& OwnFrame(const Profile& profile, StackId stack) {
  for (StackId at = stack; at != kEmptyStack; at = profile.Caller(at)) {
    const Frame& frame = profile.frame(profile.InnermostFrame(at));
    if (!IsLibraryFile(frame.file)) return frame;
  }
  return profile.frame(profile.InnermostFrame(stack));
}

Callee CalleeOf(const Profile& profile, StackId stack) {
  const Frame& frame = OwnFrame(profile, stack);
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
    pair.waiter[OwnFrame(profile, entry.waiter).line] += entry.samples;
    pair.holder[OwnFrame(profile, entry.holder).line] += entry.samples;
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

// Samples of one function that waited for one kind of lock, and who held it meanwhile.
struct LockWaiting {
  LockKind kind = LockKind::kLock;
  uint64_t samples = 0;
  LineSamples lines{};
  std::map<Callee, std::pair<uint64_t, LineSamples>> holders{};
};

// ", while `evict` (cache.py:58) has it (95 % of that)".
std::string HolderBlamed(const LockWaiting& waiting) {
  const auto most = std::max_element(
      waiting.holders.begin(), waiting.holders.end(),
      [](const auto& a, const auto& b) { return a.second.first < b.second.first; });
  if (most == waiting.holders.end()) {
    return waiting.kind == LockKind::kLock
               ? "; who has it is not known, for it was not taken by `with` on the lock itself"
               : "; who has it is not known";
  }
  const auto& [samples, lines] = most->second;
  const double share = static_cast<double>(samples) / static_cast<double>(waiting.samples);
  return absl::StrCat(", while ", Spelled(most->first, lines), " has it (", Percent(share),
                      " of that)");
}

// The function that waited longest for locks of a kind, as a sentence; "" when it is not known.
std::string LocksBlamed(const Profile& profile) {
  std::map<std::pair<Callee, std::string>, LockWaiting> waiting;
  uint64_t all = 0;
  for (const LockWaits::Lock& waits : profile.lock_waits().Table()) {
    all += waits.samples;
    const WaitedLock& lock = profile.lock(waits.lock);
    for (const LockWaits::Stack& stack : waits.stacks) {
      if (stack.stack == kEmptyStack) continue;
      LockWaiting& sum = waiting[{CalleeOf(profile, stack.stack), LockText(lock.kind, lock.type)}];
      sum.kind = lock.kind;
      sum.samples += stack.samples;
      sum.lines[OwnFrame(profile, stack.stack).line] += stack.samples;
      if (stack.holder == kEmptyStack) continue;
      auto& [samples, lines] = sum.holders[CalleeOf(profile, stack.holder)];
      samples += stack.samples;
      lines[OwnFrame(profile, stack.holder).line] += stack.samples;
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
                      most->first.second, " (", Percent(share), " of the waiting for locks)",
                      HolderBlamed(most->second), ".\n");
}

// What the interpreter does by itself: hand-offs of the GIL, stopped worlds, garbage.
std::string Interpreter(const Profile& profile) {
  std::string text;
  const ProcessInfo& totals = profile.totals;
  const double duration_s = profile.sampling.duration_s;
  if (StateFraction(profile, ThreadState::kGilWait).value_or(0) >= kWorthAWord && duration_s > 0) {
    const double handoffs = static_cast<double>(totals.gil_handoffs) / duration_s;
    absl::StrAppend(&text, "The GIL changes hands ",
                    WithThousands(static_cast<uint64_t>(std::llround(handoffs))),
                    " times a second.\n");
  }
  if (const double stopped = StoppedFraction(profile).value_or(0); stopped >= kWorthAWord) {
    absl::StrAppend(&text, "All threads but one are stopped in ", Percent(stopped), " of the time");
    const auto by =
        std::max_element(profile.stops_by().begin(), profile.stops_by().end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (by != profile.stops_by().end() && by->first != kEmptyStack) {
      const Frame& frame = OwnFrame(profile, by->first);
      absl::StrAppend(&text, ", most often by ",
                      Spelled({frame.function, frame.file}, {{frame.line, 1}}));
    }
    absl::StrAppend(&text, ".\n");
  }
  if (const double collected = GcFraction(profile).value_or(0); collected >= kWorthAWord) {
    absl::StrAppend(&text, "The garbage collector works in ", Percent(collected),
                    " of the time.\n");
  }
  return text;
}

}  // namespace

std::string Digest(const Profile& profile, unsigned cores) {
  std::string digest = GilLines(profile);
  const std::string ledger = Ledger(profile);
  if (ledger.empty()) return digest;
  absl::StrAppend(&digest, Headline(profile), ". ", ledger, ".\n");
  const StateShares shares = StateSharesOf(profile);
  const double gil = shares[static_cast<size_t>(ThreadState::kGilWait)];
  const double locks = shares[static_cast<size_t>(ThreadState::kLockWait)] +
                       shares[static_cast<size_t>(ThreadState::kNativeLock)];
  const std::string of_gil = gil >= kWorthAWord ? GilBlamed(profile) : "";
  const std::string of_locks = locks >= kWorthAWord ? LocksBlamed(profile) : "";
  absl::StrAppend(&digest, gil > locks ? of_gil : of_locks, gil > locks ? of_locks : of_gil);
  return absl::StrCat(digest, Interpreter(profile), Advice(profile, cores));
}

}  // namespace fthreadprof
