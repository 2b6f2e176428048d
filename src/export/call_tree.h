// CallTree merges the selected samples of a profile into one tree of frames as they are spelled in
// an output. Naive model: a map from each stack's list of texts to its sample count; the tree
// shares the prefixes, so that thousands of deep stacks fit in memory. Nothing here recurses.
//
// Lifetime: owns its data. Thread safety: immutable after Build.
#ifndef FTHREADPROF_EXPORT_CALL_TREE_H_
#define FTHREADPROF_EXPORT_CALL_TREE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "export/export_options.h"
#include "profile/profile.h"

namespace fthreadprof {

class CallTree {
 public:
  using NodeId = uint32_t;
  using StateSamples = std::array<uint64_t, kThreadStateCount>;
  // Parent of all outermost frames, called "all", or "no samples"; its `total` is the number of
  // selected samples.
  static constexpr NodeId kRoot = 0;

  // Structure: no frame. State: a frame that --by-state adds.
  enum class Origin : uint8_t { kProgram, kLibrary, kStructure, kState };
  struct Label {
    std::string text;      // plain, "function (file:line)"
    std::string function;  // what chooses the colour; of a state, its name
    Origin origin = Origin::kStructure;
    std::string short_text{};  // the same without the file's directories; empty: it has none
  };
  struct Node {
    NodeId parent = kRoot;
    uint32_t label = 0;
    uint32_t depth = 0;              // 0: the root
    uint64_t self = 0;               // samples that end here
    uint64_t total = 0;              // samples that come through here
    StateSamples states{};           // the same by state
    std::vector<NodeId> children{};  // by text
  };

  // Samples of a thread without Python frames stand under the frame "(no Python frames)".
  static CallTree Build(const Profile& profile, const ExportOptions& options);

  // A parent comes before its children.
  const std::vector<Node>& nodes() const { return nodes_; }
  const Label& LabelOf(NodeId node) const { return labels_[nodes_[node].label]; }
  uint64_t total() const { return nodes_[kRoot].total; }

 private:
  friend class CallTreeBuilder;
  std::vector<Label> labels_;
  std::vector<Node> nodes_;
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_EXPORT_CALL_TREE_H_
