// fthreadprof for programs that embed it: look at the threads of a Python process, or sample them.
//
//   fthreadprof::Result<fthreadprof::Target> target = fthreadprof::Target::Attach(pid);
//   if (!target) { ... target.error().message ... }
//   for (const fthreadprof::ThreadStack& thread : target->ReadStacks().value()) { ... }
//
// Nothing is thrown across this interface but std::bad_alloc, and nothing is printed. The target
// (CPython 3.13, 3.14 or 3.15 on Linux, x86-64) is read from outside: never stopped, never written
// to. All text is UTF-8. What is read from a target is untrusted, and so are its names.
//
// Permission: that of ptrace(2) with PTRACE_MODE_ATTACH: the same user where
// kernel.yama.ptrace_scope is 0, else the capability CAP_SYS_PTRACE.
//
// Stability: within 0.1, sources and binaries that use this header go on working;
// docs/embedding.md.
#ifndef FTHREADPROF_PROFILER_H_
#define FTHREADPROF_PROFILER_H_

#include <sys/types.h>

#include <cassert>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#define FTHREADPROF_API __attribute__((visibility("default")))

namespace fthreadprof {

enum class ErrorCode {
  kNotFound,          // there is no such process, or it has ended
  kPermissionDenied,  // it may not be read
  kUnsupported,       // its Python, or its machine, is one that this version does not know
  kNoPython,          // it runs no Python, as far as can be seen
  kInvalidArgument,   // of ours
  kUnavailable,       // it could not be read just now: try again
};

struct Error {
  ErrorCode code;
  std::string message;  // a sentence for people
};

// A value or why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::move(value)) {}      // NOLINT: meant to convert
  Result(Error error) : content_(std::move(error)) {}  // NOLINT

  bool ok() const { return std::holds_alternative<T>(content_); }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok().
  T& value() & { return Get(); }
  T&& value() && { return std::move(Get()); }
  T& operator*() { return Get(); }
  T* operator->() { return &Get(); }
  // REQUIRES: !ok().
  const Error& error() const {
    assert(!ok());
    return *std::get_if<Error>(&content_);
  }

 private:
  T& Get() {
    assert(ok());
    return *std::get_if<T>(&content_);
  }

  std::variant<T, Error> content_;
};

// A place in Python code.
struct PythonFrame {
  std::string function;  // co_qualname
  std::string file;      // co_filename
  int line = 0;          // from 1; 0: not known
};

// What a thread did at one moment.
struct ThreadStack {
  std::string name;        // threading's, else that of the OS thread
  pid_t os_thread_id = 0;  // in the pid namespace of the caller
  // "running", "native", "gil_wait", "lock_wait", "idle", "io", "sleep" and what else
  // docs/outputs.md lists for a summary; "" when the thread's stack could not be read whole.
  std::string state;
  std::vector<PythonFrame> frames;  // outermost first; empty when it could not be read whole
};

struct SamplingOptions {
  double rate_hz = 1000;  // 0.1 to 100,000
  double seconds = 1;     // above 0; it ends sooner when the target does
  bool idle = false;      // also threads that wait for something or sleep
};

// A stack that samples of a thread had.
struct SampledStack {
  std::string thread_name;
  pid_t os_thread_id = 0;
  std::vector<PythonFrame> frames;  // outermost first
  std::uint64_t samples = 0;
};

struct Samples {
  std::vector<SampledStack> stacks;
  double seconds = 0;        // that it took
  std::uint64_t passes = 0;  // looks at all threads
  std::uint64_t torn = 0;    // samples dropped, for they did not hold together
};

// A Python process.
//
// Lifetime: refers to the process, which may end at any time; then calls fail with kNotFound. A
// Target may outlive it, and holds no more than memory. Movable; a Target that was moved from may
// only be destroyed or assigned to.
//
// Thread safety: one thread at a time for each Target; different ones are independent, even of the
// same process. Calls block: ReadStacks for some ten milliseconds, a second at most, Sample for as
// long as asked. They ask the scheduler for short time slices and exact timers for the calling
// thread, which keeps them: give them a thread of its own where that matters.
class FTHREADPROF_API Target {
 public:
  // Finds the Python in process `pid` (as the caller's pid namespace numbers it).
  static Result<Target> Attach(pid_t pid);

  Target(Target&&) noexcept;
  Target& operator=(Target&&) noexcept;
  ~Target();

  pid_t pid() const;
  // "3.13.5"
  const std::string& python_version() const;
  bool free_threaded() const;

  // What every thread of it does now. A thread that ends meanwhile may be left out.
  Result<std::vector<ThreadStack>> ReadStacks();

  // Samples it for a time. Stacks come thread by thread.
  Result<Samples> Sample(const SamplingOptions& options);

 private:
  struct Implementation;
  explicit Target(std::unique_ptr<Implementation> implementation);

  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILER_H_
