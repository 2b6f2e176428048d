#include "export/flamegraph.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "export/call_tree.h"
#include "export/flamegraph_assets.h"
#include "export/gil_text.h"
#include "export/state_style.h"
#include "export/text.h"
#include "export/title.h"

namespace fthreadprof {
namespace {

// Pixels of the static picture; flamegraph.js stretches the width to the window's.
constexpr int kWidth = 1200;
constexpr int kMargin = 10;
constexpr int kFramesWidth = kWidth - 2 * kMargin;
constexpr int kRowHeight = 17;
constexpr int kLineHeight = 21;       // of the heading
constexpr int kControlsHeight = 85;   // controls, details and shares below it
constexpr double kColumnWidth = 7.3;  // of a monospace character at 12 px
constexpr int kMinColumns = 3;

constexpr uint32_t kMaxDepth = 1000;  // levels drawn, a browser's limits in mind
constexpr uint64_t kMinShareDivisor =
    1000;  // frames below a thousandth of all samples are not drawn

// A frame as it is drawn: `start` is the number of samples left of it.
struct Box {
  CallTree::NodeId node = CallTree::kRoot;
  uint64_t start = 0;
};

struct Drawing {
  std::vector<Box> boxes;  // a caller before what it calls, siblings from left to right
  uint32_t levels = 1;
  uint32_t deepest = 0;  // depth of the deepest stack, drawn or not
  bool dropped_narrow = false;
};

Drawing Draw(const CallTree& tree) {
  Drawing drawing;
  for (const CallTree::Node& node : tree.nodes()) {
    drawing.deepest = std::max(drawing.deepest, node.depth);
  }
  std::vector<Box> open = {{}};
  while (!open.empty()) {
    const Box box = open.back();
    open.pop_back();
    const CallTree::Node& node = tree.nodes()[box.node];
    drawing.boxes.push_back(box);
    drawing.levels = std::max(drawing.levels, node.depth + 1);
    if (node.depth == kMaxDepth) continue;
    uint64_t end =
        box.start + node.total - node.self;  // what ends here is drawn as a gap at the right
    for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) {
      const uint64_t count = tree.nodes()[*child].total;
      end -= count;
      if (count * kMinShareDivisor < tree.total()) {
        drawing.dropped_narrow = true;
      } else {
        open.push_back({*child, end});
      }
    }
  }
  return drawing;
}

// FNV-1a: the same function has the same colour in every run and on every machine.
uint32_t Hash(std::string_view text) {
  uint32_t hash = 2166136261u;
  for (const char character : text) hash = (hash ^ static_cast<uint8_t>(character)) * 16777619u;
  return hash;
}

// Warm for the program's own code, paler for libraries, grey for what is no frame.
std::string Colour(const CallTree::Label& label) {
  if (label.origin == CallTree::Origin::kState) {
    return StateColour(FindThreadState(label.function).value_or(ThreadState::kOther));
  }
  if (label.origin == CallTree::Origin::kStructure) return "#c9ced6";
  const uint32_t hash = Hash(label.function);
  uint32_t red = 220 + hash % 36, green = 90 + (hash >> 8) % 120, blue = 40 + (hash >> 16) % 40;
  if (label.origin == CallTree::Origin::kLibrary) {
    red = (red + 250) / 2;
    green = (green + 235) / 2;
    blue = (blue + 215) / 2;
  }
  return absl::StrFormat("#%02x%02x%02x", red, green, blue);
}

std::string Percent(uint64_t part, uint64_t whole) {
  return absl::StrFormat("%.4g%%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

// Calls `visit` with each state that samples of the node are in, and how many those are.
template <typename Visit>
void ForEachState(const CallTree::Node& node, Visit visit) {
  for (size_t state = 0; state < kThreadStateCount; ++state) {
    if (node.states[state] > 0) visit(static_cast<ThreadState>(state), node.states[state]);
  }
}

// "running:41 gil_wait:20"
std::string StatesOf(const CallTree::Node& node) {
  std::string text;
  ForEachState(node, [&](ThreadState state, uint64_t samples) {
    absl::StrAppend(&text, text.empty() ? "" : " ", ThreadStateName(state), ":", samples);
  });
  return text;
}

void WriteBox(const CallTree& tree, const Box& box, std::ostream& out) {
  const CallTree::Node& node = tree.nodes()[box.node];
  const CallTree::Label& label = tree.LabelOf(box.node);
  const uint64_t all = std::max<uint64_t>(tree.total(), 1);
  const double share =
      tree.total() == 0 ? 1.0 : static_cast<double>(node.total) / static_cast<double>(all);
  const int columns = static_cast<int>((share * kFramesWidth - 6) / kColumnWidth);
  const std::string x =
      absl::StrFormat("%.4f%%", 100.0 * static_cast<double>(box.start) / static_cast<double>(all));
  const uint32_t y = node.depth * kRowHeight;
  const std::string& drawn = label.short_text.empty() ? label.text : label.short_text;
  const std::string text =
      columns < kMinColumns ? "" : CutToColumns(drawn, static_cast<size_t>(columns));
  out << "<g data-s=\"" << box.start << "\" data-n=\"" << node.total << "\" data-d=\"" << node.depth
      << "\" data-m=\"" << StatesOf(node);
  if (!label.short_text.empty()) out << "\" data-t=\"" << EscapeXml(label.short_text);
  out << "\"><title>" << EscapeXml(label.text) << " (" << WithThousands(node.total)
      << (node.total == 1 ? " sample, " : " samples, ") << Percent(node.total, all)
      << ")</title><rect x=\"" << x << "\" y=\"" << y << "\" width=\""
      << absl::StrFormat("%.4f%%", 100 * share) << "\" height=\"" << kRowHeight << "\" fill=\""
      << Colour(label) << "\"/><text x=\"" << x << "\" dx=\"3\" y=\"" << y + 12 << "\">"
      << EscapeXml(text) << "</text></g>\n";
}

// The lines above the graph: style class and text.
using HeadingLines = std::vector<std::pair<std::string_view, std::string>>;

HeadingLines Heading(const Profile& profile, const ExportOptions& options, const CallTree& tree,
                     const Drawing& drawing) {
  HeadingLines lines;
  lines.emplace_back("heading", TitleOf(profile, options));
  if (const std::optional<std::string> warning = GilWarning(profile)) {
    lines.emplace_back("warning", *warning);
  }
  lines.emplace_back("about", DescribeSampling(profile, tree.total()));
  if (drawing.deepest > kMaxDepth) {
    lines.emplace_back("about", absl::StrCat("Stacks are up to ", WithThousands(drawing.deepest),
                                             " frames deep; the outermost ",
                                             WithThousands(kMaxDepth), " levels are drawn."));
  }
  if (drawing.dropped_narrow) {
    lines.emplace_back("about", "Frames with less than 0.1% of the samples are not drawn.");
  }
  return lines;
}

constexpr std::string_view kControls =
    R"(<div id="controls"><button id="reset">Reset zoom</button>)"
    R"(<input id="search" type="text" placeholder="regular expression" aria-label="Search"/>)"
    R"(<button id="find">Search</button><button id="by_state" aria-pressed="false">)"
    R"(Colour by state</button><span id="matched" role="status"></span></div>)";

// The states that there are, with their colours: flamegraph.js takes them from here, and shows it
// when it colours by them.
std::string Legend(const CallTree::Node& root) {
  std::string legend = R"(<div id="legend">)";
  ForEachState(root, [&](ThreadState state, uint64_t) {
    absl::StrAppend(&legend, R"(<span data-colour=")", StateColour(state), R"(" title=")",
                    StateSays(state), R"("><i style="background: )", StateColour(state),
                    R"("></i>)", ThreadStateName(state), "</span>");
  });
  return legend + "</div>";
}

// Everything above the frames. It comes behind them in the file, so that it covers them when the
// page scrolls: flamegraph.js keeps it in sight.
void WriteHeader(const HeadingLines& heading, const CallTree::Node& root, int height,
                 std::ostream& out) {
  out << R"(<g id="header">)" << '\n'
      << R"(<rect class="paper" width="100%" height=")" << height << R"(" fill="#fff"/>)" << '\n';
  int y = kMargin;
  for (const auto& [style, text] : heading) {
    out << R"(<text class="fit )" << style << R"(" x=")" << kMargin << R"(" y=")"
        << (y += kLineHeight) << R"(">)" << EscapeXml(text) << "</text>\n";
  }
  out << R"(<foreignObject id="panel" x=")" << kMargin << R"(" y=")" << y + 12 << R"(" width=")"
      << kFramesWidth << R"(" height="28"><div xmlns="http://www.w3.org/1999/xhtml">)" << kControls
      << Legend(root) << "</div></foreignObject>\n"
      << R"(<g id="below"><text id="details" x=")" << kMargin << R"(" y=")" << height - 27
      << R"("></text><text id="shares" x=")" << kMargin << R"(" y=")" << height - 10
      << R"("></text></g>)" << "\n</g>\n";
}

}  // namespace

absl::Status WriteFlamegraph(const Profile& profile, const ExportOptions& options,
                             std::ostream& out) {
  const CallTree tree = CallTree::Build(profile, options);
  const Drawing drawing = Draw(tree);
  const HeadingLines heading = Heading(profile, options, tree, drawing);
  const int frames_y = kMargin + static_cast<int>(heading.size()) * kLineHeight + kControlsHeight;
  const int frames_height = static_cast<int>(drawing.levels) * kRowHeight;
  const int height = frames_y + frames_height + kMargin;

  out << R"(<?xml version="1.0" encoding="UTF-8"?>)" << '\n'
      << R"(<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width=")" << kWidth
      << R"(" height=")" << height << R"(" viewBox="0 0 )" << kWidth << ' ' << height << "\">\n"
      << "<title>" << EscapeXml(heading.front().second) << "</title>\n<style>\n"
      << kFlamegraphStyle << "</style>\n"
      << R"(<rect class="paper" width="100%" height="100%" fill="#fff"/>)" << '\n'
      << R"(<svg id="frames" x=")" << kMargin << R"(" y=")" << frames_y << R"(" width=")"
      << kFramesWidth << R"(" height=")" << frames_height << "\">\n";
  for (const Box& box : drawing.boxes) {
    if (!out.good()) break;
    WriteBox(tree, box, out);
  }
  out << "</svg>\n";
  WriteHeader(heading, tree.nodes()[CallTree::kRoot], frames_y, out);
  out << "<script><![CDATA[\n" << kFlamegraphScript << "]]></script>\n</svg>\n";
  return absl::OkStatus();
}

}  // namespace fthreadprof
