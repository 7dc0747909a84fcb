#include "media/wire/rtp_extensions.hpp"

#include <algorithm>

#include "media/wire/byte_io.hpp"
#include "media/wire/sdp_text.hpp"

namespace media::wire {

namespace {

template <class Allowed>
std::optional<std::string_view> parse_text(core::BytesView value, Allowed allowed) {
    const auto text = core::as_text(value);
    if (text.empty() || text.size() > 16 || !std::ranges::all_of(text, allowed)) return std::nullopt;
    return text;
}

}  // namespace

std::optional<AudioLevel> parse_audio_level(core::BytesView value) {
    if (value.empty()) return std::nullopt;
    return AudioLevel{.level = static_cast<std::uint8_t>(value[0] & 0x7F), .voice = (value[0] & 0x80) != 0};
}

std::uint8_t audio_level_byte(AudioLevel level) {
    return static_cast<std::uint8_t>(std::min<std::uint8_t>(level.level, 127) | (level.voice ? 0x80 : 0));
}

std::optional<std::uint32_t> parse_abs_send_time(core::BytesView value) {
    if (value.size() != 3) return std::nullopt;
    return load_u24(value.data());
}

std::uint32_t abs_send_time_from_us(std::int64_t us) {
    constexpr std::int64_t kPeriodUs = 64'000'000;
    const std::int64_t within = (us % kPeriodUs + kPeriodUs) % kPeriodUs;
    return static_cast<std::uint32_t>((within << 18) / 1'000'000) & 0xFF'FFFFU;
}

std::int64_t abs_send_time_to_us(std::uint32_t value) {
    return static_cast<std::int64_t>(value & 0xFF'FFFFU) * 1'000'000 >> 18;
}

std::array<std::uint8_t, 3> abs_send_time_bytes(std::uint32_t value) {
    std::array<std::uint8_t, 3> bytes{};
    store_u24(bytes.data(), value);
    return bytes;
}

std::optional<std::uint16_t> parse_transport_sequence(core::BytesView value) {
    if (value.size() < 2) return std::nullopt;
    return load_u16(value.data());
}

std::array<std::uint8_t, 2> transport_sequence_bytes(std::uint16_t sequence) {
    std::array<std::uint8_t, 2> bytes{};
    store_u16(bytes.data(), sequence);
    return bytes;
}

std::optional<std::string_view> parse_mid(core::BytesView value) {
    return parse_text(value, detail::is_token_char);
}

std::optional<std::string_view> parse_rid(core::BytesView value) {
    return parse_text(value, [](char c) { return detail::is_alphanumeric(c) || c == '-' || c == '_'; });
}

}  // namespace media::wire
