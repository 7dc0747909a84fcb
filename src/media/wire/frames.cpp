#include "media/wire/frames.hpp"

#include <google/protobuf/io/coded_stream.h>

#include <chrono>

namespace media::wire {

namespace {

constexpr char kTypeByte = 0x05;
constexpr int kMaxDepth = 16;  // The deepest known frame has four levels.

}  // namespace

core::Result<proto::Frame> unwrap_frame(std::string_view message) {
    if (message.empty()) return core::fail(core::ErrorKind::invalid, "signalling message is empty");
    if (message.size() > kMaxFrameSize) return core::fail(core::ErrorKind::invalid, "signalling message is too large");
    message.remove_prefix(1);
    google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(message.data()),
                                                 static_cast<int>(message.size()));
    input.SetRecursionLimit(kMaxDepth);
    proto::Frame frame;
    if (!frame.ParseFromCodedStream(&input) || !input.ConsumedEntireMessage())
        return core::fail(core::ErrorKind::invalid, "signalling message is no frame");
    return frame;
}

proto::Frame make_frame(proto::Frame::Type type, core::Time now) {
    const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    proto::Frame frame;
    frame.set_type(type);
    frame.set_timestamp_ms(static_cast<std::uint64_t>(since_epoch.count()));
    return frame;
}

std::string wrap_frame(const proto::Frame& frame) {
    std::string message(1, kTypeByte);
    frame.AppendToString(&message);
    return message;
}

}  // namespace media::wire
