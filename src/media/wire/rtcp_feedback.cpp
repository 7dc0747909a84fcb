#include "media/wire/rtcp_feedback.hpp"

#include <algorithm>

namespace media::wire {

namespace {

constexpr std::uint8_t kNack = 1;
constexpr std::uint8_t kPli = 1;
constexpr std::uint8_t kFir = 4;
constexpr std::uint8_t kApplication = 15;

constexpr bool is_feedback(const RtcpView& view, std::uint8_t type, std::uint8_t format) {
    return view.type == type && view.count == format && view.body.size() >= 8;
}

}  // namespace

std::optional<RtcpNack> RtcpNack::parse(const RtcpView& view) {
    if (!is_feedback(view, rtcp_type::kTransportFeedback, kNack) || view.body.size() < 12) return std::nullopt;
    RtcpNack nack;
    nack.body_ = view.body;
    return nack;
}

std::optional<RtcpPli> parse_pli(const RtcpView& view) {
    if (!is_feedback(view, rtcp_type::kPayloadFeedback, kPli)) return std::nullopt;
    return RtcpPli{.sender_ssrc = load_u32(view.body.data()), .media_ssrc = load_u32(view.body.data() + 4)};
}

std::optional<RtcpFir> RtcpFir::parse(const RtcpView& view) {
    if (!is_feedback(view, rtcp_type::kPayloadFeedback, kFir) || view.body.size() < 16) return std::nullopt;
    RtcpFir fir;
    fir.body_ = view.body;
    return fir;
}

std::optional<RtcpRemb> RtcpRemb::parse(const RtcpView& view) {
    constexpr std::size_t kFixedSize = 16;
    if (!is_feedback(view, rtcp_type::kPayloadFeedback, kApplication) || view.body.size() < kFixedSize ||
        core::as_text(view.body.subspan(8, 4)) != "REMB")
        return std::nullopt;
    const std::size_t count = view.body[12];
    if (view.body.size() - kFixedSize < 4 * count) return std::nullopt;
    RtcpRemb remb;
    remb.body_ = view.body.first(kFixedSize + 4 * count);
    const unsigned exponent = view.body[13] >> 2;
    const std::uint64_t mantissa = load_u24(&view.body[13]) & 0x3'FFFF;
    // 18 bits shifted further than 46 do not fit; nothing is that fast.
    remb.bitrate_bps_ = exponent > 46 ? ~std::uint64_t{0} : mantissa << exponent;
    return remb;
}

}  // namespace media::wire
