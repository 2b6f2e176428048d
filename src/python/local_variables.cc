#include "python/local_variables.h"

#include <algorithm>

#include "base/status_macros.h"
#include "python/object_layout.h"

namespace fthreadprof {
namespace {

// More variables than a function written by hand or by a program has; it bounds a corrupt length.
constexpr uint64_t kMaxVariables = 4096;
constexpr size_t kMaxVariableName = 256;

absl::Status TornFrame() { return absl::DataLossError("a frame changed while it was read"); }

}  // namespace

absl::StatusOr<std::vector<LocalVariable>> LocalsReader::Read(const FrameRecord& frame,
                                                              const CodeInfo& code,
                                                              bool with_values) {
  FTP_ASSIGN_OR_RETURN(const Slots* slots, FindSlots(code));
  std::vector<uint64_t> words(slots->names.size());
  FTP_RETURN_IF_ERROR(CheckFrame(frame));
  if (!words.empty()) {
    FTP_RETURN_IF_ERROR(memory_.Read(frame.address + offsets_.interpreter_frame.localsplus,
                                     words.data(), words.size() * kWordSize));
  }
  std::vector<LocalVariable> variables;
  for (size_t i = 0; i < words.size(); ++i) {
    const ObjectPtr object = ObjectIn(words[i], slots->kinds[i]);
    if (!object) continue;
    variables.push_back({slots->names[i], values_.TypeOf(object),
                         with_values ? values_.Spell(object) : std::string()});
  }
  FTP_RETURN_IF_ERROR(CheckFrame(frame));
  return variables;
}

ObjectPtr LocalsReader::ObjectIn(uint64_t slot, uint8_t kind) {
  const ObjectPtr object(layout_.StripTags(slot));
  const bool may_be_cell = (kind & (LocalKind::kCell | LocalKind::kFree)) != 0;
  if (!object || !may_be_cell || !values_.IsBuiltin(object, "cell")) return object;
  const auto content = memory_.ReadValue<uint64_t>(object.address() + CellRefField(offsets_));
  return content.ok() ? ObjectPtr(*content) : object;
}

// A frame that was left is cleared, or holds another call by now.
absl::Status LocalsReader::CheckFrame(const FrameRecord& frame) {
  std::vector<uint8_t> bytes(layout_.size());
  FTP_RETURN_IF_ERROR(memory_.Read(frame.address, bytes.data(), bytes.size()));
  const FrameRecord now = layout_.Decode(frame.address, bytes.data());
  const bool same = now.executable == frame.executable && now.previous == frame.previous;
  return same ? absl::OkStatus() : TornFrame();
}

absl::StatusOr<const LocalsReader::Slots*> LocalsReader::FindSlots(const CodeInfo& code) {
  auto known = slots_.find(code.serial);
  if (known == slots_.end()) {
    FTP_ASSIGN_OR_RETURN(Slots slots, ReadSlots(code));
    known = slots_.emplace(code.serial, std::move(slots)).first;
  }
  return &known->second;
}

absl::StatusOr<LocalsReader::Slots> LocalsReader::ReadSlots(const CodeInfo& code) {
  FTP_ASSIGN_OR_RETURN(
      const uint64_t names,
      memory_.ReadValue<uint64_t>(code.address + offsets_.code_object.localsplusnames));
  FTP_ASSIGN_OR_RETURN(
      const uint64_t kinds,
      memory_.ReadValue<uint64_t>(code.address + offsets_.code_object.localspluskinds));
  FTP_ASSIGN_OR_RETURN(const uint64_t count,
                       memory_.ReadValue<uint64_t>(names + offsets_.tuple_object.ob_size));
  if (count > std::min(kMaxVariables, code.framesize / kWordSize)) return TornFrame();
  Slots slots;
  FTP_ASSIGN_OR_RETURN(slots.kinds, objects_.ReadBytes(ObjectPtr(kinds), kMaxVariables));
  if (slots.kinds.size() != count) return TornFrame();
  std::vector<uint64_t> items(count);
  if (count > 0) {
    FTP_RETURN_IF_ERROR(memory_.Read(names + offsets_.tuple_object.ob_item, items.data(),
                                     items.size() * kWordSize));
  }
  for (const uint64_t item : items) {
    FTP_ASSIGN_OR_RETURN(std::string name, objects_.ReadStr(ObjectPtr(item), kMaxVariableName));
    slots.names.push_back(std::move(name));
  }
  return slots;
}

}  // namespace fthreadprof
