// Signalling messages: one type byte, then one protobuf Frame (signalling.proto).
//
// Values; any thread. Signalling is not the packet path: these allocate.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"
#include "media/wire/signalling.pb.h"

namespace media::wire {

/// An offer of the largest size and what goes with it.
inline constexpr std::size_t kMaxFrameSize = 320 * 1024;

/// Strips the type byte (whatever it is) and parses the rest. Fails with `invalid` when the message is empty, too
/// large, nested too deeply or no protobuf. A frame of a type that is not known here parses, but `has_type()` is false:
/// ignore it.
core::Result<proto::Frame> unwrap_frame(std::string_view message);

/// A frame with type and time set: both are obligatory for the client.
proto::Frame make_frame(proto::Frame::Type type, core::Time now);

/// The message that carries the frame.
std::string wrap_frame(const proto::Frame& frame);

}  // namespace media::wire
