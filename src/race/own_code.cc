#include "race/own_code.h"

#include <algorithm>
#include <cstddef>

#include "race/name_pattern.h"

namespace fthreadprof {
namespace {

bool IsIn(const std::vector<std::string>& patterns, std::string_view file) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return MatchesFile(pattern, file); });
}

}  // namespace

bool OwnCode::IsOwn(std::string_view file) const {
  if (IsIn(exclude_, file)) return false;
  return IsIn(include_, file) || !(IsStandardLibrary(file) || IsInstalledPackage(file));
}

bool IsStandardLibrary(std::string_view file) {
  if (file.starts_with("<frozen ")) return true;
  for (const std::string_view directory : {"/lib/python3.", "/lib64/python3."}) {
    const size_t found = file.find(directory);
    if (found != std::string_view::npos) return !IsInstalledPackage(file.substr(found));
  }
  return false;
}

bool IsInstalledPackage(std::string_view file) {
  return file.find("/site-packages/") != std::string_view::npos ||
         file.find("/dist-packages/") != std::string_view::npos;
}

}  // namespace fthreadprof
