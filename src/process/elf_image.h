// ElfImage reads what we need of an ELF file: where a section lies and how addresses in the file
// map to a process. libelf does the parsing; the file is untrusted.
//
// Lifetime: owns its file descriptor and libelf handle. Thread safety: none.
#ifndef FTHREADPROF_PROCESS_ELF_IMAGE_H_
#define FTHREADPROF_PROCESS_ELF_IMAGE_H_

#include <libelf.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "process/memory_maps.h"

namespace fthreadprof {

struct ElfSection {
  uint64_t address = 0;  // as in the file: add the load bias
  uint64_t size = 0;
};

class ElfImage {
 public:
  // Fails with kInvalidArgument when the file is no ELF file, kUnimplemented when it is for another
  // machine than x86-64.
  static absl::StatusOr<ElfImage> Open(UniqueFd fd);

  std::optional<ElfSection> FindSection(std::string_view name) const;

  // What to add to the file's addresses, when `mapping` is the lowest mapping of this file: in a
  // page of the file that two segments share, a higher one could be either's. Nothing when no
  // loadable segment fits it.
  std::optional<uint64_t> LoadBias(const Mapping& mapping) const;

 private:
  struct ElfEnd {
    void operator()(Elf* elf) const { elf_end(elf); }
  };

  ElfImage(UniqueFd fd, std::unique_ptr<Elf, ElfEnd> elf)
      : fd_(std::move(fd)), elf_(std::move(elf)) {}

  UniqueFd fd_;
  std::unique_ptr<Elf, ElfEnd> elf_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROCESS_ELF_IMAGE_H_
