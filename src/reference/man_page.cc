#include "reference/man_page.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace fthreadprof {
namespace {

// Text that roff shows as it is.
std::string Escape(std::string_view text) {
  std::string result;
  char before = '\n';
  for (const char c : text) {
    if (before == '\n' && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\' || c == '-') result += '\\';
    result += c == '\\' ? 'e' : c;
    before = c;
  }
  return result;
}

std::string Bold(std::string_view text) { return absl::StrCat("\\fB", Escape(text), "\\fR"); }
std::string Italic(std::string_view text) { return absl::StrCat("\\fI", Escape(text), "\\fR"); }

std::string Title(std::string_view name, std::string_view version) {
  return absl::StrCat(".TH ", Escape(absl::AsciiStrToUpper(std::string(name))),
                      " 1 \"\" \"fthreadprof ", Escape(version), "\" \"User Commands\"\n");
}

std::string NameSection(std::string_view name, std::string_view description) {
  return absl::StrCat(".SH NAME\n", Escape(name), " \\- ", Escape(description), "\n");
}

std::string OptionsText(const CommandTree& command) {
  std::string text;
  for (const CommandOption& option : command.options) {
    std::vector<std::string> names;
    for (const std::string& name : option.names) {
      names.push_back(option.positional ? Italic(name) : Bold(name));
    }
    absl::StrAppend(&text, ".TP\n", absl::StrJoin(names, ", "));
    if (!option.positional && !option.value.empty()) {
      absl::StrAppend(&text, " ", Italic(option.value));
    }
    absl::StrAppend(&text, "\n", Escape(option.description));
    if (!option.default_value.empty()) {
      absl::StrAppend(&text, " (default: ", Escape(option.default_value), ")");
    }
    text += '\n';
  }
  return text;
}

// The footer: what stands before "Examples:" as text, what stands behind as it is.
std::string FooterText(const CommandTree& command) {
  constexpr std::string_view kExamples = "Examples:\n";
  const size_t at = command.footer.find(kExamples);
  if (at == std::string::npos) {
    return command.footer.empty() ? "" : absl::StrCat(".PP\n", Escape(command.footer), "\n");
  }
  std::string text;
  if (at > 0) absl::StrAppend(&text, ".SH NOTES\n", Escape(command.footer.substr(0, at - 1)), "\n");
  absl::StrAppend(&text, ".SH EXAMPLES\n.nf\n",
                  Escape(command.footer.substr(at + kExamples.size())), "\n.fi\n");
  return text;
}

std::string Synopsis(std::string_view words, const CommandTree& command) {
  std::string text = absl::StrCat(Bold(words), " [", Italic("OPTIONS"), "]");
  for (const CommandOption& option : command.options) {
    if (option.positional) absl::StrAppend(&text, " [", Italic(option.names.front()), "]");
  }
  if (!command.commands.empty()) absl::StrAppend(&text, " ", Italic("COMMAND"));
  return text + "\n";
}

}  // namespace

std::string ProgramManPage(const CommandTree& program, std::string_view version) {
  std::string page = Title(program.name, version);
  page += NameSection(program.name, program.description);
  absl::StrAppend(&page, ".SH SYNOPSIS\n", Synopsis(program.name, program), ".SH COMMANDS\n");
  std::vector<std::string> pages;
  for (const CommandTree& command : program.commands) {
    absl::StrAppend(&page, ".TP\n", Bold(command.name), "\n", Escape(command.description), "\n");
    pages.push_back(absl::StrCat(Bold(absl::StrCat(program.name, "-", command.name)), "(1)"));
  }
  absl::StrAppend(&page, ".SH OPTIONS\n", OptionsText(program), FooterText(program));
  absl::StrAppend(&page,
                  ".SH EXIT STATUS\nThat of the command that was run; 125 when fthreadprof itself "
                  "failed, and one sentence on standard error says why.\n");
  absl::StrAppend(&page, ".SH SEE ALSO\n", absl::StrJoin(pages, ",\n"), "\n");
  return page;
}

std::string CommandManPage(const CommandTree& program, const CommandTree& command,
                           std::string_view version) {
  const std::string name = absl::StrCat(program.name, "-", command.name);
  const std::string words = absl::StrCat(program.name, " ", command.name);
  std::string page = Title(name, version);
  page += NameSection(name, command.description);
  absl::StrAppend(&page, ".SH SYNOPSIS\n", Synopsis(words, command));
  absl::StrAppend(&page, ".SH OPTIONS\n", OptionsText(command));
  if (!command.commands.empty()) page += ".SH COMMANDS\n";
  for (const CommandTree& sub : command.commands) {
    absl::StrAppend(&page, ".SS ", Escape(sub.name), "\n", Escape(sub.description), "\n.PP\n",
                    Synopsis(absl::StrCat(words, " ", sub.name), sub), OptionsText(sub));
  }
  page += FooterText(command);
  absl::StrAppend(&page, ".SH SEE ALSO\n", Bold(program.name), "(1)\n");
  return page;
}

}  // namespace fthreadprof
