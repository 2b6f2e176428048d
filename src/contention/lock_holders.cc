#include "contention/lock_holders.h"

#include <algorithm>

#include "contention/thread_activity.h"
#include "python/object_layout.h"

namespace fthreadprof {
namespace {

using Kind = ParkedOn::Kind;

// A pass over hundreds of deep stacks looks at so many places at most: further holders stay
// unknown.
constexpr size_t kMaxClues = 1024;
// More words of a stack than nested `with` and loops keep.
constexpr size_t kMaxWords = 64;
// Critical sections nest; those further out are mostly given back.
constexpr int kMaxSections = 4;

bool IsActive(uint64_t section) {
  return section != 0 && (section & CriticalSection::kInactive) == 0;
}

}  // namespace

void LockHolders::Find(std::span<LockWait> waits) {
  clues_.clear();
  pieces_.clear();
  words_.clear();
  const auto any = [&](Kind kind) {
    return std::any_of(waits.begin(), waits.end(),
                       [&](const LockWait& wait) { return wait.parked.kind == kind; });
  };
  for (const LockWait& wait : waits) {
    if (wait.parked.kind != Kind::kRLock) continue;
    const uint64_t rlock = wait.parked.address;
    Ask({.kind = Kind::kRLock, .subject = rlock, .count = 1},
        rlock + RLockOwnerField(reader_.offsets()));
  }
  const bool objects = any(Kind::kObject);
  const bool locks = any(Kind::kLock);
  for (const PythonThread* thread : reader_.threads()) {
    if (objects && thread->attachment == PythonThread::Attachment::kAttached) {
      AskAboutSection(*thread, thread->critical_section);
    }
    if (locks) AskAboutFrames(*thread);
  }
  if (clues_.empty()) return;
  ReadAsked();
  if (locks && reader_.offsets().minor() < 14) AskAboutMethods(clues_.size());
  for (int i = 1; i < kMaxSections && objects; ++i) {
    FollowSections(clues_.size());
    ReadAsked();
  }
  ReadAsked();
  for (LockWait& wait : waits) wait.holder = HolderOf(wait);
}

// Notes to read `clue.count` words at `address`.
void LockHolders::Ask(const Clue& clue, uint64_t address) {
  if (clues_.size() >= kMaxClues || clue.count == 0) return;
  clues_.push_back(clue);
  clues_.back().first = words_.size();
  words_.resize(words_.size() + clue.count);
  pieces_.push_back({address, nullptr, clue.count * kWordSize});
}

void LockHolders::AskAboutSection(const PythonThread& thread, uint64_t pointer) {
  if (!IsActive(pointer)) return;
  const bool two = (pointer & CriticalSection::kTwoMutexes) != 0;
  Ask({.kind = Kind::kObject,
       .thread = &thread,
       .subject = pointer,
       .count = (two ? CriticalSection::kSize : CriticalSection::kMutex2) / kWordSize},
      pointer & ~CriticalSection::kTagMask);
}

void LockHolders::AskAboutFrames(const PythonThread& thread) {
  if (thread.stack != PythonThread::Stack::kComplete || IsConditionWait(thread.frames)) return;
  const std::vector<FrameRecord> records = reader_.FrameRecords(thread);
  for (size_t i = 0; i < records.size() && i < thread.frames.size(); ++i) {
    const EvaluationStack stack = reader_.ProtectedStack(records[i], *thread.frames[i].code);
    const size_t count = std::min(stack.count, kMaxWords);
    Ask({.kind = Kind::kLock, .thread = &thread, .count = count}, stack.address);
  }
}

// 3.13's `with` keeps a bound method, whose self is the lock.
void LockHolders::AskAboutMethods(size_t clue_count) {
  for (size_t i = 0; i < clue_count; ++i) {
    const Clue clue = clues_[i];
    if (clue.kind != Kind::kLock) continue;
    for (size_t word = clue.first; word < clue.first + clue.count; ++word) {
      const uint64_t method = words_[word];
      if (method == 0 || method % kWordSize != 0) continue;
      Ask({.kind = Kind::kLock, .thread = clue.thread, .count = 1},
          method + BoundSelfField(reader_.offsets()));
    }
  }
}

// Asks for the sections around those that were read last.
void LockHolders::FollowSections(size_t clue_count) {
  for (size_t i = 0; i < clue_count; ++i) {
    const Clue clue = clues_[i];
    if (clue.kind != Kind::kObject || clue.count == 0) continue;
    const uint64_t previous = words_[clue.first + CriticalSection::kPrevious / kWordSize];
    const bool asked = std::any_of(clues_.begin(), clues_.end(), [&](const Clue& other) {
      return other.kind == Kind::kObject && other.thread == clue.thread &&
             other.subject == previous;
    });
    if (!asked) AskAboutSection(*clue.thread, previous);
  }
}

// What can't be read any more was of a frame that has ended.
void LockHolders::ReadAsked() {
  const size_t first_clue = clues_.size() - pieces_.size();
  for (size_t i = 0; i < pieces_.size(); ++i) {
    pieces_[i].buffer = &words_[clues_[first_clue + i].first];
  }
  for (size_t done = 0; done < pieces_.size();) {
    const auto read = memory_.ReadPieces(std::span<const MemoryPiece>(pieces_).subspan(done));
    const size_t failed = done + read.value_or(0);
    if (failed < pieces_.size()) clues_[first_clue + failed].count = 0;
    if (!read.ok()) {
      for (size_t i = done; i < pieces_.size(); ++i) clues_[first_clue + i].count = 0;
      break;
    }
    done = failed + 1;
  }
  pieces_.clear();
}

const PythonThread* LockHolders::HolderOf(const LockWait& wait) const {
  const PythonThread* holder = nullptr;
  for (const Clue& clue : clues_) {
    const PythonThread* named = NamedBy(clue, wait);
    if (named == nullptr || named == holder) continue;
    if (holder != nullptr) return nullptr;  // it was handed on while we looked
    holder = named;
  }
  return holder;
}

// The thread that, after this clue, holds what `wait` is for.
const PythonThread* LockHolders::NamedBy(const Clue& clue, const LockWait& wait) const {
  const uint64_t address = wait.parked.address;
  if (clue.kind != wait.parked.kind || clue.count == 0) return nullptr;
  switch (clue.kind) {
    case Kind::kRLock: {
      const uint64_t owner = words_[clue.first];
      if (clue.subject != address || owner == 0) return nullptr;
      const auto threads = reader_.threads();
      const auto found = std::find_if(threads.begin(), threads.end(),
                                      [&](const auto* thread) { return thread->ident == owner; });
      return found == threads.end() ? nullptr : *found;
    }
    case Kind::kObject:
      return Names(clue, address + kObjectMutexField) ? clue.thread : nullptr;
    case Kind::kLock: {
      const auto begin = words_.begin() + static_cast<ptrdiff_t>(clue.first);
      const bool has_it =
          std::any_of(begin, begin + static_cast<ptrdiff_t>(clue.count),
                      [&](uint64_t word) { return layout_.StripTags(word) == address; });
      return has_it ? clue.thread : nullptr;
    }
    default:
      return nullptr;
  }
}

// Whether the critical section that was read is of this mutex.
bool LockHolders::Names(const Clue& section, uint64_t mutex) const {
  if (words_[section.first + CriticalSection::kMutex / kWordSize] == mutex) return true;
  return (section.subject & CriticalSection::kTwoMutexes) != 0 &&
         words_[section.first + CriticalSection::kMutex2 / kWordSize] == mutex;
}

}  // namespace fthreadprof
