#include "process/memory_maps.h"

#include <sys/sysmacros.h>

#include <cinttypes>
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "process/proc_file.h"

namespace fthreadprof {
namespace {

bool ParseLine(const std::string& line, Mapping& mapping) {
  char permissions[5] = {};
  unsigned device_major = 0;
  unsigned device_minor = 0;
  int path_at = 0;
  const int fields =
      std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
                  &mapping.start, &mapping.end, permissions, &mapping.file_offset, &device_major,
                  &device_minor, &mapping.inode, &path_at);
  if (fields != 7 || mapping.end <= mapping.start) return false;
  mapping.readable = permissions[0] == 'r';
  mapping.writable = permissions[1] == 'w';
  mapping.executable = permissions[2] == 'x';
  mapping.device = makedev(device_major, device_minor);
  mapping.path = path_at > 0 ? line.substr(static_cast<size_t>(path_at)) : "";
  constexpr std::string_view kDeleted = " (deleted)";
  if (absl::EndsWith(mapping.path, absl::string_view(kDeleted.data(), kDeleted.size()))) {
    mapping.deleted = true;
    mapping.path.resize(mapping.path.size() - kDeleted.size());
  }
  return true;
}

}  // namespace

std::vector<Mapping> ParseMemoryMaps(std::string_view text) {
  std::vector<Mapping> mappings;
  for (absl::string_view line :
       absl::StrSplit(absl::string_view(text.data(), text.size()), '\n', absl::SkipEmpty())) {
    Mapping mapping;
    if (ParseLine(std::string(line), mapping)) mappings.push_back(std::move(mapping));
  }
  return mappings;
}

absl::StatusOr<std::vector<Mapping>> ReadMemoryMaps(pid_t pid) {
  FTP_ASSIGN_OR_RETURN(const std::string text, ReadProcFile(absl::StrCat("/proc/", pid, "/maps")));
  return ParseMemoryMaps(text);
}

}  // namespace fthreadprof
