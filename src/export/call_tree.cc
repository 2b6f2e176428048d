#include "export/call_tree.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "export/library_file.h"
#include "export/text.h"

namespace fthreadprof {

class CallTreeBuilder {
 public:
  CallTreeBuilder(const Profile& profile, const ExportOptions& options) : profile_(profile) {
    tree_.nodes_.emplace_back();
    InternLabel({"all", "", CallTree::Origin::kStructure});
    for (size_t id = 0; id < profile.frame_count(); ++id) {
      const Frame& frame = profile.frame(static_cast<FrameId>(id));
      frame_labels_.push_back(InternLabel(
          {FrameText(frame, options.function_only), frame.function,
           IsLibraryFile(frame.file) ? CallTree::Origin::kLibrary : CallTree::Origin::kProgram,
           ShortFrameText(frame, options.function_only)}));
    }
  }

  void AddThread(ThreadIndex thread, const ExportOptions& options) {
    if (profile_.SelectedStacks(thread).empty()) return;
    CallTree::NodeId top = CallTree::kRoot;
    for (const std::string& text : RootTexts(profile_, thread, options)) {
      top = Child(top, InternLabel({text, "", CallTree::Origin::kStructure}));
    }
    if (top != stacks_top_) stack_nodes_.clear();
    stacks_top_ = top;
    for (const auto& [key, count] : profile_.SelectedStacks(thread)) {
      CallTree::NodeId innermost = NodeOf(key.stack, top);
      if (options.by_state) innermost = Child(innermost, StateLabel(key.state));
      CallTree::Node& node = tree_.nodes_[innermost];
      node.self += count;
      node.states[static_cast<size_t>(key.state)] += count;
    }
  }

  CallTree Finish() {
    std::vector<CallTree::Node>& nodes = tree_.nodes_;
    for (size_t id = nodes.size(); id-- > 0;) {
      CallTree::Node& node = nodes[id];
      node.total += node.self;
      if (id != CallTree::kRoot) AddToCaller(node, nodes[node.parent]);
      std::sort(node.children.begin(), node.children.end(),
                [&](CallTree::NodeId a, CallTree::NodeId b) {
                  return tree_.LabelOf(a).text < tree_.LabelOf(b).text;
                });
    }
    if (tree_.total() == 0) tree_.labels_[nodes[CallTree::kRoot].label].text = "no samples";
    return std::move(tree_);
  }

 private:
  static void AddToCaller(const CallTree::Node& node, CallTree::Node& caller) {
    caller.total += node.total;
    for (size_t state = 0; state < kThreadStateCount; ++state) {
      caller.states[state] += node.states[state];
    }
  }

  uint32_t StateLabel(ThreadState state) {
    return InternLabel({StateFrameText(state), ThreadStateName(state), CallTree::Origin::kState});
  }

  uint32_t InternLabel(CallTree::Label label) {
    const auto [entry, is_new] =
        label_ids_.try_emplace(label.text, static_cast<uint32_t>(tree_.labels_.size()));
    if (is_new) tree_.labels_.push_back(std::move(label));
    return entry->second;
  }

  CallTree::NodeId Child(CallTree::NodeId parent, uint32_t label) {
    std::vector<CallTree::Node>& nodes = tree_.nodes_;
    const auto [entry, is_new] = children_.try_emplace(uint64_t{parent} << 32 | label,
                                                       static_cast<CallTree::NodeId>(nodes.size()));
    if (is_new) {
      nodes[parent].children.push_back(entry->second);
      const uint32_t depth = nodes[parent].depth + 1;
      nodes.push_back({.parent = parent, .label = label, .depth = depth});
    }
    return entry->second;
  }

  CallTree::NodeId NodeOf(StackId stack, CallTree::NodeId top) {
    if (stack == kEmptyStack) {
      return Child(top, InternLabel({"(no Python frames)", "", CallTree::Origin::kStructure}));
    }
    std::vector<StackId> missing;  // innermost first
    CallTree::NodeId node = top;
    for (; stack != kEmptyStack; stack = profile_.Caller(stack)) {
      if (const auto known = stack_nodes_.find(stack); known != stack_nodes_.end()) {
        node = known->second;
        break;
      }
      missing.push_back(stack);
    }
    for (auto next = missing.rbegin(); next != missing.rend(); ++next) {
      node = Child(node, frame_labels_[profile_.InnermostFrame(*next)]);
      stack_nodes_[*next] = node;
    }
    return node;
  }

  const Profile& profile_;
  CallTree tree_;
  absl::flat_hash_map<std::string, uint32_t> label_ids_;
  std::vector<uint32_t> frame_labels_;                        // by FrameId
  absl::flat_hash_map<uint64_t, CallTree::NodeId> children_;  // key: parent << 32 | label
  CallTree::NodeId stacks_top_ = CallTree::kRoot;             // under which stack_nodes_ stand
  absl::flat_hash_map<StackId, CallTree::NodeId> stack_nodes_;
};

CallTree CallTree::Build(const Profile& profile, const ExportOptions& options) {
  CallTreeBuilder builder(profile, options);
  for (size_t thread = 0; thread < profile.threads().size(); ++thread) {
    builder.AddThread(static_cast<ThreadIndex>(thread), options);
  }
  return builder.Finish();
}

}  // namespace fthreadprof
