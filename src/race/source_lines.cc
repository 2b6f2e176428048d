#include "race/source_lines.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "race/plain_text.h"

namespace fthreadprof {
namespace {

constexpr uintmax_t kMaxSourceSize = uintmax_t{8} << 20;
constexpr size_t kMaxFiles = 1000;
constexpr size_t kMaxLine = 200;  // without its indentation
constexpr size_t kLinesAround = 3;

size_t IndentationOf(const std::string& line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

void RemoveCommonIndentation(std::vector<std::string>& lines) {
  size_t common = std::string::npos;
  for (const std::string& line : lines) {
    if (!line.empty()) common = std::min(common, IndentationOf(line));
  }
  for (std::string& line : lines) line.erase(0, common);
}

}  // namespace

std::string SourceLines::Line(const std::string& file, uint32_t number) {
  const std::vector<std::string>& lines = LinesOf(file);
  if (number < 1 || number > lines.size()) return "";
  return std::string(absl::StripLeadingAsciiWhitespace(lines[number - 1]));
}

SourceExcerpt SourceLines::Excerpt(const std::string& file, uint32_t number) {
  const std::vector<std::string>& lines = LinesOf(file);
  if (number < 1 || number > lines.size()) return {};
  size_t first = number > kLinesAround ? number - kLinesAround : 1;
  size_t last = std::min<size_t>(lines.size(), size_t{number} + kLinesAround);
  while (first < number && lines[first - 1].empty()) ++first;
  while (last > number && lines[last - 1].empty()) --last;
  SourceExcerpt excerpt;
  excerpt.first_line = static_cast<uint32_t>(first);
  excerpt.lines.assign(lines.begin() + static_cast<ptrdiff_t>(first - 1),
                       lines.begin() + static_cast<ptrdiff_t>(last));
  RemoveCommonIndentation(excerpt.lines);
  return excerpt;
}

const std::vector<std::string>& SourceLines::LinesOf(const std::string& file) {
  static const std::vector<std::string> kNone;
  auto known = files_.find(file);
  if (known == files_.end()) {
    if (files_.size() >= kMaxFiles) return kNone;
    known = files_.emplace(file, ReadLines(file)).first;
  }
  return known->second;
}

std::vector<std::string> SourceLines::ReadLines(const std::string& file) const {
  if (file.empty() || file.starts_with('<')) return {};
  std::filesystem::path path = file;
  if (path.is_relative()) path = std::filesystem::path(directory_) / path;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return {};
  if (std::filesystem::file_size(path, error) > kMaxSourceSize || error) return {};
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    absl::StripTrailingAsciiWhitespace(&line);
    line = absl::StrReplaceAll(line, {{"\t", "    "}});
    const size_t indentation = IndentationOf(line);
    line.resize(std::min(line.size(), indentation + kMaxLine));
    lines.push_back(PrintableText(line));
  }
  return lines;
}

}  // namespace fthreadprof
