// Which code is the program's own.
//
// Thread safety: pure functions.
#ifndef FTHREADPROF_EXPORT_LIBRARY_FILE_H_
#define FTHREADPROF_EXPORT_LIBRARY_FILE_H_

#include <string_view>

namespace fthreadprof {

// Whether a file is of the standard library or an installed package, as opposed to the program.
bool IsLibraryFile(std::string_view file);

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_LIBRARY_FILE_H_
