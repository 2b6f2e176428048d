#include "process/elf_image.h"

#include <elf.h>
#include <gelf.h>

#include <utility>

#include "absl/status/status.h"

namespace fthreadprof {

absl::StatusOr<ElfImage> ElfImage::Open(UniqueFd fd) {
  elf_version(EV_CURRENT);
  std::unique_ptr<Elf, ElfEnd> elf(elf_begin(fd.get(), ELF_C_READ, nullptr));
  GElf_Ehdr header;
  if (elf == nullptr || elf_kind(elf.get()) != ELF_K_ELF ||
      gelf_getehdr(elf.get(), &header) == nullptr) {
    return absl::InvalidArgumentError("not an ELF file");
  }
  if (header.e_machine != EM_X86_64 || header.e_ident[EI_CLASS] != ELFCLASS64) {
    return absl::UnimplementedError("built for another machine than x86-64");
  }
  return ElfImage(std::move(fd), std::move(elf));
}

std::optional<ElfSection> ElfImage::FindSection(std::string_view name) const {
  size_t names = 0;
  if (elf_getshdrstrndx(elf_.get(), &names) != 0) return std::nullopt;
  for (Elf_Scn* section = elf_nextscn(elf_.get(), nullptr); section != nullptr;
       section = elf_nextscn(elf_.get(), section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    const char* section_name = elf_strptr(elf_.get(), names, header.sh_name);
    if (section_name != nullptr && section_name == name) {
      return ElfSection{header.sh_addr, header.sh_size};
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> ElfImage::LoadBias(const Mapping& mapping) const {
  constexpr uint64_t kPage = 4096;
  size_t count = 0;
  if (elf_getphdrnum(elf_.get(), &count) != 0) return std::nullopt;
  std::optional<uint64_t> bias;
  for (size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf_.get(), static_cast<int>(i), &segment) == nullptr) continue;
    if (segment.p_type != PT_LOAD) continue;
    const uint64_t first_page = segment.p_offset / kPage * kPage;
    if (mapping.file_offset < first_page ||
        mapping.file_offset >= segment.p_offset + segment.p_filesz) {
      continue;
    }
    // The page at file_offset is mapped at mapping.start, and would be at this address unbiased.
    const uint64_t unbiased = segment.p_vaddr - segment.p_offset + mapping.file_offset;
    // Two segments may share a page of the file, which then is mapped twice: what may be executed,
    // or written, tells. (What may be written is mapped read-only where it is RELRO.)
    const bool same_use = ((segment.p_flags & PF_X) != 0) == mapping.executable &&
                          ((segment.p_flags & PF_W) != 0 || !mapping.writable);
    if (same_use) return mapping.start - unbiased;
    if (!bias) bias = mapping.start - unbiased;
  }
  return bias;
}

}  // namespace fthreadprof
