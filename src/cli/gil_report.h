// What `fthreadprof gil` found, as text for people and as JSON (docs/cli.md).
#ifndef FTHREADPROF_CLI_GIL_REPORT_H_
#define FTHREADPROF_CLI_GIL_REPORT_H_

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "contention/gil_watch.h"
#include "python/extension_modules.h"

namespace fthreadprof {

struct GilReport {
  std::string python;  // "3.14.1"
  bool gil_is_on = false;
  bool was_on = false;            // at the first look
  bool has_looked = true;         // all was read that the answer rests on
  std::optional<double> after_s;  // since we came, when it was turned on while we watched
  bool by_option = false;         // PYTHON_GIL=1 or -X gil=1 turned it on
  std::string culprit;            // the module that did it; "" when that is not known
  bool is_certain = false;        // that it did
  std::optional<SeenImport> import;
  std::vector<ExtensionModule> modules;  // in the order of their import
};

void WriteGilText(const GilReport& report, std::ostream& out);
void WriteGilJson(const GilReport& report, std::ostream& out);

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_GIL_REPORT_H_
