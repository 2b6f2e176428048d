// MemoryMaps is /proc/PID/maps, parsed.
//
// Lifetime: a snapshot. Thread safety: immutable.
#ifndef FTHREADPROF_PROCESS_MEMORY_MAPS_H_
#define FTHREADPROF_PROCESS_MEMORY_MAPS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace fthreadprof {

struct Mapping {
  uint64_t start = 0;
  uint64_t end = 0;
  uint64_t file_offset = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  uint64_t device = 0;  // as makedev(3) gives it
  uint64_t inode = 0;   // 0: no file
  std::string path;     // without " (deleted)"; "" or "[heap]"-like when there is no file
  bool deleted = false;

  bool has_file() const { return inode != 0; }
};

// Parses the text of a maps file; lines that are malformed are left out.
std::vector<Mapping> ParseMemoryMaps(std::string_view text);

// Reads /proc/PID/maps. Fails with kNotFound when there is no such process (or it is a zombie),
// kPermissionDenied when it may not be read.
absl::StatusOr<std::vector<Mapping>> ReadMemoryMaps(pid_t pid);

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROCESS_MEMORY_MAPS_H_
