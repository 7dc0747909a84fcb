#include "media/wire/rtcp_writer.hpp"

#include <algorithm>
#include <array>

namespace media::wire {

namespace {

constexpr std::size_t kHeaderSize = 4;
constexpr std::size_t kReportBlockSize = 24;
constexpr std::size_t kMaxReportBlocks = 31;

void store_block(std::uint8_t* p, const ReportBlock& block) {
    const std::int32_t lost = std::clamp(block.cumulative_lost, -0x80'0000, 0x7F'FFFF);
    store_u32(p, block.ssrc);
    p[4] = block.fraction_lost;
    store_u24(p + 5, static_cast<std::uint32_t>(lost));
    store_u32(p + 8, block.highest_sequence);
    store_u32(p + 12, block.jitter);
    store_u32(p + 16, block.last_sr);
    store_u32(p + 20, block.delay_since_last_sr);
}

/// The statuses of one feedback packet before they are packed.
struct FeedbackPlan {
    std::array<std::uint8_t, kMaxFeedbackStatuses> symbols;  ///< 0 lost, 1 one-byte delta, 2 two-byte delta.
    std::array<std::int16_t, kMaxFeedbackStatuses> deltas;   ///< One for each arrival.
    std::array<std::uint16_t, kMaxFeedbackStatuses / 7 + 2> chunks;
    std::size_t symbol_count = 0;
    std::size_t delta_count = 0;
    std::size_t delta_bytes = 0;
    std::size_t chunk_count = 0;
    std::int64_t reference = 0;  ///< In 64 ms.

    std::size_t unpadded_size() const { return 16 + 2 * chunk_count + delta_bytes; }
};

/// Fills symbols and deltas with as many arrivals as can stand in one packet; returns how many.
std::size_t plan_statuses(FeedbackPlan& plan, std::int64_t begin, std::span<const PacketArrival> arrivals) {
    constexpr std::int64_t kTickUs = 250;
    constexpr std::int64_t kTicksInReference = 256;
    plan.symbol_count = plan.delta_count = plan.delta_bytes = 0;
    plan.reference = arrivals.front().arrival_us / kTickUs / kTicksInReference;
    std::int64_t last_tick = plan.reference * kTicksInReference;
    std::int64_t next = begin;
    for (const PacketArrival& arrival : arrivals) {
        const std::int64_t tick = arrival.arrival_us / kTickUs;
        const std::int64_t delta = tick - last_tick;
        if (arrival.sequence < next || arrival.sequence - begin >= static_cast<std::int64_t>(kMaxFeedbackStatuses) ||
            delta < -0x8000 || delta > 0x7FFF)
            break;
        for (; next < arrival.sequence; ++next) plan.symbols[plan.symbol_count++] = 0;
        const bool small = delta >= 0 && delta <= 255;
        plan.symbols[plan.symbol_count++] = small ? 1 : 2;
        plan.deltas[plan.delta_count++] = static_cast<std::int16_t>(delta);
        plan.delta_bytes += small ? 1 : 2;
        last_tick = tick;
        next = arrival.sequence + 1;
    }
    return plan.delta_count;
}

/// Packs the symbols into chunks: a run where it covers most, else 14 one-bit or 7 two-bit symbols.
void plan_chunks(FeedbackPlan& plan) {
    plan.chunk_count = 0;
    std::span<const std::uint8_t> rest(plan.symbols.data(), plan.symbol_count);
    while (!rest.empty()) {
        const auto end_of_run = std::ranges::find_if(rest, [&](std::uint8_t symbol) { return symbol != rest.front(); });
        const auto run = std::min<std::size_t>(static_cast<std::size_t>(end_of_run - rest.begin()), 0x1FFF);
        const auto next_14 = rest.first(std::min<std::size_t>(14, rest.size()));
        const bool one_bit = std::ranges::all_of(next_14, [](std::uint8_t symbol) { return symbol <= 1; });
        std::uint16_t chunk = 0;
        std::size_t covered = 0;
        if (run >= (one_bit ? next_14.size() : std::min<std::size_t>(7, rest.size()))) {
            chunk = static_cast<std::uint16_t>(rest.front() << 13 | run);
            covered = run;
        } else {
            const unsigned width = one_bit ? 1 : 2;
            const unsigned capacity = one_bit ? 14 : 7;
            chunk = one_bit ? 0x8000 : 0xC000;
            covered = std::min<std::size_t>(capacity, rest.size());
            for (std::size_t i = 0; i < covered; ++i)
                chunk = static_cast<std::uint16_t>(chunk | rest[i] << width * (capacity - 1 - i));
        }
        plan.chunks[plan.chunk_count++] = chunk;
        rest = rest.subspan(covered);
    }
}

void store_feedback(std::uint8_t* p, const FeedbackPlan& plan) {
    for (std::size_t i = 0; i < plan.chunk_count; ++i, p += 2) store_u16(p, plan.chunks[i]);
    for (std::size_t i = 0; i < plan.delta_count; ++i) {
        const std::int16_t delta = plan.deltas[i];
        if (delta >= 0 && delta <= 255) {
            *p++ = static_cast<std::uint8_t>(delta);
        } else {
            store_u16(p, static_cast<std::uint16_t>(delta));
            p += 2;
        }
    }
}

}  // namespace

std::uint8_t* RtcpWriter::begin(std::uint8_t type, std::uint8_t count, std::size_t body_size) {
    const std::size_t size = kHeaderSize + body_size;
    if (size > out_.size() - size_ || size / 4 > 0x1'0000) return nullptr;
    std::uint8_t* const p = out_.data() + size_;
    p[0] = static_cast<std::uint8_t>(0x80 | count);
    p[1] = type;
    store_u16(p + 2, static_cast<std::uint16_t>(size / 4 - 1));
    size_ += size;
    return p + kHeaderSize;
}

bool RtcpWriter::sender_report(std::uint32_t sender_ssrc, const SenderInfo& info, std::span<const ReportBlock> blocks) {
    if (blocks.size() > kMaxReportBlocks) return false;
    std::uint8_t* p = begin(rtcp_type::kSenderReport, static_cast<std::uint8_t>(blocks.size()),
                            24 + kReportBlockSize * blocks.size());
    if (p == nullptr) return false;
    store_u32(p, sender_ssrc);
    store_u64(p + 4, info.ntp);
    store_u32(p + 12, info.rtp_timestamp);
    store_u32(p + 16, info.packets);
    store_u32(p + 20, info.octets);
    p += 24;
    for (const ReportBlock& block : blocks) {
        store_block(p, block);
        p += kReportBlockSize;
    }
    return true;
}

bool RtcpWriter::receiver_report(std::uint32_t sender_ssrc, std::span<const ReportBlock> blocks) {
    if (blocks.size() > kMaxReportBlocks) return false;
    std::uint8_t* p = begin(rtcp_type::kReceiverReport, static_cast<std::uint8_t>(blocks.size()),
                            4 + kReportBlockSize * blocks.size());
    if (p == nullptr) return false;
    store_u32(p, sender_ssrc);
    p += 4;
    for (const ReportBlock& block : blocks) {
        store_block(p, block);
        p += kReportBlockSize;
    }
    return true;
}

bool RtcpWriter::description(std::uint32_t ssrc, std::string_view cname) {
    constexpr std::uint8_t kCname = 1;
    if (cname.size() > 255) return false;
    const std::size_t items = (2 + cname.size() + 4) & ~std::size_t{3};  // With at least one zero byte behind.
    std::uint8_t* const p = begin(rtcp_type::kDescription, 1, 4 + items);
    if (p == nullptr) return false;
    store_u32(p, ssrc);
    std::fill_n(p + 4, items, std::uint8_t{0});
    p[4] = kCname;
    p[5] = static_cast<std::uint8_t>(cname.size());
    std::ranges::copy(core::as_bytes(cname), p + 6);
    return true;
}

bool RtcpWriter::bye(std::uint32_t ssrc) {
    std::uint8_t* const p = begin(rtcp_type::kBye, 1, 4);
    if (p != nullptr) store_u32(p, ssrc);
    return p != nullptr;
}

bool RtcpWriter::nack(std::uint32_t sender_ssrc, std::uint32_t media_ssrc, std::span<const std::uint16_t> lost) {
    // Goes over the entries twice: once to count them, once to write them.
    const auto for_each_entry = [lost](auto use) {
        for (std::size_t i = 0; i < lost.size();) {
            const std::uint16_t first = lost[i];
            std::uint16_t mask = 0;
            for (++i; i < lost.size(); ++i) {
                const auto distance = static_cast<std::uint16_t>(lost[i] - first);
                if (distance == 0 || distance > 16) break;
                mask = static_cast<std::uint16_t>(mask | 1U << (distance - 1));
            }
            use(first, mask);
        }
    };
    std::size_t entries = 0;
    for_each_entry([&](std::uint16_t, std::uint16_t) { ++entries; });
    if (entries == 0) return false;
    std::uint8_t* p = begin(rtcp_type::kTransportFeedback, 1, 8 + 4 * entries);
    if (p == nullptr) return false;
    store_u32(p, sender_ssrc);
    store_u32(p + 4, media_ssrc);
    p += 8;
    for_each_entry([&](std::uint16_t first, std::uint16_t mask) {
        store_u16(p, first);
        store_u16(p + 2, mask);
        p += 4;
    });
    return true;
}

bool RtcpWriter::pli(std::uint32_t sender_ssrc, std::uint32_t media_ssrc) {
    std::uint8_t* const p = begin(rtcp_type::kPayloadFeedback, 1, 8);
    if (p == nullptr) return false;
    store_u32(p, sender_ssrc);
    store_u32(p + 4, media_ssrc);
    return true;
}

bool RtcpWriter::fir(std::uint32_t sender_ssrc, std::uint32_t media_ssrc, std::uint8_t sequence) {
    std::uint8_t* const p = begin(rtcp_type::kPayloadFeedback, 4, 16);
    if (p == nullptr) return false;
    store_u32(p, sender_ssrc);
    store_u32(p + 4, 0);  // RFC 5104 section 4.3.1.2: the media source stands in the entry.
    store_u32(p + 8, media_ssrc);
    store_u32(p + 12, std::uint32_t{sequence} << 24);
    return true;
}

bool RtcpWriter::remb(std::uint32_t sender_ssrc, std::uint64_t bitrate_bps, std::span<const std::uint32_t> ssrcs) {
    if (ssrcs.size() > 255) return false;
    std::uint8_t* p = begin(rtcp_type::kPayloadFeedback, 15, 16 + 4 * ssrcs.size());
    if (p == nullptr) return false;
    std::uint32_t exponent = 0;
    for (; bitrate_bps > 0x3'FFFF; bitrate_bps >>= 1) ++exponent;
    store_u32(p, sender_ssrc);
    store_u32(p + 4, 0);
    std::ranges::copy(core::as_bytes("REMB"), p + 8);
    p[12] = static_cast<std::uint8_t>(ssrcs.size());
    store_u24(p + 13, exponent << 18 | static_cast<std::uint32_t>(bitrate_bps));
    p += 16;
    for (const std::uint32_t ssrc : ssrcs) {
        store_u32(p, ssrc);
        p += 4;
    }
    return true;
}

std::size_t RtcpWriter::transport_feedback(std::uint32_t sender_ssrc, std::uint32_t media_ssrc,
                                           std::uint8_t feedback_count, std::int64_t begin_sequence,
                                           std::span<const PacketArrival> arrivals) {
    if (arrivals.empty() || arrivals.front().arrival_us < 0) return 0;
    const std::int64_t earliest = arrivals.front().sequence - static_cast<std::int64_t>(kMaxFeedbackStatuses) + 1;
    begin_sequence = std::max(begin_sequence, earliest);
    FeedbackPlan plan;
    for (std::size_t wanted = arrivals.size(); wanted != 0; wanted /= 2) {
        const std::size_t taken = plan_statuses(plan, begin_sequence, arrivals.first(wanted));
        if (taken == 0) return 0;
        wanted = taken;
        plan_chunks(plan);
        const std::size_t body_size = (plan.unpadded_size() + 3) & ~std::size_t{3};
        const std::size_t padding = body_size - plan.unpadded_size();
        std::uint8_t* const p = begin(rtcp_type::kTransportFeedback, 15, body_size);
        if (p == nullptr) continue;
        store_u32(p, sender_ssrc);
        store_u32(p + 4, media_ssrc);
        store_u16(p + 8, static_cast<std::uint16_t>(begin_sequence));
        store_u16(p + 10, static_cast<std::uint16_t>(plan.symbol_count));
        store_u24(p + 12, static_cast<std::uint32_t>(plan.reference));
        p[15] = feedback_count;
        store_feedback(p + 16, plan);
        if (padding != 0) {
            *(p - kHeaderSize) |= 0x20;
            std::fill_n(p + body_size - padding, padding, std::uint8_t{0});
            p[body_size - 1] = static_cast<std::uint8_t>(padding);
        }
        return taken;
    }
    return 0;
}

}  // namespace media::wire
