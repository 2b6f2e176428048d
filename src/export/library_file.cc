#include "export/library_file.h"

namespace fthreadprof {

bool IsLibraryFile(std::string_view file) {
  return file.starts_with("<frozen ") || file.find("/lib/python3") != std::string_view::npos ||
         file.find("/site-packages/") != std::string_view::npos ||
         file.find("/dist-packages/") != std::string_view::npos;
}

}  // namespace fthreadprof
