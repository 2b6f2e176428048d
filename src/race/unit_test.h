// Which test of unittest an access belongs to, told from stacks alone: unittest has no plugins that
// could say it (pytest has one: the log tells).
//
// Thread safety: pure functions.
#ifndef FTHREADPROF_RACE_UNIT_TEST_H_
#define FTHREADPROF_RACE_UNIT_TEST_H_

#include <string>

#include "race/race_log_reader.h"

namespace fthreadprof {

// "tests/test_app.py::StatsTest::test_hits", as pytest would call it: the test method that the
// access's stack is in, or the stack where its thread was started, or that thread's, and so on. ""
// when there is none. Files below `directory` are relative to it.
std::string UnitTestOf(const RaceLog& log, const LoggedAccess& access,
                       const std::string& directory);

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_UNIT_TEST_H_
