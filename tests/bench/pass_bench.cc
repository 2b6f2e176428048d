// How close the sampler comes to the floor: the passes a second that it takes at most, against
// those that the process_vm_readv call of a pass allows when nothing else is done.
//
//   FTHREADPROF_BENCH_PID=PID pass_bench [options of Google Benchmark]
//
// Each repetition measures floor, sampler and floor again, so that a machine that changes its speed
// meanwhile changes both. Per repetition and as median, min and max over all of them:
//   floor_hz, pass_hz  passes a second of the clock
//   ratio              pass_hz / floor_hz, what the goal is about
//   cpu_ratio          the same by CPU time of our thread: without the waiting for a CPU
//   calls              process_vm_readv calls a pass, attaching and verifying included
#include <benchmark/benchmark.h>
#include <sys/uio.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "process/live_process_memory.h"
#include "process/os_process.h"
#include "profile/profile.h"
#include "python/interpreter_reader.h"
#include "python/runtime_locator.h"
#include "sampler/sampler.h"

namespace fthreadprof {
namespace {

constexpr double kFloorSeconds = 0.25;  // twice a repetition
constexpr double kSamplerSeconds = 0.5;
constexpr double kTopRateHz = 1e7;  // more than any machine takes
constexpr int kWarmUpPasses = 200;
constexpr int kMaxPasses = 20000;
constexpr size_t kCallsOfSteadyPass = 1;
constexpr int kPassesBetweenLooksAtClock = 16;

double Seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Passes, and what they took.
struct Measured {
  double passes = 0;
  double clock_s = 0;
  double cpu_s = 0;
  double calls = 0;

  void operator+=(const Measured& other) {
    passes += other.passes;
    clock_s += other.clock_s;
    cpu_s += other.cpu_s;
    calls += other.calls;
  }
};

// One process_vm_readv call, ready to be made again; the bytes go to a buffer of its own.
class Replay {
 public:
  explicit Replay(std::span<const MemoryPiece> pieces) {
    for (const MemoryPiece& piece : pieces) bytes_ += piece.size;
    buffer_.resize(bytes_);
    uint8_t* at = buffer_.data();
    for (const MemoryPiece& piece : pieces) {
      local_.push_back({at, piece.size});
      remote_.push_back({reinterpret_cast<void*>(piece.address), piece.size});
      at += piece.size;
    }
  }

  // False when not everything can be read any more.
  bool Run(pid_t pid) const {
    return process_vm_readv(pid, local_.data(), local_.size(), remote_.data(), remote_.size(), 0) ==
           static_cast<ssize_t>(bytes_);
  }

  size_t bytes() const { return bytes_; }
  size_t pieces() const { return local_.size(); }

 private:
  size_t bytes_ = 0;
  std::vector<uint8_t> buffer_;
  std::vector<iovec> local_;
  std::vector<iovec> remote_;
};

// Reads the target and keeps what was asked of it since Clear.
class RecordingMemory : public ProcessMemory {
 public:
  explicit RecordingMemory(pid_t pid) : live_(pid) {}

  absl::StatusOr<size_t> ReadPieces(std::span<const MemoryPiece> pieces) override {
    calls_.emplace_back(pieces.begin(), pieces.end());
    return live_.ReadPieces(pieces);
  }

  void Clear() { calls_.clear(); }
  const std::vector<std::vector<MemoryPiece>>& calls() const { return calls_; }

 private:
  LiveProcessMemory live_;
  std::vector<std::vector<MemoryPiece>> calls_;
};

// The calls of a pass that needed no more of them than a steady one.
absl::StatusOr<std::vector<Replay>> RecordSteadyPass(pid_t pid, const PythonRuntime& runtime) {
  RecordingMemory memory(pid);
  InterpreterReader reader(memory, runtime);
  for (int pass = 0; pass < kMaxPasses; ++pass) {
    memory.Clear();
    FTP_RETURN_IF_ERROR(reader.ReadPass());
    if (pass < kWarmUpPasses || memory.calls().size() != kCallsOfSteadyPass) continue;
    std::vector<Replay> calls;
    for (const std::vector<MemoryPiece>& call : memory.calls()) calls.emplace_back(call);
    return calls;
  }
  return absl::InternalError(
      absl::StrCat("none of ", kMaxPasses, " passes took exactly ", kCallsOfSteadyPass, " call"));
}

absl::StatusOr<Measured> MeasureFloor(pid_t pid, const std::vector<Replay>& calls) {
  const double start = Seconds(CLOCK_MONOTONIC);
  const double cpu_start = Seconds(CLOCK_THREAD_CPUTIME_ID);
  Measured measured;
  while (measured.clock_s < kFloorSeconds) {
    for (int i = 0; i < kPassesBetweenLooksAtClock; ++i) {
      for (const Replay& call : calls) {
        if (!call.Run(pid)) return absl::DataLossError("the recorded pass can't be read any more");
      }
      ++measured.passes;
    }
    measured.clock_s = Seconds(CLOCK_MONOTONIC) - start;
  }
  measured.cpu_s = Seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_start;
  measured.calls = measured.passes * static_cast<double>(calls.size());
  return measured;
}

absl::StatusOr<Measured> MeasureSampler(OsProcess& process, const PythonRuntime& runtime) {
  LiveProcessMemory memory(process.pid());
  Profile profile;
  const SamplerOptions options{.rate_hz = kTopRateHz, .duration = absl::Seconds(kSamplerSeconds)};
  Sampler sampler(process, memory, options, profile);
  const double cpu_start = Seconds(CLOCK_THREAD_CPUTIME_ID);
  FTP_ASSIGN_OR_RETURN(const SamplingEnd end, sampler.Run(runtime));
  const double cpu_s = Seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_start;
  if (end != SamplingEnd::kDuration) return absl::DataLossError("the target ended");
  sampler.Finish();
  const SamplingInfo& sampling = profile.sampling;
  if (sampling.samples == 0) return absl::DataLossError("no stack of the target held together");
  return Measured{.passes = static_cast<double>(sampling.passes),
                  .clock_s = sampling.duration_s,
                  .cpu_s = cpu_s,
                  .calls = static_cast<double>(memory.calls())};
}

struct Repetition {
  Measured floor;
  Measured sampler;
};

absl::StatusOr<Repetition> Repeat(OsProcess& process, const PythonRuntime& runtime,
                                  const std::vector<Replay>& calls) {
  Repetition repetition;
  FTP_ASSIGN_OR_RETURN(repetition.floor, MeasureFloor(process.pid(), calls));
  FTP_ASSIGN_OR_RETURN(repetition.sampler, MeasureSampler(process, runtime));
  FTP_ASSIGN_OR_RETURN(const Measured again, MeasureFloor(process.pid(), calls));
  repetition.floor += again;
  return repetition;
}

// What all repetitions share.
struct Bench {
  OsProcess process;
  PythonRuntime runtime;
  std::vector<Replay> calls;
};

absl::StatusOr<Bench> Open(pid_t pid) {
  FTP_ASSIGN_OR_RETURN(OsProcess process, OsProcess::Open(pid));
  LiveProcessMemory memory(pid);
  FTP_ASSIGN_OR_RETURN(PythonRuntime runtime, FindPythonRuntime(pid, memory));
  // The sampler asks for short time slices: the first floor must have them as well.
  FTP_RETURN_IF_ERROR(MeasureSampler(process, runtime).status());
  FTP_ASSIGN_OR_RETURN(std::vector<Replay> calls, RecordSteadyPass(pid, runtime));
  return Bench{std::move(process), std::move(runtime), std::move(calls)};
}

void BM_PassAgainstFloor(benchmark::State& state, Bench& bench) {
  for (auto _ : state) {
    const absl::StatusOr<Repetition> repetition = Repeat(bench.process, bench.runtime, bench.calls);
    if (!repetition.ok()) {
      state.SkipWithError(repetition.status().ToString().c_str());
      break;
    }
    const Measured& floor = repetition->floor;
    const Measured& sampler = repetition->sampler;
    const double floor_hz = floor.passes / floor.clock_s;
    const double pass_hz = sampler.passes / sampler.clock_s;
    state.SetIterationTime(1 / pass_hz);
    state.counters["floor_hz"] = floor_hz;
    state.counters["pass_hz"] = pass_hz;
    state.counters["ratio"] = pass_hz / floor_hz;
    state.counters["cpu_ratio"] = (sampler.passes / sampler.cpu_s) / (floor.passes / floor.cpu_s);
    state.counters["calls"] = sampler.calls / sampler.passes;
  }
}

double Min(const std::vector<double>& values) { return *std::ranges::min_element(values); }
double Max(const std::vector<double>& values) { return *std::ranges::max_element(values); }

int Main(int argc, char** argv) {
  const char* pid_text = std::getenv("FTHREADPROF_BENCH_PID");
  const int pid = pid_text != nullptr ? std::atoi(pid_text) : 0;
  if (pid <= 0) {
    std::fprintf(stderr, "pass_bench: FTHREADPROF_BENCH_PID names no process to measure.\n");
    return 1;
  }
  std::vector<char*> arguments(argv, argv + argc);
  std::string repetitions = "--benchmark_repetitions=9";  // unless the command line says otherwise
  arguments.insert(arguments.begin() + 1, repetitions.data());
  argc = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&argc, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(argc, arguments.data())) return 1;

  absl::StatusOr<Bench> bench = Open(pid);
  if (!bench.ok()) {
    std::fprintf(stderr, "pass_bench: %s\n", bench.status().ToString().c_str());
    return 1;
  }
  for (const Replay& call : bench->calls) {
    std::fprintf(stderr, "a call of the floor: %zu pieces, %zu bytes\n", call.pieces(),
                 call.bytes());
  }
  benchmark::RegisterBenchmark("PassAgainstFloor", BM_PassAgainstFloor, std::ref(*bench))
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond)
      ->ComputeStatistics("min", Min)
      ->ComputeStatistics("max", Max);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace
}  // namespace fthreadprof

int main(int argc, char** argv) { return fthreadprof::Main(argc, argv); }
