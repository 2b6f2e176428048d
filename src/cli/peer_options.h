// What hands that are used to py-spy type: options that need no work here are taken, those that
// we lack are answered with a sentence. None is listed by --help.
#ifndef FTHREADPROF_CLI_PEER_OPTIONS_H_
#define FTHREADPROF_CLI_PEER_OPTIONS_H_

#include <CLI/CLI.hpp>

namespace fthreadprof {

// Adds them to `command`, which reads a process. An option that is lacking throws
// CLI::ValidationError while arguments are parsed, as CLI11's own checks do.
void AddPeerOptions(CLI::App& command);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_PEER_OPTIONS_H_
