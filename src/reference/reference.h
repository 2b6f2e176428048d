// WriteReference writes what is installed beside the binary so that people and shells know its
// options: man pages and completion scripts, generated from the parser.
#ifndef FTHREADPROF_REFERENCE_REFERENCE_H_
#define FTHREADPROF_REFERENCE_REFERENCE_H_

#include <filesystem>
#include <string_view>

#include "absl/status/status.h"
#include "reference/command_tree.h"

namespace fthreadprof {

// Writes below `share`, where systems look for them: man/man1/, bash-completion/completions/,
// zsh/site-functions/, fish/vendor_completions.d/. The message of a failure is a sentence.
absl::Status WriteReference(const CommandTree& program, std::string_view version,
                            const std::filesystem::path& share);

}  // namespace fthreadprof

#endif  // FTHREADPROF_REFERENCE_REFERENCE_H_
