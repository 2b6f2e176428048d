#include "cli/peer_options.h"

#include <string>

namespace fthreadprof {
namespace {

// What holds here in any case: the process is not stopped, and paths of files are whole.
constexpr const char* kAlwaysSo[] = {"--nonblocking", "--full-filenames"};

}  // namespace

void AddPeerOptions(CLI::App& command) {
  for (const char* name : kAlwaysSo) command.add_flag(name)->group("");
  command
      .add_flag_callback("-n,--native",
                         [] {
                           throw CLI::ValidationError(
                               "--native is not there: fthreadprof shows Python frames; time in "
                               "native code counts for the Python frame that called it");
                         })
      ->group("");
}

}  // namespace fthreadprof
