// Where fthreadprof keeps what it builds and fetches, below $XDG_CACHE_HOME/fthreadprof or
// ~/.cache/fthreadprof:
//
//   interpreters/KEY/            a finished interpreter, its prefix
//   interpreters/KEY.building/   one in the making; stale when KEY.lock is free
//   interpreters/KEY.log         what the build said
//   sources/                     CPython source tarballs from Debian
//   roots/NAME/                  Debian roots with interpreters, made by tools/setup; used by
//   chroot headers/pythonX.Y/           unpacked libpythonX.Y-dev, for the tests apt/SUITE/ a
//   private apt state
//
// What stands under its final name is complete: everything is made under another name and renamed.
// Immutable after construction.
#ifndef FTHREADPROF_INTERPRETER_CACHE_LAYOUT_H_
#define FTHREADPROF_INTERPRETER_CACHE_LAYOUT_H_

#include <filesystem>
#include <string>

namespace fthreadprof {

class CacheLayout {
 public:
  explicit CacheLayout(std::filesystem::path top) : top_(std::move(top)) {}

  // The user's, from the environment. A relative XDG_CACHE_HOME is ignored, as its specification
  // asks.
  static CacheLayout FromEnvironment();

  const std::filesystem::path& top() const { return top_; }
  std::filesystem::path interpreters() const { return top_ / "interpreters"; }
  std::filesystem::path sources() const { return top_ / "sources"; }
  std::filesystem::path roots() const { return top_ / "roots"; }
  std::filesystem::path Apt(const std::string& suite) const { return top_ / "apt" / suite; }

  std::filesystem::path Prefix(const std::string& key) const { return interpreters() / key; }
  std::filesystem::path Staging(const std::string& key) const {
    return interpreters() / (key + kStagingSuffix);
  }
  std::filesystem::path Log(const std::string& key) const {
    return interpreters() / (key + ".log");
  }
  std::filesystem::path Lock(const std::string& key) const {
    return interpreters() / (key + ".lock");
  }

  static constexpr char kStagingSuffix[] = ".building";

 private:
  std::filesystem::path top_;
};

// The user's home directory: $HOME, else what the user database says, else "/".
std::filesystem::path HomeDirectory();

}  // namespace fthreadprof

#endif  // FTHREADPROF_INTERPRETER_CACHE_LAYOUT_H_
