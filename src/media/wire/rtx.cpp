#include "media/wire/rtx.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace media::wire {

namespace {
constexpr std::size_t kOriginalSequenceSize = 2;
}

std::optional<std::uint16_t> rtx_original_sequence(const RtpView& rtx) {
    const auto payload = rtx.payload();
    if (payload.size() < kOriginalSequenceSize) return std::nullopt;
    return load_u16(payload.data());
}

std::span<std::uint8_t> unwrap_rtx(std::span<std::uint8_t> packet, std::uint32_t media_ssrc,
                                   std::uint8_t media_payload_type) {
    const auto view = RtpView::parse(packet);
    if (!view) return {};
    const auto original = rtx_original_sequence(*view);
    if (!original) return {};
    std::memmove(packet.data() + kOriginalSequenceSize, packet.data(), view->header_size());
    const auto media = packet.subspan(kOriginalSequenceSize);
    set_rtp_sequence(media, *original);
    set_rtp_ssrc(media, media_ssrc);
    set_rtp_payload_type(media, media_payload_type);
    return media;
}

std::size_t write_rtx(std::span<std::uint8_t> out, const RtpView& original, const RtxHeader& header,
                      std::span<const RtpExtension> extensions) {
    std::array<std::uint8_t, kOriginalSequenceSize> sequence{};
    store_u16(sequence.data(), original.sequence());
    const auto payload = original.payload();
    const std::size_t size = write_rtp(out,
                                       {.payload_type = header.payload_type,
                                        .marker = original.marker(),
                                        .sequence = header.sequence,
                                        .timestamp = original.timestamp(),
                                        .ssrc = header.ssrc},
                                       extensions, sequence);
    if (size == 0 || payload.size() > out.size() - size) return 0;
    std::ranges::copy(payload, out.begin() + static_cast<std::ptrdiff_t>(size));
    return size + payload.size();
}

}  // namespace media::wire
