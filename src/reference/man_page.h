// Manual pages of a CommandTree, in the macros of man(7).
#ifndef FTHREADPROF_REFERENCE_MAN_PAGE_H_
#define FTHREADPROF_REFERENCE_MAN_PAGE_H_

#include <string>
#include <string_view>

#include "reference/command_tree.h"

namespace fthreadprof {

// The page of the whole program, which names the commands and refers to their pages.
std::string ProgramManPage(const CommandTree& program, std::string_view version);
// The page of one of its commands, that command's own commands included.
std::string CommandManPage(const CommandTree& program, const CommandTree& command,
                           std::string_view version);

}  // namespace fthreadprof

#endif  // FTHREADPROF_REFERENCE_MAN_PAGE_H_
