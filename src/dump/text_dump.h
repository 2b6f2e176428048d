// WriteTextDump shows a ProcessDump to people: a line about the process, a paragraph a thread,
// innermost frame first.
#ifndef FTHREADPROF_DUMP_TEXT_DUMP_H_
#define FTHREADPROF_DUMP_TEXT_DUMP_H_

#include <ostream>

#include "dump/process_dump.h"

namespace fthreadprof {

void WriteTextDump(const ProcessDump& dump, std::ostream& out);

}  // namespace fthreadprof

#endif  // FTHREADPROF_DUMP_TEXT_DUMP_H_
