#include "fthreadprof/profiler.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "process/live_process_memory.h"
#include "process/os_process.h"
#include "profile/profile.h"
#include "python/runtime_locator.h"
#include "sampler/sampler.h"

namespace fthreadprof {
namespace {

// A look is a short recording: a stack must be seen more than once before it is believed, a
// thread's name in two passes, and code is verified when it ends. On a busy machine that takes
// longer.
constexpr double kLookRateHz = 1000;
constexpr absl::Duration kFirstLook = absl::Milliseconds(8);
constexpr absl::Duration kLastLook = absl::Milliseconds(512);
constexpr uint64_t kEnoughPasses = 4;

constexpr double kMinRate = 0.1;
constexpr double kMaxRate = 100'000;
constexpr double kMaxSeconds = 1e9;

ErrorCode CodeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kNotFound:
      return ErrorCode::kNotFound;
    case absl::StatusCode::kPermissionDenied:
      return ErrorCode::kPermissionDenied;
    case absl::StatusCode::kUnimplemented:
      return ErrorCode::kUnsupported;
    case absl::StatusCode::kFailedPrecondition:
      return ErrorCode::kNoPython;
    case absl::StatusCode::kInvalidArgument:
      return ErrorCode::kInvalidArgument;
    default:
      return ErrorCode::kUnavailable;
  }
}

Error ToError(const absl::Status& status) {
  return {CodeOf(status.code()), std::string(status.message())};
}

std::vector<PythonFrame> FramesOf(const Profile& profile, StackId stack) {
  std::vector<PythonFrame> frames;
  for (const FrameId id : profile.FramesOf(stack)) {
    const Frame& frame = profile.frame(id);
    frames.push_back({frame.function, frame.file, frame.line});
  }
  return frames;
}

// The last sample of each thread.
std::vector<ThreadStack> LastStacks(const Profile& profile) {
  std::map<ThreadIndex, LoggedSample> last;
  profile.log().ForEach([&](const LoggedSample& sample) { last[sample.thread] = sample; });
  std::vector<ThreadStack> stacks;
  for (ThreadIndex index = 0; index < profile.threads().size(); ++index) {
    const ProfiledThread& thread = profile.threads()[index];
    ThreadStack& stack = stacks.emplace_back();
    stack.name = thread.name;
    stack.os_thread_id = thread.tid;
    const auto found = last.find(index);
    if (found == last.end()) continue;
    stack.state = ThreadStateName(found->second.state);
    stack.frames = FramesOf(profile, found->second.stack);
  }
  return stacks;
}

bool HasUnread(const std::vector<ThreadStack>& stacks) {
  for (const ThreadStack& stack : stacks) {
    if (stack.state.empty()) return true;
  }
  return stacks.empty();
}

Samples ToSamples(const Profile& profile) {
  Samples samples;
  for (ThreadIndex index = 0; index < profile.threads().size(); ++index) {
    const ProfiledThread& thread = profile.threads()[index];
    std::optional<StackId> last;  // the states of a stack stand together
    for (const auto& [key, count] : profile.SelectedStacks(index)) {
      if (last == key.stack) {
        samples.stacks.back().samples += count;
      } else {
        samples.stacks.push_back({thread.name, thread.tid, FramesOf(profile, key.stack), count});
        last = key.stack;
      }
    }
  }
  samples.seconds = profile.sampling.duration_s;
  samples.passes = profile.sampling.passes;
  samples.torn = profile.sampling.torn;
  return samples;
}

absl::Status CheckOptions(const SamplingOptions& options) {
  if (!(options.rate_hz >= kMinRate && options.rate_hz <= kMaxRate)) {
    return absl::InvalidArgumentError(
        absl::StrCat("rate_hz is ", options.rate_hz, ": give ", kMinRate, " to ", kMaxRate));
  }
  if (!(options.seconds > 0 && options.seconds <= kMaxSeconds)) {
    return absl::InvalidArgumentError(
        absl::StrCat("seconds is ", options.seconds, ": give more than 0"));
  }
  return absl::OkStatus();
}

}  // namespace

struct Target::Implementation {
  OsProcess process;
  LiveProcessMemory memory;
  PythonRuntime runtime;
  std::string version;

  // The process that we attached to is gone, even when another one has its number by now.
  absl::Status CheckAlive() const {
    if (process.IsAlive()) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat("process ", process.pid(), " has ended"));
  }

  absl::StatusOr<Profile> Run(const SamplerOptions& options) {
    FTP_RETURN_IF_ERROR(CheckAlive());
    Profile profile;
    Sampler sampler(process, memory, options, profile);
    FTP_ASSIGN_OR_RETURN(const SamplingEnd end, sampler.Run(runtime));
    sampler.Finish();
    if (profile.sampling.passes > 0) return profile;
    FTP_RETURN_IF_ERROR(CheckAlive());
    if (end == SamplingEnd::kTargetChanged) {
      return absl::FailedPreconditionError(
          absl::StrCat("process ", process.pid(),
                       " does not run the Python any more that it ran when it was attached to"));
    }
    return absl::UnavailableError(
        absl::StrCat("process ", process.pid(), " could not be read in time"));
  }

  absl::StatusOr<std::vector<ThreadStack>> Look() {
    SamplerOptions options{.rate_hz = kLookRateHz, .duration = kFirstLook};
    options.mode = SamplingMode::kWall;
    while (true) {
      FTP_ASSIGN_OR_RETURN(const Profile profile, Run(options));
      std::vector<ThreadStack> stacks = LastStacks(profile);
      const bool complete = profile.sampling.passes >= kEnoughPasses && !HasUnread(stacks);
      if (complete || *options.duration >= kLastLook) return stacks;
      *options.duration *= 4;
    }
  }
};

Target::Target(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Target::Target(Target&&) noexcept = default;
Target& Target::operator=(Target&&) noexcept = default;
Target::~Target() = default;

Result<Target> Target::Attach(pid_t pid) {
  if (pid <= 0) return Error{ErrorCode::kInvalidArgument, "the number of a process is above 0"};
  absl::StatusOr<OsProcess> process = OsProcess::Open(pid);
  if (!process.ok()) return ToError(process.status());
  LiveProcessMemory memory(pid);
  absl::StatusOr<PythonRuntime> runtime = FindPythonRuntime(pid, memory);
  if (absl::IsPermissionDenied(runtime.status())) {
    return Error{ErrorCode::kPermissionDenied,
                 absl::StrCat("not permitted to read process ", pid,
                              ": be the same user and allowed to trace it, or have the capability "
                              "CAP_SYS_PTRACE")};
  }
  if (!runtime.ok()) return ToError(runtime.status());
  std::string version = runtime->offsets.VersionString();
  return Target(std::make_unique<Implementation>(
      Implementation{*std::move(process), std::move(memory), *std::move(runtime), version}));
}

pid_t Target::pid() const { return implementation_->process.pid(); }
const std::string& Target::python_version() const { return implementation_->version; }
bool Target::free_threaded() const { return implementation_->runtime.offsets.free_threaded; }

Result<std::vector<ThreadStack>> Target::ReadStacks() {
  absl::StatusOr<std::vector<ThreadStack>> stacks = implementation_->Look();
  if (!stacks.ok()) return ToError(stacks.status());
  return *std::move(stacks);
}

Result<Samples> Target::Sample(const SamplingOptions& options) {
  if (const absl::Status status = CheckOptions(options); !status.ok()) return ToError(status);
  const absl::StatusOr<Profile> profile =
      implementation_->Run({.rate_hz = options.rate_hz,
                            .duration = absl::Seconds(options.seconds),
                            .mode = options.idle ? SamplingMode::kWall : SamplingMode::kActive});
  if (!profile.ok()) return ToError(profile.status());
  return ToSamples(*profile);
}

}  // namespace fthreadprof
