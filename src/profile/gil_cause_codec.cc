#include "profile/gil_cause_codec.h"

#include <protozero/pbf_builder.hpp>
#include <protozero/pbf_message.hpp>
#include <utility>

#include "base/status_macros.h"
#include "profile/recording_format.h"

namespace fthreadprof {
namespace {

using protozero::pbf_message;
using recording::FrameField;
using recording::GilCauseField;
using recording::ModuleField;

std::string TextOf(protozero::data_view view) { return {view.data(), view.size()}; }

ImportPlace DecodePlace(pbf_message<FrameField> message) {
  ImportPlace place;
  while (message.next()) {
    switch (message.tag()) {
      case FrameField::kFunction:
        place.function = TextOf(message.get_view());
        break;
      case FrameField::kFile:
        place.file = TextOf(message.get_view());
        break;
      case FrameField::kLine:
        place.line = message.get_int32();
        break;
      default:
        message.skip();
    }
  }
  return place;
}

ImportedModule DecodeModule(pbf_message<ModuleField> message) {
  ImportedModule module;
  while (message.next()) {
    switch (message.tag()) {
      case ModuleField::kName:
        module.name = TextOf(message.get_view());
        break;
      case ModuleField::kFile:
        module.file = TextOf(message.get_view());
        break;
      case ModuleField::kCanRunWithout:
        module.can_run_without = message.get_bool();
        break;
      default:
        message.skip();
    }
  }
  return module;
}

}  // namespace

std::string EncodeGilCause(const GilCause& cause) {
  std::string bytes;
  protozero::pbf_builder<GilCauseField> message(bytes);
  message.add_bool(GilCauseField::kByOption, cause.by_option);
  message.add_bytes(GilCauseField::kModule, cause.module);
  message.add_bool(GilCauseField::kIsCertain, cause.is_certain);
  if (cause.at_s) message.add_double(GilCauseField::kAtSeconds, *cause.at_s);
  for (const ImportPlace& place : cause.stack) {
    protozero::pbf_builder<FrameField> frame(message, GilCauseField::kStack);
    frame.add_bytes(FrameField::kFunction, place.function);
    frame.add_bytes(FrameField::kFile, place.file);
    frame.add_int32(FrameField::kLine, place.line);
  }
  for (const ImportedModule& imported : cause.imported) {
    protozero::pbf_builder<ModuleField> module(message, GilCauseField::kImported);
    module.add_bytes(ModuleField::kName, imported.name);
    module.add_bytes(ModuleField::kFile, imported.file);
    module.add_bool(ModuleField::kCanRunWithout, imported.can_run_without);
  }
  return bytes;
}

absl::StatusOr<GilCause> DecodeGilCause(protozero::data_view bytes) {
  GilCause cause;
  for (pbf_message<GilCauseField> message(bytes); message.next();) {
    switch (message.tag()) {
      case GilCauseField::kByOption:
        cause.by_option = message.get_bool();
        break;
      case GilCauseField::kModule:
        cause.module = TextOf(message.get_view());
        break;
      case GilCauseField::kIsCertain:
        cause.is_certain = message.get_bool();
        break;
      case GilCauseField::kAtSeconds:
        cause.at_s = message.get_double();
        break;
      case GilCauseField::kStack:
        cause.stack.push_back(DecodePlace(message.get_message()));
        break;
      case GilCauseField::kImported:
        cause.imported.push_back(DecodeModule(message.get_message()));
        break;
      default:
        message.skip();
    }
    if (cause.stack.size() > GilCause::kMaxStack ||
        cause.imported.size() > GilCause::kMaxImported) {
      return absl::DataLossError("an import too long");
    }
  }
  return cause;
}

size_t BytesOf(const GilCause& cause) {
  size_t bytes = sizeof cause + cause.module.size();
  for (const ImportPlace& place : cause.stack) {
    bytes += sizeof place + place.function.size() + place.file.size();
  }
  for (const ImportedModule& module : cause.imported) {
    bytes += sizeof module + module.name.size() + module.file.size();
  }
  return bytes;
}

}  // namespace fthreadprof
