#include "media/wire/codec.hpp"

#include <algorithm>
#include <charconv>

namespace media::wire {

namespace {

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_without_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

template <class Number>
std::optional<Number> number(std::string_view text, int base = 10) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::uint8_t small_parameter(std::string_view fmtp, std::string_view name) {
    const auto text = fmtp_parameter(fmtp, name);
    return text ? number<std::uint8_t>(*text).value_or(0) : std::uint8_t{0};
}

CodecKind kind_of(std::string_view name) {
    struct Name {
        std::string_view name;
        CodecKind kind;
    };
    static constexpr Name kNames[] = {
        {"opus", CodecKind::opus},
        {"VP8", CodecKind::vp8},
        {"VP9", CodecKind::vp9},
        {"H264", CodecKind::h264},
        {"AV1", CodecKind::av1},
        {"rtx", CodecKind::rtx},
        {"red", CodecKind::red},
        {"ulpfec", CodecKind::ulpfec},
        {"flexfec-03", CodecKind::flexfec},
        {"telephone-event", CodecKind::telephone_event},
    };
    const auto found = std::ranges::find_if(kNames, [name](const Name& n) { return same_without_case(n.name, name); });
    return found == std::end(kNames) ? CodecKind::other : found->kind;
}

}  // namespace

bool Codec::has_feedback(std::string_view what) const {
    return std::ranges::find(feedback, what) != feedback.end();
}

std::optional<std::string_view> fmtp_parameter(std::string_view fmtp, std::string_view name) {
    while (!fmtp.empty()) {
        const auto end = std::min(fmtp.find(';'), fmtp.size());
        const auto part = trimmed(fmtp.substr(0, end));
        fmtp.remove_prefix(std::min(end + 1, fmtp.size()));
        const auto equals = part.find('=');
        if (equals != std::string_view::npos && same_without_case(trimmed(part.substr(0, equals)), name))
            return trimmed(part.substr(equals + 1));
    }
    return std::nullopt;
}

CodecIdentity codec_identity(const Codec& codec) {
    CodecIdentity identity{.kind = kind_of(codec.name)};
    switch (identity.kind) {
        case CodecKind::vp9:
            identity.profile = small_parameter(codec.fmtp, "profile-id");
            break;
        case CodecKind::av1:
            identity.profile = small_parameter(codec.fmtp, "profile");
            break;
        case CodecKind::h264: {
            identity.packetization_mode = small_parameter(codec.fmtp, "packetization-mode");
            identity.h264_profile = 0x4200;  // RFC 6184 section 8.1: Baseline when nothing is said.
            const auto level = fmtp_parameter(codec.fmtp, "profile-level-id");
            if (level && level->size() == 6) {
                if (const auto profile = number<std::uint16_t>(level->substr(0, 4), 16))
                    identity.h264_profile = *profile;
            }
            break;
        }
        default:
            break;
    }
    return identity;
}

std::optional<std::uint8_t> rtx_apt(const Codec& codec) {
    if (kind_of(codec.name) != CodecKind::rtx) return std::nullopt;
    const auto text = fmtp_parameter(codec.fmtp, "apt");
    return text ? number<std::uint8_t>(*text) : std::nullopt;
}

std::optional<std::uint32_t> codec_capability(const CodecIdentity& identity) {
    switch (identity.kind) {
        case CodecKind::vp8:
            return 1;
        case CodecKind::vp9:
            return identity.profile == 0 ? std::optional<std::uint32_t>(8) : std::nullopt;
        case CodecKind::av1:
            return identity.profile == 0 ? std::optional<std::uint32_t>(11) : std::nullopt;
        case CodecKind::h264: {
            if (identity.packetization_mode != 1) return std::nullopt;
            // RFC 6184 table 5: the first byte is the profile, the second its constraint flags.
            const unsigned profile = identity.h264_profile >> 8;
            const unsigned flags = identity.h264_profile & 0xFF;
            if (profile == 0x42) return (flags & 0x40) != 0 ? 3 : 2;
            if (profile == 0x4D) return (flags & 0x80) != 0 ? 3 : 4;
            if (profile == 0x64) return (flags & 0x0C) == 0x0C ? 6 : 5;
            return std::nullopt;
        }
        default:
            return std::nullopt;
    }
}

const Codec* find_codec(const std::vector<Codec>& codecs, const CodecIdentity& identity) {
    const auto found =
        std::ranges::find_if(codecs, [&](const Codec& codec) { return codec_identity(codec) == identity; });
    return found == codecs.end() ? nullptr : &*found;
}

const Codec* find_rtx(const std::vector<Codec>& codecs, std::uint8_t payload_type) {
    const auto found = std::ranges::find_if(codecs, [&](const Codec& codec) { return rtx_apt(codec) == payload_type; });
    return found == codecs.end() ? nullptr : &*found;
}

}  // namespace media::wire
