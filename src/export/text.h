// How names and numbers are spelled in the outputs. Names come from the target and may hold
// anything: every name passes through PlainText before it reaches a file.
//
// Thread safety: pure functions.
#ifndef FTHREADPROF_EXPORT_TEXT_H_
#define FTHREADPROF_EXPORT_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "export/export_options.h"
#include "profile/profile.h"

namespace fthreadprof {

// `text` as valid UTF-8 on one line that XML and JSON accept: control characters become their
// Unicode pictures (a newline U+240A), what is not UTF-8 and what XML forbids U+FFFD.
std::string PlainText(std::string_view text);

// "function (file:line)"; without a known line, or without wanting one, "function (file)".
std::string FrameText(const Frame& frame, bool function_only);
// The same with the last component of the file's path only; "" when it has no other.
std::string ShortFrameText(const Frame& frame, bool function_only);
// "process PID COMMAND", a long command cut; the executable where the command is not known.
std::string ProcessText(const TargetInfo& process);
// "thread NAME (TID)", or "tasks of NAME (TID)".
std::string ThreadText(const ProfiledThread& thread);
// "interpreter ID", for threads of subinterpreters: id != 0.
std::string InterpreterText(const ProfiledThread& thread);
// "[gil_wait]", the innermost frame of a stack for --by-state. No other frame is spelled so: all
// of them end in ")".
std::string StateFrameText(ThreadState state);
// "the lock of a dict", "a Lock".
std::string LockText(LockKind kind, std::string_view type);
// What stands above a thread's stacks, outermost first: its process and itself where `options` ask
// for them, and the subinterpreter that it belongs to.
std::vector<std::string> RootTexts(const Profile& profile, ThreadIndex thread,
                                   const ExportOptions& options);

// `plain` with &, <, > and quotes as XML entities. REQUIRES: `plain` comes from PlainText.
std::string EscapeXml(std::string_view plain);

// Columns that `plain` takes in a monospace font, wide East Asian characters two.
size_t ColumnsOf(std::string_view plain);
// `plain` cut to `columns`, ".." at its end when it was longer; empty when not even a letter fits.
std::string CutToColumns(std::string_view plain, size_t columns);

// "1,234,567".
std::string WithThousands(uint64_t number);
// "41 %" of 0.41.
std::string Percent(double fraction);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_TEXT_H_
