// The lines that say what a recording is, shared by the outputs that have a heading.
#ifndef FTHREADPROF_EXPORT_TITLE_H_
#define FTHREADPROF_EXPORT_TITLE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "export/export_options.h"
#include "profile/profile.h"

namespace fthreadprof {

// "process 4711: python app.py", or the title the user gave. Plain text.
std::string TitleOf(const Profile& profile, const ExportOptions& options);

// "Python 3.13.5 free-threaded, 12,345 samples of 4 threads in 10.0 s at 1000 Hz, mode active".
std::string DescribeSampling(const Profile& profile, uint64_t selected_samples);

// What a reader must know before the rest: a free-threaded build that ran with its GIL on.
std::optional<std::string> GilWarning(const Profile& profile);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_TITLE_H_
