#include "cli/dump_command.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "cli/attach.h"
#include "cli/exit_status.h"
#include "cli/peer_options.h"
#include "dump/json_dump.h"
#include "dump/process_dumper.h"
#include "dump/text_dump.h"
#include "process/live_process_memory.h"
#include "python/runtime_locator.h"

namespace fthreadprof {
namespace {

// A process that just starts its Python, or executes another, is given so long.
constexpr absl::Duration kDumpPatience = absl::Seconds(2);
constexpr absl::Duration kRetry = absl::Milliseconds(20);

struct DumpCommandOptions {
  pid_t pid = 0;
  bool json = false;
  bool locals = false;
  bool no_values = false;
  bool blocking = false;
};

// What may be different in a moment: no Python yet, or an interpreter that starts or ends.
bool MayPass(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsUnavailable(status) || absl::IsDataLoss(status);
}

absl::StatusOr<ProcessDump> TryDump(OsProcess& process, ProcessMemory& memory,
                                    const DumpOptions& options) {
  FTP_ASSIGN_OR_RETURN(const PythonRuntime runtime, FindPythonRuntime(process.pid(), memory));
  return ProcessDumper(process, memory, options).Dump(runtime);
}

absl::StatusOr<ProcessDump> DumpProcess(pid_t pid, const DumpOptions& options) {
  FTP_ASSIGN_OR_RETURN(OsProcess process, OsProcess::Open(pid));
  LiveProcessMemory memory(pid);
  const absl::Time deadline = absl::Now() + kDumpPatience;
  absl::StatusOr<ProcessDump> dump = TryDump(process, memory, options);
  while (!dump.ok() && MayPass(dump.status()) && process.IsAlive() && absl::Now() < deadline) {
    absl::SleepFor(kRetry);
    dump = TryDump(process, memory, options);
  }
  if (dump.ok()) return dump;
  if (absl::IsPermissionDenied(dump.status())) return ExplainPermission(process);
  if (!process.IsAlive()) {
    return absl::NotFoundError(
        absl::StrCat("process ", pid, " ended before its stacks could be read"));
  }
  if (!MayPass(dump.status())) return dump.status();
  return absl::FailedPreconditionError(absl::StrCat("the stacks of process ", pid,
                                                    " could not be read (", dump.status().message(),
                                                    "): try again, or with --blocking"));
}

absl::StatusOr<int> Run(const DumpCommandOptions& options) {
  if (options.pid <= 0) {
    return absl::InvalidArgumentError("give a process with -p PID, as in 'fthreadprof dump -p 42'");
  }
  if (options.no_values && !options.locals) {
    return absl::InvalidArgumentError("--no-values is for --locals: give both");
  }
  FTP_ASSIGN_OR_RETURN(const ProcessDump dump,
                       DumpProcess(options.pid, {.locals = options.locals,
                                                 .values = !options.no_values,
                                                 .blocking = options.blocking}));
  options.json ? WriteJsonDump(dump, std::cout) : WriteTextDump(dump, std::cout);
  errno = 0;
  if (!std::cout.flush()) {
    return absl::UnavailableError(absl::StrCat("standard output can't be written: ",
                                               errno != 0 ? std::strerror(errno) : "it is closed"));
  }
  return 0;
}

}  // namespace

void AddDumpCommand(CLI::App& app, int& exit_status) {
  const auto options = std::make_shared<DumpCommandOptions>();
  CLI::App* dump =
      app.add_subcommand("dump", "Print every thread's stack, once, with what the thread does");
  dump->footer(
      "Examples:\n"
      "  fthreadprof dump -p 4242\n"
      "  fthreadprof dump -p 4242 --locals --blocking\n"
      "  fthreadprof dump -p 4242 --json\n");
  dump->add_option("-p,--pid", options->pid, "The process to look at")->type_name("PID");
  dump->add_flag("-j,--json", options->json, "Print JSON (schema fthreadprof.dump/1)");
  dump->add_flag("-l,--locals", options->locals,
                 "Show the functions' local variables, with the values of simple types");
  dump->add_flag("--no-values", options->no_values,
                 "With --locals: only the names and types of variables");
  dump->add_flag("-b,--blocking", options->blocking,
                 "Stop the process while it is read, so that all is of one moment");
  AddPeerOptions(*dump);
  dump->callback([=, &exit_status] { exit_status = ExitStatusOf(Run(*options)); });
}

}  // namespace fthreadprof
