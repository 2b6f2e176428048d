// The interactive flamegraph: one self-contained SVG, root on top ("icicle"). Opened in a browser
// it zooms, searches and fits the window (flamegraph.js); in an image viewer it is a picture.
#ifndef FTHREADPROF_EXPORT_FLAMEGRAPH_H_
#define FTHREADPROF_EXPORT_FLAMEGRAPH_H_

#include <ostream>

#include "absl/status/status.h"
#include "export/export_options.h"
#include "profile/profile.h"

namespace fthreadprof {

// Frames narrower than 0.1 % and levels deeper than 1,000 are not drawn (the heading says so);
// their samples stay in their callers' widths.
absl::Status WriteFlamegraph(const Profile& profile, const ExportOptions& options,
                             std::ostream& out);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_FLAMEGRAPH_H_
