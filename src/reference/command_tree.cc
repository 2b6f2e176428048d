#include "reference/command_tree.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace fthreadprof {
namespace {

std::vector<std::string> ChoicesOf(const std::string& value) {
  if (value.find('|') == std::string::npos) return {};
  const bool words = std::ranges::all_of(
      value, [](char c) { return absl::ascii_islower(c) || c == '|' || c == '-'; });
  if (!words) return {};
  return absl::StrSplit(value, '|');
}

CommandOption DescribeOption(const CLI::Option& option) {
  CommandOption result;
  for (const std::string& name : option.get_snames()) {
    result.names.push_back(absl::StrCat("-", name));
  }
  for (const std::string& name : option.get_lnames()) {
    result.names.push_back(absl::StrCat("--", name));
  }
  result.positional = result.names.empty();
  if (result.positional) result.names.push_back(option.get_name(true));
  if (option.get_items_expected_max() > 0) {
    result.value = result.positional ? result.names.front() : option.get_type_name();
    result.default_value = option.get_default_str();
  }
  result.repeatable = option.get_items_expected_max() > 1;
  result.choices = ChoicesOf(result.value);
  result.description = option.get_description();
  return result;
}

}  // namespace

CommandTree DescribeCommands(const CLI::App& app) {
  CommandTree tree{.name = app.get_name(),
                   .description = app.get_description(),
                   .footer = app.get_footer(),
                   .options = {},
                   .commands = {}};
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    if (!option->get_group().empty()) tree.options.push_back(DescribeOption(*option));
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) tree.commands.push_back(DescribeCommands(*command));
  }
  return tree;
}

}  // namespace fthreadprof
