#include "media/wire/rtcp.hpp"

namespace media::wire {

namespace {

constexpr std::size_t kReportBlockSize = 24;
constexpr std::size_t kSenderInfoSize = 20;

/// 24 bits, two's complement.
constexpr std::int32_t sign_extended(std::uint32_t value) {
    return static_cast<std::int32_t>(value << 8) >> 8;
}

}  // namespace

std::optional<RtcpView> RtcpReader::next() {
    if (rest_.empty() || malformed_) return std::nullopt;
    malformed_ = true;
    if (rest_.size() < 4 || rest_[0] >> 6 != 2) return std::nullopt;
    const std::size_t size = std::size_t{4} * (load_u16(&rest_[2]) + 1U);
    if (size > rest_.size()) return std::nullopt;
    std::size_t padding = 0;
    if ((rest_[0] & 0x20) != 0) {
        padding = rest_[size - 1];
        if (padding == 0 || padding > size - 4) return std::nullopt;
    }
    malformed_ = false;
    const RtcpView view{.type = rest_[1],
                        .count = static_cast<std::uint8_t>(rest_[0] & 0x1F),
                        .body = rest_.subspan(4, size - 4 - padding)};
    rest_ = rest_.subspan(size);
    return view;
}

std::optional<RtcpReport> RtcpReport::parse(const RtcpView& view) {
    if (view.type != rtcp_type::kSenderReport && view.type != rtcp_type::kReceiverReport) return std::nullopt;
    RtcpReport report;
    report.is_sender_report_ = view.type == rtcp_type::kSenderReport;
    report.count_ = view.count;
    report.body_ = view.body;
    const std::size_t needed =
        4 + (report.is_sender_report_ ? kSenderInfoSize : 0) + kReportBlockSize * std::size_t{view.count};
    if (view.body.size() < needed) return std::nullopt;
    return report;
}

std::optional<SenderInfo> RtcpReport::sender_info() const {
    if (!is_sender_report_) return std::nullopt;
    const std::uint8_t* p = body_.data() + 4;
    return SenderInfo{
        .ntp = load_u64(p), .rtp_timestamp = load_u32(p + 8), .packets = load_u32(p + 12), .octets = load_u32(p + 16)};
}

ReportBlock RtcpReport::block(std::size_t index) const {
    const std::uint8_t* p = body_.data() + 4 + (is_sender_report_ ? kSenderInfoSize : 0) + kReportBlockSize * index;
    return {.ssrc = load_u32(p),
            .fraction_lost = p[4],
            .cumulative_lost = sign_extended(load_u24(p + 5)),
            .highest_sequence = load_u32(p + 8),
            .jitter = load_u32(p + 12),
            .last_sr = load_u32(p + 16),
            .delay_since_last_sr = load_u32(p + 20)};
}

std::optional<RtcpCname> find_cname(const RtcpView& view) {
    constexpr std::uint8_t kCname = 1;
    if (view.type != rtcp_type::kDescription) return std::nullopt;
    std::size_t at = 0;
    for (std::size_t chunk = 0; chunk < view.count; ++chunk) {
        if (view.body.size() - at < 4) return std::nullopt;
        const std::uint32_t ssrc = load_u32(&view.body[at]);
        at += 4;
        while (at < view.body.size() && view.body[at] != 0) {
            if (view.body.size() - at < 2) return std::nullopt;
            const std::size_t size = view.body[at + 1];
            if (size > view.body.size() - at - 2) return std::nullopt;
            if (view.body[at] == kCname)
                return RtcpCname{.ssrc = ssrc, .cname = core::as_text(view.body.subspan(at + 2, size))};
            at += 2 + size;
        }
        at = (at + 4) & ~std::size_t{3};  // At least one zero byte ends the list, then up to the next word.
        if (at > view.body.size()) return std::nullopt;
    }
    return std::nullopt;
}

std::optional<RtcpBye> RtcpBye::parse(const RtcpView& view) {
    if (view.type != rtcp_type::kBye || view.body.size() < std::size_t{4} * view.count) return std::nullopt;
    RtcpBye bye;
    bye.body_ = view.body;
    bye.count_ = view.count;
    return bye;
}

std::uint64_t ntp_from_unix_us(std::int64_t us) {
    constexpr std::uint64_t kFrom1900To1970 = 2'208'988'800;
    const auto value = static_cast<std::uint64_t>(us);
    const std::uint64_t fraction = ((value % 1'000'000) << 32) / 1'000'000;
    return (value / 1'000'000 + kFrom1900To1970) << 32 | fraction;
}

}  // namespace media::wire
