#include "media/wire/rtp.hpp"

#include <algorithm>

namespace media::wire {

namespace {

constexpr std::uint16_t kOneByteProfile = 0xBEDE;
constexpr std::uint16_t kTwoByteProfile = 0x1000;  // The lowest four bits are free for the application.

/// Finds extension `id` in a block; offset and size within it.
struct Found {
    std::size_t offset = 0;
    std::size_t size = 0;
};
std::optional<Found> find_extension(core::BytesView block, RtpExtensionForm form, std::uint8_t id) {
    if (id == 0) return std::nullopt;
    std::size_t at = 0;
    while (at < block.size()) {
        if (block[at] == 0) {  // Padding between elements.
            ++at;
            continue;
        }
        std::uint8_t element = 0;
        std::size_t size = 0;
        if (form == RtpExtensionForm::one_byte) {
            element = block[at] >> 4;
            size = (block[at] & 0x0FU) + 1;
            at += 1;
            if (element == 15) return std::nullopt;  // RFC 8285 section 4.2: stop here.
        } else {
            if (block.size() - at < 2) return std::nullopt;
            element = block[at];
            size = block[at + 1];
            at += 2;
        }
        if (size > block.size() - at) return std::nullopt;
        if (element == id) return Found{.offset = at, .size = size};
        at += size;
    }
    return std::nullopt;
}

}  // namespace

std::optional<RtpView> RtpView::parse(core::BytesView packet) {
    if (packet.size() < kRtpHeaderSize || packet.size() > 0xFFFF || packet[0] >> 6 != 2) return std::nullopt;
    RtpView view;
    view.packet_ = packet;
    std::size_t header = kRtpHeaderSize + 4 * view.csrc_count();
    if (header > packet.size()) return std::nullopt;
    if ((packet[0] & 0x10) != 0) {
        if (packet.size() - header < 4) return std::nullopt;
        const std::uint16_t profile = load_u16(&packet[header]);
        const std::size_t size = std::size_t{4} * load_u16(&packet[header + 2]);
        header += 4;
        if (size > packet.size() - header) return std::nullopt;
        view.form_ = profile == kOneByteProfile              ? RtpExtensionForm::one_byte
                     : (profile & 0xFFF0) == kTwoByteProfile ? RtpExtensionForm::two_byte
                                                             : RtpExtensionForm::unknown;
        view.extension_offset_ = static_cast<std::uint16_t>(header);
        view.extension_size_ = static_cast<std::uint32_t>(size);
        header += size;
    }
    view.header_size_ = static_cast<std::uint32_t>(header);
    if ((packet[0] & 0x20) != 0) {
        const std::uint8_t padding = packet.back();
        if (padding == 0 || padding > packet.size() - header) return std::nullopt;
        view.padding_size_ = padding;
    }
    return view;
}

std::optional<core::BytesView> RtpView::extension(std::uint8_t id) const {
    if (form_ != RtpExtensionForm::one_byte && form_ != RtpExtensionForm::two_byte) return std::nullopt;
    const auto block = packet_.subspan(extension_offset_, extension_size_);
    const auto found = find_extension(block, form_, id);
    if (!found) return std::nullopt;
    return block.subspan(found->offset, found->size);
}

std::optional<RtpPeek> peek_rtp(core::BytesView packet) {
    if (packet.size() < kRtpHeaderSize || packet[0] >> 6 != 2) return std::nullopt;
    return RtpPeek{.ssrc = load_u32(&packet[8]),
                   .sequence = load_u16(&packet[2]),
                   .payload_type = static_cast<std::uint8_t>(packet[1] & 0x7F)};
}

void set_rtp_payload_type(std::span<std::uint8_t> packet, std::uint8_t payload_type) {
    packet[1] = static_cast<std::uint8_t>((packet[1] & 0x80) | (payload_type & 0x7F));
}
void set_rtp_marker(std::span<std::uint8_t> packet, bool marker) {
    packet[1] = static_cast<std::uint8_t>((packet[1] & 0x7F) | (marker ? 0x80 : 0));
}
void set_rtp_sequence(std::span<std::uint8_t> packet, std::uint16_t sequence) {
    store_u16(&packet[2], sequence);
}
void set_rtp_timestamp(std::span<std::uint8_t> packet, std::uint32_t timestamp) {
    store_u32(&packet[4], timestamp);
}
void set_rtp_ssrc(std::span<std::uint8_t> packet, std::uint32_t ssrc) {
    store_u32(&packet[8], ssrc);
}

std::span<std::uint8_t> rtp_extension_in_place(std::span<std::uint8_t> packet, std::uint8_t id) {
    const auto view = RtpView::parse(packet);
    if (!view) return {};
    const auto value = view->extension(id);
    if (!value) return {};
    return packet.subspan(static_cast<std::size_t>(value->data() - packet.data()), value->size());
}

std::size_t write_rtp(std::span<std::uint8_t> out, const RtpHeader& header, std::span<const RtpExtension> extensions,
                      core::BytesView payload) {
    const bool one_byte = std::ranges::all_of(extensions, [](const RtpExtension& extension) {
        return extension.id <= 14 && !extension.value.empty() && extension.value.size() <= 16;
    });
    std::size_t block = 0;
    for (const RtpExtension& extension : extensions) {
        if (extension.id == 0 || extension.value.size() > 255) return 0;
        block += (one_byte ? 1 : 2) + extension.value.size();
    }
    const std::size_t padded_block = (block + 3) & ~std::size_t{3};
    const std::size_t header_size = kRtpHeaderSize + (extensions.empty() ? 0 : 4 + padded_block);
    if (padded_block / 4 > 0xFFFF || header_size > out.size() || payload.size() > out.size() - header_size) return 0;

    out[0] = extensions.empty() ? 0x80 : 0x90;
    out[1] = static_cast<std::uint8_t>((header.payload_type & 0x7F) | (header.marker ? 0x80 : 0));
    store_u16(&out[2], header.sequence);
    store_u32(&out[4], header.timestamp);
    store_u32(&out[8], header.ssrc);
    if (!extensions.empty()) {
        store_u16(&out[kRtpHeaderSize], one_byte ? kOneByteProfile : kTwoByteProfile);
        store_u16(&out[kRtpHeaderSize + 2], static_cast<std::uint16_t>(padded_block / 4));
        std::size_t at = kRtpHeaderSize + 4;
        for (const auto& [id, value] : extensions) {
            if (one_byte) {
                out[at++] = static_cast<std::uint8_t>(id << 4 | (value.size() - 1));
            } else {
                out[at++] = id;
                out[at++] = static_cast<std::uint8_t>(value.size());
            }
            std::ranges::copy(value, out.begin() + static_cast<std::ptrdiff_t>(at));
            at += value.size();
        }
        std::ranges::fill(out.subspan(at, header_size - at), std::uint8_t{0});
    }
    std::ranges::copy(payload, out.begin() + static_cast<std::ptrdiff_t>(header_size));
    return header_size + payload.size();
}

}  // namespace media::wire
