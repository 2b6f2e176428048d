#include "export/pprof.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <protozero/pbf_builder.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "export/gil_text.h"
#include "export/text.h"
#include "export/title.h"

namespace fthreadprof {
namespace {

// Field numbers of profile.proto.
enum class ProfileField : uint32_t {
  kSampleType = 1,
  kSample = 2,
  kMapping = 3,
  kLocation = 4,
  kFunction = 5,
  kStringTable = 6,
  kDurationNanos = 10,
  kPeriodType = 11,
  kPeriod = 12,
  kComment = 13,
  kDefaultSampleType = 14,
};
enum class ValueType : uint32_t { kType = 1, kUnit = 2 };
enum class Sample : uint32_t { kLocationId = 1, kValue = 2, kLabel = 3 };
enum class Label : uint32_t { kKey = 1, kStr = 2, kNum = 3 };
enum class Mapping : uint32_t {
  kId = 1,
  kFilename = 5,
  kHasFunctions = 7,
  kHasFilenames = 8,
  kHasLineNumbers = 9
};
enum class Location : uint32_t { kId = 1, kMappingId = 2, kLine = 4 };
enum class Line : uint32_t { kFunctionId = 1, kLine = 2 };
enum class Function : uint32_t { kId = 1, kName = 2, kFilename = 4 };

constexpr uint64_t kMappingId = 1;  // there is one: the interpreter

class PprofWriter {
 public:
  PprofWriter(const Profile& profile, const ExportOptions& options)
      : profile_(profile), options_(options), message_(bytes_) {
    Intern("");  // string 0 must be empty
  }

  std::string Write() {
    AddValueType(ProfileField::kSampleType, "samples", "count");
    AddValueType(ProfileField::kSampleType, "wall", "nanoseconds");
    AddMapping();
    AddSamples();
    AddValueType(ProfileField::kPeriodType, "wall", "nanoseconds");
    message_.add_int64(ProfileField::kPeriod, WallNanoseconds(1));
    message_.add_int64(ProfileField::kDurationNanos,
                       std::llround(profile_.sampling.duration_s * 1e9));
    std::vector<int64_t> comments;
    if (const auto warning = GilWarning(profile_)) comments.push_back(Intern(*warning));
    comments.push_back(Intern(TitleOf(profile_, options_)));
    comments.push_back(Intern(DescribeSampling(profile_, samples_)));
    message_.add_packed_int64(ProfileField::kComment, comments.begin(), comments.end());
    message_.add_int64(ProfileField::kDefaultSampleType, Intern("samples"));
    for (const std::string& text : strings_) message_.add_bytes(ProfileField::kStringTable, text);
    return std::move(bytes_);
  }

 private:
  int64_t Intern(const std::string& text) {
    const auto [entry, is_new] =
        string_ids_.try_emplace(text, static_cast<int64_t>(strings_.size()));
    if (is_new) strings_.push_back(text);
    return entry->second;
  }

  int64_t WallNanoseconds(uint64_t samples) const {
    const double hz = profile_.sampling.achieved_hz();
    return hz > 0 ? std::llround(static_cast<double>(samples) * 1e9 / hz) : 0;
  }

  void AddValueType(ProfileField field, const std::string& type, const std::string& unit) {
    protozero::pbf_builder<ValueType> value(message_, field);
    value.add_int64(ValueType::kType, Intern(type));
    value.add_int64(ValueType::kUnit, Intern(unit));
  }

  void AddMapping() {
    protozero::pbf_builder<Mapping> mapping(message_, ProfileField::kMapping);
    mapping.add_uint64(Mapping::kId, kMappingId);
    mapping.add_int64(Mapping::kFilename, Intern(PlainText(profile_.target().executable)));
    mapping.add_bool(Mapping::kHasFunctions, true);
    mapping.add_bool(Mapping::kHasFilenames, true);
    mapping.add_bool(Mapping::kHasLineNumbers, !options_.function_only);
  }

  void AddSamples() {
    for (ThreadIndex thread = 0; thread < profile_.threads().size(); ++thread) {
      for (const auto& [key, count] : profile_.SelectedStacks(thread)) {
        AddSample(thread, key, count);
        samples_ += count;
      }
    }
  }

  void AddSample(ThreadIndex index, const SelectedStack& key, uint64_t count) {
    const ProfiledThread& thread = profile_.threads()[index];
    std::vector<uint64_t> locations;  // innermost first
    for (StackId at = key.stack; at != kEmptyStack; at = profile_.Caller(at)) {
      locations.push_back(LocationOf(profile_.frame(profile_.InnermostFrame(at))));
    }
    if (key.stack == kEmptyStack) locations.push_back(LocationOf({"(no Python frames)", "", 0}));
    const std::vector<std::string> roots = RootTexts(profile_, index, options_);
    for (auto root = roots.rbegin(); root != roots.rend(); ++root) {
      locations.push_back(LocationOf({*root, "", 0}));
    }
    const std::vector<int64_t> values = {static_cast<int64_t>(count), WallNanoseconds(count)};
    const TargetInfo& process = profile_.processes()[thread.process];
    protozero::pbf_builder<Sample> sample(message_, ProfileField::kSample);
    sample.add_packed_uint64(Sample::kLocationId, locations.begin(), locations.end());
    sample.add_packed_int64(Sample::kValue, values.begin(), values.end());
    AddLabel(sample, "thread", PlainText(thread.name));
    AddLabel(sample, "tid", absl::StrCat(thread.tid));
    AddLabel(sample, "process", absl::StrCat(process.pid));
    AddLabel(sample, "state", ThreadStateName(key.state));
  }

  void AddLabel(protozero::pbf_builder<Sample>& sample, const std::string& key,
                const std::string& value) {
    protozero::pbf_builder<Label> label(sample, Sample::kLabel);
    label.add_int64(Label::kKey, Intern(key));
    label.add_int64(Label::kStr, Intern(value));
  }

  uint64_t LocationOf(Frame frame) {
    if (options_.function_only) frame.line = 0;
    const auto [entry, is_new] = locations_.try_emplace(frame, locations_.size() + 1);
    const uint64_t id = entry->second;
    if (!is_new) return id;
    pending_.clear();
    protozero::pbf_builder<Location> location(pending_);
    location.add_uint64(Location::kId, id);
    location.add_uint64(Location::kMappingId, kMappingId);
    {
      protozero::pbf_builder<Line> line(location, Location::kLine);
      line.add_uint64(Line::kFunctionId, FunctionOf(frame));
      line.add_int64(Line::kLine, frame.line);
    }
    message_.add_message(ProfileField::kLocation, pending_);
    return id;
  }

  uint64_t FunctionOf(Frame frame) {
    frame.line = 0;
    const auto [entry, is_new] = functions_.try_emplace(frame, functions_.size() + 1);
    if (is_new) {
      protozero::pbf_builder<Function> function(message_, ProfileField::kFunction);
      function.add_uint64(Function::kId, entry->second);
      // Without a system name, or pprof would take <module> for the arguments of a C++ template.
      function.add_int64(Function::kName, Intern(PlainText(frame.function)));
      function.add_int64(Function::kFilename, Intern(PlainText(frame.file)));
    }
    return entry->second;
  }

  const Profile& profile_;
  const ExportOptions& options_;
  std::string bytes_;
  protozero::pbf_builder<ProfileField> message_;
  std::string pending_;  // a location, while its function is written
  std::vector<std::string> strings_;
  absl::flat_hash_map<std::string, int64_t> string_ids_;
  absl::flat_hash_map<Frame, uint64_t> locations_;
  absl::flat_hash_map<Frame, uint64_t> functions_;  // their line is 0
  uint64_t samples_ = 0;
};

absl::Status WriteGzip(const std::string& bytes, std::ostream& out) {
  constexpr int kGzip = 16;  // added to the window's bits: the header is that of gzip
  z_stream stream = {};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzip, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return absl::ResourceExhaustedError("not enough memory to compress the output");
  }
  std::string piece(size_t{1} << 16, '\0');
  size_t taken = 0;
  for (int result = Z_OK; result != Z_STREAM_END;) {
    if (stream.avail_in == 0) {
      const size_t size = std::min(bytes.size() - taken, size_t{1} << 20);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + taken));
      stream.avail_in = static_cast<uInt>(size);
      taken += size;
    }
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    result = deflate(&stream, taken == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    out.write(piece.data(), static_cast<std::streamsize>(piece.size() - stream.avail_out));
  }
  deflateEnd(&stream);
  return absl::OkStatus();
}

}  // namespace

absl::Status WritePprof(const Profile& profile, const ExportOptions& options, std::ostream& out) {
  return WriteGzip(PprofWriter(profile, options).Write(), out);
}

}  // namespace fthreadprof
