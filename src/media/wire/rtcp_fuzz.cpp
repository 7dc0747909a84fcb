// Any bytes as compound RTCP; feedback that reads is written again and must mean the same.
#include <cstdlib>
#include <vector>

#include "media/wire/rtcp.hpp"
#include "media/wire/rtcp_feedback.hpp"
#include "media/wire/rtcp_writer.hpp"
#include "media/wire/transport_feedback.hpp"

namespace {

using namespace media::wire;

void check_nack(const RtcpNack& nack) {
    std::vector<std::uint16_t> lost;
    nack.for_each_lost([&](std::uint16_t sequence) { lost.push_back(sequence); });
    if (lost.size() > 17 * nack.entry_count() || lost.size() > 2000) return;
    std::vector<std::uint8_t> out(12 + 4 * lost.size());
    RtcpWriter writer(out);
    if (!writer.nack(nack.sender_ssrc(), nack.media_ssrc(), lost)) std::abort();
    RtcpReader reader(writer.written());
    std::size_t at = 0;
    RtcpNack::parse(reader.next().value())->for_each_lost([&](std::uint16_t sequence) {
        // Repeats and disorder inside one written entry come out sorted, so only the number of them is sure.
        (void)sequence;
        ++at;
    });
    if (at > lost.size()) std::abort();
}

void check_feedback(const TransportFeedback& feedback) {
    std::vector<PacketArrival> arrivals;
    auto cursor = feedback.statuses();
    std::int64_t sequence = feedback.base_sequence();
    std::size_t count = 0;
    for (; const auto status = cursor.next(); ++sequence, ++count) {
        if (status->sequence != static_cast<std::uint16_t>(sequence)) std::abort();
        if (status->received) arrivals.push_back({.sequence = sequence, .arrival_us = status->arrival_us});
    }
    if (count != feedback.status_count()) std::abort();
    std::vector<std::uint8_t> out(1200);
    RtcpWriter writer(out);
    const std::size_t taken = writer.transport_feedback(1, 2, 3, feedback.base_sequence(), arrivals);
    if (taken == 0) {
        if (!arrivals.empty()) std::abort();
        return;
    }
    RtcpReader reader(writer.written());
    const auto back = TransportFeedback::parse(reader.next().value());
    if (!back) std::abort();
    std::size_t received = 0;
    auto again = back->statuses();
    while (const auto status = again.next()) {
        if (!status->received) continue;
        if (status->arrival_us != arrivals[received].arrival_us) std::abort();
        ++received;
    }
    if (received != taken) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    RtcpReader reader(core::BytesView(data, size));
    while (const auto view = reader.next()) {
        if (const auto report = RtcpReport::parse(*view)) {
            report->sender_info();
            for (std::size_t i = 0; i < report->block_count(); ++i) report->block(i);
        }
        if (const auto cname = find_cname(*view); cname && cname->cname.size() > 255) std::abort();
        if (const auto bye = RtcpBye::parse(*view)) {
            for (std::size_t i = 0; i < bye->count(); ++i) bye->ssrc(i);
        }
        parse_pli(*view);
        if (const auto fir = RtcpFir::parse(*view)) {
            for (std::size_t i = 0; i < fir->entry_count(); ++i) fir->entry(i);
        }
        if (const auto remb = RtcpRemb::parse(*view)) {
            for (std::size_t i = 0; i < remb->ssrc_count(); ++i) remb->ssrc(i);
        }
        if (const auto nack = RtcpNack::parse(*view)) check_nack(*nack);
        if (const auto feedback = TransportFeedback::parse(*view)) check_feedback(*feedback);
    }
    return 0;
}
