#include "profile/profile.h"

#include <algorithm>
#include <utility>

namespace fthreadprof {

Profile::Profile() {
  stacks_.push_back({kEmptyStack, 0});  // kEmptyStack itself; its frame is never asked for
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

ThreadIndex Profile::AddThread(pid_t tid, std::string name) {
  ProfiledThread thread;
  thread.tid = tid;
  thread.name = std::move(name);
  threads_.push_back(std::move(thread));
  selected_.emplace_back();
  return static_cast<ThreadIndex>(threads_.size() - 1);
}

void Profile::AddSample(ThreadIndex thread, StackId stack, ThreadState state, uint64_t pass,
                        bool selected) {
  ProfiledThread& counted = threads_[thread];
  ++counted.samples;
  ++counted.state_samples[static_cast<size_t>(state)];
  if (!selected) return;
  ++selected_[thread][stack];
  log_.Append({.thread = thread, .stack = stack, .state = state, .pass = pass});
}

std::vector<FrameId> Profile::FramesOf(StackId id) const {
  std::vector<FrameId> frames;
  for (; id != kEmptyStack; id = stacks_[id].caller) frames.push_back(stacks_[id].frame);
  std::reverse(frames.begin(), frames.end());
  return frames;
}

}  // namespace fthreadprof
