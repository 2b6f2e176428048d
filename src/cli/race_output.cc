#include "cli/race_output.h"

#include <cstdio>
#include <memory>
#include <set>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "race/report_parts.h"

namespace fthreadprof {
namespace {

using Renderer = std::string (*)(const RaceReport&, int);

struct Format {
  const char* ending;
  Renderer render;
};

// The first that fits.
constexpr Format kFormats[] = {
    {".txt", RenderText},         {".codequality.json", RenderCodeQuality},
    {".sarif.json", RenderSarif}, {".json", RenderJson},
    {".sarif", RenderSarif},      {".xml", RenderJunit},
    {".md", RenderMarkdown},      {".html", RenderHtml},
};

absl::StatusOr<Renderer> RendererFor(const std::string& path) {
  for (const Format& format : kFormats) {
    if (absl::EndsWith(path, format.ending)) return format.render;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "cannot tell the format of ", path,
      ": race writes .txt, .json, .sarif, .xml (JUnit), .html, .md and .codequality.json (GitLab), "
      "by the file's ending"));
}

absl::Status WriteOutput(const RaceReport& report, int exit_status, const std::string& path) {
  FTP_ASSIGN_OR_RETURN(const Renderer render, RendererFor(path));
  FTP_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  file->stream() << render(report, exit_status);
  return file->Commit();
}

}  // namespace

absl::Status CheckRaceOutputs(const std::vector<std::string>& paths) {
  std::set<std::string> seen;
  for (const std::string& path : paths) {
    FTP_RETURN_IF_ERROR(RendererFor(path).status());
    if (!seen.insert(path).second) {
      return absl::InvalidArgumentError(absl::StrCat("two outputs are called ", path));
    }
    FTP_RETURN_IF_ERROR(AtomicFile::CheckWritable(path));
  }
  return absl::OkStatus();
}

absl::Status WriteRaceOutputs(const RaceReport& report, int exit_status,
                              const std::vector<std::string>& paths) {
  const std::string text =
      paths.empty() ? RenderText(report, exit_status) : RaceSummary(report, exit_status);
  std::fwrite(text.data(), 1, text.size(), stderr);
  absl::Status result;
  for (const std::string& path : paths) result.Update(WriteOutput(report, exit_status, path));
  return result;
}

std::string RaceSummary(const RaceReport& report, int exit_status) {
  std::string summary;
  for (const std::string& notice : report.notices) {
    absl::StrAppend(&summary, "fthreadprof: ", notice, "\n");
  }
  summary += RenderTestSummary(report);
  summary += RenderReproduce(report);
  const std::string text = RenderText(report, exit_status);
  const size_t end_before_last = text.rfind('\n', text.size() - 2);
  return summary + text.substr(end_before_last == std::string::npos ? 0 : end_before_last + 1);
}

}  // namespace fthreadprof
