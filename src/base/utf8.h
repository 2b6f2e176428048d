// UTF-8, the one way that names are kept in.
#ifndef FTHREADPROF_BASE_UTF8_H_
#define FTHREADPROF_BASE_UTF8_H_

#include <string>

namespace fthreadprof {

// Appends `point` to `text`. REQUIRES: it is a code point, up to U+10FFFF and no surrogate.
void AppendUtf8(std::string& text, char32_t point);

}  // namespace fthreadprof

#endif  // FTHREADPROF_BASE_UTF8_H_
