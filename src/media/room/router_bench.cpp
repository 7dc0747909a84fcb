// How many packets one core forwards: one sender with one stream, with simulcast or with layers, and its receivers;
// without encryption.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
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
/// Second argument: the extension id of transport-wide numbers on the way down, or 0.
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
        const auto numbers = static_cast<std::uint8_t>(state.range(1));
        downlink.audio.extensions.transport_cc = numbers;
        for (Subscription& line : downlink.subscriptions) line.extensions.transport_cc = numbers;
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

/// Receivers of one camera. The layer that each of them gets is spread over them.
class LayeredCall {
  public:
    LayeredCall(PeerId receivers, bool simulcast) : simulcast_(simulcast), router_(sink) {
        const wire::CodecIdentity codec{.kind = simulcast ? wire::CodecKind::vp8 : wire::CodecKind::vp9};
        for (PeerId peer = 1; peer <= receivers + 1; ++peer) {
            router_.add_peer(peer, {.person = peer}, now_);
            Uplink uplink{.audio = {.ssrc = peer, .payload_type = 111}, .videos = {}};
            Downlink downlink{.audio = {.ssrc = 500 + peer, .payload_type = 109}, .subscriptions = {}};
            if (peer == 1) {
                for (std::uint32_t layer = 0; layer < (simulcast ? 3U : 1U); ++layer) {
                    uplink.videos.push_back({.stream_id = 7 + layer,
                                             .ssrc = 1001 + 10 * layer,
                                             .codecs = {{codec, 96, 97}},
                                             .group_id = 1});
                }
            } else {
                Subscription line{.mid = "2",
                                  .stream_id = 7 + (simulcast ? peer % 3 : 0),
                                  .ssrc = 60'000 + peer,
                                  .rtx_ssrc = 70'000 + peer,
                                  .codecs = {{codec, 120, 121}}};
                if (!simulcast) {
                    line.wish = VideoWish{.priority = 1, .target_kbps = kTargets[peer % 3]};
                    downlink.adaptation = Adaptation::server;
                }
                downlink.subscriptions.push_back(std::move(line));
            }
            router_.set_uplink(peer, uplink, now_);
            router_.set_downlink(peer, downlink, now_);
            router_.set_connected(peer, true, now_);
        }
    }
    /// One picture: nine packets of 1,100 bytes, three in each layer.
    void picture(bool key) {
        timestamp_ += 3000;
        for (std::uint32_t packet = 0; packet < 9; ++packet) send(packet / 3, packet % 3, key);
        now_ += std::chrono::milliseconds(33);
        router_.tick(now_);
    }
    Counting sink;

  private:
    static constexpr std::array<std::uint32_t, 3> kTargets = {900, 1800, 10'000};

    void send(std::uint32_t layer, std::uint32_t place, bool key) {
        const std::uint32_t stream = simulcast_ ? layer : 0;
        if (simulcast_) {
            payload_[0] = place == 0 ? 0x10 : 0;
            payload_[1] = key ? 0 : 1;
        } else {
            payload_[0] =
                static_cast<std::uint8_t>(0xB0 | (key ? 0 : 0x40) | (place == 0 ? 8 : 0) | (place == 2 ? 4 : 0));
            payload_[1] = 1;
            payload_[2] = static_cast<std::uint8_t>(layer << 1 | (layer > 0 ? 1 : 0));
        }
        const std::size_t size = wire::write_rtp(packet_,
                                                 {.payload_type = 96,
                                                  .marker = place == 2 && (simulcast_ || layer == 2),
                                                  .sequence = sequences_[stream]++,
                                                  .timestamp = timestamp_,
                                                  .ssrc = 1001 + 10 * stream},
                                                 {}, payload_);
        router_.on_rtp(1, std::span(packet_).first(size), now_);
    }

    bool simulcast_;
    PacketRouter router_;
    Time now_{std::chrono::hours(1)};
    std::array<std::uint16_t, 3> sequences_{};
    std::uint32_t timestamp_ = 0;
    std::vector<std::uint8_t> payload_ = std::vector<std::uint8_t>(1100, 0x55);
    std::vector<std::uint8_t> packet_ = std::vector<std::uint8_t>(1300);
};

void layers(benchmark::State& state, bool simulcast) {
    LayeredCall call(static_cast<PeerId>(state.range(0)), simulcast);
    // The rates are measured and everybody has got the layer that is meant for it.
    for (int i = 0; i < 300; ++i) call.picture(i % 30 == 0);
    const std::int64_t before = call.sink.packets;
    for (auto _ : state) call.picture(false);
    state.SetItemsProcessed(call.sink.packets - before);
}
BENCHMARK_CAPTURE(layers, simulcast, true)->Arg(9)->Arg(99)->Arg(250);
BENCHMARK_CAPTURE(layers, svc, false)->Arg(9)->Arg(99)->Arg(250);

/// 25 cameras and 250 receivers of all of them: a packet of one camera at a time, and the time itself.
void large_meeting(benchmark::State& state) {
    constexpr PeerId kPublishers = 25;
    constexpr PeerId kReceivers = 250;
    Counting sink;
    PacketRouter router(sink);
    Time now{std::chrono::hours(1)};
    const wire::CodecIdentity vp8{.kind = wire::CodecKind::vp8};
    for (PeerId peer = 1; peer <= kReceivers; ++peer) {
        router.add_peer(peer, {.person = peer}, now);
        Uplink uplink{.audio = {.ssrc = peer, .payload_type = 111}, .videos = {}};
        if (peer <= kPublishers) {
            uplink.videos.push_back(
                {.stream_id = peer, .ssrc = 1000 + peer, .codecs = {{vp8, 96, 97}}, .group_id = peer});
        }
        router.set_uplink(peer, uplink, now);
    }
    for (PeerId peer = 1; peer <= kReceivers; ++peer) {
        Downlink downlink{.audio = {.ssrc = 500 + peer, .payload_type = 109}, .subscriptions = {}};
        for (PeerId from = 1; from <= kPublishers; ++from) {
            downlink.subscriptions.push_back({.mid = std::to_string(1 + from),
                                              .stream_id = from,
                                              .ssrc = peer * 100 + from,
                                              .codecs = {{vp8, 120, 0}}});
        }
        router.set_connected(peer, true, now);
        router.set_downlink(peer, downlink, now);
    }
    std::vector<std::uint8_t> payload(1100, 0x55);
    std::vector<std::uint8_t> packet(1300);
    payload[0] = 0x10;
    std::uint16_t sequence = 0;
    const auto round = [&](bool key) {
        payload[1] = key ? 0 : 1;
        ++sequence;
        for (PeerId from = 1; from <= kPublishers; ++from) {
            const std::size_t size = wire::write_rtp(packet,
                                                     {.payload_type = 96,
                                                      .marker = true,
                                                      .sequence = sequence,
                                                      .timestamp = sequence * 900U,
                                                      .ssrc = 1000 + from},
                                                     {}, payload);
            router.on_rtp(from, std::span(packet).first(size), now);
        }
        now += std::chrono::milliseconds(10);
        router.tick(now);
    };
    round(true);
    const std::int64_t before = sink.packets;
    for (auto _ : state) round(false);
    state.SetItemsProcessed(sink.packets - before);
}
BENCHMARK(large_meeting);

}  // namespace
