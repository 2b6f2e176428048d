// ObjectNamer: what a person would call the object of a race and the locks held, from the bytecode
// of the two sides and the log's types and keys.
//
// Lifetime: refers to the analysis. Thread safety: none.
#ifndef FTHREADPROF_RACE_OBJECT_NAMER_H_
#define FTHREADPROF_RACE_OBJECT_NAMER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "race/log_analysis.h"

namespace fthreadprof {

// The same in every run when neither part holds an address or a key.
struct ObjectName {
  std::string element;  // `counts['a']`; the container's when the race is about all of it
  std::string
      container;       // `counts`; the element's when there is no container (attributes, globals)
  std::string stable;  // the container's, without address: for fingerprints
  // The name was found in the program's own code, not in the standard library's.
  bool in_program = false;
};

class ObjectNamer {
 public:
  explicit ObjectNamer(LogAnalysis& analysis) : analysis_(analysis) {}

  ObjectName NameOf(const LoggedRace& race);
  // As the acquiring code wrote it: `self._lock`; "lock at 0x..." when that is not known.
  std::string NameOf(const LoggedLock& lock);
  // What each side holds, each lock once, in the order of acquisition. Different locks of one name
  // are numbered: `lock (1)`, `lock (2)`.
  std::array<std::vector<std::string>, 2> LocksOf(const LoggedRace& race);

 private:
  // How good a name is for a container, worst first.
  enum class Rank { kNone, kResult, kLocal, kAttributeOfOther, kCell, kGlobal, kAttributeOfSelf };
  struct Candidate {
    std::string text;
    Rank rank = Rank::kNone;
    bool in_program = false;
  };

  ObjectName NameOfAttribute(const LoggedRace& race);
  ObjectName NameOfCell(const LoggedRace& race);
  ObjectName NameOfContainer(const LoggedRace& race);
  Candidate ContainerOf(const LoggedRace& race, const LoggedAccess& access);
  Candidate NameExpression(const CodeSite& site, ExpressionId id, int depth);
  Candidate NameAttribute(const CodeSite& site, const Expression& attribute, int depth);
  Candidate NameArgument(const CodeSite& site, const Expression& local, int depth);

  LogAnalysis& analysis_;
};

// "Cache" of "Cache.get" and of "Cache.get.<locals>.helper"; "" of a plain function.
std::string ClassOfFunction(std::string_view qualified_name);
// "b.C" -> "C".
std::string LastComponent(std::string_view qualified_name);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_OBJECT_NAMER_H_
