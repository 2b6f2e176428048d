#include "unit/export/decoded_totals.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <exception>
#include <nlohmann/json.hpp>
#include <regex>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "unit/export/proto_fields.h"

namespace fthreadprof {
namespace {

using nlohmann::json;

constexpr const char* kNoFrames = "(no Python frames)";

std::string FrameName(const std::string& function, const std::string& file) {
  return file.empty() ? function : absl::StrCat(function, " (", file, ")");
}

FunctionTotals DecodeCollapsed(const std::string& bytes, double) {
  FunctionTotals totals;
  for (const absl::string_view line : absl::StrSplit(bytes, '\n', absl::SkipEmpty())) {
    const size_t space = line.rfind(' ');
    uint64_t count = 0;
    EXPECT_TRUE(absl::SimpleAtoi(line.substr(space + 1), &count)) << line;
    for (const absl::string_view frame : absl::StrSplit(line.substr(0, space), ';')) {
      totals[std::string(frame)] += count;
    }
  }
  return totals;
}

FunctionTotals DecodeFlamegraph(const std::string& bytes, double) {
  FunctionTotals totals;
  const std::regex box(
      R"re(<g data-s="\d+" data-n="(\d+)"[^>]*><title>(.*) \([0-9,]+ samples?, )re");
  for (const absl::string_view line : absl::StrSplit(bytes, '\n')) {
    std::cmatch match;
    if (!std::regex_search(line.begin(), line.end(), match, box)) continue;
    const std::string name = absl::StrReplaceAll(
        match[2].str(),
        {{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&amp;", "&"}});
    if (name != "all") totals[name] += std::stoull(match[1].str());
  }
  return totals;
}

FunctionTotals DecodeSpeedscope(const std::string& bytes, double hz) {
  FunctionTotals totals;
  const json document = json::parse(bytes);
  const json& frames = document["shared"]["frames"];
  for (const json& profile : document["profiles"]) {
    for (size_t i = 0; i < profile["samples"].size(); ++i) {
      const auto count =
          static_cast<uint64_t>(std::llround(profile["weights"][i].get<double>() * hz));
      if (profile["samples"][i].empty()) totals[kNoFrames] += count;
      for (const size_t index : profile["samples"][i]) {
        totals[FrameName(frames[index]["name"], frames[index].value("file", ""))] += count;
      }
    }
  }
  return totals;
}

FunctionTotals DecodeGecko(const std::string& bytes, double) {
  FunctionTotals totals;
  const json document = json::parse(bytes);
  for (const json& thread : document["threads"]) {
    const auto name_of = [&](size_t frame) {
      const size_t function = thread["frameTable"]["func"][frame];
      const json& file = thread["funcTable"]["fileName"][function];
      const auto string = [&](size_t row) { return thread["stringArray"][row].get<std::string>(); };
      return FrameName(string(thread["funcTable"]["name"][function]),
                       file.is_null() ? "" : string(file));
    };
    EXPECT_EQ(thread["samples"]["length"], thread["samples"]["stack"].size());
    for (json row : thread["samples"]["stack"]) {
      for (; !row.is_null(); row = thread["stackTable"]["prefix"][row.get<size_t>()]) {
        ++totals[name_of(thread["stackTable"]["frame"][row.get<size_t>()])];
      }
    }
  }
  return totals;
}

// Field numbers are those of profile.proto.
FunctionTotals DecodePprof(const std::string& bytes, double) {
  ProtoFields profile(Gunzip(bytes));
  const std::vector<std::string>& strings = profile.texts[6];
  std::map<uint64_t, std::string> functions, locations;
  for (const std::string& message : profile.texts[5]) {
    ProtoFields function(message);
    functions[function.Number(1)] =
        FrameName(strings.at(function.Number(2)), strings.at(function.Number(4)));
  }
  for (const std::string& message : profile.texts[4]) {
    ProtoFields location(message);
    locations[location.Number(1)] = functions.at(ProtoFields(location.Text(4)).Number(1));
  }
  FunctionTotals totals;
  for (const std::string& message : profile.texts[2]) {
    ProtoFields sample(message);
    for (const uint64_t id : sample.Packed(1)) totals[locations.at(id)] += sample.Packed(2).at(0);
  }
  return totals;
}

// Field numbers are those of perfetto_trace.proto.
FunctionTotals DecodePerfetto(const std::string& bytes, double) {
  FunctionTotals totals;
  std::map<uint64_t, std::string> names, frames;
  std::map<uint64_t, std::vector<uint64_t>> callstacks;
  ProtoFields trace(bytes);
  for (const std::string& message : trace.texts[1]) {
    ProtoFields packet(message);
    ProtoFields interned(packet.Text(12));
    for (const std::string& text : interned.texts[5])
      names[ProtoFields(text).Number(1)] = ProtoFields(text).Text(2);
    for (const std::string& text : interned.texts[6]) {
      frames[ProtoFields(text).Number(1)] = names.at(ProtoFields(text).Number(2));
    }
    for (const std::string& text : interned.texts[7]) {
      callstacks[ProtoFields(text).Number(1)] = ProtoFields(text).numbers[2];
    }
    if (!packet.texts.contains(66)) continue;
    for (const uint64_t frame : callstacks.at(ProtoFields(packet.Text(66)).Number(4))) {
      ++totals[frames.at(frame)];
    }
  }
  return totals;
}

}  // namespace

FunctionTotals DecodeTotals(std::string_view format, const std::string& bytes, double hz) {
  const std::map<std::string_view, FunctionTotals (*)(const std::string&, double)> decoders = {
      {"flamegraph", &DecodeFlamegraph}, {"collapsed", &DecodeCollapsed},
      {"speedscope", &DecodeSpeedscope}, {"pprof", &DecodePprof},
      {"gecko", &DecodeGecko},           {"perfetto", &DecodePerfetto},
  };
  const auto decoder = decoders.find(format);
  if (decoder == decoders.end()) {
    ADD_FAILURE() << "no decoder of " << format << ": its totals are compared with nothing";
    return {};
  }
  try {
    return decoder->second(bytes, hz);
  } catch (const std::exception& error) {
    ADD_FAILURE() << format << ": " << error.what();
    return {};
  }
}

std::string Gunzip(const std::string& bytes) {
  z_stream stream = {};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string content, piece(1 << 16, '\0');
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    result = inflate(&stream, Z_NO_FLUSH);
    content.append(piece, 0, piece.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  EXPECT_EQ(result, Z_STREAM_END) << "cut off or damaged";
  EXPECT_EQ(stream.avail_in, 0u) << "something behind the end";
  return content;
}

}  // namespace fthreadprof
