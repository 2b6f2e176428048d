#include "cli/attach.h"

#include <pwd.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace fthreadprof {
namespace {

std::string UserName(uid_t uid) {
  const passwd* entry = getpwuid(uid);
  return entry != nullptr ? entry->pw_name : absl::StrCat("uid ", uid);
}

}  // namespace

absl::Status ExplainPermission(const OsProcess& process) {
  std::string why = absl::StrCat("not permitted to read process ", process.pid());
  int ptrace_scope = 0;
  std::ifstream("/proc/sys/kernel/yama/ptrace_scope") >> ptrace_scope;
  if (process.uid() != geteuid()) {
    absl::StrAppend(&why, ", which runs as ", UserName(process.uid()),
                    ": run fthreadprof as that user or with sudo, or give it the capability "
                    "CAP_SYS_PTRACE (sudo setcap cap_sys_ptrace+ep fthreadprof)");
  } else if (ptrace_scope > 0) {
    absl::StrAppend(&why, ": kernel.yama.ptrace_scope is ", ptrace_scope,
                    "; run fthreadprof with sudo, or allow it with "
                    "'sudo sysctl kernel.yama.ptrace_scope=0'");
  } else {
    absl::StrAppend(&why,
                    ", though it is your own: it, or the container we are in, gave up being "
                    "traceable; ",
                    geteuid() == 0 ? "run fthreadprof" : "run fthreadprof with sudo, or",
                    " in a container with the capability CAP_SYS_PTRACE (docker run --cap-add "
                    "SYS_PTRACE)");
  }
  return absl::PermissionDeniedError(why);
}

}  // namespace fthreadprof
