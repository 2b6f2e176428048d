#include "race/advice.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "race/operation.h"

namespace fthreadprof {
namespace {

using race_log::ObjectKind;

bool IsDict(const AdviceInput& input) { return input.logged.object_kind == ObjectKind::kDict; }
bool IsContainer(const AdviceInput& input) {
  return race_log::IsContainer(input.logged.object_kind);
}
bool IsIterator(const AdviceInput& input) {
  return input.logged.object_kind == ObjectKind::kIterator;
}
bool BothWrite(const AdviceInput& input) {
  return input.logged.earlier.is_write && input.logged.later.is_write;
}

std::string Quoted(const std::string& name) { return absl::StrCat("`", name, "`"); }

std::string Listed(const std::vector<std::string>& locks) {
  return absl::StrJoin(locks, " and ", [](std::string* out, const std::string& lock) {
    absl::StrAppend(out, "`", lock, "`");
  });
}

// The operation of the two that CPython documents as not atomic.
std::string NotAtomicOperation(const AdviceInput& input) {
  const LoggedAccess& earlier = input.logged.earlier;
  const bool is_earlier = TraitsOf(earlier.operation).promise == Promise::kNotAtomic;
  const uint8_t operation = is_earlier ? earlier.operation : input.logged.later.operation;
  return std::string(OperationName(operation));
}

// What the locks of the two sides say; "" when neither holds any. There is no lock that both hold
// and that orders them, or there were no race.
std::string LockSentence(const Race& race) {
  const std::vector<std::string>& first = race.accesses[0].locks_held;
  const std::vector<std::string>& second = race.accesses[1].locks_held;
  if (first.empty() && second.empty()) return "";
  if (first.empty() || second.empty()) {
    const std::vector<std::string>& held = first.empty() ? second : first;
    return absl::StrCat(" ", Listed(held), held.size() == 1 ? " is" : " are",
                        " held on one side only.");
  }
  return absl::StrCat(" The two sides hold different locks: ", Listed(first), " and ",
                      Listed(second), ".");
}

std::string LostUpdateAdvice(const AdviceInput& input) {
  return absl::StrCat("Hold one lock from the read to the write of ", Quoted(input.name.element),
                      ", in every place that writes it.");
}

std::string CheckThenActAdvice(const AdviceInput& input) {
  std::string advice =
      absl::StrCat("Hold one lock from the test to the action on ", Quoted(input.name.container));
  if (IsDict(input)) {
    return absl::StrCat(advice, ", or use one atomic operation: setdefault(), pop(key, default).");
  }
  if (IsContainer(input)) {
    return absl::StrCat(advice, ", or act at once and handle the exception, or use queue.Queue.");
  }
  return absl::StrCat(advice, ".");
}

std::string IterationAdvice(const AdviceInput& input) {
  const std::string copy = absl::StrCat(input.name.container, ".copy()");
  return absl::StrCat("Iterate over a copy (`", copy,
                      "` is one atomic step), or hold one lock around the loop and around every "
                      "change.");
}

std::string UnsafeAdvice(const AdviceInput& input) {
  if (IsIterator(input)) {
    return absl::StrCat("Let one thread go on with ", Quoted(input.name.container),
                        " and hand values over by queue.Queue, or hold one lock around every "
                        "next().");
  }
  if (NotAtomicOperation(input) == "list.sort") {
    return absl::StrCat("Hold one lock around the sort and every other use of ",
                        Quoted(input.name.container),
                        ", or make a new list with sorted() and assign that.");
  }
  const bool is_heap = NotAtomicOperation(input).starts_with("heapq.");
  return absl::StrCat("Hold one lock around every use of ", Quoted(input.name.container),
                      is_heap ? ", or use queue.PriorityQueue." : ".");
}

std::string DataRaceAdvice(const AdviceInput& input) {
  const std::string lock = absl::StrCat("Hold one lock around both");
  if (IsContainer(input)) {
    return absl::StrCat(lock, ", or hand values over by queue.Queue.");
  }
  if (BothWrite(input)) {
    return absl::StrCat(lock, ", or let one thread alone write ", Quoted(input.name.element), ".");
  }
  return absl::StrCat(lock, "; for a flag use threading.Event, to hand over a value queue.Queue.");
}

}  // namespace

std::string MessageFor(const AdviceInput& input) {
  const std::string element = Quoted(input.name.element);
  const std::string container = Quoted(input.name.container);
  switch (input.race.kind) {
    case RaceKind::kLostUpdate:
      return absl::StrCat("A thread writes ", element,
                          " from what it read there before, while another writes it: one of the "
                          "updates is lost.");
    case RaceKind::kCheckThenAct:
      return absl::StrCat("A thread tests ", container,
                          " and acts on the outcome, while another changes it in between.");
    case RaceKind::kIteration:
      return absl::StrCat(
          "A thread iterates over ", container,
          " while another adds or removes elements: some are skipped or seen twice, "
          "or the loop ends with an exception.");
    case RaceKind::kUnsafe:
      if (IsIterator(input)) {
        return absl::StrCat("Two threads take from the iterator ", container,
                            ", which is not atomic: values are lost or seen twice, or it fails.");
      }
      return absl::StrCat(NotAtomicOperation(input), " of ", container,
                          " is not atomic, and another thread uses it meanwhile",
                          NotAtomicOperation(input) == "list.sort"
                              ? ": the list appears empty until it is sorted."
                              : ".");
    case RaceKind::kDataRace:
      if (BothWrite(input)) {
        return absl::StrCat("Two threads write ", element,
                            ", and nothing orders them: which one comes last is open.");
      }
      return absl::StrCat("A thread reads ", element,
                          " while another writes it, and nothing orders them: whether it sees the "
                          "old or the new is open.");
    case RaceKind::kOrdering:
      return absl::StrCat("Two threads change ", element,
                          " by operations that are atomic, but nothing says which comes first.");
  }
  return "";
}

std::string AdviceFor(const AdviceInput& input) {
  const std::string locks = LockSentence(input.race);
  switch (input.race.kind) {
    case RaceKind::kLostUpdate:
      return LostUpdateAdvice(input) + locks;
    case RaceKind::kCheckThenAct:
      return CheckThenActAdvice(input) + locks;
    case RaceKind::kIteration:
      return IterationAdvice(input) + locks;
    case RaceKind::kUnsafe:
      return UnsafeAdvice(input) + locks;
    case RaceKind::kDataRace:
      return DataRaceAdvice(input) + locks;
    case RaceKind::kOrdering:
      return "Nothing is lost; if the order matters, hold one lock around what must stay "
             "together." +
             locks;
  }
  return "";
}

}  // namespace fthreadprof
