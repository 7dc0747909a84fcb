// Any bytes as a signalling message; a frame that reads can be written and read again.
#include <cstdlib>

#include "core/bytes.hpp"
#include "media/wire/frames.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace media::wire;
    const auto frame = unwrap_frame(core::as_text({data, size}));
    if (!frame) return 0;
    const auto text = wrap_frame(*frame);
    const auto back = unwrap_frame(text);
    if (!back || wrap_frame(*back) != text) std::abort();
    return 0;
}
