// ObjectOrigin: whether what library code works on is an object that the user's own code handed to
// it: `cards` of random.shuffle(cards), the dictionary behind a WeakKeyDictionary of the user's, in
// `registry[key] = value`. Found by following arguments and attributes from the access out through
// the callers, to the first file that is own code.
//
// Not followed: globals, closures and classes of libraries, and what a library function got from
// another one; those are the library's own.
//
// Lifetime: refers to both it is made of. Thread safety: none (the analysis is filled as it is
// used).
#ifndef FTHREADPROF_RACE_OBJECT_ORIGIN_H_
#define FTHREADPROF_RACE_OBJECT_ORIGIN_H_

#include "race/log_analysis.h"
#include "race/own_code.h"

namespace fthreadprof {

class ObjectOrigin {
 public:
  ObjectOrigin(LogAnalysis& analysis, const OwnCode& own) : analysis_(analysis), own_(own) {}

  // The code of the access is the user's own; so is one that is not known.
  bool IsOwnAccess(const LoggedAccess& access) const;
  // The code on either side came by the object from own code.
  bool IsOwnObject(const LoggedRace& race);

 private:
  bool ComesFromOwn(const CodeSite& site, ExpressionId id, int depth);

  LogAnalysis& analysis_;
  const OwnCode& own_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_OBJECT_ORIGIN_H_
