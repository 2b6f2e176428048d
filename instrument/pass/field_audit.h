// The audit: which functions touch the fields of lists, dicts, cells and inline values, so that a
// reader can tell what the hook table leaves out.
#ifndef FTHREADPROF_INSTRUMENT_PASS_FIELD_AUDIT_H_
#define FTHREADPROF_INSTRUMENT_PASS_FIELD_AUDIT_H_

#include <string>
#include <vector>

#include "hook_table.h"
#include "llvm/IR/Module.h"

namespace fthreadprof {

// A line "FUNCTION<tab>FILE<tab>STRUCT.FIELD..." for each function of the module that no row with
// an operation names. A function of a header hands what it touches on to those that call it
// instead: a macro would.
//
// Fields are told by the struct that the source names, so a size read by way of PyVarObject is not
// seen, nor is memory reached through a pointer that another function loaded.
std::vector<std::string> AuditFields(llvm::Module& module, const HookTable& table);

}  // namespace fthreadprof

#endif  // FTHREADPROF_INSTRUMENT_PASS_FIELD_AUDIT_H_
