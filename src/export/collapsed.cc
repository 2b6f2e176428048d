#include "export/collapsed.h"

#include <algorithm>
#include <string>
#include <vector>

#include "export/call_tree.h"

namespace fthreadprof {

absl::Status WriteCollapsed(const Profile& profile, const ExportOptions& options,
                            std::ostream& out) {
  const CallTree tree = CallTree::Build(profile, options);

  // Depth first without recursion: `line` holds the frames down to the node at hand, `ends` where
  // each of them ends, so that going up is cutting off.
  std::string line;
  std::vector<size_t> ends = {0};
  std::vector<CallTree::NodeId> open = {CallTree::kRoot};
  while (!open.empty() && out.good()) {
    const CallTree::NodeId id = open.back();
    const CallTree::Node& node = tree.nodes()[id];
    open.pop_back();
    if (id != CallTree::kRoot) {
      ends.resize(node.depth);
      line.resize(ends.back());
      if (!line.empty()) line += ';';
      std::string text = tree.LabelOf(id).text;
      std::replace(text.begin(), text.end(), ';', ',');
      line += text;
      ends.push_back(line.size());
    }
    if (node.self > 0) out << line << ' ' << node.self << '\n';
    open.insert(open.end(), node.children.rbegin(), node.children.rend());
  }
  return absl::OkStatus();
}

}  // namespace fthreadprof
