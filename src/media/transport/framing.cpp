#include "media/transport/framing.hpp"

#include <cstring>

namespace media::transport {

void FrameDecoder::keep_from(std::size_t begin) {
    if (begin == 0) return;
    filled_ -= begin;
    std::memmove(buffer_.data(), buffer_.data() + begin, filled_);
}

}  // namespace media::transport
