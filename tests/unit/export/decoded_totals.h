// What an output says, read back from its bytes by a decoder of the format of its own: in how many
// samples each function is, for the tests that compare outputs with each other.
#ifndef FTHREADPROF_TESTS_UNIT_EXPORT_DECODED_TOTALS_H_
#define FTHREADPROF_TESTS_UNIT_EXPORT_DECODED_TOTALS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace fthreadprof {

// "function (file)", or "function" where there is no file, and the samples that have it in their
// stack. Frames that only group stacks ("interpreter 1") are there in some formats.
using FunctionTotals = std::map<std::string, uint64_t>;

// Decodes `bytes`, which an exporter wrote with `function_only`. `hz` is the rate of the profile,
// which weights of samples are made of. No stack of it may have a function twice. Fails the running
// test, and has nothing, when the bytes are not of the format.
FunctionTotals DecodeTotals(std::string_view format, const std::string& bytes, double hz);

// The content of a gzip file.
std::string Gunzip(const std::string& bytes);

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_EXPORT_DECODED_TOTALS_H_
