// The table of output formats: each has a name (-f/--format), the file endings that choose it (-o)
// and the function that writes it. A new format is one file beside this one and one row in
// exporter.cc.
//
// Lifetime: formats are static. Thread safety: all functions here are pure.
#ifndef FTHREADPROF_EXPORT_EXPORTER_H_
#define FTHREADPROF_EXPORT_EXPORTER_H_

#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "export/export_options.h"
#include "profile/profile.h"

namespace fthreadprof {

struct ExportFormat {
  std::string_view name;                      // "flamegraph"
  std::span<const std::string_view> endings;  // {".svg"}
  // nullptr for recordings, which RecordingWriter writes while there is more to come.
  absl::Status (*write)(const Profile&, const ExportOptions&, std::ostream&);
};

// All formats, the default one first.
std::span<const ExportFormat> ExportFormats();
// The format called `name`. Fails with kInvalidArgument, saying which are known.
absl::StatusOr<const ExportFormat*> FindFormat(std::string_view name);
// The format that the ending of `path` chooses. Fails with kInvalidArgument, saying which endings
// are known.
absl::StatusOr<const ExportFormat*> FindFormatForPath(std::string_view path);

// Writes `profile` to the file `path` ("-": standard output), whole or not at all. Fails as
// AtomicFile does. REQUIRES: format.write != nullptr.
absl::Status ExportToFile(const Profile& profile, const ExportFormat& format,
                          const ExportOptions& options, const std::string& path);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_EXPORTER_H_
