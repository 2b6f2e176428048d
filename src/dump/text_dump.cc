#include "dump/text_dump.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "export/gil_text.h"
#include "export/text.h"

namespace fthreadprof {
namespace {

// "gil_wait" is a name of the schema; people read "gil wait".
std::string StateText(ThreadState state) {
  return absl::StrReplaceAll(ThreadStateName(state), {{"_", " "}});
}

std::string Flavor(const ProcessDump& dump) {
  if (!dump.free_threaded) return "with the GIL";
  return dump.gil_enabled ? "free-threaded, but its GIL is on" : "free-threaded, GIL off";
}

// The thread's name, in quotes behind a space; "" when it is not known.
std::string NameOf(const ProcessDump& dump, pid_t tid) {
  for (const DumpedThread& thread : dump.threads) {
    if (thread.tid == tid) return absl::StrCat(" \"", PlainText(thread.name), "\"");
  }
  return "";
}

// " for the lock of a dict at 0x7f..., which thread 12 "evictor" has"
std::string WaitText(const ProcessDump& dump, const DumpedThread& thread) {
  const std::optional<LockKind> kind = LockKindOf(thread.waits_for);
  std::string text;
  if (kind) {
    text = absl::StrFormat(" for %s at 0x%x", LockText(*kind, thread.waits_for.type),
                           thread.waits_for.address);
  }
  if (thread.held_by == 0) return text;
  if (thread.held_by == thread.tid) return absl::StrCat(text, ", which it has itself");
  return absl::StrCat(text, ", which thread ", thread.held_by, NameOf(dump, thread.held_by),
                      " has");
}

std::string ThreadLine(const ProcessDump& dump, const DumpedThread& thread) {
  std::string line = absl::StrCat("Thread ", thread.tid, " (", StateText(thread.state));
  absl::StrAppend(&line, WaitText(dump, thread));
  if (thread.has_gil) absl::StrAppend(&line, ", has the GIL");
  bool several = false;
  for (const DumpedThread& other : dump.threads) several |= other.interpreter != 0;
  if (several) absl::StrAppend(&line, ", interpreter ", thread.interpreter);
  return absl::StrCat(line, "): \"", PlainText(thread.name), "\"");
}

void WriteLocals(const ProcessDump& dump, const DumpedFrame& frame, std::ostream& out) {
  if (!dump.with_locals) return;
  if (!frame.locals) {
    out << "        (its variables changed while they were read; try --blocking)\n";
    return;
  }
  for (const LocalVariable& variable : *frame.locals) {
    out << "        " << PlainText(variable.name) << ": " << PlainText(variable.type);
    if (dump.with_values) out << " = " << PlainText(variable.value);
    out << '\n';
  }
}

}  // namespace

void WriteTextDump(const ProcessDump& dump, std::ostream& out) {
  if (dump.free_threaded && dump.gil_enabled) {
    const std::string why = WhyGilIsOn(dump.gil_cause);
    out << "The GIL is ON in this free-threaded build" << (why.empty() ? "" : ": ") << why << ".\n";
  }
  out << "Process " << dump.pid << ": " << PlainText(dump.command) << '\n'
      << "Python " << dump.python << ", " << Flavor(dump);
  if (!dump.executable.empty()) out << " (" << PlainText(dump.executable) << ')';
  out << '\n';
  for (const std::vector<pid_t>& cycle : DeadlocksIn(dump)) {
    out << "\nDeadlock:";
    for (const pid_t tid : cycle) {
      out << (tid == cycle.front() ? " thread " : ", which waits for thread ") << tid
          << NameOf(dump, tid);
    }
    out << ", which waits for " << (cycle.size() == 1 ? "itself" : "the first")
        << ", each for a lock\n";
  }
  for (const DumpedThread& thread : dump.threads) {
    out << '\n' << ThreadLine(dump, thread) << '\n';
    if (thread.stack == PythonThread::Stack::kTorn) {
      out << "    (its stack changed while it was read; try --blocking)\n";
    } else if (thread.frames.empty()) {
      out << "    (runs no Python code)\n";
    }
    for (const DumpedFrame& frame : thread.frames) {
      out << "    " << FrameText({frame.function, frame.file, frame.line}, false) << '\n';
      WriteLocals(dump, frame, out);
    }
  }
}

}  // namespace fthreadprof
