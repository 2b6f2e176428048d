#include "race/name_pattern.h"

#include <cstddef>
#include <string>

namespace fthreadprof {

// Goes back to the last star only: an earlier one could not do better.
bool MatchesName(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0;
  size_t star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool MatchesFile(std::string_view pattern, std::string_view file) {
  if (pattern.starts_with("./")) pattern.remove_prefix(2);
  while (pattern.size() > 1 && pattern.ends_with('/')) pattern.remove_suffix(1);
  const std::string here(pattern);
  for (const std::string& path : {here, "*/" + here}) {
    if (MatchesName(path, file) || MatchesName(path + "/*", file)) return true;
  }
  return false;
}

}  // namespace fthreadprof
