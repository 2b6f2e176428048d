#include "cli/gil_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "export/text.h"

namespace fthreadprof {
namespace {

using nlohmann::ordered_json;

size_t CountUndeclared(const GilReport& report) {
  return static_cast<size_t>(
      std::count_if(report.modules.begin(), report.modules.end(),
                    [](const ExtensionModule& module) { return !module.can_run_without; }));
}

std::string Verdict(const GilReport& report) {
  if (!report.gil_is_on) {
    return absl::StrCat("The GIL is off (Python ", report.python, ", free-threaded).");
  }
  if (report.by_option) {
    return "The GIL is ON, and no module is to blame: PYTHON_GIL=1 or -X gil=1 turned it on.";
  }
  if (!report.has_looked && report.culprit.empty()) {
    return "The GIL is ON; what turned it on could not be read, for it changed meanwhile or the "
           "process ended: ask again, or 'python -v' names the module.";
  }
  if (report.culprit.empty() && !report.was_on) {
    return "The GIL is ON: an import that could not be seen turned it on, for it was over at once "
           "or the process was; 'python -v' names the module, or run something longer.";
  }
  if (report.culprit.empty()) {
    return "The GIL is ON, and none of the modules that are there turned it on: an import that "
           "failed may have.";
  }
  const std::string when =
      report.after_s ? absl::StrFormat(" after %.2f s", *report.after_s) : std::string();
  if (!report.is_certain) {
    return absl::StrCat("The GIL is ON: most likely the import of ", PlainText(report.culprit),
                        " turned it on", when,
                        ", for it was in progress then; the module was not seen afterwards.");
  }
  return absl::StrCat("The GIL is ON: the import of ", PlainText(report.culprit), " turned it on",
                      when, ", for the module does not declare that it can run without.");
}

void WriteImport(const GilReport& report, std::ostream& out) {
  if (!report.import) return;
  out << "It was imported by:\n";
  for (const ImportPlace& place : report.import->stack) {
    out << "  " << FrameText({place.function, place.file, place.line}, false) << "\n";
  }
}

void WriteModules(const GilReport& report, std::ostream& out) {
  // There always are some.
  if (report.modules.empty()) {
    out << "The extension modules could not be read, for the process imported others meanwhile or "
           "ended: ask again.\n";
    return;
  }
  const size_t undeclared = CountUndeclared(report);
  const auto built_in = static_cast<size_t>(
      std::count_if(report.modules.begin(), report.modules.end(),
                    [](const ExtensionModule& m) { return m.can_run_without && m.file.empty(); }));
  out << absl::StrFormat("%d extension modules, %d of them without the declaration:\n",
                         report.modules.size(), undeclared);
  for (const ExtensionModule& module : report.modules) {
    if (module.can_run_without && module.file.empty()) continue;
    out << "  " << (module.can_run_without ? "declares it      " : "does NOT declare ")
        << PlainText(module.name)
        << (module.file.empty() ? "" : absl::StrCat("  (", PlainText(module.file), ")")) << "\n";
  }
  out << absl::StrFormat("  and %d that are built into the interpreter, which declare it\n",
                         built_in);
}

// What is installed: of "greenlet._greenlet" greenlet.
std::string TopPackage(const std::string& module) { return module.substr(0, module.find('.')); }

std::string Advice(const GilReport& report) {
  const size_t undeclared = CountUndeclared(report);
  if (report.gil_is_on && !report.culprit.empty()) {
    return absl::StrCat(
        "Look for a newer release of ", PlainText(TopPackage(report.culprit)),
        ", or ask its authors for Py_mod_gil; PYTHON_GIL=0 keeps the GIL off at your own risk, for "
        "the module may not be safe without.");
  }
  if (!report.gil_is_on && undeclared > 0) {
    return "PYTHON_GIL=0 or -X gil=0 keeps the GIL off in spite of them; they may not be safe "
           "without it.";
  }
  return "";
}

}  // namespace

void WriteGilText(const GilReport& report, std::ostream& out) {
  out << Verdict(report) << "\n";
  WriteImport(report, out);
  WriteModules(report, out);
  if (const std::string advice = Advice(report); !advice.empty()) out << advice << "\n";
}

void WriteGilJson(const GilReport& report, std::ostream& out) {
  ordered_json modules = ordered_json::array();
  for (const ExtensionModule& module : report.modules) {
    modules.push_back(
        {{"name", PlainText(module.name)},
         {"file", module.file.empty() ? ordered_json() : ordered_json(PlainText(module.file))},
         {"declares_gil_not_used", module.can_run_without}});
  }
  ordered_json enabled_by;
  if (!report.culprit.empty()) {
    ordered_json stack;  // null: not seen
    if (report.import) {
      stack = ordered_json::array();
      for (const ImportPlace& place : report.import->stack) {
        stack.push_back({{"function", PlainText(place.function)},
                         {"file", PlainText(place.file)},
                         {"line", place.line}});
      }
    }
    enabled_by = {{"module", PlainText(report.culprit)},
                  {"certain", report.is_certain},
                  {"stack", std::move(stack)}};
  }
  out << ordered_json({{"schema", "fthreadprof.gil/1"},
                       {"python", report.python},
                       {"gil_is_on", report.gil_is_on},
                       {"turned_on_after_s",
                        report.after_s ? ordered_json(*report.after_s) : ordered_json()},
                       {"enabled_by", std::move(enabled_by)},
                       {"modules", std::move(modules)}})
             .dump(1)
      << "\n";
}

}  // namespace fthreadprof
