// Collapsed ("folded") stacks: one line a stack, frames outermost first joined by `;`, a space, the
// number of samples. The format of flamegraph.pl, py-spy's `raw` and speedscope's importer.
#ifndef FTHREADPROF_EXPORT_COLLAPSED_H_
#define FTHREADPROF_EXPORT_COLLAPSED_H_

#include <ostream>

#include "absl/status/status.h"
#include "export/export_options.h"
#include "profile/profile.h"

namespace fthreadprof {

// Lines are ordered by their frames, so equal profiles give equal files. A `;` in a name becomes
// `,`. Without samples there is no line.
absl::Status WriteCollapsed(const Profile& profile, const ExportOptions& options,
                            std::ostream& out);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_COLLAPSED_H_
