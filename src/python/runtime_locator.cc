#include "python/runtime_locator.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "process/elf_image.h"
#include "process/memory_maps.h"
#include "process/os_process.h"

namespace fthreadprof {
namespace {

constexpr size_t kCookieSize = kDebugCookie.size();

// A file that the process has mapped, and where.
struct MappedFile {
  const Mapping* first;                  // the mapping with the lowest address
  std::vector<const Mapping*> writable;  // data; the anonymous mapping that follows is .bss
  bool is_executable = false;            // it is /proc/PID/exe
};

bool IsPythonName(const std::string& path) {
  return absl::StrContains(path.substr(path.rfind('/') + 1), "python");
}

// The mapped files, likely ones first: the executable, then files named python, then the rest.
std::vector<MappedFile> ListMappedFiles(const std::vector<Mapping>& mappings, pid_t pid) {
  struct stat exe = {};
  const bool have_exe = stat(absl::StrCat("/proc/", pid, "/exe").c_str(), &exe) == 0;
  std::vector<MappedFile> files;
  for (const Mapping& mapping : mappings) {
    if (!mapping.has_file()) continue;
    auto it = std::find_if(files.begin(), files.end(), [&](const MappedFile& file) {
      return file.first->inode == mapping.inode && file.first->device == mapping.device;
    });
    if (it == files.end()) {
      const bool is_exe = have_exe && exe.st_ino == mapping.inode;
      it = files.insert(files.end(), MappedFile{&mapping, {}, is_exe});
    }
    if (mapping.writable) it->writable.push_back(&mapping);
  }
  std::erase_if(
      files, [](const MappedFile& file) { return file.writable.empty() && !file.is_executable; });
  std::sort(files.begin(), files.end(), [](const MappedFile& a, const MappedFile& b) {
    const auto rank = [](const MappedFile& f) {
      return std::pair(f.is_executable ? 0 : IsPythonName(f.first->path) ? 1 : 2, f.first->start);
    };
    return rank(a) < rank(b);
  });
  return files;
}

// Opens the very file that is mapped: by the executable's link, through the target's root directory
// or ours if inode numbers agree, or by the kernel's own link (needs a capability).
UniqueFd OpenMappedFile(pid_t pid, const MappedFile& file) {
  const Mapping& mapping = *file.first;
  if (file.is_executable) {
    UniqueFd fd(open(absl::StrCat("/proc/", pid, "/exe").c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.valid()) return fd;
  }
  for (const std::string& path :
       {absl::StrCat("/proc/", pid, "/root", mapping.path), mapping.path,
        absl::StrFormat("/proc/%d/map_files/%x-%x", pid, mapping.start, mapping.end)}) {
    UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    struct stat status = {};
    if (fd.valid() && fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_ino == mapping.inode) {
      return fd;
    }
  }
  return UniqueFd();
}

bool HasCookie(ProcessMemory& memory, uint64_t address) {
  char bytes[kCookieSize];
  return memory.Read(address, bytes, sizeof bytes).ok() &&
         std::memcmp(bytes, kDebugCookie.data(), kCookieSize) == 0;
}

// All places in the file's data with the cookie, 8 bytes at a time as _PyRuntime is
// aligned. It may be there by chance too: whoever searches for it has it in memory.
std::vector<uint64_t> ScanForCookie(const std::vector<Mapping>& mappings, const MappedFile& file,
                                    ProcessMemory& memory) {
  constexpr size_t kBlock = size_t{1} << 20;
  constexpr uint64_t kMaxScan = uint64_t{256} << 20;
  constexpr size_t kMaxPlaces = 64;
  std::vector<uint64_t> places;
  std::vector<char> block(kBlock);
  for (const Mapping& mapping : mappings) {
    const bool is_data = mapping.writable && mapping.inode == file.first->inode &&
                         mapping.device == file.first->device;
    if (!is_data) continue;
    const uint64_t end = std::min(mapping.end, mapping.start + kMaxScan);
    for (uint64_t at = mapping.start; at < end; at += kBlock) {
      const size_t size = std::min<uint64_t>(kBlock, end - at);
      if (!memory.Read(at, block.data(), size).ok()) continue;
      for (size_t i = 0; i + kCookieSize <= size; i += 8) {
        if (std::memcmp(&block[i], kDebugCookie.data(), kCookieSize) != 0) continue;
        places.push_back(at + i);
        if (places.size() == kMaxPlaces) return places;
      }
    }
  }
  return places;
}

// Where the file's runtime may lie; nowhere when the file was opened and is no Python.
// kFailedPrecondition when the section is there without a table: an older Python.
absl::StatusOr<std::vector<uint64_t>> FindInFile(pid_t pid, const std::vector<Mapping>& mappings,
                                                 const MappedFile& file, ProcessMemory& memory) {
  using Places = std::vector<uint64_t>;
  UniqueFd fd = OpenMappedFile(pid, file);
  if (fd.valid()) {
    absl::StatusOr<ElfImage> image = ElfImage::Open(std::move(fd));
    if (!image.ok()) {
      if (file.is_executable && absl::IsUnimplemented(image.status())) return image.status();
      return Places();
    }
    const std::optional<ElfSection> section = image->FindSection(".PyRuntime");
    if (section) {
      const std::optional<uint64_t> bias = image->LoadBias(*file.first);
      if (bias && HasCookie(memory, section->address + *bias))
        return Places{section->address + *bias};
      return absl::FailedPreconditionError("older");
    }
    if (!file.is_executable && !IsPythonName(file.first->path)) return Places();
  }
  return ScanForCookie(mappings, file, memory);
}

absl::StatusOr<PythonRuntime> ReadRuntime(uint64_t address, ProcessMemory& memory) {
  std::vector<uint8_t> bytes(DebugOffsets::kMaxTableSize);
  FTP_RETURN_IF_ERROR(memory.Read(address, bytes.data(), bytes.size()));
  FTP_ASSIGN_OR_RETURN(DebugOffsets offsets, DebugOffsets::Parse(bytes));
  return PythonRuntime{RemotePtr<RuntimeTag>(address), offsets};
}

// REQUIRES: there is a file.
absl::Status ExplainNoPython(pid_t pid, const std::vector<MappedFile>& files, bool older) {
  for (const MappedFile& file : files) {
    const std::string name = file.first->path.substr(file.first->path.rfind('/') + 1);
    if (older || absl::StartsWith(name, "python2") || absl::StartsWith(name, "python3") ||
        absl::StartsWith(name, "libpython")) {
      return absl::UnimplementedError(absl::StrCat(
          "process ", pid, " runs a Python (", file.first->path,
          ") that is not supported: fthreadprof reads CPython 3.13 and later, release builds"));
    }
  }
  return absl::FailedPreconditionError(absl::StrCat("process ", pid, " is not Python: it runs ",
                                                    files.front().first->path,
                                                    "; give the PID of the Python process itself"));
}

}  // namespace

absl::StatusOr<PythonRuntime> FindPythonRuntime(pid_t pid, ProcessMemory& memory) {
  FTP_ASSIGN_OR_RETURN(const std::vector<Mapping> mappings, ReadMemoryMaps(pid));
  const std::vector<MappedFile> files = ListMappedFiles(mappings, pid);
  if (files.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "process ", pid, " runs no program: it starts or ends just now, or is a kernel thread"));
  }
  // Distinguish "may not look" from "not Python": reading any word tells.
  uint64_t word = 0;
  const absl::Status readable = memory.Read(files.front().first->start, &word, sizeof word);
  if (absl::IsPermissionDenied(readable) || absl::IsNotFound(readable)) return readable;
  bool older = false;
  absl::Status no_table;  // the first that could not be used
  for (const MappedFile& file : files) {
    const absl::StatusOr<std::vector<uint64_t>> found = FindInFile(pid, mappings, file, memory);
    if (absl::IsUnimplemented(found.status())) {
      return absl::UnimplementedError(absl::StrCat("process ", pid, " is ",
                                                   found.status().message(),
                                                   ", the only one that fthreadprof supports"));
    }
    if (!found.ok()) {
      older = true;  // unless another file is the one: this may be a mere copy, mapped as data
      continue;
    }
    for (const uint64_t place : *found) {
      absl::StatusOr<PythonRuntime> runtime = ReadRuntime(place, memory);
      if (runtime.ok() || absl::IsNotFound(runtime.status())) return runtime;
      no_table.Update(runtime.status());
    }
  }
  if (!no_table.ok()) return no_table;
  return ExplainNoPython(pid, files, older);
}

absl::StatusOr<uint64_t> FindAsyncioTable(pid_t pid) {
  FTP_ASSIGN_OR_RETURN(const std::vector<Mapping> mappings, ReadMemoryMaps(pid));
  absl::Status last = absl::NotFoundError("asyncio is not loaded");
  for (const MappedFile& file : ListMappedFiles(mappings, pid)) {
    const std::string name = file.first->path.substr(file.first->path.rfind('/') + 1);
    const bool is_module = absl::StartsWith(name, "_asyncio.");
    if (!file.is_executable && !IsPythonName(name) && !is_module) continue;
    UniqueFd fd = OpenMappedFile(pid, file);
    absl::StatusOr<ElfImage> image = absl::UnavailableError("");
    if (fd.valid()) image = ElfImage::Open(std::move(fd));
    std::optional<ElfSection> section;
    std::optional<uint64_t> bias;
    if (image.ok()) section = image->FindSection(".AsyncioDebug");
    if (section) bias = image->LoadBias(*file.first);
    if (bias) return section->address + *bias;
    if (is_module) {
      last = absl::UnavailableError(
          absl::StrCat(file.first->path, " can't be opened, or lacks asyncio's table of offsets: ",
                       "no asyncio task can be seen"));
    }
  }
  return last;
}

}  // namespace fthreadprof
