// Reporter: writes each race once, with all that it refers to (code, contexts, threads, locks), and
// counts it from then on. Two races between the same two places on the same kind of variable are
// one.
//
// Thread safety: any thread, without the detector's locks held. Reads Python objects, makes none.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_REPORTER_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_REPORTER_H_

#include <cstdint>

#include "access_set.h"
#include "detector.h"
#include "fthreadprof/race_log.h"
#include "log_writer.h"
#include "python_view.h"
#include "spin_lock.h"

namespace fthreadprof::race {

struct RaceFinding {
  race_log::ObjectKind object_kind;
  race_log::VariableKind variable_kind;
  PyObject* object;
  PyObject* key;  // of a dict, or a name; nullptr: none
  int64_t index;  // of a list, if `has_index`
  bool has_index;
  const char* member;  // name of a __slots__ member; nullptr: none
  Access earlier;
  Access later;
};

class Reporter {
 public:
  explicit constexpr Reporter(Detector& detector) : detector_(detector) {}

  // False if no log can be written in the directory: nothing will be found then.
  bool Open(const char* directory);
  void Report(const RaceFinding& finding);
  void Notice(const char* sentence);
  // A number for the test of that name, a str; 0 when there are too many. Before Open, too.
  uint32_t AddTest(PyObject* name);
  // Brings the counts up to date; the process goes on or ends.
  void WriteCounts(bool ends);

  void AcquireLocks() { lock_.Acquire(); }
  void ReleaseLocks() { lock_.Release(); }
  // The child of a fork writes a log of its own; what the parent found is the parent's.
  bool ReopenInChild();

 private:
  struct Pair {
    uint64_t key;  // 0: free
    uint32_t id;
    uint32_t reported_count;
    uint64_t count;
  };
  static constexpr uint32_t kPairs = 1 << 15;
  static constexpr uint32_t kMaxPairs = kPairs / 2;
  static constexpr uint32_t kCodes = 1 << 17;
  static constexpr uint32_t kMaxTests = 1 << 17;

  Pair* FindPair(const RaceFinding& finding);
  void WriteProcess();
  void WriteOpcodes();
  void WriteRace(const RaceFinding& finding, uint32_t id);
  void WriteAccess(const Access& access);
  void WriteTests(const RaceFinding& finding, uint32_t id);
  void WriteTest(uint32_t test);
  void WritePlace(uint32_t node, uint32_t offset);
  void WriteLocation(uint32_t location);
  void WriteCount(Pair& pair);
  // These write what is not yet in the log, each a record of its own.
  uint32_t NeedCode(PyCodeObject* code);
  void NeedContext(uint32_t node);
  void NeedLocation(uint32_t location);
  void NeedThread(uint32_t thread);
  void NeedAccess(const Access& access);
  void WriteCode(PyCodeObject* code, uint32_t id);

  Detector& detector_;
  SpinLock lock_;
  LogWriter log_;
  char directory_[3072] = {};
  Pair pairs_[kPairs] = {};
  uint32_t pair_count_ = 0;
  PyCodeObject* codes_[kCodes] = {};  // by hash; the place is the id - 1
  uint32_t code_count_ = 0;
  char* tests_[kMaxTests] = {};  // the place is the number - 1
  uint32_t test_count_ = 0;
  uint8_t* written_nodes_ = nullptr;  // a bit each
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_REPORTER_H_
