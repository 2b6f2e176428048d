#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "reference/completion.h"

namespace fthreadprof {
namespace {

struct Cases {
  std::string commands;  // which words are commands, after which
  std::string values;    // what the value of an option may be
  std::string words;     // what may follow a command
};

void AddValues(const std::string& path, const CommandOption& option, Cases& cases) {
  if (option.value.empty() || option.positional) return;
  std::vector<std::string> patterns;
  for (const std::string& name : option.names) {
    patterns.push_back(absl::StrCat("'", path, ":", name, "'"));
  }
  std::string reply;
  if (!option.choices.empty()) {
    reply = absl::StrCat("mapfile -t COMPREPLY < <(compgen -W '",
                         absl::StrJoin(option.choices, " "), "' -- \"$current\")");
  } else if (option.takes_process()) {
    reply = "mapfile -t COMPREPLY < <(compgen -W \"$(ps -eo pid=)\" -- \"$current\")";
  } else {
    reply = ":";  // files, by `complete -o default`
  }
  absl::StrAppend(&cases.values, "    ", absl::StrJoin(patterns, " | "), ")\n      ", reply,
                  "\n      return\n      ;;\n");
}

// `path`: the commands before, with a space between them.
void AddCommand(const CommandTree& command, const std::string& path, Cases& cases) {
  std::vector<std::string> words;
  for (const CommandTree& sub : command.commands) {
    words.push_back(sub.name);
    const std::string sub_path = path.empty() ? sub.name : absl::StrCat(path, " ", sub.name);
    absl::StrAppend(&cases.commands, "      '", path, ":", sub.name, "') path='", sub_path,
                    "' ;;\n");
    AddCommand(sub, sub_path, cases);
  }
  for (const CommandOption& option : command.options) {
    if (!option.positional) words.insert(words.end(), option.names.begin(), option.names.end());
    AddValues(path, option, cases);
  }
  absl::StrAppend(&cases.words, "    '", path, "') words='", absl::StrJoin(words, " "), "' ;;\n");
}

}  // namespace

std::string BashCompletion(const CommandTree& program) {
  Cases cases;
  AddCommand(program, "", cases);
  const std::string function = absl::StrCat("_", program.name);
  return absl::StrCat(
      "# shellcheck shell=bash\n", function, "() {\n",
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
      "  local path='' words='' i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    if [ \"${COMP_WORDS[i]}\" = -- ]; then\n"
      "      if declare -F _command_offset >/dev/null; then _command_offset $((i + 1)); fi\n"
      "      return\n"
      "    fi\n"
      "    case \"$path:${COMP_WORDS[i]}\" in\n",
      cases.commands, "    esac\n  done\n  case \"$path:$previous\" in\n", cases.values,
      "  esac\n  case \"$path\" in\n", cases.words,
      "  esac\n  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n}\n",
      "complete -o default -F ", function, " ", program.name, "\n");
}

}  // namespace fthreadprof
