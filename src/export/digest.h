// The digest: a recording in a few plain sentences, as `record` ends with.
#ifndef FTHREADPROF_EXPORT_DIGEST_H_
#define FTHREADPROF_EXPORT_DIGEST_H_

#include <string>

#include "profile/profile.h"

namespace fthreadprof {

// What a reader should know first: how many threads ran at once, what their time went to, who had
// the GIL while others waited for it, and what that says of the ways to run them. Lines that end
// with '\n'; a profile without samples has at most those about a GIL that is on. It says nothing
// that was not measured. `cores`: of the machine. Names in it are of the target: control characters
// are escaped.
std::string Digest(const Profile& profile, unsigned cores);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_DIGEST_H_
