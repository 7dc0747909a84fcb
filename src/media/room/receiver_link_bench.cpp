// What the way down costs a packet: the pacer's fast path, the number, the history, the stamp; and what feedback costs.
#include <benchmark/benchmark.h>

#include <array>
#include <vector>

#include "media/room/receiver_link.hpp"
#include "media/wire/rtcp.hpp"
#include "media/wire/rtcp_writer.hpp"
#include "media/wire/rtp.hpp"

namespace {

using namespace media::room;
namespace congestion = media::congestion;
namespace wire = media::wire;

constexpr std::size_t kSize = 1'100;

Downlink downlink(std::uint8_t transport_cc) {
    const CodecIdentity vp8{.kind = wire::CodecKind::vp8};
    const ExtensionIds ids{.transport_cc = transport_cc};
    return {.audio = {.ssrc = 1, .payload_type = 111, .extensions = ids},
            .subscriptions = {
                {.mid = "2", .stream_id = 5, .ssrc = 2, .rtx_ssrc = 3, .codecs = {{vp8, 96, 97}}, .extensions = ids}}};
}

std::vector<std::uint8_t> packet_room() {
    std::vector<std::uint8_t> room(congestion::kHeadRoom + kSize, 0x55);
    wire::write_rtp(std::span(room).subspan(congestion::kHeadRoom),
                    {.payload_type = 96, .sequence = 1, .timestamp = 1, .ssrc = 2}, {}, {});
    return room;
}

/// 0: nothing is stamped; 4: transport-wide numbers.
void depart(benchmark::State& state) {
    ReceiverLink link;
    link.negotiate(downlink(static_cast<std::uint8_t>(state.range(0))), [](std::uint32_t) { return 0; });
    link.pacer.set_rates(25'000'000, 10'000'000);
    std::vector<std::uint8_t> room = packet_room();
    const std::vector<std::uint8_t> fresh = room;
    Time now{std::chrono::hours(1)};
    for (auto _ : state) {
        now += std::chrono::milliseconds(2);
        std::copy_n(fresh.begin(), 20, room.begin());
        OutgoingLine* line = link.find_line(2);
        if (!link.pacer.may_send(congestion::Pacer::Lane::video, now)) state.SkipWithError("it had to wait");
        link.pacer.spend(kSize);
        benchmark::DoNotOptimize(link.depart(*line, room, kSize, now).data());
    }
}
BENCHMARK(depart)->Arg(0)->Arg(4);

/// A packet that has to wait: copied, and sent in its turn.
void wait_and_depart(benchmark::State& state) {
    ReceiverLink link;
    link.negotiate(downlink(4), [](std::uint32_t) { return 0; });
    congestion::PacketPool pool;
    const std::vector<std::uint8_t> room = packet_room();
    const auto packet = std::span(room).subspan(congestion::kHeadRoom);
    Time now{std::chrono::hours(1)};
    for (auto _ : state) {
        now += std::chrono::milliseconds(2);
        link.pacer.queue(pool, congestion::Pacer::Lane::video, packet, now);
        link.pacer.release(pool, now, [&](congestion::WaitingPacket& waiting) {
            OutgoingLine* line = link.find_line(2);
            benchmark::DoNotOptimize(link.depart(*line, waiting.room, waiting.size, now).data());
        });
    }
}
BENCHMARK(wait_and_depart);

/// Feedback about 30 packets: 15 times a second at 450 packets a second. Time is that of one packet's part.
void take_feedback(benchmark::State& state) {
    constexpr int kPackets = 30;
    congestion::SendSideEstimate estimate;
    Time now{std::chrono::hours(1)};
    std::int64_t number = 0;
    std::array<wire::PacketArrival, kPackets> arrivals;
    std::array<std::uint8_t, 1200> buffer;
    for (auto _ : state) {
        state.PauseTiming();
        for (auto& arrival : arrivals) {
            now += std::chrono::microseconds(2'222);
            estimate.on_sent(kSize, now);
            arrival = {number++, std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count()};
        }
        wire::RtcpWriter writer(buffer);
        writer.transport_feedback(1, 2, 0, arrivals[0].sequence, arrivals);
        state.ResumeTiming();
        wire::RtcpReader reader(writer.written());
        const auto feedback = wire::TransportFeedback::parse(*reader.next());
        estimate.on_feedback(*feedback, std::chrono::milliseconds(50), now);
        benchmark::DoNotOptimize(estimate.bps());
    }
    state.SetItemsProcessed(state.iterations() * kPackets);
}
BENCHMARK(take_feedback);

}  // namespace
