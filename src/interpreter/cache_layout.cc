#include "interpreter/cache_layout.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace fthreadprof {

std::filesystem::path HomeDirectory() {
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/') return home;
  const struct passwd* user = getpwuid(getuid());
  return user != nullptr && user->pw_dir != nullptr ? user->pw_dir : "/";
}

CacheLayout CacheLayout::FromEnvironment() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const bool usable = cache != nullptr && cache[0] == '/';
  const std::filesystem::path base = usable ? cache : HomeDirectory() / ".cache";
  return CacheLayout(base / "fthreadprof");
}

}  // namespace fthreadprof
