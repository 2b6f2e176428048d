#include "cli/recorder.h"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "cli/attach.h"
#include "process/live_process_memory.h"
#include "process/os_process.h"
#include "python/runtime_locator.h"
#include "sampler/tree_sampler.h"

namespace fthreadprof {
namespace {

// A process that runs no Python is given so long to start it: it may be about to exec, or about to
// end.
constexpr absl::Duration kPatience = absl::Seconds(2);
constexpr absl::Duration kFirstRetry = absl::Milliseconds(1);
constexpr absl::Duration kLastRetry = absl::Milliseconds(20);

std::atomic<bool> stop_signalled{false};
std::atomic<SamplingClock*> running_clock{nullptr};
std::atomic<pid_t> forward_signals_to{0};

void OnStopSignal(int signal, siginfo_t* info, void*) {
  stop_signalled.store(true);
  if (SamplingClock* clock = running_clock.load()) clock->RequestStop();
  // A terminal sends its signals to the whole process group, so to the command too.
  const pid_t command = forward_signals_to.load();
  if (command != 0 && info->si_code != SI_KERNEL) kill(command, signal);
}

void PrintProgress(const SamplerProgress& progress) {
  const double seconds = absl::ToDoubleSeconds(progress.elapsed);
  std::fprintf(stderr, "\r%6.1f s  %6.0f Hz  %llu samples  %llu torn  %llu late ", seconds,
               seconds > 0 ? static_cast<double>(progress.passes) / seconds : 0.0,
               static_cast<unsigned long long>(progress.samples),
               static_cast<unsigned long long>(progress.torn),
               static_cast<unsigned long long>(progress.late));
  std::fflush(stderr);
}

// A file stays open for each thread that waits: ask for as many as we may have. A command that we
// launched keeps the limit that it was started with.
void AllowManyFiles() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// One line, whatever the number of processes.
void PrintProblems(const std::vector<TreeSampler::Problem>& problems) {
  if (problems.empty()) return;
  constexpr size_t kMaxNamed = 2;
  std::vector<std::string> named;
  for (const TreeSampler::Problem& problem : problems) {
    if (named.size() < kMaxNamed) named.emplace_back(problem.status.message());
  }
  const size_t more = problems.size() - named.size();
  std::fprintf(stderr, "fthreadprof: some processes were not sampled: %s%s\n",
               absl::StrJoin(named, "; ").c_str(),
               more > 0 ? absl::StrCat("; and ", more, " more").c_str() : "");
}

void SayIfBlind(bool is_blind) {
  if (!is_blind) return;
  std::fputs(
      "fthreadprof: the kernel hides what threads wait for (/proc/PID/task/TID/syscall): those that "
      "wait are shown as 'other', without locks; run as root, or on a kernel that shows it, to see "
      "more\n",
      stderr);
}

void SayIfNoTasks(const Profile& profile, const std::string& problem) {
  const bool any = std::any_of(profile.threads().begin(), profile.threads().end(),
                               [](const ProfiledThread& thread) { return thread.tasks; });
  if (any) return;
  std::fprintf(stderr, "fthreadprof: no asyncio task was seen to wait%s%s\n",
               problem.empty() ? "" : ": ", problem.c_str());
}

}  // namespace

void InstallStopSignals(pid_t forward_to) {
  forward_signals_to.store(forward_to);
  struct sigaction action = {};
  action.sa_sigaction = OnStopSignal;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

absl::Status Recorder::RecordProcess(pid_t pid, Profile& profile) {
  AllowManyFiles();
  FTP_ASSIGN_OR_RETURN(OsProcess process, OsProcess::Open(pid));
  LiveProcessMemory memory(pid);
  Sampler sampler(process, memory, options_, profile);
  if (reporting_.progress) sampler.clock().set_on_progress(PrintProgress);
  profile.target().pid = pid;
  profile.target().executable = process.Executable();
  profile.target().command = process.CommandLine();
  running_clock.store(&sampler.clock());
  const absl::Status status = Attach(process, memory, sampler, profile);
  running_clock.store(nullptr);
  sampler.Finish();
  if (reporting_.progress) std::fprintf(stderr, "\r\033[K");
  if (reporting_.verbose) {
    std::fprintf(stderr, "%llu passes, %llu calls of process_vm_readv, %llu looks into /proc\n",
                 static_cast<unsigned long long>(profile.sampling.passes),
                 static_cast<unsigned long long>(memory.calls()),
                 static_cast<unsigned long long>(sampler.looks()));
  }
  if (absl::IsPermissionDenied(status) && profile.sampling.samples == 0) {
    return ExplainPermission(process);
  }
  SayIfBlind(sampler.is_blind());
  if (options_.tasks) SayIfNoTasks(profile, sampler.task_problem());
  return status;
}

absl::Status Recorder::RecordTree(pid_t pid, Profile& profile) {
  AllowManyFiles();
  FTP_ASSIGN_OR_RETURN(OsProcess process, OsProcess::Open(pid));
  TreeSampler sampler(process, options_, profile);
  if (reporting_.progress) sampler.clock().set_on_progress(PrintProgress);
  running_clock.store(&sampler.clock());
  if (stop_signalled.load()) sampler.clock().RequestStop();
  const absl::StatusOr<SamplingEnd> end = sampler.Run();
  running_clock.store(nullptr);
  sampler.Finish();
  if (reporting_.progress) std::fprintf(stderr, "\r\033[K");
  if (reporting_.verbose) {
    std::fprintf(stderr,
                 "%llu passes, %llu calls of process_vm_readv, %llu looks into /proc, %llu "
                 "processes met\n",
                 static_cast<unsigned long long>(profile.sampling.passes),
                 static_cast<unsigned long long>(sampler.calls()),
                 static_cast<unsigned long long>(sampler.looks()),
                 static_cast<unsigned long long>(sampler.met()));
  }
  PrintProblems(sampler.problems());
  SayIfBlind(sampler.is_blind());
  if (options_.tasks) SayIfNoTasks(profile, "");
  if (absl::IsPermissionDenied(end.status()) && profile.sampling.samples == 0) {
    return ExplainPermission(process);
  }
  // Ended by -d or Ctrl-C, with nothing: a Python that can't be read is no success.
  if (end.ok() && profile.sampling.samples == 0 && process.IsAlive()) {
    LiveProcessMemory memory(pid);
    const absl::Status why = FindPythonRuntime(pid, memory).status();
    if (!absl::IsNotFound(why)) return why;
  }
  return end.status();
}

// Samples whatever Python the process runs: the one it runs now, or will run when it has started,
// and the next one when it executes another.
absl::Status Recorder::Attach(OsProcess& process, ProcessMemory& memory, Sampler& sampler,
                              Profile& profile) {
  absl::Time deadline = absl::Now() + kPatience;
  absl::Duration retry = kFirstRetry;
  absl::Status no_python;  // why there was none to sample, if we know
  bool said = false;
  while (!stop_signalled.load()) {
    if (!process.IsAlive()) {
      if (profile.sampling.samples > 0 || profile.sampling.late > 0) return absl::OkStatus();
      return absl::NotFoundError(
          absl::StrCat("process ", process.pid(), " ended before any Python code of it was seen",
                       no_python.ok() ? "" : absl::StrCat(" (", no_python.message(), ")")));
    }
    const absl::StatusOr<PythonRuntime> runtime = FindPythonRuntime(process.pid(), memory);
    if (absl::IsPermissionDenied(runtime.status())) return runtime.status();
    if (runtime.ok()) {
      profile.target().python = runtime->offsets.VersionString();
      profile.target().free_threaded = runtime->offsets.free_threaded;
      profile.target().executable = process.Executable();
      profile.target().command = process.CommandLine();
      if (reporting_.verbose) {
        std::fprintf(stderr, "process %d: Python %s, %s, _PyRuntime at 0x%llx\n", process.pid(),
                     profile.target().python.c_str(),
                     profile.target().free_threaded ? "free-threaded" : "with the GIL",
                     static_cast<unsigned long long>(runtime->address.address()));
      }
      const uint64_t samples_before = profile.sampling.samples;
      FTP_ASSIGN_OR_RETURN(const SamplingEnd end, sampler.Run(*runtime));
      if (end == SamplingEnd::kDuration || end == SamplingEnd::kStopRequested) {
        return absl::OkStatus();
      }
      if (profile.sampling.samples > samples_before) {
        deadline = absl::Now() + kPatience;
        retry = kFirstRetry;
      }
    } else if (!absl::IsNotFound(runtime.status())) {
      no_python = runtime.status();
      // Somebody else's process is what it is; our own command may be a script that starts Python
      // later.
      if (!options_.target_is_child && profile.sampling.samples == 0) return no_python;
    }
    if (!options_.target_is_child && absl::Now() > deadline) {
      if (profile.sampling.samples > 0) return absl::OkStatus();
      return !no_python.ok() ? no_python
                             : absl::FailedPreconditionError(
                                   absl::StrCat("process ", process.pid(), " runs no Python code"));
    }
    if (!said && !no_python.ok() && absl::Now() > deadline) {
      said = true;  // the command may run for hours
      std::fprintf(stderr, "fthreadprof: nothing to sample so far: %s\n",
                   std::string(no_python.message()).c_str());
    }
    absl::SleepFor(retry);
    retry = std::min(retry * 2, kLastRetry);
  }
  return profile.sampling.samples == 0 ? no_python : absl::OkStatus();
}

}  // namespace fthreadprof
