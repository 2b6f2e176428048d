#include "race/source_lines.h"

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "race/plain_text.h"

namespace fthreadprof {
namespace {

constexpr uintmax_t kMaxSourceSize = uintmax_t{8} << 20;
constexpr size_t kMaxFiles = 1000;
constexpr size_t kMaxLine = 200;

}  // namespace

std::string SourceLines::Line(const std::string& file, uint32_t number) {
  auto known = files_.find(file);
  if (known == files_.end()) {
    if (files_.size() >= kMaxFiles) return "";
    known = files_.emplace(file, ReadLines(file)).first;
  }
  const std::vector<std::string>& lines = known->second;
  return number >= 1 && number <= lines.size() ? lines[number - 1] : "";
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
    absl::StripAsciiWhitespace(&line);
    lines.push_back(PrintableText(std::string_view(line).substr(0, kMaxLine)));
  }
  return lines;
}

}  // namespace fthreadprof
