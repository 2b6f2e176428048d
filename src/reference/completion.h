// Completion scripts of a CommandTree for the shells that people use. Values are completed where
// the tree says what they are: words to choose from, files, processes. What follows `--` is a
// command of its own.
#ifndef FTHREADPROF_REFERENCE_COMPLETION_H_
#define FTHREADPROF_REFERENCE_COMPLETION_H_

#include <string>

#include "reference/command_tree.h"

namespace fthreadprof {

std::string BashCompletion(const CommandTree& program);
std::string ZshCompletion(const CommandTree& program);
std::string FishCompletion(const CommandTree& program);

}  // namespace fthreadprof

#endif  // FTHREADPROF_REFERENCE_COMPLETION_H_
