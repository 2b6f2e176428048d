// LockHolders says who holds the locks that threads wait for, at the moment of a pass.
//
// How it is known:
//   RLock   its owner is in the object.
//   object  (free-threaded builds) the chain of critical sections of each attached thread names the
//           mutexes that it holds; a thread that detaches gives them back.
//   Lock    says nothing of its holder, but a thread inside `with lock:` has the lock, or the bound
//           __exit__ of it, on the evaluation stack of that frame. The code's exception table tells
//           how much of the stack is in use. One that is in Condition.wait has given its lock back.
// Any other holder is not known, and neither is one where two threads seem to hold a lock.
//
// Cost: one or two calls of ReadPieces while somebody waits, else none.
//
// Lifetime: borrows memory and reader. Thread safety: none.
#ifndef FTHREADPROF_CONTENTION_LOCK_HOLDERS_H_
#define FTHREADPROF_CONTENTION_LOCK_HOLDERS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "contention/lock_reader.h"
#include "process/process_memory.h"
#include "python/frame_layout.h"
#include "python/interpreter_reader.h"

namespace fthreadprof {

// A thread that waits for a lock.
struct LockWait {
  const PythonThread* waiter = nullptr;
  ParkedOn parked{};
  const PythonThread* holder = nullptr;  // null: not known
};

class LockHolders {
 public:
  // REQUIRES: both outlive this.
  LockHolders(ProcessMemory& memory, InterpreterReader& reader)
      : memory_(memory), reader_(reader), layout_(reader.offsets()) {}

  // Fills in the holder of each wait. REQUIRES: the waiters are of the reader's last pass.
  void Find(std::span<LockWait> waits);

 private:
  // Words of the target that may say that `thread` holds a lock of this kind.
  struct Clue {
    ParkedOn::Kind kind = ParkedOn::Kind::kNothing;
    const PythonThread* thread = nullptr;  // of an RLock's owner: null, the words tell
    uint64_t subject = 0;  // an RLock, or the tagged pointer to a critical section
    size_t first = 0;      // in words_
    size_t count = 0;      // 0: they could not be read
  };

  void Ask(const Clue& clue, uint64_t address);
  void AskAboutSection(const PythonThread& thread, uint64_t pointer);
  void AskAboutFrames(const PythonThread& thread);
  void AskAboutMethods(size_t clue_count);
  void FollowSections(size_t clue_count);
  void ReadAsked();
  const PythonThread* HolderOf(const LockWait& wait) const;
  const PythonThread* NamedBy(const Clue& clue, const LockWait& wait) const;
  bool Names(const Clue& clue, uint64_t mutex) const;

  ProcessMemory& memory_;
  InterpreterReader& reader_;
  const FrameLayout layout_;
  std::vector<Clue> clues_;
  std::vector<MemoryPiece> pieces_;  // of the clues that ReadAsked has not read
  std::vector<uint64_t> words_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_CONTENTION_LOCK_HOLDERS_H_
