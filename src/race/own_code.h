// OwnCode: which files are the user's own code. By default all but the standard library and what is
// installed beside it (site-packages, dist-packages).
//
// A value. Thread safety: immutable.
#ifndef FTHREADPROF_RACE_OWN_CODE_H_
#define FTHREADPROF_RACE_OWN_CODE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fthreadprof {

class OwnCode {
 public:
  OwnCode() = default;
  // Patterns of files (name_pattern.h): `include` is own code besides, `exclude` is not in any
  // case.
  OwnCode(std::vector<std::string> include, std::vector<std::string> exclude)
      : include_(std::move(include)), exclude_(std::move(exclude)) {}

  bool IsOwn(std::string_view file) const;

 private:
  std::vector<std::string> include_;
  std::vector<std::string> exclude_;
};

// The standard library (not what is installed beside it): a frozen module, or below lib/pythonX.Y.
bool IsStandardLibrary(std::string_view file);
// Below a site-packages or dist-packages.
bool IsInstalledPackage(std::string_view file);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_OWN_CODE_H_
