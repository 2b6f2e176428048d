#include "export/gil_text.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "export/library_file.h"
#include "export/text.h"

namespace fthreadprof {
namespace {

constexpr size_t kMaxNamed = 8;  // modules in a sentence

bool IsOn(const TargetInfo& process) { return process.free_threaded && process.gil_enabled; }

std::string OfSeveral(const Profile& profile) {
  const std::vector<TargetInfo>& processes = profile.processes();
  const auto free_threaded = std::count_if(processes.begin(), processes.end(),
                                           [](const TargetInfo& p) { return p.free_threaded; });
  std::string text = absl::StrFormat(
      "The GIL is ON in %d of %d processes of free-threaded builds: in them threads run Python "
      "code one at a time.",
      std::count_if(processes.begin(), processes.end(), IsOn), free_threaded);
  const auto known =
      std::find_if(processes.begin(), processes.end(), [](const TargetInfo& process) {
        return IsOn(process) && !WhyGilIsOn(process.gil_cause).empty();
      });
  if (known == processes.end()) return text;
  return absl::StrCat(text, " In process ", known->pid, " ", WhyGilIsOn(known->gil_cause), ".");
}

std::string PlaceText(const ImportPlace& place) {
  return FrameText({place.function, place.file, place.line}, false);
}

// The program's own line, and the library's that it led to.
std::string ImportedBy(const GilCause& cause) {
  if (cause.module.empty()) return "";
  if (cause.stack.empty()) {
    return absl::StrCat("The import itself was not seen",
                        cause.at_s ? "" : ": it was over when the recording began", ".\n");
  }
  const ImportPlace& last = cause.stack.back();
  const auto own =
      std::find_if(cause.stack.rbegin(), cause.stack.rend(),
                   [](const ImportPlace& place) { return !IsLibraryFile(place.file); });
  if (own == cause.stack.rbegin() || own == cause.stack.rend()) {
    return absl::StrCat("It was imported by ", PlaceText(last), ".\n");
  }
  return absl::StrCat("It was imported by ", PlaceText(*own), ", through ", PlaceText(last), ".\n");
}

}  // namespace

const TargetInfo* ProcessWithGil(const Profile& profile) {
  const auto found = std::find_if(profile.processes().begin(), profile.processes().end(), IsOn);
  return found == profile.processes().end() ? nullptr : &*found;
}

std::string WhyGilIsOn(const std::optional<GilCause>& cause) {
  if (!cause) return "";
  if (cause->by_option) return "PYTHON_GIL=1 or -X gil=1 turned it on";
  const std::string when =
      cause->at_s ? absl::StrFormat(" %.2f s into the recording", *cause->at_s) : "";
  if (cause->module.empty()) {
    return when.empty() ? "" : absl::StrCat("an import that was not seen turned it on", when);
  }
  return absl::StrCat(cause->is_certain ? "" : "most likely ", "the import of ",
                      PlainText(cause->module), " turned it on", when);
}

std::optional<std::string> GilWarning(const Profile& profile) {
  const uint64_t passes = profile.totals.seen_passes();
  const uint64_t enabled = profile.totals.gil_enabled_passes;
  const bool in_part = enabled > 0 && enabled < passes;
  const std::string share = absl::StrFormat(
      "for %.1f%% of the time",
      100.0 * static_cast<double>(enabled) / static_cast<double>(std::max<uint64_t>(passes, 1)));
  const TargetInfo* process = ProcessWithGil(profile);
  const bool is_alone = profile.processes().size() == 1;
  if (process == nullptr) {  // it executed another program since
    if (!is_alone || !profile.target().free_threaded || !in_part) return std::nullopt;
    return absl::StrCat("The GIL was ON ", share, " in this free-threaded build.");
  }
  if (!is_alone) return OfSeveral(profile);
  const std::string why = WhyGilIsOn(process->gil_cause);
  return absl::StrCat("The GIL is ON in this free-threaded build", in_part ? ", " : "",
                      in_part ? share : "", ": ", why, why.empty() ? "" : "; ",
                      in_part ? "since then" : "", in_part ? " " : "",
                      "threads run Python code one at a time.");
}

std::string GilDetails(const Profile& profile) {
  const TargetInfo* process = ProcessWithGil(profile);
  if (process == nullptr || !process->gil_cause) return "";
  const GilCause& cause = *process->gil_cause;
  std::string text = ImportedBy(cause);
  // The one that did it was named.
  if (cause.imported.size() < (cause.is_certain ? 2 : 1)) return text;
  std::vector<std::string> names;
  for (const ImportedModule& module : cause.imported) {
    if (names.size() == kMaxNamed) break;
    names.push_back(absl::StrCat(PlainText(module.name),
                                 module.can_run_without ? "" : " (without the declaration)"));
  }
  const size_t more = cause.imported.size() - names.size();
  absl::StrAppend(&text,
                  "Extension modules that were imported until then: ", absl::StrJoin(names, ", "),
                  more > 0 ? absl::StrCat(" and ", more, " more") : "", ".\n");
  return text;
}

}  // namespace fthreadprof
