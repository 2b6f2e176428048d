// Where the tests' data files are: in the source tree that holds the build directory.
#ifndef FTHREADPROF_UNIT_TEST_DATA_H_
#define FTHREADPROF_UNIT_TEST_DATA_H_

#include <filesystem>
#include <string>

namespace fthreadprof {

// The path of tests/data/`name`. Not by __FILE__, which compiler caches make relative.
inline std::filesystem::path TestData(const std::string& name) {
  namespace fs = std::filesystem;
  fs::path directory = fs::read_symlink("/proc/self/exe").parent_path();
  while (directory != directory.root_path() && !fs::exists(directory / "tests/data")) {
    directory = directory.parent_path();
  }
  return directory / "tests/data" / name;
}

}  // namespace fthreadprof

#endif  // FTHREADPROF_UNIT_TEST_DATA_H_
