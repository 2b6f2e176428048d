#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "reference/completion.h"

namespace fthreadprof {
namespace {

// Inside of '...[here]...'.
std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(text, {{"'", "'\\''"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
}

std::string Action(const CommandOption& option) {
  if (!option.choices.empty()) return absl::StrCat("(", absl::StrJoin(option.choices, " "), ")");
  if (option.takes_process()) return "_pids";
  if (option.takes_file()) return "_files";
  return " ";
}

// An argument of _arguments.
std::string Specification(const CommandOption& option) {
  const std::string value =
      option.value.empty() ? "" : absl::StrCat(":", Escape(option.value), ":", Action(option));
  if (option.positional) return absl::StrCat("'", option.repeatable ? "*" : "", value, "'");
  const std::string text = absl::StrCat("'[", Escape(option.description), "]", value, "'");
  const std::string names = option.names.size() > 1
                                ? absl::StrCat("{", absl::StrJoin(option.names, ","), "}")
                                : option.names.front();
  if (option.repeatable) return absl::StrCat("\\*", names, text);
  return absl::StrCat("'(", absl::StrJoin(option.names, " "), ")'", names, text);
}

// The call of _arguments for the command, and for those below it.
std::string Arguments(const CommandTree& command, const std::string& indent) {
  std::vector<std::string> parts;
  for (const CommandOption& option : command.options) parts.push_back(Specification(option));
  const std::string next = absl::StrCat(" \\\n", indent, "  ");
  if (command.commands.empty()) {
    parts.push_back("'*::command:_normal'");
    return absl::StrCat(indent, "_arguments -s", next, absl::StrJoin(parts, next), "\n");
  }
  parts.insert(parts.end(), {"'1: :->command'", "'*:: :->arguments'"});
  std::string text = absl::StrCat(indent, "local context state line\n", indent,
                                  "local -a commands\n", indent, "commands=(\n");
  for (const CommandTree& sub : command.commands) {
    absl::StrAppend(&text, indent, "  '", Escape(sub.name), ":", Escape(sub.description), "'\n");
  }
  absl::StrAppend(&text, indent, ")\n", indent, "_arguments -C -s", next,
                  absl::StrJoin(parts, next), "\n", indent, "case $state in\n", indent,
                  "  command) _describe command commands ;;\n", indent, "  arguments)\n", indent,
                  "    case $line[1] in\n");
  for (const CommandTree& sub : command.commands) {
    absl::StrAppend(&text, indent, "      ", sub.name, ")\n",
                    Arguments(sub, absl::StrCat(indent, "        ")), indent, "        ;;\n");
  }
  absl::StrAppend(&text, indent, "    esac\n", indent, "    ;;\n", indent, "esac\n");
  return text;
}

}  // namespace

std::string ZshCompletion(const CommandTree& program) {
  const std::string function = absl::StrCat("_", program.name);
  return absl::StrCat("#compdef ", program.name, "\n\n", function, "() {\n",
                      Arguments(program, "  "), "}\n\n", function, " \"$@\"\n");
}

}  // namespace fthreadprof
