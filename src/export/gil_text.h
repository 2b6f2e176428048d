// Sentences about a GIL that is on, shared by outputs. Names in them are of the target: control
// characters are escaped.
#ifndef FTHREADPROF_EXPORT_GIL_TEXT_H_
#define FTHREADPROF_EXPORT_GIL_TEXT_H_

#include <optional>
#include <string>

#include "profile/gil_cause.h"
#include "profile/profile.h"

namespace fthreadprof {

// "the import of numpy turned it on 1.23 s into the recording"; "" when nothing is known.
std::string WhyGilIsOn(const std::optional<GilCause>& cause);

// What a reader must know before the rest: a free-threaded build that ran with its GIL on, and why.
std::optional<std::string> GilWarning(const Profile& profile);

// Where that import came from, and what else was imported meanwhile: lines that end with '\n'; ""
// when there is nothing to say.
std::string GilDetails(const Profile& profile);

// The process that these are about: the first free-threaded one whose GIL is on; nullptr: none.
const TargetInfo* ProcessWithGil(const Profile& profile);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_GIL_TEXT_H_
