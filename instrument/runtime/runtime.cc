// The runtime as one translation unit: the hooks are called for every access, so all that they use
// is inlined into them. Linked into the instrumented interpreter's executable, whose extension
// modules find the hooks there. No libstdc++, no exceptions.
#include "tracking.cc"
// after tracking.cc, whose inline functions they use
#include "accesses.cc"
#include "delays.cc"
#include "extension_locks.cc"
#include "hooks.cc"
#include "known_code.cc"
#include "log_writer.cc"
#include "order_hooks.cc"
#include "reporter.cc"
#include "sequence_hooks.cc"
#include "set_hooks.cc"
#include "start_and_end.cc"
#include "synchronization.cc"
