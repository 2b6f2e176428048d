// The lines that say what a recording is, shared by the outputs that have a heading.
#ifndef FTHREADPROF_EXPORT_TITLE_H_
#define FTHREADPROF_EXPORT_TITLE_H_

#include <cstdint>
#include <string>

#include "export/export_options.h"
#include "profile/profile.h"

namespace fthreadprof {

// "process 4711: python app.py", or the title the user gave. Plain text.
std::string TitleOf(const Profile& profile, const ExportOptions& options);

// "Python 3.13.5 free-threaded, 12,345 samples of 4 threads in 10.0 s at 1000 Hz, mode active".
std::string DescribeSampling(const Profile& profile, uint64_t selected_samples);

// The title, and before it the GilWarning if there is one: for formats whose heading is one name.
std::string NameOf(const Profile& profile, const ExportOptions& options);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_TITLE_H_
