#include "profile/profile.h"

#include <algorithm>
#include <utility>

namespace fthreadprof {

Profile::Profile() {
  stacks_.push_back({kEmptyStack, 0});  // kEmptyStack itself; its frame is never asked for
  processes_.emplace_back();            // kRootProcess
}

FrameId Profile::InternFrame(const Frame& frame) {
  const auto [entry, is_new] = frame_ids_.try_emplace(frame, static_cast<FrameId>(frames_.size()));
  if (is_new) frames_.push_back(frame);
  return entry->second;
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
  if (keeps_samples_ && IsSelected(sampling.mode, sample.state, sample.has_gil)) {
    uint64_t& selected = selected_[sample.thread][sample.stack];
    selected_stack_count_ += selected == 0;
    selected += sample.weight;
    log_.Append(sample);
  }
  if (on_sample_) on_sample_(sample);
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
