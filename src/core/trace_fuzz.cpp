// Headers `traceparent` and `tracestate` of strangers, and lines from the database: what is taken can be said again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/trace.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto line_end = std::min(text.find('\n'), text.size());
    const auto state = text.substr(std::min(line_end + 1, text.size()));
    if (const auto context = core::trace::parse(text.substr(0, line_end), state)) {
        if (!context->valid() || context->state.size() > 512) std::abort();
        if (core::trace::from_line(core::trace::to_line(*context)) != *context) std::abort();
    }
    const auto stored = core::trace::from_line(text);
    if (stored.valid() && core::trace::from_line(core::trace::to_line(stored)) != stored) std::abort();
    return 0;
}
