// A GilCause as bytes of a recording: the message GilCause of docs/recording-format.md.
//
// Thread safety: none needed, functions share nothing.
#ifndef FTHREADPROF_PROFILE_GIL_CAUSE_CODEC_H_
#define FTHREADPROF_PROFILE_GIL_CAUSE_CODEC_H_

#include <cstddef>
#include <protozero/data_view.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "profile/gil_cause.h"

namespace fthreadprof {

std::string EncodeGilCause(const GilCause& cause);

// Of bytes that may be anything. Fails with kDataLoss, naming what is wrong. May throw what
// protozero throws on malformed bytes.
absl::StatusOr<GilCause> DecodeGilCause(protozero::data_view bytes);

// The memory that it takes, about.
size_t BytesOf(const GilCause& cause);

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_GIL_CAUSE_CODEC_H_
