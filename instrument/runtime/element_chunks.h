// Variable: the history of one variable. ElementChunks: the histories of a list's elements, in
// dense chunks by index (a hash cost 2.5 times as much on list-heavy loops).
//
// Nearly every element has been written or read, not both since: 24 bytes of the 48 of a Variable
// do. A chunk is made of such compact elements until one of them needs more.
//
// Protected by the lock of the shadow's shard.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_ELEMENT_CHUNKS_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_ELEMENT_CHUNKS_H_

#include <bit>
#include <cstdint>
#include <cstring>

#include "access_set.h"
#include "arena.h"
#include "vector_clock.h"

namespace fthreadprof::race {

// Keys of a list's elements.
inline constexpr uint64_t kIndexBit = uint64_t{1} << 63;
inline uint64_t IndexKey(uint64_t index) { return index | kIndexBit; }
inline bool IsIndexKey(uint64_t key) { return (key & kIndexBit) != 0; }

struct Variable {
  uint64_t key;
  AccessSet writes;
  AccessSet reads;
  // Clock of the last writer when it wrote, its low bit set once a race was found here.
  uintptr_t published;

  Snapshot* snapshot() const { return reinterpret_cast<Snapshot*>(published & ~uintptr_t{1}); }
  bool raced() const { return (published & 1) != 0; }
  void set_raced() { published |= 1; }
  void set_snapshot(Snapshot* snapshot) {
    published = reinterpret_cast<uintptr_t>(snapshot) | (published & 1);
  }
  void Clear(Arena& arena, BlockCache& cache) {
    writes.Clear(arena, cache);
    reads.Clear(arena, cache);
    Drop(arena, cache, snapshot());
  }
};
static_assert(sizeof(Variable) == 48);

class ElementChunks {
 public:
  static constexpr int kMaxChunks = 26;
  static constexpr uint64_t kMaxIndex = (uint64_t{1} << kMaxChunks) - 1;

  // Calls function(Variable&) for the element, which may change; false without memory.
  // REQUIRES: index < kMaxIndex.
  template <typename Function>
  bool With(Arena& arena, BlockCache& cache, uint64_t index, Function function) {
    const int number = static_cast<int>(std::bit_width(index + 1)) - 1;
    while (number >= count_) {
      if (!Grow(arena, cache)) return false;
    }
    Chunk& chunk = chunks_[number];
    const uint64_t place = index + 1 - Size(number);
    if (chunk.compact == nullptr && chunk.full == nullptr) {
      chunk.compact =
          static_cast<Element*>(arena.AllocateZeroed(cache, Size(number) * sizeof(Element)));
      if (chunk.compact == nullptr) return false;
    }
    if (chunk.full != nullptr) {
      chunk.full[place].key = IndexKey(index);
      function(chunk.full[place]);
      return true;
    }
    Variable variable = chunk.compact[place].Expanded(index);
    function(variable);
    if (!variable.writes.empty() && !variable.reads.empty()) {
      if (Inflate(arena, cache, number)) {
        chunk.full[place] = variable;
        return true;
      }
      variable.reads.Clear(arena, cache);  // forgets them
    }
    chunk.compact[place].Compress(variable);
    return true;
  }

  // Calls function(Variable&) for each element with a history; it may mark it as raced, no more.
  template <typename Function>
  void ForEach(Function function) {
    for (int number = 0; number < count_; ++number) {
      const Chunk& chunk = chunks_[number];
      for (uint64_t place = 0; chunk.full != nullptr && place < Size(number); ++place) {
        if (chunk.full[place].key != 0) function(chunk.full[place]);
      }
      for (uint64_t place = 0; chunk.compact != nullptr && place < Size(number); ++place) {
        Element& element = chunk.compact[place];
        if (element.accesses.empty()) continue;
        Variable variable = element.Expanded(place + Size(number) - 1);
        function(variable);
        element.Compress(variable);
      }
    }
  }

  void Clear(Arena& arena, BlockCache& cache) {
    if (chunks_ == nullptr) return;
    ForEach([&](Variable& variable) { Variable(variable).Clear(arena, cache); });
    for (int number = 0; number < count_; ++number) {
      arena.Free(cache, chunks_[number].compact, Size(number) * sizeof(Element));
      arena.Free(cache, chunks_[number].full, Size(number) * sizeof(Variable));
    }
    arena.Free(cache, chunks_, static_cast<size_t>(count_) * sizeof(Chunk));
    chunks_ = nullptr;
    count_ = 0;
  }

 private:
  // A Variable with writes or reads alone.
  struct Element {
    static constexpr uintptr_t kReads = 2;  // the accesses are reads
    AccessSet accesses;
    uintptr_t published;  // Variable::published, and kReads

    Variable Expanded(uint64_t index) const {
      Variable variable = {IndexKey(index), {}, {}, published & ~kReads};
      ((published & kReads) != 0 ? variable.reads : variable.writes) = accesses;
      return variable;
    }
    void Compress(const Variable& variable) {
      const bool reads = variable.writes.empty();
      accesses = reads ? variable.reads : variable.writes;
      published = variable.published | (reads ? kReads : 0);
    }
  };
  static_assert(sizeof(Element) == 24);

  // Chunk n holds 2^n indices, from 2^n - 1 on, in one of these ways or not yet.
  struct Chunk {
    Element* compact;
    Variable* full;
  };
  static uint64_t Size(int number) { return uint64_t{1} << number; }

  bool Grow(Arena& arena, BlockCache& cache) {
    constexpr int kFirstCount = 4;  // 15 elements
    const int count = count_ == 0 ? kFirstCount : kMaxChunks;
    auto* grown = static_cast<Chunk*>(
        arena.AllocateZeroed(cache, static_cast<size_t>(count) * sizeof(Chunk)));
    if (grown == nullptr) return false;
    if (count_ != 0) memcpy(grown, chunks_, static_cast<size_t>(count_) * sizeof(Chunk));
    arena.Free(cache, chunks_, static_cast<size_t>(count_) * sizeof(Chunk));
    chunks_ = grown;
    count_ = count;
    return true;
  }

  bool Inflate(Arena& arena, BlockCache& cache, int number) {
    Chunk& chunk = chunks_[number];
    auto* full =
        static_cast<Variable*>(arena.AllocateZeroed(cache, Size(number) * sizeof(Variable)));
    if (full == nullptr) return false;
    for (uint64_t place = 0; place < Size(number); ++place) {
      if (chunk.compact[place].accesses.empty()) continue;
      full[place] = chunk.compact[place].Expanded(place + Size(number) - 1);
    }
    arena.Free(cache, chunk.compact, Size(number) * sizeof(Element));
    chunk = {nullptr, full};
    return true;
  }

  Chunk* chunks_ = nullptr;
  int count_ = 0;
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_ELEMENT_CHUNKS_H_
