// TemporaryDirectory is an empty directory of its own for one test, removed with it, and helpers to
// put files there.
#ifndef FTHREADPROF_TESTS_UNIT_INTERPRETER_TEMPORARY_DIRECTORY_H_
#define FTHREADPROF_TESTS_UNIT_INTERPRETER_TEMPORARY_DIRECTORY_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace fthreadprof {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "fthreadprof-test-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = std::filesystem::canonical(name);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::filesystem::path WriteTextFile(const std::filesystem::path& path,
                                           const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
  return path;
}

inline std::filesystem::path WriteScript(const std::filesystem::path& path,
                                         const std::string& text) {
  WriteTextFile(path, "#!/bin/sh\n" + text + "\n");
  std::filesystem::permissions(path, std::filesystem::perms(0755));
  return path;
}

// A script that answers IdentifyInterpreter's question as an interpreter would.
inline std::filesystem::path WriteFakePython(const std::filesystem::path& path,
                                             const std::string& version, bool free_threaded) {
  return WriteScript(path, "echo cpython " + version + (free_threaded ? " 1" : " 0"));
}

inline std::string ReadWholeFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_INTERPRETER_TEMPORARY_DIRECTORY_H_
