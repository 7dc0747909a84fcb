// Random operations and packets against a PacketRouter. Checked all the time:
//  - nothing is sent to a peer that is not there or not connected;
//  - audio: sequence number and timestamp go together, no number twice, none from before a connection, never faster
//    than real time allows, never too many slots open in a row nor more than a third of all, and never below half of 50
//    packets a second;
//  - no foreign header extension; the transport-wide numbers of a peer go up by one;
//  - video: a number that is used again carries exactly the same bytes (SRTP would
//    otherwise use one key stream for two packets);
//  - RTCP is well-formed.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "media/room/audio_slots.hpp"
#include "media/room/packet_router.hpp"
#include "media/wire/byte_io.hpp"
#include "media/wire/rtcp.hpp"
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

class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
    bool empty() const { return at_ >= size_; }
    std::uint8_t byte() { return empty() ? 0 : data_[at_++]; }
    std::uint16_t word() { return static_cast<std::uint16_t>(byte() << 8 | byte()); }
    std::span<const std::uint8_t> bytes(std::size_t count) {
        count = std::min(count, size_ - std::min(at_, size_));
        const std::span<const std::uint8_t> result(data_ + at_, count);
        at_ += count;
        return result;
    }

  private:
    const std::uint8_t* data_;
    std::size_t size_;
    std::size_t at_ = 0;
};

struct AudioState {
    bool started = false;
    std::uint16_t first_sequence = 0;
    std::uint32_t first_timestamp = 0;
    std::int64_t highest = 0;
    std::vector<bool> used;
    Time since{};
    std::size_t sent = 0;
};

struct World : Sink {
    static constexpr PeerId kPeers = 5;
    struct PeerState {
        bool there = false;
        bool connected = false;
        bool hears = false;
        std::uint8_t number_extension = 0;  ///< Transport-wide numbers on all lines; 0: none.
        std::uint16_t next_number = 0;
        AudioState audio;
    };
    PeerState peers[kPeers + 1];
    Time now{1h};
    // The last packets of each outgoing stream, by number.
    struct Last {
        std::uint16_t sequence;
        std::vector<std::uint8_t> bytes;
    };
    std::map<std::pair<PeerId, std::uint32_t>, std::vector<Last>> video;

    void send_rtp(PeerId to, std::span<std::uint8_t> packet) override {
        check(to <= kPeers && peers[to].there && peers[to].connected, "sent to somebody who is not there");
        check(packet.size() <= kMaxPacketSize, "packet too long");
        const auto view = wire::RtpView::parse(packet);
        check(view.has_value(), "malformed packet sent");
        check(view->csrc_count() == 0, "foreign header parts");
        const bool is_audio = view->ssrc() == 1000 * to + 500;
        const bool again = !is_audio && remember(video[{to, view->ssrc()}], *view);
        if (is_audio) audio(peers[to].audio, *view);
        if (!again) stamp(peers[to], *view);
        std::fill_n(packet.data(), packet.size() + kTrailerRoom, std::uint8_t{0xAB});
    }
    static void stamp(PeerState& to, const wire::RtpView& view) {
        if (to.number_extension == 0) {
            check(view.extension_form() == wire::RtpExtensionForm::none, "a header extension nobody wants");
            return;
        }
        const auto value = view.extension(to.number_extension);
        check(value && value->size() == 2 && view.header_size() == 20, "a packet without its number");
        check(wire::load_u16(value->data()) == to.next_number++, "transport-wide numbers go up by one");
    }
    void audio(AudioState& state, const wire::RtpView& view) {
        check(!view.marker() && view.payload_type() == 109, "audio header");
        if (!state.started) {
            state = {.started = true,
                     .first_sequence = view.sequence(),
                     .first_timestamp = view.timestamp(),
                     .highest = 0,
                     .used = {},
                     .since = now,
                     .sent = 0};
        }
        const auto step = static_cast<std::int16_t>(static_cast<std::uint16_t>(
            view.sequence() - static_cast<std::uint16_t>(state.first_sequence + state.highest)));
        const std::int64_t slot = state.highest + step;
        check(slot >= 0, "audio number from before the connection");
        // Not only what fits into the lead: slots may be overdue before they are left open.
        check(step <= std::int64_t{AudioSlots::kMaxOpen} + 1, "audio number jumps");
        check(view.timestamp() ==
                  static_cast<std::uint32_t>(state.first_timestamp + static_cast<std::uint64_t>(slot) * 960),
              "audio number and timestamp part");
        if (state.used.size() <= static_cast<std::size_t>(slot)) state.used.resize(static_cast<std::size_t>(slot) + 1);
        check(!state.used[static_cast<std::size_t>(slot)], "audio number used twice");
        state.used[static_cast<std::size_t>(slot)] = true;
        state.highest = std::max(state.highest, slot);
        ++state.sent;
        // Half of what was sent, and what a connection before may have earned.
        const std::int64_t open = state.highest + 1 - static_cast<std::int64_t>(state.sent);
        check(open * 2 <= static_cast<std::int64_t>(state.sent) + 2 * std::int64_t{AudioSlots::kMaxOpen},
              "too many audio slots left open");
        const double nominal = std::chrono::duration<double>(now - state.since).count() * 50;
        check(static_cast<double>(state.highest) <= nominal * 1.01 + 14, "audio faster than real time");
    }
    /// True: the same packet once more.
    static bool remember(std::vector<Last>& last, const wire::RtpView& view) {
        const std::vector<std::uint8_t> bytes(view.packet().begin(), view.packet().end());
        for (const Last& before : last) {
            if (before.sequence != view.sequence()) continue;
            check(before.bytes == bytes, "number used for two packets");
            return true;
        }
        if (last.size() >= 256) last.erase(last.begin());
        last.push_back({view.sequence(), bytes});
        return false;
    }
    void send_rtcp(PeerId to, std::span<std::uint8_t> compound) override {
        check(to <= kPeers && peers[to].there && peers[to].connected, "RTCP sent to somebody who is not there");
        wire::RtcpReader reader(compound);
        while (reader.next()) {
        }
        check(!reader.malformed(), "malformed RTCP sent");
        std::fill_n(compound.data(), compound.size() + kTrailerRoom, std::uint8_t{0xAB});
    }
    void settle(PeerId peer) {
        AudioState& audio = peers[peer].audio;
        if (!audio.started) return;
        const double nominal = std::chrono::duration<double>(now - audio.since).count() * 50;
        check(static_cast<double>(audio.sent) >= nominal * 0.62 - 40, "too little audio");
        audio = {};
    }
};

const wire::CodecIdentity kVp8{.kind = wire::CodecKind::vp8};
const wire::CodecIdentity kVp9{.kind = wire::CodecKind::vp9};
const wire::CodecIdentity kH264{
    .kind = wire::CodecKind::h264, .profile = 0, .packetization_mode = 1, .h264_profile = 0x42E0};

std::vector<CodecPayload> codecs(std::uint8_t choice) {
    std::vector<CodecPayload> result;
    if ((choice & 1) == 0) result.push_back({kVp8, 96, 97});
    if ((choice & 2) == 0) result.push_back({kVp9, 98, static_cast<std::uint8_t>((choice & 8) != 0 ? 0 : 99)});
    if ((choice & 4) == 0) result.push_back({kH264, 100, 101});
    return result;
}

class Driver {
  public:
    explicit Driver(Input input) : input_(input), router_(world_, {.uplink_ceiling_bps = 1'000'000, .seed = 7}) {}

    void run() {
        for (int steps = 0; !input_.empty() && steps < 2000; ++steps) step();
        for (PeerId peer = 1; peer <= World::kPeers; ++peer) world_.settle(peer);
    }

  private:
    PeerId peer() { return 1 + input_.byte() % World::kPeers; }

    void step() {
        switch (input_.byte() % 16) {
            case 0:
                join(peer());
                break;
            case 1:
                uplink(peer());
                break;
            case 2:
                downlink(peer());
                break;
            case 3:
                connect(peer(), input_.byte() % 4 != 0);
                break;
            case 4:
                router_.set_paused(peer(), input_.byte() % 4, input_.byte() % 2 != 0, world_.now);
                break;
            case 5:
                router_.set_muted(peer(), input_.byte() % 2 != 0, world_.now);
                break;
            case 6:
                pass(input_.byte());
                break;
            case 7:
                pass(4);
                break;
            case 8:
                raw();
                break;
            case 9:
            case 10:
                audio(peer());
                break;
            case 11:
            case 12:
            case 13:
                video(peer());
                break;
            case 14:
                feedback(peer());
                break;
            default:
                leave(peer());
                break;
        }
        (void)router_.report(world_.now);
    }
    void pass(std::uint8_t steps) {
        for (int i = 0; i < steps % 64; ++i) {
            world_.now += 5ms;
            router_.tick(world_.now);
        }
    }
    void join(PeerId id) {
        const bool added = router_.add_peer(id, {.person = 1 + id % 3, .content = input_.byte() % 8 == 0}, world_.now);
        check(added != world_.peers[id].there, "a peer joins once");
        world_.peers[id].there = true;
        router_.set_uplink(
            id,
            {.audio = {.ssrc = 1000 * id, .payload_type = 111, .extensions = {.audio_level = 1, .transport_cc = 3}},
             .videos = {}},
            world_.now);
        router_.set_downlink(id, {.audio = {.ssrc = 1000 * id + 500, .payload_type = 109}, .subscriptions = {}},
                             world_.now);
        world_.peers[id].number_extension = 0;
        world_.peers[id].next_number = 0;
    }
    void leave(PeerId id) {
        if (input_.byte() % 4 != 0) return;
        router_.remove_peer(id, world_.now);
        world_.settle(id);
        world_.peers[id] = {};
        // A new connection has new keys.
        std::erase_if(world_.video, [&](const auto& stream) { return stream.first.first == id; });
    }
    void connect(PeerId id, bool connected) {
        if (!world_.peers[id].there) return;
        if (!connected) world_.settle(id);
        const bool before = world_.peers[id].connected;
        if (connected) world_.peers[id].connected = true;
        router_.set_connected(id, connected, world_.now);
        world_.peers[id].connected = connected;
        if (connected != before) world_.peers[id].audio = {};
    }
    void uplink(PeerId id) {
        const std::uint8_t choice = input_.byte();
        Uplink uplink{.audio = {.ssrc = (choice & 0x80) != 0 ? 0 : 1000 * id,
                                .payload_type = 111,
                                .extensions = {.audio_level = 1, .transport_cc = 3}},
                      .videos = {}};
        for (int i = 0; i < choice % 3; ++i) {
            uplink.videos.push_back(
                {.stream_id = input_.byte() % 4U,
                 .ssrc = (choice & 0x40) != 0 ? 0 : 1000 * id + 1 + static_cast<std::uint32_t>(i) * 10,
                 .rtx_ssrc = 1000 * id + 2 + static_cast<std::uint32_t>(i) * 10,
                 .codecs = codecs(input_.byte()),
                 .extensions = {.transport_cc = 3}});
        }
        router_.set_uplink(id, uplink, world_.now);
    }
    void downlink(PeerId id) {
        Downlink downlink{.audio = {.ssrc = 1000 * id + 500, .payload_type = 109}, .subscriptions = {}};
        const std::uint8_t shape = input_.byte();
        const std::uint8_t count = shape % 4;
        World::PeerState& state = world_.peers[id];
        const std::uint8_t numbered = (shape & 4) != 0 ? 3 : 0;
        if (state.there && numbered == 0) state.next_number = 0;
        if (state.there) state.number_extension = numbered;
        downlink.audio.extensions.transport_cc = numbered;
        for (std::uint32_t line = 0; line < count; ++line) {
            const std::uint8_t choice = input_.byte();
            downlink.subscriptions.push_back({.mid = std::to_string(line),
                                              .stream_id = choice % 4U,
                                              .ssrc = 1000 * id + 510 + line,
                                              .rtx_ssrc = (choice & 0x80) != 0 ? 0 : 1000 * id + 610 + line,
                                              .codecs = codecs(input_.byte()),
                                              .extensions = {.transport_cc = numbered}});
        }
        router_.set_downlink(id, downlink, world_.now);
    }
    void deliver(PeerId id, const wire::RtpHeader& header, std::span<const std::uint8_t> payload, bool padded) {
        const std::uint8_t level = input_.byte();
        const std::uint8_t number[] = {static_cast<std::uint8_t>(transport_ >> 8),
                                       static_cast<std::uint8_t>(transport_)};
        ++transport_;
        const wire::RtpExtension extensions[] = {{1, {&level, 1}}, {3, number}};
        std::uint8_t buffer[kMaxPacketSize];
        std::size_t size = wire::write_rtp(buffer, header, extensions, payload);
        if (padded && size != 0) {
            buffer[0] |= 0x20;
            buffer[size++] = 1;
        }
        router_.on_rtp(id, std::span(buffer).first(size), world_.now);
    }
    void audio(PeerId id) {
        const std::uint8_t choice = input_.byte();
        auto& [sequence, timestamp] = audio_[id];
        const int packets = 1 + choice % 8;
        for (int i = 0; i < packets; ++i) {
            std::uint16_t jump = 1;
            if (choice > 200) jump = input_.byte();
            if (choice > 250) jump = input_.word();
            // A straggler: the stream does not go on from it.
            const std::uint8_t behind = choice == 198 ? input_.byte() % 48 : 0;
            if (choice == 198) jump = 0;
            sequence = static_cast<std::uint16_t>(sequence + jump);
            timestamp += jump * 960U;
            const std::uint8_t payload[] = {static_cast<std::uint8_t>(choice == 200 ? input_.byte() : 0xF8), 1, 2, 3};
            deliver(id,
                    {.payload_type = 111,
                     .marker = false,
                     .sequence = static_cast<std::uint16_t>(sequence - behind),
                     .timestamp = timestamp - behind * 960U,
                     .ssrc = 1000 * id},
                    payload, choice == 199);
            if ((choice & 8) != 0) pass(4);
        }
    }
    void video(PeerId id) {
        const std::uint8_t choice = input_.byte();
        const std::uint32_t stream = (choice & 1) != 0 ? 10 : 0;
        auto& [sequence, timestamp] = video_[id * 20 + stream];
        const std::uint8_t kind = input_.byte();
        const std::uint8_t type = static_cast<std::uint8_t>(96 + kind % 6);
        const bool rtx = kind % 2 == 1;
        for (int i = 0; i <= (choice >> 4); ++i) {
            std::uint16_t used = sequence;
            if (kind > 220) {
                used = static_cast<std::uint16_t>(sequence - input_.byte());
            } else if (kind > 200) {
                sequence = static_cast<std::uint16_t>(sequence + input_.byte());
                used = sequence;
            } else if (kind > 195) {
                used = input_.word();
            } else if (!rtx) {
                used = ++sequence;
            }
            timestamp += 3000;
            std::vector<std::uint8_t> payload;
            if (rtx) {
                payload.resize(2);
                wire::store_u16(payload.data(), static_cast<std::uint16_t>(used - input_.byte() % 16));
            }
            if ((choice & 2) == 0) {
                payload.insert(payload.end(), {0x10, static_cast<std::uint8_t>(choice & 4),
                                               static_cast<std::uint8_t>(used), static_cast<std::uint8_t>(used >> 8)});
                payload.insert(payload.end(), 40, static_cast<std::uint8_t>(used));
            }
            deliver(id,
                    {.payload_type = type,
                     .marker = (used & 1) != 0,
                     .sequence = used,
                     .timestamp = timestamp,
                     .ssrc = 1000 * id + 1 + stream + (rtx ? 1 : 0)},
                    payload, payload.empty());
        }
    }
    void feedback(PeerId id) {
        const std::uint8_t choice = input_.byte();
        std::uint8_t buffer[600];
        wire::RtcpWriter writer(buffer);
        const std::uint32_t line = 1000 * id + 510 + choice % 3;
        if ((choice & 4) != 0) arrivals(writer, world_.peers[id].next_number);
        if ((choice & 8) != 0) {
            // What the receiver really got last, or near it.
            const auto known = world_.video.find({id, line});
            std::vector<std::uint16_t> lost;
            for (int i = 0; i < 8; ++i) {
                const std::uint16_t near =
                    known == world_.video.end() || known->second.empty() ? 0 : known->second.back().sequence;
                lost.push_back(static_cast<std::uint16_t>(near - input_.byte() % 80));
            }
            writer.nack(1, line, lost);
        }
        if ((choice & 16) != 0) writer.pli(1, line);
        if ((choice & 32) != 0) writer.fir(1, line, input_.byte());
        if ((choice & 64) != 0) writer.remb(1, std::uint64_t{input_.word()} * 100, std::span(&line, 1));
        if ((choice & 128) != 0) {
            const wire::ReportBlock block{.ssrc = line,
                                          .fraction_lost = 0,
                                          .cumulative_lost = 0,
                                          .highest_sequence = 0,
                                          .jitter = 0,
                                          .last_sr = static_cast<std::uint32_t>(input_.word() << 16 | input_.word()),
                                          .delay_since_last_sr = input_.word()};
            writer.sender_report(1000 * id + choice % 2,
                                 {.ntp = input_.word(), .rtp_timestamp = 0, .packets = 0, .octets = 0},
                                 std::span(&block, 1));
        }
        router_.on_rtcp(id, writer.written(), world_.now);
    }
    /// The last packets have arrived, most of them, at times as the input says.
    void arrivals(wire::RtcpWriter& writer, std::uint16_t next) {
        std::vector<wire::PacketArrival> list;
        const std::int64_t end = 65'536 * 4 + next;
        arrival_us_ += input_.byte() * 1000;
        for (std::int64_t number = end - 40; number < end; ++number) {
            if (input_.byte() % 8 == 0) continue;
            arrival_us_ += input_.byte() * 100;
            list.push_back({number, arrival_us_});
        }
        writer.transport_feedback(1, 2, 0, end - 40, list);
    }
    void raw() {
        const PeerId id = peer();
        const std::uint8_t size = input_.byte();
        const auto bytes = input_.bytes(size);
        router_.on_rtcp(id, bytes, world_.now);
        std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
        router_.on_rtp(id, copy, world_.now);
    }

    Input input_;
    World world_;
    PacketRouter router_;
    std::uint16_t transport_ = 65'000;
    std::int64_t arrival_us_ = 1'000'000;
    std::map<PeerId, std::pair<std::uint16_t, std::uint32_t>> audio_;
    std::map<std::uint32_t, std::pair<std::uint16_t, std::uint32_t>> video_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 8192) return 0;
    Driver(Input(data, size)).run();
    return 0;
}
