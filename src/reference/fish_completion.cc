#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "reference/completion.h"

namespace fthreadprof {
namespace {

std::string Quote(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string ValueOf(const CommandOption& option) {
  if (option.value.empty()) return "";
  if (!option.choices.empty()) {
    return absl::StrCat(" -x -a ", Quote(absl::StrJoin(option.choices, " ")));
  }
  if (option.takes_process()) return " -x -a '(__fish_complete_pids)'";
  return option.takes_file() ? " -r" : " -x";
}

// `condition`: holds behind this command. `first`: holds where its own commands may stand.
void AddCommand(const CommandTree& command, const std::string& start, const std::string& condition,
                const std::string& first, std::string& script) {
  for (const CommandOption& option : command.options) {
    if (option.positional) continue;
    absl::StrAppend(&script, start, " -n ", Quote(condition));
    for (const std::string& name : option.names) {
      absl::StrAppend(&script, name.starts_with("--") ? " -l " : " -s ",
                      name.substr(name.starts_with("--") ? 2 : 1));
    }
    absl::StrAppend(&script, ValueOf(option), " -d ", Quote(option.description), "\n");
  }
  for (const CommandTree& sub : command.commands) {
    absl::StrAppend(&script, start, " -f -n ", Quote(first), " -a ", sub.name, " -d ",
                    Quote(sub.description), "\n");
    const std::string seen = absl::StrCat("__fish_seen_subcommand_from ", sub.name);
    std::string names;
    for (const CommandTree& below : sub.commands) absl::StrAppend(&names, " ", below.name);
    const std::string inside =
        condition.starts_with("__fish_seen") ? absl::StrCat(condition, "; and ", seen) : seen;
    AddCommand(sub, start, inside,
               absl::StrCat(inside, "; and not __fish_seen_subcommand_from", names), script);
  }
}

}  // namespace

std::string FishCompletion(const CommandTree& program) {
  std::string script;
  AddCommand(program, absl::StrCat("complete -c ", program.name), "__fish_use_subcommand",
             "__fish_use_subcommand", script);
  return script;
}

}  // namespace fthreadprof
