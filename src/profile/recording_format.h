// The parts of a recording that its writer and reader share; docs/recording-format.md describes the
// format.
//
// A recording is kMagic, then blocks: the length of a zstd frame as 4 bytes, least significant
// first, and the frame, whose content is a protocol buffer with the fields of `Block`.
#ifndef FTHREADPROF_PROFILE_RECORDING_FORMAT_H_
#define FTHREADPROF_PROFILE_RECORDING_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fthreadprof::recording {

// Not text, and broken by what mends line ends; the version is the digit behind it.
inline constexpr std::string_view kMagic =
    "\x89"
    "FTP\r\n\x1a";
inline constexpr char kVersion = '3';
inline constexpr size_t kLengthBytes = 4;

// No block holds more. The writer begins a new one at kFullBlock, so that one more name of any
// length that CPython's readers return fits.
inline constexpr size_t kMaxBlockBytes = size_t{64} << 20;
inline constexpr size_t kFullBlock = size_t{4} << 20;

// More than a recording has, less than a machine's memory.
inline constexpr size_t kMaxProcesses = size_t{1} << 20;
inline constexpr size_t kMaxThreads = size_t{1} << 22;
inline constexpr size_t kMaxFrames = size_t{1} << 24;
inline constexpr size_t kMaxStacks = size_t{1} << 26;
inline constexpr size_t kMaxSelectedStacks = size_t{1} << 26;
inline constexpr size_t kMaxTextBytes = size_t{1} << 30;
inline constexpr size_t kMaxParallelism = size_t{1} << 16;

enum class Block : uint32_t {
  kProcess = 1,       // message Process, repeated
  kThread = 2,        // message Thread, repeated
  kFrame = 3,         // message Frame, repeated
  kStackCallers = 4,  // packed uint32
  kStackFrames = 5,   // packed uint32
  kFigures = 6,       // message Figures
  kSamples = 7,       // bytes, see sample_codec.h
  kEnd = 8,           // bool: no block follows
  kLock = 9,          // message Lock, repeated
};

enum class Process : uint32_t {
  kIndex = 1,
  kPid = 2,
  kParentPid = 3,
  kPython = 4,
  kFreeThreaded = 5,
  kGilEnabled = 6,
  kExecutable = 7,
  kCommand = 8,
  kCpuSeconds = 9,
  kGilCause = 10,  // message GilCauseField
};

enum class GilCauseField : uint32_t {
  kByOption = 1,
  kModule = 2,
  kIsCertain = 3,
  kAtSeconds = 4,
  kStack = 5,     // message Frame, repeated, outermost first
  kImported = 6,  // message ModuleField, repeated
};

enum class ModuleField : uint32_t { kName = 1, kFile = 2, kCanRunWithout = 3 };

enum class Thread : uint32_t {
  kIndex = 1,
  kProcess = 2,
  kTid = 3,
  kName = 4,
  kInterpreter = 5,
  kCpuSeconds = 6,
  kTasks = 7,
  kRunQueueSeconds = 8,
};

enum class LockField : uint32_t { kProcess = 1, kKind = 2, kType = 3, kAddress = 4 };

enum class FrameField : uint32_t { kFunction = 1, kFile = 2, kLine = 3 };

enum class Figures : uint32_t {
  kRequestedHz = 1,
  kDurationSeconds = 2,
  kPasses = 3,
  kSamples = 4,
  kTorn = 5,
  kLate = 6,
  kProfilerCpuSeconds = 7,
  kMode = 8,
  kCpuSeconds = 9,
  kParallelismPasses = 10,  // packed uint64
  kGilEnabledPasses = 11,
  kGilHeldPasses = 12,
  kGilHandoffs = 13,
  kGcPasses = 14,
  kStoppedPasses = 15,
  kStops = 16,
  kWantingPasses = 17,  // packed uint64
};

}  // namespace fthreadprof::recording

#endif  // FTHREADPROF_PROFILE_RECORDING_FORMAT_H_
