#include "interpreter/coverage.h"

#include <fstream>
#include <map>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"

namespace fthreadprof {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json ToJson(const CoverageRow& row) {
  Json json;
  json["line"] = row.line;
  json["row"] = row.text;
  json["hook"] = row.hook;
  json["optional"] = row.optional;
  json["applied_in"] = row.functions;
  return json;
}

// Throws what nlohmann throws when the file is not ours.
Coverage FromJson(const Json& json) {
  Coverage coverage;
  coverage.version = json.at("cpython").get<std::string>();
  coverage.verified = json.at("verified").get<bool>();
  for (const Json& row : json.at("rows")) {
    coverage.rows.push_back({row.at("line").get<unsigned>(), row.at("row").get<std::string>(),
                             row.at("hook").get<std::string>(),
                             row.at("applied_in").get<std::vector<std::string>>(),
                             row.at("optional").get<bool>()});
  }
  return coverage;
}

}  // namespace

std::vector<const CoverageRow*> Coverage::Lost() const {
  std::vector<const CoverageRow*> lost;
  for (const CoverageRow& row : rows) {
    if (row.functions.empty() && !row.optional) lost.push_back(&row);
  }
  return lost;
}

Coverage ComputeCoverage(const HookTable& table, const std::string& version,
                         const std::string& hits) {
  std::map<unsigned, std::vector<std::string>> applied;
  const std::vector<std::string> lines = absl::StrSplit(hits, '\n', absl::SkipEmpty());
  for (const std::string& hit : lines) {
    const std::vector<std::string> fields = absl::StrSplit(hit, '\t');
    unsigned line = 0;
    if (fields.size() != 3 || !absl::SimpleAtoi(fields[0], &line)) continue;
    applied[line].push_back(absl::StrCat(fields[1], " in ", fields[2]));
  }
  Coverage coverage;
  coverage.version = version;
  coverage.verified = table.IsVerified(version);
  for (const HookRow& row : table.rows()) {
    coverage.rows.push_back({row.line, row.text, row.hook, applied[row.line], row.optional});
  }
  return coverage;
}

fs::path CoverageFile(const fs::path& prefix) { return prefix / "share/fthreadprof/coverage.json"; }

fs::path AuditFile(const fs::path& prefix) { return prefix / "share/fthreadprof/audit.txt"; }

absl::Status WriteCoverage(const Coverage& coverage, const fs::path& file) {
  Json json;
  json["schema_version"] = 1;
  json["cpython"] = coverage.version;
  json["verified"] = coverage.verified;
  json["rows"] = Json::array();
  for (const CoverageRow& row : coverage.rows) json["rows"].push_back(ToJson(row));
  std::error_code ignored;
  fs::create_directories(file.parent_path(), ignored);
  std::ofstream stream(file);
  stream << json.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
  stream.close();
  if (stream) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot write ", file.string()));
}

absl::StatusOr<Coverage> ReadCoverage(const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) return absl::NotFoundError(absl::StrCat("there is no ", file.string()));
  try {
    return FromJson(Json::parse(stream));
  } catch (const nlohmann::json::exception&) {
    return absl::DataLossError(absl::StrCat(file.string(),
                                            " is damaged; remove the interpreter with "
                                            "'fthreadprof interpreter remove' and build it anew"));
  }
}

}  // namespace fthreadprof
