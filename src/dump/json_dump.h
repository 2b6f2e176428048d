// WriteJsonDump writes a ProcessDump as JSON: schema fthreadprof.dump/1, described in docs/dump.md.
#ifndef FTHREADPROF_DUMP_JSON_DUMP_H_
#define FTHREADPROF_DUMP_JSON_DUMP_H_

#include <ostream>

#include "dump/process_dump.h"

namespace fthreadprof {

void WriteJsonDump(const ProcessDump& dump, std::ostream& out);

}  // namespace fthreadprof

#endif  // FTHREADPROF_DUMP_JSON_DUMP_H_
