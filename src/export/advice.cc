#include "export/advice.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "export/text.h"
#include "profile/figures.h"

namespace fthreadprof {
namespace {

// Shares of thread time from which on something is worth advice.
constexpr double kGilHurts = 0.05;
constexpr double kLocksHurt = 0.10;
constexpr double kCpusLack = 0.10;
constexpr double kMostlyWaits = 0.8;
constexpr double kHardlyWorks = 0.1;
// A gain below this is none.
constexpr double kWorthIt = 1.05;
// The share of all work from which on one thread does it alone.
constexpr double kAlone = 0.9;
// The share of all work from which on it is mostly native code.
constexpr double kMostlyNative = 0.5;
// Of all cores, from which on they are in use.
constexpr double kAllCores = 0.75;
// Fewer passes say nothing of a program.
constexpr uint64_t kMinPasses = 100;
// Of the time of one core, from which on one is busy.
constexpr double kBusyCore = 0.5;

// What all threads' time went to, as shares of it, in the words of the decision.
struct Shares {
  explicit Shares(const Profile& profile) {
    const StateShares all = StateSharesOf(profile);
    const auto of = [&](ThreadState state) { return all[static_cast<size_t>(state)]; };
    python = of(ThreadState::kRunning);
    native = of(ThreadState::kNative);
    runnable = of(ThreadState::kRunnable);
    gil = of(ThreadState::kGilWait);
    // Not native locks: native threads wait for work in those, too.
    locks = of(ThreadState::kLockWait);
    io = of(ThreadState::kIo);
    waits = io + of(ThreadState::kSleep) + of(ThreadState::kIdle);
  }
  double works() const { return python + native; }

  double python = 0;
  double native = 0;
  double runnable = 0;
  double gil = 0;
  double locks = 0;
  double io = 0;
  double waits = 0;  // for the world: I/O, sleep, work to come
};

size_t PythonProcesses(const Profile& profile) {
  return static_cast<size_t>(
      std::count_if(profile.processes().begin(), profile.processes().end(),
                    [](const TargetInfo& process) { return !process.python.empty(); }));
}

bool HasGil(const Profile& profile) {
  return std::any_of(
      profile.processes().begin(), profile.processes().end(), [](const TargetInfo& process) {
        return !process.python.empty() && (!process.free_threaded || process.gil_enabled);
      });
}

// What the GIL costs. wanting_passes[k] of the passes, k threads wanted to run Python, and one did:
// on N cores without the GIL min(k, N) would.
std::string GilAdvice(const Profile& profile, const Shares& shares, unsigned cores) {
  const std::vector<uint64_t>& wanting = profile.totals.wanting_passes;
  const uint64_t passes = std::accumulate(wanting.begin(), wanting.end(), uint64_t{0});
  const std::optional<double> effective = EffectiveCores(profile);
  if (shares.gil < kGilHurts || passes == 0 || !effective || PythonProcesses(profile) > 1)
    return "";
  double time = 0;
  double threads = 0;
  double alone = 0;
  for (size_t k = 0; k < wanting.size(); ++k) {
    const double share = static_cast<double>(wanting[k]) / static_cast<double>(passes);
    const size_t at_once = std::clamp<size_t>(k, 1, std::max(cores, 1u));
    time += share / static_cast<double>(at_once);
    threads += share * static_cast<double>(std::min<size_t>(k, cores));
    if (k < 2) alone += share;
  }
  if (1 / time < kWorthIt) return "";
  return absl::StrFormat(
      "Without the GIL (free threading, or processes) %.1f threads would work at a time instead of "
      "%.1f. In %s of the time no two want to, so on the %u cores of this machine that is at most "
      "%.1f times as fast (Amdahl's law), less what they then wait for each other's locks.\n",
      threads, *effective, Percent(alone), cores, 1 / time);
}

std::string LockAdvice(const Profile& profile, const Shares& shares) {
  if (shares.locks < kLocksHurt) return "";
  std::string text = absl::StrCat(
      Percent(shares.locks),
      " of thread time waits for locks: more cores or threads add to the waiting. Hold them "
      "shorter, or divide what they guard; ");
  absl::StrAppend(&text,
                  HasGil(profile) ? "free threading alone does not help" : "the GIL would not",
                  ", separate processes would, for they share no such lock.\n");
  return text;
}

// One thread that works, beside others that do not.
std::string AloneAdvice(const Profile& profile, const Shares& shares) {
  const auto work_of = [&](const ProfiledThread& thread) {
    const StateShares of = StateSharesOf(profile, thread);
    return static_cast<double>(thread.samples) * (of[static_cast<size_t>(ThreadState::kRunning)] +
                                                  of[static_cast<size_t>(ThreadState::kNative)]);
  };
  double all = 0;
  double most = 0;
  const ProfiledThread* busiest = nullptr;
  size_t threads = 0;
  for (const ProfiledThread& thread : profile.threads()) {
    if (thread.tasks || thread.samples == 0) continue;
    ++threads;
    const double work = work_of(thread);
    all += work;
    if (work > most) {
      most = work;
      busiest = &thread;
    }
  }
  const std::optional<double> effective = EffectiveCores(profile);
  if (threads < 2 || busiest == nullptr || most < kAlone * all || !effective ||
      *effective < kBusyCore || shares.gil >= kGilHurts || shares.locks >= kLocksHurt) {
    return "";
  }
  return absl::StrCat("One thread, ", PlainText(busiest->name), ", does ", Percent(most / all),
                      " of the work: until that is divided among threads or processes, none of "
                      "free threading, more threads and more cores makes it faster.\n");
}

std::string NativeAdvice(const Profile& profile, const Shares& shares) {
  if (!HasGil(profile) || shares.works() < kHardlyWorks || shares.gil >= kGilHurts ||
      shares.native < kMostlyNative * shares.works()) {
    return "";
  }
  return absl::StrCat(Percent(shares.native / shares.works()),
                      " of the work is native code that has let go of the GIL, and next to nobody "
                      "waits for it: threads serve this as they are.\n");
}

std::string CpuAdvice(const Profile& profile, const Shares& shares, unsigned cores) {
  const double duration_s = profile.sampling.duration_s;
  if (shares.runnable < kCpusLack || duration_s <= 0) return "";
  const std::string waits =
      absl::StrCat(Percent(shares.runnable), " of thread time waits for a CPU");
  const double used = profile.totals.cpu_s / duration_s;
  if (used >= kAllCores * cores) {
    return absl::StrFormat(
        "%s: there is more to do than the %u cores of this machine can, and more "
        "threads do not help.\n",
        waits, cores);
  }
  return absl::StrFormat(
      "%s, though these threads use only %.1f of %u cores: other programs have "
      "them%s.\n",
      waits, used, cores,
      HasGil(profile) ? ""
                      : ", or it is tries for locks that are taken, which give "
                        "the CPU away each time");
}

std::string WaitAdvice(const Shares& shares) {
  if (shares.works() + shares.runnable >= kHardlyWorks || shares.gil >= kGilHurts / 5 ||
      shares.locks >= kLocksHurt || shares.waits <= kMostlyWaits) {
    return "";
  }
  std::string text = absl::StrCat(
      "Code runs in ", Percent(shares.works()),
      " of thread time: what limits this is what its threads wait for, and neither free threading "
      "nor more processes change that");
  if (shares.io >= kMostlyWaits / 2) {
    absl::StrAppend(&text, "; to have more I/O under way at once, use more threads, or asyncio");
  }
  return absl::StrCat(text, ".\n");
}

std::string FreeThreadingPays(const Profile& profile) {
  const std::optional<double> effective = EffectiveCores(profile);
  if (HasGil(profile) || PythonProcesses(profile) > 1 || !effective || *effective < 1.2) return "";
  return absl::StrFormat(
      "Free threading pays here: %.1f cores run Python at a time, and with the GIL at most 1.0 "
      "would.\n",
      *effective);
}

}  // namespace

std::string Advice(const Profile& profile, unsigned cores) {
  if (profile.totals.seen_passes() < kMinPasses) return "";
  const Shares shares(profile);
  return absl::StrCat(GilAdvice(profile, shares, cores), LockAdvice(profile, shares),
                      AloneAdvice(profile, shares), NativeAdvice(profile, shares),
                      CpuAdvice(profile, shares, cores), WaitAdvice(shares),
                      FreeThreadingPays(profile));
}

}  // namespace fthreadprof
