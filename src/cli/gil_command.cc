#include "cli/gil_command.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "cli/attach.h"
#include "cli/exit_status.h"
#include "cli/gil_report.h"
#include "contention/gil_watch.h"
#include "process/child_process.h"
#include "process/live_process_memory.h"
#include "process/os_process.h"
#include "python/runtime_locator.h"
#include "sampler/sampling_clock.h"

namespace fthreadprof {
namespace {

using namespace std::chrono_literals;

// The import of a small module takes a few hundred microseconds.
constexpr std::chrono::microseconds kLookInterval = 100us;
constexpr absl::Duration kPatienceOfOthers = absl::Seconds(2);
// How long -p tries again to read modules that change while they are read.
constexpr absl::Duration kPatienceWithImports = absl::Seconds(1);
constexpr std::chrono::milliseconds kStartTime = 1s;
constexpr std::chrono::microseconds kLauncherInterval = 20ms;
constexpr int kMaxStarting = 10'000;
constexpr int kGilIsOn = 3;

struct GilOptions {
  pid_t pid = 0;
  std::string json;
};

bool MayPassSoon(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsUnavailable(status) || absl::IsDataLoss(status);
}

// Watches a process, whatever Pythons it executes one after another, until `is_over`.
class ProcessGil {
 public:
  explicit ProcessGil(OsProcess& process) : process_(process), memory_(process.pid()) {}

  // One look. Fails when there can be no answer: kPermissionDenied, kUnimplemented,
  // kFailedPrecondition (no Python, or one that always has its GIL).
  absl::Status Look() {
    if (watch_ == nullptr) FTP_RETURN_IF_ERROR(Attach());
    const absl::Status looked = watch_->Look();
    if (looked.ok()) has_answer_ = true;
    if (!MayPassSoon(looked)) return looked;
    // It starts: the same runtime has an interpreter soon. Or it ends, or executes another program.
    if (absl::IsUnavailable(looked) && !has_answer_ && ++starting_ < kMaxStarting) return looked;
    if (has_answer_) Keep();
    watch_.reset();
    return looked;
  }

  // Whether another look would tell no more. REQUIRES: the last one succeeded.
  bool IsComplete() const {
    const GilCulprit& culprit = watch_->culprit();
    if (!HasLooked()) return false;
    return !watch_->is_on() || culprit.is_found() || (watch_->was_on() && !culprit.saw_import());
  }

  // What the last Python turned out to be; nothing when none was seen.
  std::optional<GilReport> Report() {
    if (watch_ != nullptr && has_answer_) Keep();
    return report_;
  }

 private:
  // Whether all was read that the answer rests on: with the GIL off, the modules.
  bool HasLooked() const {
    const GilCulprit& culprit = watch_->culprit();
    return watch_->is_on() ? culprit.has_looked() : culprit.has_modules();
  }

  absl::Status Attach() {
    FTP_ASSIGN_OR_RETURN(const PythonRuntime runtime, FindPythonRuntime(process_.pid(), memory_));
    if (!runtime.offsets.free_threaded) {
      return absl::FailedPreconditionError(
          absl::StrCat("process ", process_.pid(), " runs Python ", runtime.offsets.VersionString(),
                       ", a build that always has its GIL: run it with a free-threaded one, such "
                       "as python3.14t"));
    }
    python_ = runtime.offsets.VersionString();
    has_answer_ = false;
    starting_ = 0;
    started_ = GilWatch::Clock::now();
    watch_ = std::make_unique<GilWatch>(memory_, runtime);
    return absl::OkStatus();
  }

  void Keep() {
    // What was in progress when we came is blamed only where the rest was read.
    if (HasLooked() || !watch_->was_on()) watch_->Finish();
    const GilCulprit& culprit = watch_->culprit();
    report_ = GilReport{.python = python_,
                        .gil_is_on = watch_->is_on(),
                        .was_on = watch_->was_on(),
                        .has_looked = HasLooked(),
                        .after_s = {},
                        .by_option = culprit.by_option(),
                        .culprit = culprit.name(),
                        .is_certain = culprit.is_certain(),
                        .import = culprit.import(),
                        .modules = culprit.modules()};
    if (watch_->turned_on() && !culprit.by_option()) {
      report_->after_s = std::chrono::duration<double>(*watch_->turned_on() - started_).count();
    }
  }

  OsProcess& process_;
  LiveProcessMemory memory_;
  std::string python_;
  GilWatch::Clock::time_point started_;
  std::unique_ptr<GilWatch> watch_;
  bool has_answer_ = false;
  int starting_ = 0;  // looks at an interpreter that is not there yet
  std::optional<GilReport> report_;
};

absl::StatusOr<GilReport> LookOnce(OsProcess& process) {
  ProcessGil gil(process);
  absl::Time deadline = absl::Now() + kPatienceOfOthers;
  bool has_answer = false;
  absl::Status last = gil.Look();
  while (process.IsAlive() && (last.ok() ? !gil.IsComplete() : MayPassSoon(last))) {
    if (last.ok() && !std::exchange(has_answer, true)) {
      deadline = absl::Now() + kPatienceWithImports;
    }
    if (absl::Now() >= deadline) break;
    std::this_thread::sleep_for(last.ok() ? 1ms : 10ms);
    last = gil.Look();
  }
  if (absl::IsPermissionDenied(last)) return ExplainPermission(process);
  std::optional<GilReport> report = gil.Report();
  // One that ended while we tried again had been seen.
  if (report && (last.ok() || !process.IsAlive())) return *std::move(report);
  return last;
}

// Watches our command to its end. A launcher that runs no Python yet may execute one.
absl::StatusOr<GilReport> WatchToTheEnd(OsProcess& process, ChildProcess& child, int& status) {
  AskForEarlyTurns();
  ProcessGil gil(process);
  absl::Status problem;  // why there was no answer, when a look said so
  const GilWatch::Clock::time_point began = GilWatch::Clock::now();
  while (process.IsAlive()) {
    const absl::Status looked = gil.Look();
    if (absl::IsPermissionDenied(looked)) {
      problem = ExplainPermission(process);
      break;
    }
    if (!looked.ok() && !MayPassSoon(looked) && process.IsAlive()) problem = looked;
    // A Python starts, and may be over, within a few milliseconds; a launcher may run for long.
    const bool is_launcher =
        absl::IsFailedPrecondition(looked) && GilWatch::Clock::now() - began > kStartTime;
    std::this_thread::sleep_for(is_launcher ? kLauncherInterval : kLookInterval);
  }
  status = child.Wait();
  if (std::optional<GilReport> report = gil.Report()) return *std::move(report);
  if (!problem.ok()) return problem;
  return absl::NotFoundError("the command ended before any Python of it was seen");
}

absl::Status WriteJson(const GilReport& report, const std::string& path) {
  FTP_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  WriteGilJson(report, file->stream());
  return file->Commit();
}

absl::StatusOr<int> Run(const GilOptions& options, const std::vector<std::string>& command) {
  if ((options.pid != 0) == !command.empty()) {
    return absl::InvalidArgumentError(
        "give either a process with -p PID, or a command behind --, as in 'fthreadprof gil -- "
        "python3.14t app.py'");
  }
  if (options.pid < 0) return absl::InvalidArgumentError("-p takes the number of a process");
  int status = 0;
  absl::StatusOr<GilReport> report = absl::InternalError("");
  if (command.empty()) {
    FTP_ASSIGN_OR_RETURN(OsProcess process, OsProcess::Open(options.pid));
    report = LookOnce(process);
  } else {
    FTP_ASSIGN_OR_RETURN(ChildProcess child, ChildProcess::Start(command));
    FTP_ASSIGN_OR_RETURN(OsProcess process, OsProcess::Open(child.pid()));
    report = WatchToTheEnd(process, child, status);
  }
  FTP_RETURN_IF_ERROR(report.status());
  // Standard output is the command's.
  WriteGilText(*report, command.empty() ? std::cout : std::cerr);
  if (!options.json.empty()) FTP_RETURN_IF_ERROR(WriteJson(*report, options.json));
  return report->gil_is_on ? kGilIsOn : status;
}

}  // namespace

void AddGilCommand(CLI::App& app, const std::vector<std::string>& command, int& exit_status) {
  const auto options = std::make_shared<GilOptions>();
  CLI::App* gil = app.add_subcommand(
      "gil", "Is the GIL of a free-threaded Python off, and if not, which import turned it on?");
  gil->footer(
      "Examples:\n"
      "  fthreadprof gil -- python3.14t app.py\n"
      "  fthreadprof gil -- python3.14t -c 'import numpy'\n"
      "  fthreadprof gil -p 4242\n"
      "The exit status is the command's own when the GIL stayed off, 3 when it is on.");
  gil->add_option("-p,--pid", options->pid, "The process to look at")->type_name("PID");
  gil->add_option("--json", options->json, "Write the answer as JSON (schema fthreadprof.gil/1)")
      ->type_name("FILE");
  gil->callback(
      [=, &command, &exit_status] { exit_status = ExitStatusOf(Run(*options, command)); });
}

}  // namespace fthreadprof
