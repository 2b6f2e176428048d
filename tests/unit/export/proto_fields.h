// Any protocol buffer taken apart, for the tests of the formats that are one.
#ifndef FTHREADPROF_TESTS_UNIT_EXPORT_PROTO_FIELDS_H_
#define FTHREADPROF_TESTS_UNIT_EXPORT_PROTO_FIELDS_H_

#include <cstdint>
#include <map>
#include <protozero/pbf_reader.hpp>
#include <protozero/varint.hpp>
#include <string>
#include <vector>

namespace fthreadprof {

// The numbers, and the strings or messages, of a message, by field. Throws protozero::exception
// when it is no message.
struct ProtoFields {
  std::map<uint32_t, std::vector<uint64_t>> numbers;
  std::map<uint32_t, std::vector<std::string>> texts;

  explicit ProtoFields(const std::string& message) {
    for (protozero::pbf_reader field(message); field.next();) {
      if (field.wire_type() == protozero::pbf_wire_type::varint) {
        numbers[field.tag()].push_back(field.get_uint64());
      } else {
        texts[field.tag()].push_back(field.get_bytes());  // throws when it is of another type
      }
    }
  }
  uint64_t Number(uint32_t tag) { return numbers[tag].empty() ? 0 : numbers[tag].front(); }
  std::string Text(uint32_t tag) { return texts[tag].empty() ? "" : texts[tag].front(); }
  std::vector<uint64_t> Packed(uint32_t tag) {
    const std::string packed = Text(tag);
    std::vector<uint64_t> unpacked;
    for (const char *at = packed.data(), *end = at + packed.size(); at != end;) {
      unpacked.push_back(protozero::decode_varint(&at, end));
    }
    return unpacked;
  }
};

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_EXPORT_PROTO_FIELDS_H_
