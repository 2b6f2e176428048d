// Patterns for the names of functions, objects and files: `*` stands for any text, slashes too, `?`
// for one byte; everything else for itself. Not fnmatch(3): names have brackets (`counts['a']`),
// and the texts come from the program under test, so the time is bounded by both lengths' product.
//
// Thread safety: pure functions.
#ifndef FTHREADPROF_RACE_NAME_PATTERN_H_
#define FTHREADPROF_RACE_NAME_PATTERN_H_

#include <string_view>

namespace fthreadprof {

// All of `name`.
bool MatchesName(std::string_view pattern, std::string_view name);

// A path, or its end from any directory on: "app.py", "tests/*" and "cachetools" (a directory, for
// all that is below it) match wherever they lie; what begins with a slash matches from the root.
bool MatchesFile(std::string_view pattern, std::string_view file);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_NAME_PATTERN_H_
