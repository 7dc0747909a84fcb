// How many packets one core forwards: one sender, and 1 or 9 receivers; without encryption.
#include <benchmark/benchmark.h>

#include <array>

#include <vector>

#include "media/room/packet_router.hpp"
#include "media/wire/rtp.hpp"

namespace {

using namespace media::room;
namespace wire = media::wire;

struct Counting : Sink {
    void send_rtp(PeerId, std::span<std::uint8_t> packet) override {
        ++packets;
        benchmark::DoNotOptimize(packet.data());
    }
    void send_rtcp(PeerId, std::span<std::uint8_t> compound) override { benchmark::DoNotOptimize(compound.data()); }
    std::int64_t packets = 0;
};

/// A call in which peer 1 sends 1,100-byte video packets, 50 audio packets a second among them, and the clock runs on.
void forward(benchmark::State& state) {
    const auto receivers = static_cast<PeerId>(state.range(0));
    Counting sink;
    PacketRouter router(sink);
    Time now{std::chrono::hours(1)};
    const wire::CodecIdentity vp8{.kind = wire::CodecKind::vp8};
    for (PeerId peer = 1; peer <= receivers + 1; ++peer) {
        router.add_peer(peer, {.person = peer}, now);
        Uplink uplink{.audio = {.ssrc = peer, .payload_type = 111, .extensions = {.audio_level = 1, .transport_cc = 3}},
                      .videos = {}};
        Downlink downlink{.audio = {.ssrc = 500 + peer, .payload_type = 109}, .subscriptions = {}};
        if (peer == 1) {
            uplink.videos.push_back(
                {.stream_id = 7, .ssrc = 1001, .rtx_ssrc = 1002, .codecs = {{vp8, 96, 97}}, .extensions = {}});
        } else {
            downlink.subscriptions.push_back(
                {.mid = "2", .stream_id = 7, .ssrc = 600 + peer, .rtx_ssrc = 700 + peer, .codecs = {{vp8, 120, 121}}});
        }
        router.set_uplink(peer, uplink, now);
        router.set_downlink(peer, downlink, now);
        router.set_connected(peer, true, now);
    }

    std::vector<std::uint8_t> payload(1100, 0x55);
    payload[0] = 0x10;
    payload[1] = 0;
    std::vector<std::uint8_t> packet(1300);
    std::uint16_t sequence = 0;
    std::uint16_t audio_sequence = 0;
    std::uint16_t transport = 0;
    std::int64_t in = 0;
    for (auto _ : state) {
        // 200 packets a second, as a camera of 1.8 Mbit/s.
        now += std::chrono::milliseconds(5);
        const auto number = std::array{static_cast<std::uint8_t>(transport >> 8), static_cast<std::uint8_t>(transport)};
        ++transport;
        const std::uint8_t level = 30;
        const wire::RtpExtension extensions[] = {{1, {&level, 1}}, {3, number}};
        std::size_t size = wire::write_rtp(
            packet,
            {.payload_type = 96, .marker = false, .sequence = sequence, .timestamp = sequence * 450U, .ssrc = 1001},
            extensions, payload);
        ++sequence;
        payload[1] = 1;
        router.on_rtp(1, std::span(packet).first(size), now);
        ++in;
        if (sequence % 4 == 0) {
            const std::uint8_t opus[80] = {0xF8};
            size = wire::write_rtp(packet,
                                   {.payload_type = 111,
                                    .marker = false,
                                    .sequence = audio_sequence,
                                    .timestamp = audio_sequence * 960U,
                                    .ssrc = 1},
                                   extensions, opus);
            ++audio_sequence;
            router.on_rtp(1, std::span(packet).first(size), now);
            ++in;
        }
        router.tick(now);
    }
    state.counters["in"] = benchmark::Counter(static_cast<double>(in), benchmark::Counter::kIsRate);
    state.counters["out"] = benchmark::Counter(static_cast<double>(sink.packets), benchmark::Counter::kIsRate);
}
BENCHMARK(forward)->Arg(1)->Arg(9)->Arg(99);

}  // namespace
