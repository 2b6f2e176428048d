// InterpreterReader takes one look at all threads of a target, a pass: who they are, whether they
// run Python, and their stacks.
//
// Cost: in the steady state one call of ReadPieces: the interpreters, then each thread that the
// last pass found: its frames at the places predicted from before, and its state, with the current
// frame, right after them. A list of threads that turns out to have changed is read again, and new
// threads' frames in a call of their own; what the prediction missed is read again, thread by
// thread.
//
// Truth: see StackWalker for what makes a stack believable, and CodeObjectCache for names. A stack
// whose frames name a code object that changed hands since it was read is read again. VerifyCode()
// then settles, for all stacks since the last time, that their names still hold; callers keep
// samples back until it has.
//
// Lifetime: borrows memory. Thread safety: none.
#ifndef FTHREADPROF_PYTHON_INTERPRETER_READER_H_
#define FTHREADPROF_PYTHON_INTERPRETER_READER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/process_memory.h"
#include "python/code_object_cache.h"
#include "python/frame_layout.h"
#include "python/runtime_locator.h"
#include "python/stack_copy.h"
#include "python/stack_walker.h"
#include "python/thread_names.h"

namespace fthreadprof {

// Words of a frame's evaluation stack.
struct EvaluationStack {
  uint64_t address = 0;
  size_t count = 0;
};

// A thread of the target, as one pass saw it.
struct PythonThread {
  enum class Attachment : int {  // _Py_THREAD_*: Include/internal/pycore_pystate.h
    kDetached = 0,
    kAttached = 1,
    kSuspended = 2,
    kShuttingDown = 3,
  };
  enum class Stack {
    kComplete,
    kEmpty,  // it runs no Python code
    kTorn,   // no try gave a stack that holds together
    kEnded,  // it ended while we read
  };

  InterpreterPtr interpreter;
  int64_t interpreter_id = 0;     // PyInterpreterState.id: 0 is the main one
  size_t gil = 0;                 // of its interpreter: index for InterpreterReader::GilOf
  uint64_t state_address = 0;     // its PyThreadState
  uint64_t ident = 0;             // threading.get_ident()
  uint64_t native_thread_id = 0;  // in the target's pid namespace
  Attachment attachment = Attachment::kDetached;
  Stack stack = Stack::kEmpty;
  std::vector<StackFrame> frames;  // innermost first
  // All of the innermost frame's; what is not in use of it holds anything.
  EvaluationStack evaluation_stack;
  // Whether the stack is the same as in the pass before, line by line.
  bool unchanged = false;
  uint64_t critical_section = 0;  // PyThreadState.critical_section, with its tags
  bool must_stop = false;         // a stop-the-world waits for it
};

// _gil_runtime_state.enabled of a GIL that is on for good; smaller numbers count the imports that
// enable it for a moment: ceval_gil.c.
inline constexpr int32_t kGilForGood = INT32_MAX;

// A subinterpreter shares the main interpreter's GIL or has its own.
struct GilState {
  uint64_t address = 0;  // of struct _gil_runtime_state
  bool enabled = true;   // false only on a free-threaded build
  // Enabled, and not just for the moment of an import.
  bool for_good = true;
  bool locked = false;
  uint64_t holder = 0;    // PyThreadState of who holds it, 0 when nobody does
  uint64_t switches = 0;  // how often another thread got it, since the start
};

class InterpreterReader {
 public:
  // REQUIRES: memory outlives the reader.
  InterpreterReader(ProcessMemory& memory, const PythonRuntime& runtime);
  ~InterpreterReader();

  // Looks at all threads. Fails with kNotFound when the process is gone, kUnavailable when the
  // interpreter is not there (it starts, ends, or the process runs another program by now),
  // kPermissionDenied.
  absl::Status ReadPass();

  // What the last pass found; valid until the next.
  std::span<PythonThread* const> threads() const { return threads_; }
  // The main interpreter's GIL.
  const GilState& gil() const { return gils_.back().state; }
  // The GIL that decides whether `thread` may run. REQUIRES: the last pass found the thread.
  const GilState& GilOf(const PythonThread& thread) const { return gils_[thread.gil].state; }
  // Whether some interpreter's GIL is held.
  bool AnyGilHeld() const;
  // Whether some interpreter's GIL is enabled for good.
  bool AnyGilOn() const;
  // Whether some interpreter collects garbage.
  bool AnyCollects() const;
  // The GILs of all interpreters, each once.
  size_t gil_count() const { return gils_.size(); }
  const GilState& GilAt(size_t index) const { return gils_[index].state; }
  bool has_subinterpreters() const { return interpreters_.size() > 1; }
  const DebugOffsets& offsets() const { return runtime_.offsets; }
  // Where the frames of `thread` are, in the order of its `frames`; empty unless its stack is
  // complete. REQUIRES: the last pass found the thread.
  std::vector<FrameRecord> FrameRecords(const PythonThread& thread) const;

  // The part of a frame's evaluation stack that is in use for certain, because the frame is inside
  // a `try` or a `with` that keeps it. REQUIRES: both are of the last pass.
  EvaluationStack ProtectedStack(const FrameRecord& frame, CodeInfo& code);

  // Checks every code object that stacks named since the last call, but those that were verified
  // with their stack. `stale` gets those whose address another object took meanwhile: a stack that
  // names one may be wrong. They stay valid until the next pass.
  absl::Status VerifyCode(std::vector<const CodeInfo*>& stale);

 private:
  struct ThreadRecord;
  // Pieces that belong together: a copy of a thread's frames, or a code object's identity.
  struct Range {
    size_t begin = 0;
    size_t end = 0;
    ThreadRecord* owner = nullptr;
    uint64_t code = 0;  // address, when there is no owner
    bool failed = false;
  };

  absl::Status ReadStates();
  absl::Status ReadInterpreters();
  absl::Status ListGils();
  size_t AppendStatePieces(bool with_frames);
  bool ParseInterpreters();
  void ParseGils();
  absl::StatusOr<bool> LinkThreads();
  void ForgetUnlisted();
  absl::StatusOr<ThreadRecord*> FindOrReadThread(uint64_t address);
  void AppendStacks(std::span<ThreadRecord* const> records, bool whole_states);
  void AppendVolatileCode();
  absl::Status ReadAppended();
  void TakeAppended();
  bool WasPredicted(const ThreadRecord& record) const;
  absl::Status ReadAgain(std::span<ThreadRecord* const> records);
  void SeeIdentity(const Range& range);
  absl::Status ReadStacks();
  absl::Status Settle(ThreadRecord& record);
  bool TryStack(ThreadRecord& record, absl::Status& status);
  bool HasNewOwner(const ThreadRecord& record) const;
  bool ResolveUnknown(absl::Status& status);
  bool CodeStillHolds(ThreadRecord& record, bool& has_volatile);
  absl::StatusOr<bool> IsListed(const ThreadRecord& record);
  void ParseThreadState(ThreadRecord& record);
  EvaluationStack StackOf(const FrameRecord& frame, const CodeInfo& code) const;
  void ForgetThreads();

  ProcessMemory& memory_;
  PythonRuntime runtime_;
  FrameLayout layout_;
  CodeObjectCache code_;
  StackWalker walker_;

  size_t state_size_;        // bytes of a PyThreadState that are read
  uint64_t activity_start_;  // the part of it that holds attachment, current frame and ident
  size_t activity_size_;
  uint64_t links_start_;  // the part of a PyInterpreterState that links it and its threads
  size_t links_size_;

  struct Interpreter {
    InterpreterPtr address;
    uint64_t next = 0;
    std::vector<uint8_t> links{};  // the part with next and threads.head
    uint64_t threads_head = 0;
    uint32_t tlbc_generation = 0;
    uint32_t tlbc_generation_before = 0;
    int32_t collecting = 0;  // _gc_runtime_state.collecting
    int64_t id = 0;
    uint64_t gil = 0;      // address; 0 while it starts
    size_t gil_index = 0;  // in gils_
  };
  struct Gil {
    GilState state;
    std::vector<uint8_t> bytes{};
  };
  std::vector<Interpreter> interpreters_;
  KnownCallers callers_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<ThreadRecord>> records_;
  std::vector<ThreadRecord*> order_;  // as linked in the target
  std::vector<ThreadRecord*> order_before_;
  std::vector<PythonThread*> threads_;
  std::vector<Gil> gils_ = std::vector<Gil>(1);  // each once, the main interpreter's last
  uint64_t pass_ = 0;
  uint64_t predicted_in_ = 0;  // the pass that last read the frames with the states
  uint64_t reading_ = 0;       // counts the readings of the lists, one or more a pass
  // Of the clock that std::chrono computes inline: it is asked for each frame of a pass.
  std::chrono::steady_clock::time_point pass_time_;

  std::vector<MemoryPiece> pieces_;
  std::vector<Range> ranges_;  // of pieces_, in order
  std::vector<ThreadRecord*> records_to_read_;
  // Addresses of volatile code objects that stacks named lately, and the pass that last did.
  absl::flat_hash_map<uint64_t, uint64_t> volatile_code_;
  absl::flat_hash_map<uint64_t, CodeIdentity> identity_seen_;  // by the last call, by address
  std::vector<uint8_t> identities_;
  uint64_t call_ = 0;  // counts the calls that copy stacks
  size_t gil_size_ = 0;
  uint64_t interpreters_head_ = 0;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PYTHON_INTERPRETER_READER_H_
