#include "cli/race_suppressions.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "interpreter/resources.h"

namespace fthreadprof {
namespace {

constexpr char kBuiltIn[] = "cpython/stdlib.suppressions";  // below the resources
constexpr size_t kMaxFile = size_t{16} << 20;

absl::StatusOr<std::string> ReadText(const std::string& path, const std::string& advice) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) {
    text.resize(kMaxFile + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(file.gcount()));
  }
  if (!file.is_open() || file.bad()) {
    return absl::NotFoundError(
        absl::StrCat("cannot read ", path, ": ", std::strerror(errno), advice));
  }
  if (text.size() > kMaxFile) {
    return absl::InvalidArgumentError(absl::StrCat(path, ":1: is larger than 16 MiB", advice));
  }
  return text;
}

absl::StatusOr<Suppressions> ReadSuppressions(const std::string& path) {
  FTP_ASSIGN_OR_RETURN(
      const std::string text,
      ReadText(path, "; name a file of suppressions, or leave out --suppressions"));
  return Suppressions::Parse(text, path, RuleOrigin::kUser);
}

absl::StatusOr<Baseline> ReadBaseline(const std::string& path) {
  FTP_ASSIGN_OR_RETURN(const std::string text,
                       ReadText(path, "; --write-baseline makes a baseline"));
  return Baseline::Parse(text, path);
}

// An installation without the files that instrument CPython has no built-in ones either; it runs an
// interpreter that --python names.
absl::StatusOr<Suppressions> ReadBuiltIn() {
  const absl::StatusOr<Resources> resources = Resources::Find();
  if (!resources.ok()) return Suppressions();
  const std::string path = resources->directory() / kBuiltIn;
  FTP_ASSIGN_OR_RETURN(const std::string text,
                       ReadText(path, "; install fthreadprof again, which has that file"));
  return Suppressions::Parse(text, path, RuleOrigin::kBuiltIn);
}

absl::Status CheckPatterns(const std::vector<std::string>& patterns, const char* option) {
  if (std::ranges::find(patterns, "") == patterns.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(option, " is empty; give a pattern of files, as in ", option, " 'tests/*'"));
}

absl::Status CheckWrittenBaseline(const SuppressionOptions& options,
                                  const std::vector<std::string>& outputs) {
  if (!options.write_baseline) return absl::OkStatus();
  const std::string& path = *options.write_baseline;
  if (std::ranges::find(outputs, path) != outputs.end()) {
    return absl::InvalidArgumentError(absl::StrCat("two outputs are called ", path));
  }
  return AtomicFile::CheckWritable(path);
}

}  // namespace

void SuppressionOptions::AddTo(CLI::App& race) {
  race.add_option("--suppressions", suppressions,
                  "Leave out the races that FILE says are harmless, and why")
      ->type_name("FILE");
  race.add_option("--baseline", baseline,
                  "Leave out the races that FILE knows, which --write-baseline wrote")
      ->type_name("FILE");
  race.add_option("--write-baseline", write_baseline,
                  "Write the races that were found to FILE, in addition to those of --baseline")
      ->type_name("FILE");
  race.add_option("--include", include,
                  "Take files that match PATTERN for your own code, as '*' or cachetools; may be "
                  "given more than once (default: all but the standard library and site-packages)")
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  race.add_option("--exclude", exclude,
                  "Do not take files that match PATTERN for your own code; may be given more than "
                  "once")
      ->type_name("PATTERN")
      ->allow_extra_args(false);
}

absl::StatusOr<RaceFilter> LoadRaceFilter(const SuppressionOptions& options,
                                          const std::vector<std::string>& outputs) {
  FTP_RETURN_IF_ERROR(CheckPatterns(options.include, "--include"));
  FTP_RETURN_IF_ERROR(CheckPatterns(options.exclude, "--exclude"));
  RaceFilter filter;
  filter.own_code = OwnCode(options.include, options.exclude);
  filter.today = absl::ToCivilDay(absl::Now(), absl::LocalTimeZone());
  FTP_ASSIGN_OR_RETURN(filter.built_in, ReadBuiltIn());
  if (options.suppressions) {
    FTP_ASSIGN_OR_RETURN(filter.user, ReadSuppressions(*options.suppressions));
  }
  if (options.baseline) {
    FTP_ASSIGN_OR_RETURN(filter.baseline, ReadBaseline(*options.baseline));
  }
  FTP_RETURN_IF_ERROR(CheckWrittenBaseline(options, outputs));
  return filter;
}

absl::Status WriteBaseline(const SuppressionOptions& options, const RaceFilter& filter,
                           const RaceReport& report) {
  if (!options.write_baseline) return absl::OkStatus();
  Baseline baseline = filter.baseline.value_or(Baseline());
  for (const Race& race : report.races) baseline.Add(race);
  FTP_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file,
                       AtomicFile::Create(*options.write_baseline));
  file->stream() << baseline.Render();
  return file->Commit();
}

}  // namespace fthreadprof
