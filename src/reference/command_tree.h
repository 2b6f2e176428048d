// CommandTree is what the command line takes, as plain data: taken from the parser itself, so that
// man pages and shell completion say what --help says.
//
// Lifetime: owns its text. Thread safety: immutable once made.
#ifndef FTHREADPROF_REFERENCE_COMMAND_TREE_H_
#define FTHREADPROF_REFERENCE_COMMAND_TREE_H_

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace fthreadprof {

struct CommandOption {
  std::vector<std::string> names;  // "-p", "--pid"; a positional has one, without dashes
  std::string value;               // "PID"; "" for a flag
  std::string description;
  std::string default_value;         // "" for none
  std::vector<std::string> choices;  // when the value is one of these words
  bool positional = false;
  bool repeatable = false;

  bool takes_file() const { return value.starts_with("FILE") || value.ends_with("PATH"); }
  bool takes_process() const { return value == "PID"; }
};

struct CommandTree {
  std::string name;  // "fthreadprof", "record"
  std::string description;
  std::string footer;  // behind the options: examples
  std::vector<CommandOption> options;
  std::vector<CommandTree> commands;
};

// All but hidden options. A value whose name is made of lower-case words with bars between them, as
// "active|wall", is one of them.
CommandTree DescribeCommands(const CLI::App& app);

}  // namespace fthreadprof

#endif  // FTHREADPROF_REFERENCE_COMMAND_TREE_H_
