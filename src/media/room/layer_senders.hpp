// For tests: cameras with layers, as browsers send them (simulcast VP8, VP9 SVC, AV1 with temporal layers), the path
// that loses and reorders their packets, and a receiver that knows what could be decoded. One test; not thread-safe.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "media/room/packet_router_harness.hpp"
#include "media/wire/dependency_descriptor_samples.hpp"

namespace media::room::testing {

inline constexpr CodecIdentity kAv1{.kind = wire::CodecKind::av1};
inline constexpr ExtensionIds kLayerExtensions{.rid = 10, .repaired_rid = 11, .dependency_descriptor = 12};

/// What a synthetic packet says about itself, behind its payload descriptor.
struct Mark {
    std::uint8_t stream = 0;  ///< Simulcast layer.
    std::uint8_t spatial = 0;
    std::uint8_t temporal = 0;
    bool key = false;
    std::uint16_t picture = 0;
    std::uint8_t index = 0;  ///< Among the packets of its layer's frame.
    std::uint8_t count = 1;

    static constexpr std::uint8_t kMagic = 0xA5;
    void append(Bytes& payload, std::size_t filling) const {
        payload.insert(payload.end(),
                       {kMagic, stream, spatial, temporal, static_cast<std::uint8_t>(key ? 1 : 0),
                        static_cast<std::uint8_t>(picture >> 8), static_cast<std::uint8_t>(picture), index, count});
        payload.insert(payload.end(), filling, kMagic ^ 0xFF);
    }
    static Mark find(BytesView payload) {
        const auto at = std::ranges::find(payload, kMagic) - payload.begin();
        const std::uint8_t* p = &payload[static_cast<std::size_t>(at)];
        return {.stream = p[1],
                .spatial = p[2],
                .temporal = p[3],
                .key = p[4] != 0,
                .picture = static_cast<std::uint16_t>(p[5] << 8 | p[6]),
                .index = p[7],
                .count = p[8]};
    }
};

/// Temporal layer of a picture in the pattern 0 2 1 2.
inline std::uint8_t temporal_of(std::uint16_t picture) {
    constexpr std::array<std::uint8_t, 4> kPattern = {0, 2, 1, 2};
    return kPattern[picture % 4];
}

/// One RTP stream with its RTX stream behind it.
class LayerStream {
  public:
    LayerStream(std::uint32_t ssrc, std::uint8_t payload_type, std::string rid, std::uint16_t sequence,
                std::uint32_t timestamp)
        : ssrc_(ssrc), payload_type_(payload_type), rid_(std::move(rid)), sequence_(sequence), base_(timestamp) {}

    std::uint32_t ssrc() const { return ssrc_; }
    std::uint32_t timestamp_at(std::chrono::microseconds capture) const {
        return base_ + static_cast<std::uint32_t>(capture.count() * 9 / 100);
    }
    Bytes packet(std::chrono::microseconds capture, bool marker, BytesView payload, BytesView descriptor = {}) {
        std::vector<wire::RtpExtension> extensions;
        // A browser names the layer until a report acknowledges the stream.
        if (!rid_.empty() && named_ < 20) extensions.push_back({kLayerExtensions.rid, core::as_bytes(rid_)});
        ++named_;
        if (!descriptor.empty()) extensions.push_back({kLayerExtensions.dependency_descriptor, descriptor});
        Bytes packet(payload.size() + 200);
        packet.resize(wire::write_rtp(packet,
                                      {.payload_type = payload_type_,
                                       .marker = marker,
                                       .sequence = sequence_++,
                                       .timestamp = timestamp_at(capture),
                                       .ssrc = ssrc_},
                                      extensions, payload));
        sent_[static_cast<std::uint16_t>(sequence_ - 1)] = packet;
        return packet;
    }
    /// A packet repeated; empty: not known.
    Bytes repeat(std::uint16_t sequence) {
        const auto found = sent_.find(sequence);
        if (found == sent_.end()) return {};
        const auto view = *wire::RtpView::parse(found->second);
        Bytes payload(2);
        wire::store_u16(payload.data(), sequence);
        payload.insert(payload.end(), view.payload().begin(), view.payload().end());
        std::vector<wire::RtpExtension> extensions;
        if (!rid_.empty()) extensions.push_back({kLayerExtensions.repaired_rid, core::as_bytes(rid_)});
        if (const auto descriptor = view.extension(kLayerExtensions.dependency_descriptor)) {
            extensions.push_back({kLayerExtensions.dependency_descriptor, *descriptor});
        }
        Bytes packet(payload.size() + 200);
        packet.resize(wire::write_rtp(packet,
                                      {.payload_type = static_cast<std::uint8_t>(payload_type_ + 1),
                                       .marker = view.marker(),
                                       .sequence = rtx_sequence_++,
                                       .timestamp = view.timestamp(),
                                       .ssrc = ssrc_ + 1},
                                      extensions, payload));
        return packet;
    }

  private:
    std::uint32_t ssrc_;
    std::uint8_t payload_type_;
    std::string rid_;
    std::uint16_t sequence_;
    std::uint16_t rtx_sequence_ = 7;
    std::uint32_t base_;
    int named_ = 0;
    std::map<std::uint16_t, Bytes> sent_;
};

/// Three VP8 streams of one picture source.
class SimulcastCamera {
  public:
    static constexpr std::array<const char*, 3> kRids = {"low", "mid", "hi"};
    static constexpr std::array<std::size_t, 3> kFilling = {100, 250, 600};

    explicit SimulcastCamera(PeerId peer) : peer_(peer) {
        for (std::uint32_t i = 0; i < 3; ++i) {
            streams.emplace_back(1000 * peer + 101 + 10 * i, 96, kRids[i], static_cast<std::uint16_t>(65'000 + 700 * i),
                                 0xFFFF'0000U + 0x3333'3333U * i);
        }
    }
    Uplink uplink(StreamId first, GroupId group) const {
        Uplink result = TestMeeting::uplink(peer_);
        for (std::uint32_t i = 0; i < 3; ++i) {
            result.videos.push_back({.stream_id = first + i,
                                     .codecs = {{kVp8, 96, 97}},
                                     .extensions = kLayerExtensions,
                                     .group_id = group,
                                     .rid = kRids[i]});
        }
        return result;
    }
    std::vector<Bytes> frame(std::size_t layer, std::chrono::microseconds capture, bool key) {
        std::vector<Bytes> result;
        const auto count = static_cast<std::uint8_t>(layer + 1);
        for (std::uint8_t i = 0; i < count; ++i) {
            Bytes payload{static_cast<std::uint8_t>(i == 0 ? 0x10 : 0x00), static_cast<std::uint8_t>(key ? 0 : 1)};
            Mark{.stream = static_cast<std::uint8_t>(layer),
                 .key = key,
                 .picture = pictures_[layer],
                 .index = i,
                 .count = count}
                .append(payload, kFilling[layer]);
            result.push_back(streams[layer].packet(capture, i + 1 == count, payload));
        }
        ++pictures_[layer];
        return result;
    }
    std::vector<LayerStream> streams;

  private:
    PeerId peer_;
    std::array<std::uint16_t, 3> pictures_{};
};

/// VP9 with up to three spatial and three temporal layers on one SSRC (flexible mode, as Chromium writes it).
class SvcCamera {
  public:
    SvcCamera(PeerId peer, std::uint8_t spatial_layers = 3)
        : peer_(peer),
          spatial_layers_(spatial_layers),
          streams{LayerStream(1000 * peer + 101, 98, "", 64'000, 0xFFF0'0000)} {}
    Uplink uplink(StreamId stream, GroupId group) const {
        Uplink result = TestMeeting::uplink(peer_);
        result.videos.push_back({.stream_id = stream,
                                 .ssrc = 1000 * peer_ + 101,
                                 .rtx_ssrc = 1000 * peer_ + 102,
                                 .codecs = {{kVp9, 98, 99}},
                                 .extensions = kLayerExtensions,
                                 .group_id = group});
        return result;
    }
    std::vector<Bytes> frame(std::size_t, std::chrono::microseconds capture, bool key) {
        std::vector<Bytes> result;
        if (key) picture_ = static_cast<std::uint16_t>((picture_ + 3) / 4 * 4);
        const std::uint8_t temporal = temporal_of(picture_);
        for (std::uint8_t spatial = 0; spatial < spatial_layers_; ++spatial) {
            const auto count = static_cast<std::uint8_t>(spatial + 1);
            for (std::uint8_t i = 0; i < count; ++i) {
                const bool last = i + 1 == count;
                // I P L F B E, then the picture id, and TID U SID D. Packet sizes double with each spatial layer.
                const auto flags = static_cast<std::uint8_t>(0x80 | (key ? 0 : 0x40) | 0x20 | 0x10 | (i == 0 ? 8 : 0) |
                                                             (last ? 4 : 0));
                Bytes payload{flags, static_cast<std::uint8_t>(0x80 | (picture_ >> 8 & 0x7F)),
                              static_cast<std::uint8_t>(picture_),
                              static_cast<std::uint8_t>(temporal << 5 | spatial << 1 | (spatial > 0 ? 1 : 0))};
                if (!key) payload.push_back(2);  // P_DIFF
                // 0xA5 is the mark's own: keep the picture id out of its way.
                std::ranges::replace(payload, Mark::kMagic, std::uint8_t{0xA4});
                Mark{.spatial = spatial,
                     .temporal = temporal,
                     .key = key,
                     .picture = picture_,
                     .index = i,
                     .count = count}
                    .append(payload, 100);
                result.push_back(streams[0].packet(capture, last && spatial + 1 == spatial_layers_, payload));
            }
        }
        ++picture_;
        return result;
    }

  private:
    PeerId peer_;
    std::uint8_t spatial_layers_;
    std::uint16_t picture_ = 0;

  public:
    std::vector<LayerStream> streams;
};

/// An AV1 share with three temporal layers, told by dependency descriptors only.
class Av1Share {
  public:
    explicit Av1Share(PeerId peer) : peer_(peer), streams{LayerStream(1000 * peer + 101, 45, "", 100, 77)} {}
    Uplink uplink(StreamId stream, GroupId group) const {
        Uplink result = TestMeeting::uplink(peer_);
        result.videos.push_back({.stream_id = stream,
                                 .ssrc = 1000 * peer_ + 101,
                                 .rtx_ssrc = 1000 * peer_ + 102,
                                 .codecs = {{kAv1, 45, 46}},
                                 .extensions = kLayerExtensions,
                                 .group_id = group});
        return result;
    }
    std::vector<Bytes> frame(std::size_t, std::chrono::microseconds capture, bool key) {
        using namespace wire::samples;
        std::vector<Bytes> result;
        if (key) {
            picture_ = static_cast<std::uint16_t>((picture_ + 3) / 4 * 4);
            offset_ = static_cast<std::uint8_t>((offset_ + 5) % 64);
        }
        const std::uint8_t temporal = temporal_of(picture_);
        const std::uint8_t place = key ? 0 : temporal == 0 ? 1 : static_cast<std::uint8_t>(1 + temporal);
        constexpr std::uint8_t kCount = 2;
        for (std::uint8_t i = 0; i < kCount; ++i) {
            const FrameStart about{.start = i == 0,
                                   .end = i + 1 == kCount,
                                   .template_id = static_cast<std::uint8_t>((offset_ + place) % 64),
                                   .frame = picture_};
            const Bytes descriptor = key && i == 0 ? key_descriptor(about, offset_, l1t3()) : short_descriptor(about);
            // Aggregation header: Z on continuations, N where a coded video sequence starts.
            Bytes payload{static_cast<std::uint8_t>((i == 0 ? 0 : 0x80) | (key && i == 0 ? 0x08 : 0)), 0x0A};
            Mark{.temporal = temporal, .key = key, .picture = picture_, .index = i, .count = kCount}.append(payload,
                                                                                                            100);
            result.push_back(streams[0].packet(capture, i + 1 == kCount, payload, descriptor));
        }
        ++picture_;
        return result;
    }

  private:
    PeerId peer_;
    std::uint16_t picture_ = 0;
    std::uint8_t offset_ = 60;

  public:
    std::vector<LayerStream> streams;
};

/// Takes what was sent to one line of one receiver, RTX included, and judges it.
class Viewer {
  public:
    struct Frame {
        std::uint32_t timestamp = 0;
        Time at{};
        std::map<std::int64_t, std::pair<Mark, bool>> packets;  ///< By place in the stream; with the RTP marker.
    };
    explicit Viewer(PeerId peer, std::uint32_t line = 0)
        : peer_(peer), ssrc_(1000 * peer + 510 + line), rtx_ssrc_(1000 * peer + 610 + line) {}

    /// Everything not looked at yet.
    void take(const TestMeeting& meeting) {
        for (; seen_ < meeting.rtp.size(); ++seen_) {
            const Sent& sent = meeting.rtp[seen_];
            if (sent.to != peer_) continue;
            const auto view = sent.rtp();
            if (view.ssrc() == ssrc_) {
                put(view.sequence(), view.timestamp(), view.marker(), view.payload(), sent);
            } else if (view.ssrc() == rtx_ssrc_ && view.payload().size() >= 2) {
                put(wire::load_u16(view.payload().data()), view.timestamp(), view.marker(), view.payload().subspan(2),
                    sent);
            }
        }
    }
    /// The meeting's list of packets was cleared.
    void forget_seen() { seen_ = 0; }
    /// Numbers between the first and the last that nothing came for.
    std::vector<std::uint16_t> missing() const {
        std::vector<std::uint16_t> result;
        if (numbers_.empty()) return result;
        for (std::int64_t n = *numbers_.begin(); n < *numbers_.rbegin(); ++n) {
            if (!numbers_.contains(n)) result.push_back(static_cast<std::uint16_t>(n));
        }
        return result;
    }
    std::int64_t received() const { return static_cast<std::int64_t>(numbers_.size()); }
    /// The frames in the order of their timestamps.
    std::vector<const Frame*> frames() const {
        std::vector<const Frame*> result;
        result.reserve(frames_.size());
        for (const auto& [timestamp, frame] : frames_) result.push_back(&frame);
        return result;
    }
    /// The frames that a decoder could show, by the rules that the senders above follow.
    struct Shown {
        std::uint8_t stream = 0;
        std::uint8_t spatial = 0;
        std::uint8_t temporal = 0;
        bool key = false;
        std::uint16_t picture = 0;
        std::uint32_t timestamp = 0;
        Time at{};
    };
    std::vector<Shown> shown() const {
        std::vector<Shown> result;
        std::map<std::uint16_t, std::uint8_t> decoded;  // Of the current stream since its key frame: picture → layers.
        int stream = -1;
        for (const Frame* frame : frames()) {
            const Mark about = frame->packets.begin()->second.first;
            const std::uint8_t layers = whole_layers(*frame);
            if (layers == 0) continue;
            std::uint8_t possible = layers;
            if (about.key) {
                decoded.clear();
                stream = about.stream;
            } else {
                if (stream != about.stream) continue;
                const auto before = decoded.find(needed_by(about));
                possible = std::min<std::uint8_t>(layers, before == decoded.end() ? 0 : before->second);
            }
            if (possible == 0) continue;
            decoded[about.picture] = possible;
            result.push_back({about.stream, static_cast<std::uint8_t>(possible - 1), about.temporal, about.key,
                              about.picture, frame->timestamp, frame->at});
        }
        return result;
    }
    /// The marker stands on the last packet of each frame and nowhere else.
    void expect_markers() const {
        for (const Frame* frame : frames()) {
            for (auto packet = frame->packets.begin(); packet != frame->packets.end(); ++packet) {
                const bool last = std::next(packet) == frame->packets.end();
                const Mark& mark = packet->second.first;
                if (last && mark.index + 1 != mark.count) continue;  // The frame was cut off by a switch.
                ASSERT_EQ(packet->second.second, last)
                    << "picture " << mark.picture << " layer " << int{mark.spatial} << " packet " << int{mark.index};
            }
        }
    }

  private:
    void put(std::uint16_t sequence, std::uint32_t timestamp, bool marker, BytesView payload, const Sent& sent) {
        const std::int64_t number = sequences_.unwrap(sequence);
        Bytes bytes(payload.begin(), payload.end());
        if (!numbers_.insert(number).second) {
            ASSERT_EQ(contents_[number], bytes) << "number " << sequence << " used for two packets";
            return;
        }
        contents_[number] = std::move(bytes);
        if (payload.empty()) return;
        const std::int64_t time = timestamps_.unwrap(timestamp);
        Frame& frame = frames_[time];
        frame.timestamp = timestamp;
        frame.at = sent.at;
        frame.packets[number] = {Mark::find(payload), marker};
    }
    /// How many spatial layers from the lowest are there with all their packets, side by side.
    std::uint8_t whole_layers(const Frame& frame) const {
        std::array<std::set<int>, 4> there;
        std::array<int, 4> counts{};
        for (const auto& [number, packet] : frame.packets) {
            there[packet.first.spatial].insert(packet.first.index);
            counts[packet.first.spatial] = packet.first.count;
        }
        std::uint8_t whole = 0;
        while (whole < 4 && counts[whole] != 0 && std::cmp_equal(there[whole].size(), counts[whole])) ++whole;
        return whole;
    }
    /// The picture that this one refers to: the one before in simulcast, else by the pattern 0 2 1 2.
    std::uint16_t needed_by(const Mark& mark) const {
        if (!temporal_pattern) return static_cast<std::uint16_t>(mark.picture - 1);
        constexpr std::array<std::uint16_t, 4> kBack = {4, 1, 2, 1};
        return static_cast<std::uint16_t>(mark.picture - kBack[mark.picture % 4]);
    }

    PeerId peer_;
    std::uint32_t ssrc_;
    std::uint32_t rtx_ssrc_;
    std::size_t seen_ = 0;
    wire::SequenceUnwrapper sequences_;
    wire::TimestampUnwrapper timestamps_;
    std::set<std::int64_t> numbers_;
    std::map<std::int64_t, Bytes> contents_;
    std::map<std::int64_t, Frame> frames_;

  public:
    bool temporal_pattern = false;
};

/// Brings the packets of a camera to the router: late, lost, in another order; answers NACKs and key frame requests.
template <class Camera>
class LayerPath {
  public:
    LayerPath(TestMeeting& meeting, PeerId peer, Camera& camera, std::uint32_t seed)
        : meeting_(meeting),
          peer_(peer),
          camera_(camera),
          random_(seed),
          key_wanted_(camera.streams.size(), true),
          flows(camera.streams.size(), true) {}

    /// One picture of 33.3 ms: all streams, then the time until the next one.
    void picture() {
        const auto capture = std::chrono::microseconds(33'333) * ++pictures_;
        for (std::size_t layer = 0; layer < camera_.streams.size(); ++layer) {
            if (!flows[layer]) continue;
            const bool key = key_wanted_[layer];
            key_wanted_[layer] = false;
            keys += key ? 1 : 0;
            for (Bytes& packet : camera_.frame(layer, capture, key)) send(std::move(packet));
        }
        pass(pictures_ % 3 == 0 ? 30ms : 35ms);
    }
    void play(int pictures) {
        for (int i = 0; i < pictures; ++i) picture();
    }
    void pass(std::chrono::milliseconds time) {
        for (const Time end = meeting_.now + time; meeting_.now < end;) {
            meeting_.now += 5ms;
            arrive();
            meeting_.router.tick(meeting_.now);
            answer();
            if (each_step) each_step();
        }
    }
    /// Sender reports of all streams: one clock, timestamps of their own.
    void report() {
        const auto capture = std::chrono::microseconds(33'333) * pictures_;
        for (const LayerStream& stream : camera_.streams) {
            Bytes buffer(100);
            wire::RtcpWriter writer(buffer);
            ASSERT_TRUE(writer.sender_report(stream.ssrc(),
                                             {.ntp = wire::ntp_from_unix_us(1'700'000'000'000'000 + capture.count()),
                                              .rtp_timestamp = stream.timestamp_at(capture)}));
            meeting_.router.on_rtcp(peer_, writer.written(), meeting_.now);
        }
    }
    std::uint32_t upto(std::uint32_t most) { return std::uniform_int_distribution<std::uint32_t>(0, most)(random_); }

    int loss_percent = 0;
    std::uint32_t jitter_ms = 0;
    int keys = 0;

  private:
    void send(Bytes packet) {
        if (std::cmp_less(upto(99), loss_percent)) return;
        const auto delay = std::chrono::milliseconds(jitter_ms == 0 ? 0 : upto(jitter_ms));
        if (jitter_ms == 0) {
            meeting_.deliver(peer_, std::move(packet));
        } else {
            on_the_way_.emplace(meeting_.now + delay, std::move(packet));
        }
    }
    void arrive() {
        while (!on_the_way_.empty() && on_the_way_.begin()->first <= meeting_.now) {
            Bytes packet = std::move(on_the_way_.begin()->second);
            on_the_way_.erase(on_the_way_.begin());
            meeting_.deliver(peer_, std::move(packet));
        }
    }
    void answer() {
        for (; answered_ < meeting_.rtcp.size(); ++answered_) {
            if (meeting_.rtcp[answered_].to != peer_) continue;
            wire::RtcpReader reader(meeting_.rtcp[answered_].bytes);
            while (const auto view = reader.next()) {
                for (std::size_t layer = 0; layer < camera_.streams.size(); ++layer) {
                    LayerStream& stream = camera_.streams[layer];
                    const auto pli = wire::parse_pli(*view);
                    if (pli && pli->media_ssrc == stream.ssrc()) key_wanted_[layer] = true;
                    if (view->type != wire::rtcp_type::kTransportFeedback || view->count != 1) continue;
                    const auto nack = wire::RtcpNack::parse(*view);
                    if (!nack || nack->media_ssrc() != stream.ssrc()) continue;
                    nack->for_each_lost([&](std::uint16_t sequence) {
                        Bytes packet = stream.repeat(sequence);
                        // A round trip of 60 ms.
                        if (!packet.empty()) on_the_way_.emplace(meeting_.now + 60ms, std::move(packet));
                    });
                }
            }
        }
    }

    TestMeeting& meeting_;
    PeerId peer_;
    Camera& camera_;
    std::mt19937 random_;
    std::multimap<Time, Bytes> on_the_way_;
    std::size_t answered_ = 0;
    int pictures_ = 0;
    std::vector<bool> key_wanted_;

  public:
    std::function<void()> each_step;
    std::vector<bool> flows;  ///< By stream; a layer that a browser announces need not flow.
};

}  // namespace media::room::testing
