#include "dump/json_dump.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"

namespace fthreadprof {
namespace {

using nlohmann::ordered_json;

const char* StackName(PythonThread::Stack stack) {
  switch (stack) {
    case PythonThread::Stack::kComplete:
      return "complete";
    case PythonThread::Stack::kEmpty:
      return "empty";
    case PythonThread::Stack::kTorn:
    case PythonThread::Stack::kEnded:
      return "torn";
  }
  return "torn";
}

ordered_json Locals(const ProcessDump& dump, const DumpedFrame& frame) {
  if (!frame.locals) return nullptr;
  ordered_json locals = ordered_json::array();
  for (const LocalVariable& variable : *frame.locals) {
    ordered_json entry = {{"name", variable.name}, {"type", variable.type}};
    if (dump.with_values) entry["value"] = variable.value;
    locals.push_back(std::move(entry));
  }
  return locals;
}

ordered_json Frames(const ProcessDump& dump, const DumpedThread& thread) {
  ordered_json frames = ordered_json::array();
  for (const DumpedFrame& frame : thread.frames) {
    ordered_json entry = {{"function", frame.function},
                          {"file", frame.file},
                          {"line", frame.line == 0 ? ordered_json() : ordered_json(frame.line)}};
    if (dump.with_locals) entry["locals"] = Locals(dump, frame);
    frames.push_back(std::move(entry));
  }
  return frames;
}

// null when it does not wait for a lock or the GIL.
ordered_json WaitsFor(const DumpedThread& thread) {
  const ordered_json held_by = thread.held_by == 0 ? ordered_json() : ordered_json(thread.held_by);
  if (thread.state == ThreadState::kGilWait) {
    return {{"kind", "gil"}, {"type", nullptr}, {"address", nullptr}, {"held_by", held_by}};
  }
  const std::optional<LockKind> kind = LockKindOf(thread.waits_for);
  if (!kind) return nullptr;
  const std::string& type = thread.waits_for.type;
  return {{"kind", LockKindName(*kind)},
          {"type", type.empty() ? ordered_json() : ordered_json(type)},
          {"address", absl::StrFormat("0x%x", thread.waits_for.address)},
          {"held_by", held_by}};
}

ordered_json Threads(const ProcessDump& dump) {
  ordered_json threads = ordered_json::array();
  for (const DumpedThread& thread : dump.threads) {
    threads.push_back({{"tid", thread.tid},
                       {"ident", thread.ident},
                       {"name", thread.name},
                       {"interpreter", thread.interpreter},
                       {"state", ThreadStateName(thread.state)},
                       {"has_gil", thread.has_gil},
                       {"waits_for", WaitsFor(thread)},
                       {"stack", StackName(thread.stack)},
                       {"frames", Frames(dump, thread)}});
  }
  return threads;
}

ordered_json EnabledBy(const ProcessDump& dump) {
  if (!dump.gil_cause || dump.gil_cause->module.empty()) return nullptr;
  return {{"module", dump.gil_cause->module}, {"certain", dump.gil_cause->is_certain}};
}

}  // namespace

void WriteJsonDump(const ProcessDump& dump, std::ostream& out) {
  ordered_json json;
  json["schema"] = "fthreadprof.dump/1";
  json["process"] = {{"pid", dump.pid},
                     {"executable", dump.executable},
                     {"command", dump.command},
                     {"python", dump.python},
                     {"free_threaded", dump.free_threaded},
                     {"gil_enabled", dump.gil_enabled},
                     {"gil_enabled_by", EnabledBy(dump)}};
  json["threads"] = Threads(dump);
  json["deadlocks"] = DeadlocksIn(dump);
  // Names come from the target: what is not UTF-8 becomes U+FFFD instead of an exception.
  out << json.dump(2, ' ', false, ordered_json::error_handler_t::replace) << '\n';
}

}  // namespace fthreadprof
