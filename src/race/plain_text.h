// Foreign text made fit for terminals and JSON.
#ifndef FTHREADPROF_RACE_PLAIN_TEXT_H_
#define FTHREADPROF_RACE_PLAIN_TEXT_H_

#include <string>
#include <string_view>

namespace fthreadprof {

// `text` as valid UTF-8 on one line: control characters (C1 too, which move a terminal's cursor,
// and those that make text run backwards) and what is not UTF-8 become U+FFFD.
std::string PrintableText(std::string_view text);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_PLAIN_TEXT_H_
