// Random packets of cameras with layers (simulcast, VP9 SVC, AV1), and random changes of what two viewers are to get,
// against a PacketRouter. One viewer takes repeats by RTX, the other as plain packets. Checked all the time:
//  - a number that is used again carries exactly the same bytes (SRTP would otherwise use one key stream twice);
//  - in the order of numbers, timestamps never go back and another simulcast layer begins with a key frame;
//  - nothing is sent to a viewer that has paused or is not connected, and no header extension is passed on.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/room/packet_router.hpp"
#include "media/wire/byte_io.hpp"
#include "media/wire/dependency_descriptor_samples.hpp"
#include "media/wire/rtcp_writer.hpp"
#include "media/wire/rtp.hpp"

namespace {

using namespace media::room;
namespace wire = media::wire;
using namespace std::chrono_literals;

void check(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

constexpr PeerId kSender = 1;
constexpr GroupId kGroup = 9;
constexpr std::array<const char*, 3> kRids = {"low", "mid", "hi"};

struct World : Sink {
    struct Line {
        wire::SequenceUnwrapper numbers;
        std::map<std::int64_t, std::vector<std::uint8_t>> sent;
        std::optional<std::int64_t> newest;
        std::uint32_t newest_timestamp = 0;
        std::uint8_t newest_stream = 0xFF;
    };
    struct Viewer {
        bool connected = true;
        bool paused = false;
        Line line;
    };
    std::array<Viewer, 4> viewers;

    void send_rtp(PeerId to, std::span<std::uint8_t> packet) override {
        check(to == 2 || to == 3, "sent to somebody who watches nothing");
        const auto view = wire::RtpView::parse(packet);
        check(view.has_value() && packet.size() <= kMaxPacketSize, "malformed packet sent");
        if (view->ssrc() == 1000 * to + 500) return;  // Silence.
        check(view->extension_form() == wire::RtpExtensionForm::none, "header extension passed on");
        check(viewers[to].connected, "sent to a viewer that is not there");
        if (view->ssrc() == 1000 * to + 510) take(viewers[to], *view);
        std::fill_n(packet.data(), packet.size() + kTrailerRoom, std::uint8_t{0xAB});
    }
    static void take(Viewer& viewer, const wire::RtpView& view) {
        Line& line = viewer.line;
        const std::int64_t number = line.numbers.unwrap(view.sequence());
        const std::vector<std::uint8_t> bytes(view.packet().begin(), view.packet().end());
        const auto [known, fresh] = line.sent.try_emplace(number, bytes);
        check(fresh || known->second == bytes, "number used for two packets");
        if (line.sent.size() > 2000) line.sent.erase(line.sent.begin());
        if (!fresh || (line.newest && number < *line.newest)) return;
        check(!viewer.paused, "sent to a viewer that has paused");
        if (line.newest) {
            check(!wire::newer_timestamp(line.newest_timestamp, view.timestamp()), "time goes back");
        }
        line.newest = number;
        line.newest_timestamp = view.timestamp();
        if (view.padding_only()) return;
        // Every payload ends with: simulcast layer, 1 at the start of a key frame.
        const std::uint8_t stream = view.payload()[view.payload().size() - 2];
        const bool key = view.payload().back() != 0;
        check(stream == line.newest_stream || key, "another layer without a key frame");
        line.newest_stream = stream;
    }
    void send_rtcp(PeerId, std::span<std::uint8_t> compound) override {
        std::fill_n(compound.data(), compound.size() + kTrailerRoom, std::uint8_t{0xAB});
    }
};

const wire::CodecIdentity kVp8{.kind = wire::CodecKind::vp8};
const wire::CodecIdentity kVp9{.kind = wire::CodecKind::vp9};
const wire::CodecIdentity kAv1{.kind = wire::CodecKind::av1};

class Driver {
  public:
    Driver(const std::uint8_t* data, std::size_t size) : data_(data, size), router_(world_, {.seed = 3}) {
        mode_ = byte() % 3;
        for (PeerId peer = kSender; peer <= 3; ++peer) {
            router_.add_peer(peer, {.person = peer}, now_);
            router_.set_uplink(peer, {.audio = {.ssrc = 1000 * peer, .payload_type = 111}, .videos = {}}, now_);
            if (peer != kSender) downlink(peer, 3, 0, 0);
            router_.set_connected(peer, true, now_);
        }
        uplink(3);
    }
    void run() {
        for (int steps = 0; at_ < data_.size() && steps < 3000; ++steps) step();
    }

  private:
    std::uint8_t byte() { return at_ < data_.size() ? data_[at_++] : 0; }
    PeerId viewer() { return 2 + byte() % 2; }

    void step() {
        const std::uint8_t what = byte() % 32;
        if (what < 16) return frame(what);
        switch (what) {
            case 16:
            case 17:
                return pass(1 + byte() % 8);
            case 18:
                return pass(byte());
            case 19:
            case 20:
            case 21: {
                const PeerId who = viewer();
                const std::uint8_t named = byte();
                return downlink(who, named, byte(), byte());
            }
            case 22: {
                const PeerId who = viewer();
                world_.viewers[who].paused = byte() % 3 == 0;
                for (StreamId stream = 1; stream <= 3; ++stream) {
                    router_.set_paused(who, stream, world_.viewers[who].paused, now_);
                }
                return;
            }
            case 23:
                return connect(viewer(), byte() % 3 != 0);
            case 24:
                return uplink(byte());
            case 25:
            case 26:
                return nack(viewer());
            case 27:
                return estimate(viewer(), byte());
            case 28:
                return report(byte());
            case 29:
                return repeat(byte());
            case 30:
                (void)router_.report(now_);
                return;
            default:
                held_.clear();
        }
    }
    void pass(int steps) {
        for (int i = 0; i < steps; ++i) {
            now_ += 5ms;
            router_.tick(now_);
        }
    }
    void connect(PeerId who, bool connected) {
        if (connected) world_.viewers[who].connected = true;
        router_.set_connected(who, connected, now_);
        world_.viewers[who].connected = connected;
    }
    void uplink(std::uint8_t choice) {
        Uplink result{.audio = {.ssrc = 1000, .payload_type = 111}, .videos = {}};
        const ExtensionIds extensions{.rid = 10, .repaired_rid = 11, .dependency_descriptor = 12};
        const std::vector<CodecPayload> codecs = {{kVp8, 96, 97}, {kVp9, 98, 99}, {kAv1, 45, 46}};
        const int count = mode_ == 0 ? 1 + choice % 3 : 1;
        for (int i = 0; i < count; ++i) {
            VideoUplink video{.stream_id = 1U + static_cast<StreamId>(i),
                              .codecs = codecs,
                              .extensions = extensions,
                              .group_id = kGroup,
                              .max_bitrate_kbps = 100U << i,
                              .periodic_key_frames = (choice & 64) != 0};
            if (mode_ == 0) video.rid = kRids[static_cast<std::size_t>(i)];
            if (mode_ != 0) video.ssrc = 5000;
            result.videos.push_back(std::move(video));
        }
        if ((choice & 0xC0) == 0xC0) result.videos.clear();
        router_.set_uplink(kSender, result, now_);
    }
    void downlink(PeerId who, std::uint8_t named, std::uint8_t wish, std::uint8_t target) {
        Subscription line{.mid = "2",
                          .stream_id = 1U + named % 3U,
                          .ssrc = 1000 * who + 510,
                          .rtx_ssrc = who == 2 ? 2610U : 0U,
                          .codecs = {{kVp9, 120, 121}, {kVp8, 122, 123}, {kAv1, 124, 125}}};
        Downlink result{.audio = {.ssrc = 1000 * who + 500, .payload_type = 109}, .subscriptions = {}};
        if (mode_ != 0) line.stream_id = 1;
        if ((wish & 1) != 0) result.adaptation = Adaptation::server;
        if ((wish & 2) != 0) {
            line.wish = VideoWish{
                .priority = wish, .target_kbps = target, .preference = static_cast<QualityPreference>(wish / 4 % 3)};
        }
        result.subscriptions.push_back(std::move(line));
        // Another layer of the same camera ends a pause of the one before.
        if (named_[who] != result.subscriptions[0].stream_id) world_.viewers[who].paused = false;
        named_[who] = result.subscriptions[0].stream_id;
        router_.set_downlink(who, result, now_);
    }
    struct Packet {
        std::uint32_t ssrc = 0;
        std::vector<std::uint8_t> bytes;
    };
    void frame(std::uint8_t what) {
        const std::uint8_t order = byte();
        const bool key = what % 8 == 0;
        const std::size_t stream = mode_ == 0 ? what % 3 : 0;
        timestamps_[stream] += 3000U * (1 + order % 2);
        if (mode_ == 2 && key) offset_ = static_cast<std::uint8_t>((offset_ + 5) % 64);
        const std::uint8_t temporal = key ? 0 : static_cast<std::uint8_t>(order / 4 % 3);
        const int count = mode_ == 1 ? 3 : 1 + order % 3;
        for (int i = 0; i < count; ++i) {
            const bool last = i + 1 == count;
            std::vector<std::uint8_t> payload;
            std::vector<std::uint8_t> descriptor;
            bool starts = key && i == 0;
            if (mode_ == 0) {
                payload = {static_cast<std::uint8_t>(i == 0 ? 0x10 : 0), static_cast<std::uint8_t>(key ? 0 : 1)};
            } else if (mode_ == 1) {
                payload = {static_cast<std::uint8_t>(0xBC | (key ? 0 : 0x40)), 0x80, 1,
                           static_cast<std::uint8_t>(temporal << 5 | (order & 64) >> 2 | i << 1 | (i > 0 ? 1 : 0))};
                if (!key) payload.push_back(2);
            } else {
                payload = {static_cast<std::uint8_t>(starts ? 0x08 : i == 0 ? 0 : 0x80), 0x0A};
                const wire::samples::FrameStart about{
                    .start = i == 0,
                    .end = last,
                    .template_id = static_cast<std::uint8_t>((offset_ + (key ? 0 : 1 + temporal)) % 64)};
                descriptor = starts ? wire::samples::key_descriptor(about, offset_, wire::samples::l1t3())
                                    : wire::samples::short_descriptor(about);
                if (order == 255) descriptor = {byte(), byte(), byte(), byte(), byte(), byte()};
            }
            payload.insert(payload.end(), 20, static_cast<std::uint8_t>(sequences_[stream]));
            payload.push_back(static_cast<std::uint8_t>(stream));
            payload.push_back(starts ? 1 : 0);
            send(stream, payload, descriptor, last, order, i);
        }
        if ((order & 32) != 0) pass(6);
    }
    void send(std::size_t stream, std::vector<std::uint8_t>& payload, std::vector<std::uint8_t>& descriptor,
              bool marker, std::uint8_t order, int i) {
        constexpr std::array<std::uint8_t, 3> kTypes = {96, 98, 45};
        std::vector<wire::RtpExtension> extensions;
        const std::string rid = kRids[stream];
        if (mode_ == 0) extensions.push_back({10, core::as_bytes(rid)});
        if (!descriptor.empty()) extensions.push_back({12, descriptor});
        if (order == 254) payload.clear();
        std::vector<std::uint8_t> packet(payload.size() + 200);
        const wire::RtpHeader header{.payload_type = kTypes[mode_],
                                     .marker = marker,
                                     .sequence = sequences_[stream]++,
                                     .timestamp = timestamps_[stream],
                                     .ssrc = 5000 + 10 * static_cast<std::uint32_t>(stream)};
        packet.resize(wire::write_rtp(packet, header, extensions, payload));
        if (payload.empty()) {
            packet[0] |= 0x20;
            packet.push_back(1);
        }
        // One packet of the frame is lost for now, or comes behind the others.
        if ((order & 8) != 0 && i == order % 3) {
            if (held_.size() < 32) held_.push_back({header.ssrc, std::move(packet)});
            return;
        }
        router_.on_rtp(kSender, packet, now_);
        if ((order & 16) == 0 || held_.empty()) return;
        std::vector<std::uint8_t> late = std::move(held_.front().bytes);
        held_.erase(held_.begin());
        router_.on_rtp(kSender, late, now_);
    }
    /// What was lost comes again by RTX.
    void repeat(std::uint8_t which) {
        if (held_.empty()) return;
        const Packet lost = held_[which % held_.size()];
        held_.erase(held_.begin() + which % static_cast<std::ptrdiff_t>(held_.size()));
        const auto view = wire::RtpView::parse(lost.bytes);
        std::vector<std::uint8_t> payload(2);
        wire::store_u16(payload.data(), view->sequence());
        payload.insert(payload.end(), view->payload().begin(), view->payload().end());
        std::vector<wire::RtpExtension> extensions;
        if (const auto rid = view->extension(10)) extensions.push_back({11, *rid});
        if (const auto descriptor = view->extension(12)) extensions.push_back({12, *descriptor});
        std::vector<std::uint8_t> packet(payload.size() + 200);
        packet.resize(wire::write_rtp(packet,
                                      {.payload_type = static_cast<std::uint8_t>(view->payload_type() + 1),
                                       .marker = view->marker(),
                                       .sequence = rtx_++,
                                       .timestamp = view->timestamp(),
                                       .ssrc = lost.ssrc + 1},
                                      extensions, payload));
        router_.on_rtp(kSender, packet, now_);
    }
    void nack(PeerId who) {
        const World::Line& line = world_.viewers[who].line;
        std::uint8_t buffer[300];
        wire::RtcpWriter writer(buffer);
        std::vector<std::uint16_t> lost;
        lost.reserve(6);
        for (int i = 0; i < 6; ++i) lost.push_back(static_cast<std::uint16_t>(line.newest.value_or(0) - byte()));
        writer.nack(1, 1000 * who + 510, lost);
        if (byte() % 4 == 0) writer.pli(1, 1000 * who + 510);
        router_.on_rtcp(who, writer.written(), now_);
    }
    void estimate(PeerId who, std::uint8_t kbps) {
        std::uint8_t buffer[100];
        wire::RtcpWriter writer(buffer);
        const std::uint32_t ssrc = 1000 * who + 510;
        writer.remb(1, (std::uint64_t{kbps} + 55) * 1000, std::span(&ssrc, 1));
        router_.on_rtcp(who, writer.written(), now_);
    }
    void report(std::uint8_t wrong) {
        std::uint8_t buffer[100];
        wire::RtcpWriter writer(buffer);
        const std::size_t stream = wrong % 3;
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch()).count();
        writer.sender_report(5000 + 10 * static_cast<std::uint32_t>(stream),
                             {.ntp = wire::ntp_from_unix_us(us) + (wrong > 200 ? std::uint64_t{byte()} << 30 : 0),
                              .rtp_timestamp = timestamps_[stream]});
        router_.on_rtcp(kSender, writer.written(), now_);
    }

    std::span<const std::uint8_t> data_;
    std::size_t at_ = 0;
    Time now_{1h};
    World world_;
    PacketRouter router_;
    std::size_t mode_ = 0;
    std::array<std::uint16_t, 3> sequences_{65'500, 7, 30'000};
    std::array<std::uint32_t, 3> timestamps_{0xFFFF'0000, 5, 0x8000'0000};
    std::array<StreamId, 4> named_{};
    std::vector<Packet> held_;
    std::uint16_t rtx_ = 0;
    std::uint8_t offset_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 8192) return 0;
    Driver(data, size).run();
    return 0;
}
