#include "hook_table.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "fthreadprof/race_abi.h"

namespace fthreadprof {
namespace {

struct NamedHook {
  std::string_view name;
  std::string_view parameters;
};

#define FTP_HOOK(name, parameters) NamedHook{#name, parameters},
constexpr NamedHook kHooks[] = {FTP_RACE_HOOKS(FTP_HOOK)};
#undef FTP_HOOK

#define FTP_OPERATION(identifier, name) std::string_view{name},
constexpr std::string_view kOperations[] = {FTP_RACE_OPERATIONS(FTP_OPERATION)};
#undef FTP_OPERATION

bool IsComment(const std::string& word, bool is_first) {
  return word == "#" || (is_first && word.starts_with('#'));
}

std::vector<std::string> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  size_t at = 0;
  while ((at = line.find_first_not_of(" \t\r", at)) != std::string_view::npos) {
    const size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    std::string word(line.substr(at, end - at));
    if (IsComment(word, words.empty())) break;
    words.push_back(std::move(word));
    at = end;
  }
  return words;
}

// The whole of `text` as a number.
template <typename Number>
bool ParseNumber(std::string_view text, Number& number) {
  if (text.empty()) return false;
  const char* begin = &text.front();
  const char* end = begin + text.size();
  const auto result = std::from_chars(begin, end, number);
  return result.ec == std::errc() && result.ptr == end;
}

bool ParsePlace(const std::string& word, HookRow::Place& place) {
  static constexpr std::pair<std::string_view, HookRow::Place> kPlaces[] = {
      {"entry", HookRow::Place::kEntry},
      {"exit", HookRow::Place::kExit},
      {"before", HookRow::Place::kBeforeCall},
      {"after", HookRow::Place::kAfterCall},
  };
  for (const auto& [name, value] : kPlaces) {
    if (word == name) {
      place = value;
      return true;
    }
  }
  return false;
}

bool ParseArgument(std::string_view word, HookArgument& argument) {
  if (word == "ret") {
    argument.kind = HookArgument::Kind::kReturn;
    return true;
  }
  if (word.starts_with('#')) {
    argument.kind = HookArgument::Kind::kConstant;
    return ParseNumber(word.substr(1), argument.offset);
  }
  if (word.starts_with('f')) {
    argument.of_function = true;
    word.remove_prefix(1);
  }
  const size_t at = word.find('@');
  if (at == std::string_view::npos) return ParseNumber(word, argument.index);
  argument.kind = HookArgument::Kind::kLoad;
  const size_t tilde = std::min(word.find('~'), word.size());
  return ParseNumber(word.substr(0, at), argument.index) && tilde > at &&
         ParseNumber(word.substr(at + 1, tilde - at - 1), argument.offset) &&
         (tilde == word.size() || ParseNumber(word.substr(tilde + 1), argument.tag));
}

// Whether the place knows what the argument asks for.
std::string CheckArgument(const HookRow& row, const HookArgument& argument,
                          const std::string& word) {
  const bool has_return =
      row.place == HookRow::Place::kExit || row.place == HookRow::Place::kAfterCall;
  if (argument.kind == HookArgument::Kind::kReturn && !has_return) {
    return "'ret' is known at 'exit' and 'after' only";
  }
  if (argument.kind == HookArgument::Kind::kConstant && argument.type == 'p') {
    return "'" + word + "' is a number, and the hook " + row.hook + " takes a pointer there";
  }
  return "";
}

bool IsAtCall(const HookRow& row) {
  return row.place == HookRow::Place::kBeforeCall || row.place == HookRow::Place::kAfterCall;
}

// "listobject.c:ins1" or "ins1".
void SetFunction(const std::string& word, HookRow& row) {
  const size_t colon = word.find(':');
  row.file = colon == std::string::npos ? "" : word.substr(0, colon);
  row.function = colon == std::string::npos ? word : word.substr(colon + 1);
}

// The row's words behind the hook, in any order but that of the arguments.
std::string ParseRest(const std::vector<std::string>& words, HookRow& row,
                      std::vector<std::string>& arguments, std::string& operation) {
  bool has_function = false;  // named by "in"
  for (size_t i = 3; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.starts_with("op=")) {
      operation = word.substr(3);
    } else if (word == "always") {
      row.always = true;
    } else if (word == "[optional]") {
      row.optional = true;
    } else if (word == "in" && i + 1 < words.size()) {
      SetFunction(words[++i], row);
      has_function = true;
    } else if (word == "if" || word == "unless") {
      row.condition = word == "if" ? HookRow::Condition::kIf : HookRow::Condition::kUnless;
      if (i + 1 == words.size() || !ParseArgument(words[++i], row.condition_argument) ||
          row.condition_argument.kind != HookArgument::Kind::kArgument) {
        return "give the number of an argument behind '" + word + "'";
      }
    } else {
      arguments.push_back(word);
    }
  }
  return has_function == IsAtCall(row) ? "" : "'in FUNCTION' goes with before and after, always";
}

std::string ResolveOperation(const std::string& operation, HookRow& row) {
  if (row.has_operation && operation.empty()) return "hook " + row.hook + " needs op=NAME";
  if (!row.has_operation && !operation.empty()) return "hook " + row.hook + " takes no op";
  if (operation.empty()) return "";
  const auto* found = std::find(std::begin(kOperations), std::end(kOperations), operation);
  if (found == std::end(kOperations)) return "there is no operation '" + operation + "'";
  row.operation = static_cast<uint32_t>(found - std::begin(kOperations));
  return "";
}

std::string ResolveArguments(const std::vector<std::string>& words, std::string_view parameters,
                             HookRow& row) {
  if (words.size() != parameters.size()) {
    return "hook " + row.hook + " takes " + std::to_string(parameters.size()) + " arguments, not " +
           std::to_string(words.size());
  }
  for (size_t i = 0; i < words.size(); ++i) {
    HookArgument argument;
    argument.type = parameters[i];
    if (!ParseArgument(words[i], argument)) {
      return "'" + words[i] +
             "' is not an argument: give N, fN, N@OFFSET, N@OFFSET~TAG, ret or #CONSTANT";
    }
    if (std::string problem = CheckArgument(row, argument, words[i]); !problem.empty()) {
      return problem;
    }
    row.arguments.push_back(argument);
  }
  return "";
}

std::string ParseRow(const std::vector<std::string>& words, HookRow& row) {
  if (!ParsePlace(words[0], row.place)) {
    return "'" + words[0] + "' is none of entry, exit, before, after, verified, unverified";
  }
  if (words.size() < 3) return "give: " + words[0] + " FUNCTION HOOK ARGUMENT...";
  if (IsAtCall(row)) {
    row.callee = words[1];
  } else {
    SetFunction(words[1], row);
  }
  row.hook = words[2];
  const auto* hook = std::find_if(std::begin(kHooks), std::end(kHooks),
                                  [&row](const NamedHook& h) { return h.name == row.hook; });
  if (hook == std::end(kHooks)) return "there is no hook '" + row.hook + "'";
  std::vector<std::string> arguments;
  std::string operation;
  std::string problem = ParseRest(words, row, arguments, operation);
  if (!problem.empty()) return problem;
  std::string_view parameters = hook->parameters;
  row.has_operation = parameters.ends_with('o');
  if (row.has_operation) parameters.remove_suffix(1);
  problem = ResolveOperation(operation, row);
  return problem.empty() ? ResolveArguments(arguments, parameters, row) : problem;
}

}  // namespace

std::string HookTable::ParseLine(const std::vector<std::string>& words, HookRow& row) {
  if (words[0] == "unverified") {
    return words.size() == 1 ? "" : "'unverified' stands alone";
  }
  if (words[0] == "verified") {
    if (words.size() < 2) return "'verified' names the versions that were tested";
    verified_.insert(verified_.end(), words.begin() + 1, words.end());
    return "";
  }
  std::string problem = ParseRow(words, row);
  if (problem.empty()) rows_.push_back(row);
  return problem;
}

std::string HookTable::Parse(std::string_view text, HookTable& table) {
  unsigned number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const std::vector<std::string> words = SplitWords(line);
    if (words.empty()) continue;
    HookRow row;
    row.line = number;
    for (const std::string& word : words) row.text += (row.text.empty() ? "" : " ") + word;
    const std::string problem = table.ParseLine(words, row);
    if (!problem.empty()) return "line " + std::to_string(number) + ": " + problem;
  }
  return table.rows_.empty() ? "line 1: the table has no rows" : "";
}

bool HookTable::IsVerified(std::string_view version) const {
  return std::find(verified_.begin(), verified_.end(), version) != verified_.end();
}

}  // namespace fthreadprof
