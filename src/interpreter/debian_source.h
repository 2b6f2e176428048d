// Fetches CPython's source package from Debian's archive with apt-get, also on a machine whose own
// suite does not have it: a private apt state in the cache uses the machine's archive with another
// suite. Needs no root and changes nothing outside of the cache. apt-get checks the signatures.
#ifndef FTHREADPROF_INTERPRETER_DEBIAN_SOURCE_H_
#define FTHREADPROF_INTERPRETER_DEBIAN_SOURCE_H_

#include <filesystem>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "interpreter/cache_layout.h"

namespace fthreadprof {

// The only CPython from 3.13 on whose source package the archive has.
inline constexpr char kDebianSourceVersion[] = "3.13";

// The upstream tarball of CPython `kDebianSourceVersion` in cache.sources(), fetched when missing.
// Safe against another process that fetches it too. `on_tick` as in Command. Fails with
// kFailedPrecondition on a machine that is not Debian's or has no apt-get, kUnavailable when the
// archive cannot be reached; the message says so, and what else to do.
[[nodiscard]] absl::StatusOr<std::filesystem::path> FetchDebianSource(
    const CacheLayout& cache, const std::function<void()>& on_tick);

// The URI of the archive that serves suite `codename`, from the lines "URI SUITE" that
// `apt-get indextargets` prints; empty when none does.
std::string ChooseArchive(const std::string& targets, const std::string& codename);

// The value of `key` in an os-release file's text, without quotes; empty when it has none.
std::string OsReleaseValue(const std::string& text, const std::string& key);

}  // namespace fthreadprof

#endif  // FTHREADPROF_INTERPRETER_DEBIAN_SOURCE_H_
