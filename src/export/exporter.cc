#include "export/exporter.h"

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "export/collapsed.h"
#include "export/flamegraph.h"
#include "export/gecko.h"
#include "export/perfetto.h"
#include "export/pprof.h"
#include "export/speedscope.h"

namespace fthreadprof {
namespace {

constexpr std::string_view kFlamegraphEndings[] = {".svg"};
constexpr std::string_view kCollapsedEndings[] = {".folded", ".collapsed"};
constexpr std::string_view kSpeedscopeEndings[] = {".speedscope.json"};
constexpr std::string_view kPprofEndings[] = {".pb.gz"};
constexpr std::string_view kGeckoEndings[] = {".gecko.json"};
constexpr std::string_view kPerfettoEndings[] = {".perfetto-trace"};
constexpr std::string_view kRecordingEndings[] = {".ftp"};

constexpr ExportFormat kFormats[] = {
    {"flamegraph", kFlamegraphEndings, &WriteFlamegraph},
    {"collapsed", kCollapsedEndings, &WriteCollapsed},
    {"speedscope", kSpeedscopeEndings, &WriteSpeedscope},
    {"pprof", kPprofEndings, &WritePprof},
    {"gecko", kGeckoEndings, &WriteGecko},
    {"perfetto", kPerfettoEndings, &WritePerfetto},
    {"recording", kRecordingEndings, nullptr},
};

}  // namespace

std::span<const ExportFormat> ExportFormats() { return kFormats; }

absl::StatusOr<const ExportFormat*> FindFormat(std::string_view name) {
  std::vector<std::string> known;
  if (name == "raw") name = "collapsed";  // py-spy's word for it
  for (const ExportFormat& format : kFormats) {
    if (format.name == name) return &format;
    known.emplace_back(format.name);
  }
  return absl::InvalidArgumentError(absl::StrCat("there is no output format '", std::string(name),
                                                 "'; known are ", absl::StrJoin(known, ", ")));
}

absl::StatusOr<const ExportFormat*> FindFormatForPath(std::string_view path) {
  std::vector<std::string> known;
  for (const ExportFormat& format : kFormats) {
    for (const std::string_view ending : format.endings) {
      if (path.ends_with(ending)) return &format;
      known.push_back(absl::StrCat(std::string(ending), " (", std::string(format.name), ")"));
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("cannot tell the output format from the name ", std::string(path),
                   "; name one with -f, or end the name in ", absl::StrJoin(known, ", ")));
}

absl::Status ExportToFile(const Profile& profile, const ExportFormat& format,
                          const ExportOptions& options, const std::string& path) {
  FTP_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  FTP_RETURN_IF_ERROR(format.write(profile, options, file->stream()));
  return file->Commit();
}

}  // namespace fthreadprof
