#include "export/text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/utf8.h"

namespace fthreadprof {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// Takes one code point off the front of `text`; kReplacement, and one byte, where it is not UTF-8
// (overlong forms, surrogates and values past U+10FFFF are not).
char32_t TakeCodePoint(std::string_view& text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  const size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  char32_t point = size == 1 ? lead : lead & (0x7Fu >> size);
  bool valid = (lead < 0x80 || (lead >= 0xC2 && lead <= 0xF4)) && size <= text.size();
  for (size_t i = 1; valid && i < size; ++i) {
    valid = (byte(i) & 0xC0) == 0x80;
    point = point << 6 | (byte(i) & 0x3Fu);
  }
  valid = valid && point >= kSmallest[size] && point <= 0x10FFFF &&
          !(point >= 0xD800 && point <= 0xDFFF);
  text.remove_prefix(valid ? size : 1);
  return valid ? point : kReplacement;
}

char32_t Printable(char32_t point) {
  if (point < 0x20) return 0x2400 + point;  // U+2400 SYMBOL FOR NULL and the following
  if (point == 0x7F) return 0x2421;         // SYMBOL FOR DELETE
  const bool c1_control = point >= 0x80 && point < 0xA0;
  const bool line_break = point == 0x2028 || point == 0x2029;
  const bool no_xml = point == 0xFFFE || point == 0xFFFF;
  return c1_control || line_break || no_xml ? kReplacement : point;
}

// Roughly the wide ranges of Unicode's East Asian Width; good enough to keep text inside its box.
bool IsWide(char32_t point) {
  return (point >= 0x1100 && point <= 0x115F) || (point >= 0x2E80 && point <= 0xA4CF) ||
         (point >= 0xAC00 && point <= 0xD7A3) || (point >= 0xF900 && point <= 0xFAFF) ||
         (point >= 0xFE30 && point <= 0xFE6F) || (point >= 0xFF00 && point <= 0xFF60) ||
         (point >= 0x1F300 && point <= 0x1FAFF) || (point >= 0x20000 && point <= 0x3FFFD);
}

}  // namespace

std::string PlainText(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) AppendUtf8(plain, Printable(TakeCodePoint(text)));
  return plain;
}

std::string FrameText(const Frame& frame, bool function_only) {
  const std::string where = frame.file.empty() ? "?" : PlainText(frame.file);
  const std::string line = function_only || frame.line <= 0 ? "" : absl::StrCat(":", frame.line);
  return absl::StrCat(frame.function.empty() ? "?" : PlainText(frame.function), " (", where, line,
                      ")");
}

std::string ShortFrameText(const Frame& frame, bool function_only) {
  const size_t slash = frame.file.rfind('/');
  if (slash == std::string::npos || slash + 1 == frame.file.size()) return "";
  return FrameText({frame.function, frame.file.substr(slash + 1), frame.line}, function_only);
}

std::string ProcessText(const TargetInfo& process) {
  constexpr size_t kMaxColumns = 120;  // of a command: some are whole programs
  const std::string what =
      PlainText(process.command.empty() ? process.executable : process.command);
  return absl::StrCat("process ", process.pid, what.empty() ? "" : " ",
                      CutToColumns(what, kMaxColumns));
}

std::string ThreadText(const ProfiledThread& thread) {
  return absl::StrCat(thread.tasks ? "" : "thread ",
                      thread.name.empty() ? "?" : PlainText(thread.name), " (", thread.tid, ")");
}

std::string LockText(LockKind kind, std::string_view type) {
  switch (kind) {
    case LockKind::kObject:
      return absl::StrCat("the lock of a ", PlainText(type));
    case LockKind::kLock:
      return "a Lock";
    case LockKind::kRLock:
      return "an RLock";
    case LockKind::kNative:
      break;
  }
  return "a lock of native code";
}

std::string InterpreterText(const ProfiledThread& thread) {
  return absl::StrCat("interpreter ", thread.interpreter);
}

std::string StateFrameText(ThreadState state) {
  return absl::StrCat("[", ThreadStateName(state), "]");
}

std::vector<std::string> RootTexts(const Profile& profile, ThreadIndex thread,
                                   const ExportOptions& options) {
  const ProfiledThread& of = profile.threads()[thread];
  std::vector<std::string> texts;
  if (options.processes) texts.push_back(ProcessText(profile.processes()[of.process]));
  if (options.threads) texts.push_back(ThreadText(of));
  if (of.interpreter != 0) texts.push_back(InterpreterText(of));
  return texts;
}

std::string EscapeXml(std::string_view plain) {
  std::string xml;
  xml.reserve(plain.size());
  for (const char character : plain) {
    switch (character) {
      case '&':
        xml += "&amp;";
        break;
      case '<':
        xml += "&lt;";
        break;
      case '>':
        xml += "&gt;";
        break;
      case '"':
        xml += "&quot;";
        break;
      case '\'':
        xml += "&apos;";
        break;
      default:
        xml += character;
    }
  }
  return xml;
}

size_t ColumnsOf(std::string_view plain) {
  size_t columns = 0;
  while (!plain.empty()) columns += IsWide(TakeCodePoint(plain)) ? 2 : 1;
  return columns;
}

std::string CutToColumns(std::string_view plain, size_t columns) {
  if (ColumnsOf(plain) <= columns) return std::string(plain);
  constexpr std::string_view kCut = "..";
  std::string cut;
  size_t used = kCut.size();
  while (!plain.empty()) {
    const char32_t point = TakeCodePoint(plain);
    used += IsWide(point) ? 2 : 1;
    if (used > columns) break;
    AppendUtf8(cut, point);
  }
  return cut.empty() ? cut : cut.append(kCut);
}

std::string WithThousands(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t i = digits.size(); i > 3;) digits.insert(i -= 3, ",");
  return digits;
}

std::string Percent(double fraction) { return absl::StrFormat("%.0f %%", 100 * fraction); }

}  // namespace fthreadprof
