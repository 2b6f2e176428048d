#include "profile/profile.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace fthreadprof {
namespace {

// Programs make locks as they go: beyond that a wait is of no lock.
constexpr size_t kMaxLocks = size_t{1} << 16;
// So many names of threads say what names there are.
constexpr size_t kMaxNames = 20;

absl::Status NoSuchThread(const std::vector<std::string>& wanted,
                          const std::set<std::string>& names) {
  std::string there;
  size_t left = kMaxNames;
  for (const std::string& name : names) {
    if (left-- == 0) {
      absl::StrAppend(&there, ", ...");
      break;
    }
    absl::StrAppend(&there, there.empty() ? "" : ", ", absl::Utf8SafeCHexEscape(name));
  }
  return absl::NotFoundError(absl::StrCat("no thread is called '", absl::StrJoin(wanted, "' or '"),
                                          "'; there ", names.size() == 1 ? "was " : "were ",
                                          names.empty() ? "none" : there));
}

}  // namespace

Profile::Profile() {
  stacks_.push_back({kEmptyStack, 0});  // kEmptyStack itself; its frame is never asked for
  processes_.emplace_back();            // kRootProcess
}

FrameId Profile::InternFrame(const Frame& frame) {
  const auto [entry, is_new] = frame_ids_.try_emplace(frame, static_cast<FrameId>(frames_.size()));
  if (is_new) frames_.push_back(frame);
  return entry->second;
}

LockId Profile::InternLock(const WaitedLock& lock) {
  const auto known = lock_ids_.find(lock);
  if (known != lock_ids_.end()) return known->second;
  if (locks_.size() >= kMaxLocks) return 0;
  locks_.push_back(lock);
  return lock_ids_[lock] = static_cast<LockId>(locks_.size());
}

StackId Profile::InternStack(StackId caller, FrameId frame) {
  const uint64_t key = uint64_t{caller} << 32 | frame;
  const auto [entry, is_new] = stack_ids_.try_emplace(key, static_cast<StackId>(stacks_.size()));
  if (is_new) stacks_.push_back({caller, frame});
  return entry->second;
}

ProcessIndex Profile::AddProcess(TargetInfo process) {
  processes_.push_back(std::move(process));
  return static_cast<ProcessIndex>(processes_.size() - 1);
}

ThreadIndex Profile::AddThread(pid_t tid, std::string name, ProcessIndex process) {
  ProfiledThread thread;
  thread.process = process;
  thread.tid = tid;
  thread.name = std::move(name);
  threads_.push_back(std::move(thread));
  selected_.emplace_back();
  return static_cast<ThreadIndex>(threads_.size() - 1);
}

void Profile::AddSample(const LoggedSample& sample) {
  ProfiledThread& counted = threads_[sample.thread];
  counted.samples += sample.weight;
  counted.state_samples[static_cast<size_t>(sample.state)] += sample.weight;
  // A subinterpreter may have a GIL of its own.
  gil_blame_.Add(sample,
                 uint64_t{counted.process} << 32 | static_cast<uint32_t>(counted.interpreter));
  if (sample.lock != 0) lock_waits_.Add(sample);
  if (sample.stops_world) stops_by_[sample.stack] += sample.weight;
  if (keeps_samples_ && IsSelected(sampling.mode, sample.state, sample.has_gil) &&
      sampling.states.test(static_cast<size_t>(sample.state))) {
    uint64_t& selected = selected_[sample.thread][{sample.stack, sample.state}];
    selected_stack_count_ += selected == 0;
    selected += sample.weight;
    log_.Append(sample);
  }
  if (on_sample_) on_sample_(sample);
}

absl::Status Profile::SelectThreads() {
  if (sampling.threads.empty()) return absl::OkStatus();
  std::vector<bool> selects;
  std::set<std::string> names;
  for (const ProfiledThread& thread : threads_) {
    names.insert(thread.name);
    selects.push_back(std::any_of(sampling.threads.begin(), sampling.threads.end(),
                                  [&](const std::string& pattern) {
                                    return fnmatch(pattern.c_str(), thread.name.c_str(), 0) == 0;
                                  }));
  }
  if (std::find(selects.begin(), selects.end(), true) == selects.end()) {
    return NoSuchThread(sampling.threads, names);
  }
  selected_stack_count_ = 0;
  for (size_t i = 0; i < selected_.size(); ++i) {
    if (!selects[i]) selected_[i].clear();
    selected_stack_count_ += selected_[i].size();
  }
  SampleLog kept;
  log_.ForEach([&](const LoggedSample& sample) {
    if (selects[sample.thread]) kept.Append(sample);
  });
  log_ = std::move(kept);
  return absl::OkStatus();
}

uint64_t Profile::SelectedSamples(ThreadIndex thread) const {
  uint64_t samples = 0;
  for (const auto& [stack, count] : selected_[thread]) samples += count;
  return samples;
}

std::vector<FrameId> Profile::FramesOf(StackId id) const {
  std::vector<FrameId> frames;
  for (; id != kEmptyStack; id = stacks_[id].caller) frames.push_back(stacks_[id].frame);
  std::reverse(frames.begin(), frames.end());
  return frames;
}

}  // namespace fthreadprof
