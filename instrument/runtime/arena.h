// Arena: memory for the detector's state. It never calls malloc: an access of the program may come
// from inside any allocator. Blocks come in size classes (four an octave) and are handed out from a
// cache of the calling thread; memory goes back to the arena, never to the kernel, save for huge
// ones.
//
// Thread safety: every function may be called from any thread; a BlockCache belongs to one thread.
// Failure: nullptr when the limit is reached or the kernel refuses; the caller then tracks less.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_ARENA_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_ARENA_H_

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "spin_lock.h"

namespace fthreadprof::race {

// Four classes an octave, from 32 bytes to 64 KiB.
inline constexpr size_t kSmallestBlock = 32;
inline constexpr size_t kLargestBlock = size_t{64} << 10;
inline constexpr int kBlockClasses = 45;

inline int BlockClass(size_t size) {
  if (size <= kSmallestBlock) return 0;
  const int octave =
      static_cast<int>(std::bit_width(size - 1)) - 1;  // 2^octave < size <= 2^(octave + 1)
  const size_t quarter = (size - 1 - (size_t{1} << octave)) >> (octave - 2);
  return 4 * (octave - 5) + static_cast<int>(quarter) + 1;
}

inline size_t BlockClassSize(int block_class) {
  const size_t octave = size_t{kSmallestBlock} << (block_class / 4);
  return octave + octave / 4 * static_cast<size_t>(block_class % 4);
}

struct BlockCache {
  struct FreeBlock {
    FreeBlock* next;
  };
  FreeBlock* heads[kBlockClasses];
  uint32_t counts[kBlockClasses];
};

class Arena {
 public:
  constexpr Arena() = default;

  // Not initialised. REQUIRES: the same size is given to Free.
  void* Allocate(BlockCache& cache, size_t size) {
    if (size > kLargestBlock) return Map(size);
    const int block_class = BlockClass(size);
    BlockCache::FreeBlock* block = cache.heads[block_class];
    if (block == nullptr) {
      block = Refill(cache, block_class);
      if (block == nullptr) return nullptr;
    }
    cache.heads[block_class] = block->next;
    --cache.counts[block_class];
    return block;
  }

  void* AllocateZeroed(BlockCache& cache, size_t size) {
    void* memory = Allocate(cache, size);
    // The kernel's memory is zero, and not there until it is touched.
    if (memory != nullptr && size <= kLargestBlock) memset(memory, 0, size);
    return memory;
  }

  void Free(BlockCache& cache, void* memory, size_t size) {
    if (memory == nullptr) return;
    if (size > kLargestBlock) {
      munmap(memory, size);
      mapped_.fetch_sub(size, std::memory_order_relaxed);
      return;
    }
    const int block_class = BlockClass(size);
    auto* block = static_cast<BlockCache::FreeBlock*>(memory);
    block->next = cache.heads[block_class];
    cache.heads[block_class] = block;
    if (++cache.counts[block_class] > 2 * BatchOf(block_class)) GiveBack(cache, block_class);
  }

  // All blocks of a cache whose thread ends.
  void Drain(BlockCache& cache) {
    for (int block_class = 0; block_class < kBlockClasses; ++block_class) {
      while (cache.heads[block_class] != nullptr) GiveBack(cache, block_class);
    }
  }

  // Bytes taken from the kernel.
  uint64_t mapped() const { return mapped_.load(std::memory_order_relaxed); }
  void set_limit(uint64_t bytes) { limit_ = bytes; }

  void AcquireLocks() {
    for (Class& c : classes_) c.lock.Acquire();
  }
  void ReleaseLocks() {
    for (Class& c : classes_) c.lock.Release();
  }

 private:
  struct Class {
    SpinLock lock;
    BlockCache::FreeBlock* free = nullptr;
    char* fresh = nullptr;  // not yet handed out once
    char* fresh_end = nullptr;
  };
  static constexpr size_t kChunk = size_t{256} << 10;

  static uint32_t BatchOf(int block_class) {
    return static_cast<uint32_t>(std::clamp<size_t>(8192 / BlockClassSize(block_class), 1, 64));
  }

  void* Map(size_t size) {
    if (mapped_.fetch_add(size, std::memory_order_relaxed) + size > limit_) {
      mapped_.fetch_sub(size, std::memory_order_relaxed);
      return nullptr;
    }
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED) return memory;
    mapped_.fetch_sub(size, std::memory_order_relaxed);
    return nullptr;
  }

  BlockCache::FreeBlock* Refill(BlockCache& cache, int block_class) {
    Class& c = classes_[block_class];
    const size_t size = BlockClassSize(block_class);
    SpinLockHolder holder(c.lock);
    for (uint32_t taken = 0; taken < BatchOf(block_class); ++taken) {
      BlockCache::FreeBlock* block = c.free;
      if (block != nullptr) {
        c.free = block->next;
      } else {
        if (size > static_cast<size_t>(c.fresh_end - c.fresh)) {
          auto* chunk = static_cast<char*>(Map(kChunk));
          if (chunk == nullptr) break;
          c.fresh = chunk;
          c.fresh_end = chunk + kChunk;
        }
        block = reinterpret_cast<BlockCache::FreeBlock*>(c.fresh);
        c.fresh += size;
      }
      block->next = cache.heads[block_class];
      cache.heads[block_class] = block;
      ++cache.counts[block_class];
    }
    return cache.heads[block_class];
  }

  void GiveBack(BlockCache& cache, int block_class) {
    Class& c = classes_[block_class];
    SpinLockHolder holder(c.lock);
    for (uint32_t given = 0; given < BatchOf(block_class); ++given) {
      BlockCache::FreeBlock* block = cache.heads[block_class];
      if (block == nullptr) return;
      cache.heads[block_class] = block->next;
      --cache.counts[block_class];
      block->next = c.free;
      c.free = block;
    }
  }

  Class classes_[kBlockClasses];
  std::atomic<uint64_t> mapped_{0};
  uint64_t limit_ = ~uint64_t{0};
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_ARENA_H_
