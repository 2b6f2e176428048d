// Suppressions::Parse: the file's grammar, a line at a time.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "race/plain_text.h"
#include "race/suppressions.h"

namespace fthreadprof {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr size_t kQuoted = 40;  // of foreign text in a message

std::string_view Strip(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\v\f";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

std::string Quote(std::string_view text) {
  return absl::StrCat("\"", PrintableText(text.substr(0, kQuoted)),
                      text.size() > kQuoted ? "..." : "", "\"");
}

class Parser {
 public:
  Parser(const std::string& file, RuleOrigin origin) : file_(file), origin_(origin) {}

  absl::StatusOr<std::vector<SuppressionRule>> Parse(std::string_view text) {
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    while (!text.empty()) {
      ++line_;
      const size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = Strip(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.empty() || line.starts_with('#') || line.starts_with(';')) continue;
      FTP_RETURN_IF_ERROR(line.starts_with('[') ? BeginRule(line) : TakeSetting(line));
    }
    FTP_RETURN_IF_ERROR(EndRule());
    return std::move(rules_);
  }

 private:
  absl::Status ErrorAt(uint32_t line, const std::string& what) const {
    return absl::InvalidArgumentError(absl::StrCat(file_, ":", line, ": ", what));
  }
  absl::Status Error(const std::string& what) const { return ErrorAt(line_, what); }

  absl::Status BeginRule(std::string_view line) {
    FTP_RETURN_IF_ERROR(EndRule());
    if (!line.ends_with(']')) {
      return Error("the name of a suppression ends with ], as in [cache of sizes]");
    }
    const std::string name = PrintableText(Strip(line.substr(1, line.size() - 2)));
    if (name.empty()) return Error("a suppression needs a name, as in [cache of sizes]");
    const auto [known, is_new] = names_.try_emplace(name, line_);
    if (!is_new) {
      return Error(absl::StrCat("there is a suppression ", Quote(name), " in line ", known->second,
                                " already; give this one another name"));
    }
    rules_.emplace_back();
    rules_.back().name = name;
    rules_.back().origin = origin_;
    rules_.back().source =
        origin_ == RuleOrigin::kBuiltIn ? "built-in" : absl::StrCat(file_, ":", line_);
    rule_line_ = line_;
    given_.clear();
    return absl::OkStatus();
  }

  // Of the rule that came last, if there is one.
  absl::Status EndRule() const {
    if (rules_.empty()) return absl::OkStatus();
    const SuppressionRule& rule = rules_.back();
    if (rule.reason.empty()) {
      return ErrorAt(rule_line_,
                     absl::StrCat("the suppression ", Quote(rule.name),
                                  " has no reason; write why the race is harmless: reason = ..."));
    }
    if (rule.kind || !rule.object.empty() || !rule.function.empty() || !rule.file.empty()) {
      return absl::OkStatus();
    }
    return ErrorAt(rule_line_, absl::StrCat("the suppression ", Quote(rule.name),
                                            " would hide every race; give it a kind, an object, a "
                                            "function or a file"));
  }

  absl::Status TakeSetting(std::string_view line) {
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return Error(absl::StrCat(Quote(line), " is neither [a name] nor key = value"));
    }
    const std::string_view key = Strip(line.substr(0, equals));
    const std::string_view value = Strip(line.substr(equals + 1));
    if (rules_.empty()) {
      return Error(absl::StrCat(Quote(key), " belongs to no suppression; begin one with [a name]"));
    }
    if (value.empty()) return Error(absl::StrCat(Quote(key), " has no value"));
    if (!given_.insert(std::string(key)).second) {
      return Error(absl::StrCat(Quote(key), " is given twice in one suppression"));
    }
    return Set(rules_.back(), key, value);
  }

  absl::Status Set(SuppressionRule& rule, std::string_view key, std::string_view value) const {
    if (key == "kind") return SetKind(rule, value);
    if (key == "expires") return SetExpires(rule, value);
    std::string* const text = key == "reason"     ? &rule.reason
                              : key == "object"   ? &rule.object
                              : key == "function" ? &rule.function
                              : key == "file"     ? &rule.file
                                                  : nullptr;
    if (text == nullptr) {
      return Error(absl::StrCat("a suppression has no ", Quote(key),
                                "; it has kind, object, function, file, reason and expires"));
    }
    *text = PrintableText(value);
    return absl::OkStatus();
  }

  absl::Status SetKind(SuppressionRule& rule, std::string_view value) const {
    rule.kind = ParseRaceKind(value);
    if (rule.kind) return absl::OkStatus();
    return Error(absl::StrCat(Quote(value),
                              " is no kind of race; give lost-update, check-then-act, iteration, "
                              "unsafe, data-race or ordering"));
  }

  absl::Status SetExpires(SuppressionRule& rule, std::string_view value) const {
    absl::CivilDay day;
    if (value.size() != 10 || !absl::ParseCivilTime(std::string(value), &day)) {
      return Error(absl::StrCat(Quote(value), " is no date; give one as in 2027-03-31"));
    }
    rule.expires = day;
    return absl::OkStatus();
  }

  const std::string& file_;
  const RuleOrigin origin_;
  uint32_t line_ = 0;
  uint32_t rule_line_ = 0;
  std::vector<SuppressionRule> rules_;
  absl::flat_hash_map<std::string, uint32_t> names_;
  absl::flat_hash_set<std::string> given_;  // keys, by the last rule
};

}  // namespace

absl::StatusOr<Suppressions> Suppressions::Parse(std::string_view text, const std::string& file,
                                                 RuleOrigin origin) {
  Suppressions result;
  FTP_ASSIGN_OR_RETURN(result.rules_, Parser(file, origin).Parse(text));
  return result;
}

}  // namespace fthreadprof
