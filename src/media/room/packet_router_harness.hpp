// For tests: a meeting around a PacketRouter with simulated time, a sink that keeps what was sent, senders that make
// packets, and captured ones. Not thread-safe; one test.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "media/room/packet_router.hpp"
#include "media/wire/byte_io.hpp"
#include "media/wire/rtcp_feedback.hpp"
#include "media/wire/rtcp_writer.hpp"
#include "media/wire/rtp.hpp"
#include "media/wire/rtp_extensions.hpp"

namespace media::room::testing {

using namespace std::chrono_literals;
using core::Bytes;
using core::BytesView;

inline constexpr CodecIdentity kVp8{.kind = wire::CodecKind::vp8};
inline constexpr CodecIdentity kVp9{.kind = wire::CodecKind::vp9};

struct Sent {
    PeerId to = 0;
    Time at{};
    Bytes bytes;
    wire::RtpView rtp() const { return *wire::RtpView::parse(bytes); }
};

/// A captured packet: milliseconds since the first one.
struct Captured {
    std::chrono::milliseconds at{};
    Bytes bytes;
};

/// Opus (payload type 111) and VP9 (98, padding-only packets among it) as a browser sent them.
inline std::vector<Captured> captured_call() {
    const auto path = std::filesystem::path(SOURCE_ROOT) / "media/room/testdata/opus-vp9.bin";
    std::ifstream file(path, std::ios::binary);
    const Bytes data((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    EXPECT_FALSE(data.empty()) << path;
    std::vector<Captured> result;
    for (std::size_t at = 0; at + 6 <= data.size();) {
        const std::size_t size = wire::load_u16(&data[at + 4]);
        result.push_back({std::chrono::milliseconds(wire::load_u32(&data[at])),
                          Bytes(data.begin() + static_cast<std::ptrdiff_t>(at + 6),
                                data.begin() + static_cast<std::ptrdiff_t>(at + 6 + size))});
        at += 6 + size;
    }
    for (auto& packet : result | std::views::reverse) packet.at -= result.front().at;
    return result;
}
inline constexpr std::uint32_t kCapturedAudioSsrc = 542634088;
inline constexpr std::uint32_t kCapturedVideoSsrc = 2480578103;

class TestMeeting : public Sink {
  public:
    explicit TestMeeting(RouterSettings settings = {}) : router(*this, settings) {}

    void send_rtp(PeerId to, std::span<std::uint8_t> packet) override {
        rtp.push_back({to, now, Bytes(packet.begin(), packet.end())});
        // As encryption in place would.
        std::fill_n(packet.data(), packet.size() + kTrailerRoom, std::uint8_t{0xEE});
    }
    void send_rtcp(PeerId to, std::span<std::uint8_t> compound) override {
        rtcp.push_back({to, now, Bytes(compound.begin(), compound.end())});
        std::fill_n(compound.data(), compound.size() + kTrailerRoom, std::uint8_t{0xEE});
    }

    // Numbers of peer p: it sends audio 1000p (type 111), video 1000p+1 (96 VP8, 98 VP9), RTX 1000p+2 (97, 99), and
    // receives audio 1000p+500 as type 109.
    static Uplink uplink(PeerId peer, StreamId camera = 0, ExtensionIds extensions = {.audio_level = 1}) {
        Uplink result;
        result.audio = {.ssrc = 1000 * peer, .payload_type = 111, .extensions = extensions};
        if (camera != 0) {
            result.videos.push_back({.stream_id = camera,
                                     .ssrc = 1000 * peer + 1,
                                     .rtx_ssrc = 1000 * peer + 2,
                                     .codecs = {{kVp8, 96, 97}, {kVp9, 98, 99}},
                                     .extensions = {.transport_cc = extensions.transport_cc}});
        }
        return result;
    }
    static Subscription watch(PeerId peer, StreamId stream, std::string mid = "2", std::uint32_t line = 0) {
        return {.mid = std::move(mid),
                .stream_id = stream,
                .ssrc = 1000 * peer + 510 + line,
                .rtx_ssrc = 1000 * peer + 610 + line,
                .codecs = {{kVp9, 120, 121}, {kVp8, 122, 123}}};
    }
    static Downlink downlink(PeerId peer, std::vector<Subscription> subscriptions = {}) {
        return {.audio = {.ssrc = 1000 * peer + 500, .payload_type = 109}, .subscriptions = std::move(subscriptions)};
    }

    /// Adds a connected peer that sends audio and hears.
    void join(PeerId peer, StreamId camera = 0, std::vector<Subscription> subscriptions = {}) {
        ASSERT_TRUE(router.add_peer(peer, {.person = peer}, now));
        router.set_uplink(peer, uplink(peer, camera), now);
        router.set_downlink(peer, downlink(peer, std::move(subscriptions)), now);
        router.set_connected(peer, true, now);
    }

    /// Lets time pass in steps of 5 ms; `each` is called after every step.
    void pass(std::chrono::milliseconds time, const std::function<void()>& each = {}) {
        for (const Time end = now + time; now < end;) {
            now += 5ms;
            router.tick(now);
            if (each) each();
        }
    }
    void advance_to(Time time) {
        while (now + 5ms <= time) pass(5ms);
        now = time;
    }

    void deliver(PeerId from, Bytes packet) { router.on_rtp(from, packet, now); }

    std::vector<Sent> rtp_to(PeerId peer, std::uint32_t ssrc) const {
        std::vector<Sent> result;
        for (const Sent& sent : rtp) {
            if (sent.to == peer && sent.rtp().ssrc() == ssrc) result.push_back(sent);
        }
        return result;
    }
    std::vector<Sent> audio_to(PeerId peer) const { return rtp_to(peer, 1000 * peer + 500); }
    std::vector<Sent> video_to(PeerId peer, std::uint32_t line = 0) const {
        return rtp_to(peer, 1000 * peer + 510 + line);
    }
    std::vector<Sent> rtx_to(PeerId peer) const { return rtp_to(peer, 1000 * peer + 610); }

    /// Calls `use(view, sent)` for every RTCP packet sent to a peer.
    template <class Use>
    void each_rtcp(PeerId peer, Use&& use) const {
        for (const Sent& sent : rtcp) {
            if (sent.to != peer) continue;
            wire::RtcpReader reader(sent.bytes);
            while (const auto view = reader.next()) use(*view, sent);
            EXPECT_FALSE(reader.malformed());
        }
    }
    std::vector<Time> key_frame_requests(PeerId peer) const {
        std::vector<Time> result;
        each_rtcp(peer, [&](const wire::RtcpView& view, const Sent& sent) {
            if (wire::parse_pli(view)) result.push_back(sent.at);
        });
        return result;
    }

    void receive_nack(PeerId from, std::uint32_t media_ssrc, std::vector<std::uint16_t> lost) {
        Bytes buffer(1200);
        wire::RtcpWriter writer(buffer);
        ASSERT_TRUE(writer.nack(1, media_ssrc, lost));
        router.on_rtcp(from, writer.written(), now);
    }
    void receive_pli(PeerId from, std::uint32_t media_ssrc) {
        Bytes buffer(100);
        wire::RtcpWriter writer(buffer);
        ASSERT_TRUE(writer.pli(1, media_ssrc));
        router.on_rtcp(from, writer.written(), now);
    }
    void receive_remb(PeerId from, std::uint64_t bps) {
        Bytes buffer(100);
        wire::RtcpWriter writer(buffer);
        const std::uint32_t ssrc = 1000 * from + 510;
        ASSERT_TRUE(writer.remb(1, bps, std::span(&ssrc, 1)));
        router.on_rtcp(from, writer.written(), now);
    }

    Time now{std::chrono::hours(1)};
    std::vector<Sent> rtp;
    std::vector<Sent> rtcp;
    PacketRouter router;
};

/// Makes 20 ms Opus packets.
class Microphone {
  public:
    explicit Microphone(PeerId peer, std::uint16_t sequence = 100, std::uint32_t timestamp = 5000)
        : ssrc_(1000 * peer), sequence_(sequence), timestamp_(timestamp), mark_(static_cast<std::uint8_t>(peer)) {}

    /// The payload is recognisable: TOC of 20 ms CELT, the peer, a running count.
    Bytes next(std::uint8_t level = 30) {
        Bytes packet(200);
        const std::uint8_t extension = level;
        const wire::RtpExtension extensions[] = {{1, {&extension, 1}}};
        const std::uint8_t payload[] = {0xF8, mark_, count_++};
        packet.resize(wire::write_rtp(
            packet, {.payload_type = 111, .sequence = sequence_++, .timestamp = timestamp_, .ssrc = ssrc_}, extensions,
            payload));
        timestamp_ += 960;
        return packet;
    }
    void lose(int packets) {
        for (int i = 0; i < packets; ++i) next();
    }

  private:
    std::uint32_t ssrc_;
    std::uint16_t sequence_;
    std::uint32_t timestamp_;
    std::uint8_t mark_;
    std::uint8_t count_ = 0;
};

/// Makes VP8 packets, a frame of `packets` each.
class Camera {
  public:
    explicit Camera(PeerId peer, std::uint16_t sequence = 1000, std::uint32_t timestamp = 90'000)
        : ssrc_(1000 * peer + 1), sequence_(sequence), timestamp_(timestamp) {}

    std::vector<Bytes> frame(bool key, int packets = 2) {
        std::vector<Bytes> result;
        for (int i = 0; i < packets; ++i) {
            // RFC 7741: descriptor with S at the frame's start; then bit 0 = 0 for a key frame.
            const Bytes payload{static_cast<std::uint8_t>(i == 0 ? 0x10 : 0x00),
                                static_cast<std::uint8_t>(key ? 0 : 1),
                                count_,
                                static_cast<std::uint8_t>(i),
                                5,
                                6,
                                7,
                                8,
                                9,
                                10};
            Bytes packet(100);
            packet.resize(wire::write_rtp(packet,
                                          {.payload_type = 96,
                                           .marker = i + 1 == packets,
                                           .sequence = sequence_++,
                                           .timestamp = timestamp_,
                                           .ssrc = ssrc_},
                                          {}, payload));
            result.push_back(std::move(packet));
        }
        ++count_;
        timestamp_ += 3000;
        return result;
    }
    Bytes padding() {
        Bytes packet(200);
        const std::size_t size = wire::write_rtp(
            packet, {.payload_type = 96, .sequence = sequence_++, .timestamp = timestamp_, .ssrc = ssrc_}, {}, {});
        packet.resize(size + 20);
        packet[0] |= 0x20;
        packet.back() = 20;
        return packet;
    }
    /// The same packet as the browser repeats it.
    static Bytes as_rtx(const Bytes& original, std::uint16_t rtx_sequence) {
        const auto view = *wire::RtpView::parse(original);
        Bytes payload(2);
        wire::store_u16(payload.data(), view.sequence());
        payload.insert(payload.end(), view.payload().begin(), view.payload().end());
        Bytes packet(payload.size() + 12);
        wire::write_rtp(packet,
                        {.payload_type = static_cast<std::uint8_t>(view.payload_type() + 1),
                         .marker = view.marker(),
                         .sequence = rtx_sequence,
                         .timestamp = view.timestamp(),
                         .ssrc = view.ssrc() + 1},
                        {}, payload);
        return packet;
    }
    void skip_time(std::uint32_t units) { timestamp_ += units; }

  private:
    std::uint32_t ssrc_;
    std::uint16_t sequence_;
    std::uint32_t timestamp_;
    std::uint8_t count_ = 0;
};

/// Sequence numbers rise by one and timestamps by `step` from packet to packet.
inline void expect_steady(const std::vector<Sent>& packets, std::uint32_t step) {
    for (std::size_t i = 1; i < packets.size(); ++i) {
        const auto before = packets[i - 1].rtp();
        const auto after = packets[i].rtp();
        ASSERT_EQ(static_cast<std::uint16_t>(after.sequence() - before.sequence()), 1) << "packet " << i;
        ASSERT_EQ(after.timestamp() - before.timestamp(), step) << "packet " << i;
    }
}

inline std::vector<std::uint16_t> sequences(const std::vector<Sent>& packets) {
    std::vector<std::uint16_t> result;
    result.reserve(packets.size());
    for (const Sent& sent : packets) result.push_back(sent.rtp().sequence());
    return result;
}

}  // namespace media::room::testing
