// The inside of PacketRouter: maps that say who is there, who hears whom and who sees what. Included by
// packet_router*.cpp only; owner and thread as PacketRouter.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "media/congestion/packet_pool.hpp"
#include "media/layers/layer_choice.hpp"
#include "media/mixing/mixer.hpp"
#include "media/room/arrival_feedback.hpp"
#include "media/room/audio_slots.hpp"
#include "media/room/packet_router.hpp"
#include "media/room/receiver_link.hpp"
#include "media/room/reception_stats.hpp"
#include "media/room/sequence_window.hpp"
#include "media/room/signal_strength.hpp"
#include "media/room/speaker_choice.hpp"
#include "media/room/uplink_limit.hpp"
#include "media/room/video_source.hpp"
#include "media/room/video_subscription.hpp"
#include "media/wire/red_packet.hpp"
#include "media/wire/rtcp_writer.hpp"
#include "media/wire/rtp.hpp"

namespace media::room {

/// The microphone of one peer.
struct AudioInput {
    AudioUplink settings;
    bool ssrc_learnt = false;
    SequenceWindow window;
    wire::TimestampUnwrapper timestamps;
    ReceptionStats stats{48'000};
    LoudnessMeter loudness;
    std::optional<Time> last_sound;    ///< When a packet that may be heard came last.
    std::optional<Time> last_odd;      ///< When one came last that does not last 20 ms.
    std::int64_t forwarded_until = 0;  ///< Timestamp up to which its packets were passed on, when they were.
};

/// What share of our packets a listener misses, by its own reports.
class LossMeter {
  public:
    /// As in a report block: in 1/256.
    void take(std::uint8_t fraction) { smoothed_ = (3 * smoothed_ + 256 * fraction) / 4; }
    int percent() const { return (smoothed_ * 100 + 0x7FFF) / 0x10000; }

  private:
    int smoothed_ = 0;  ///< In 1/65536.
};

/// Microphones and shared sounds as far as they matter to a listener: whether there is one of somebody else, or more.
class OtherVoices {
  public:
    /// Each once.
    void add(PersonId person) {
        if (count_ < people_.size()) people_[count_++] = person;
    }
    /// Without those of `listener`; what is more than 2 may be 2.
    std::size_t others(PersonId listener) const {
        const auto known = std::span(people_).first(count_);
        return count_ - static_cast<std::size_t>(std::ranges::count(known, listener));
    }

  private:
    std::array<PersonId, 4> people_{};  ///< Two of the listener's own, two of others.
    std::size_t count_ = 0;
};

/// What one peer hears.
struct AudioOutput {
    AudioDownlink settings;
    std::optional<AudioSlots> slots;  ///< Once the stream is negotiated.
    std::optional<PeerId> speaker;    ///< Whose packets are passed on to it.
    bool mixed = false;               ///< It hears a mix instead.
    LossMeter loss;
    std::uint32_t packets = 0;
    std::uint32_t octets = 0;
};

struct Peer {
    PeerId id = 0;
    PeerSettings settings;
    bool connected = false;
    bool muted = false;
    core::Capabilities capabilities;
    bool may_be_heard() const { return !muted && sends(capabilities.audio); }

    AudioInput audio_in;
    AudioOutput audio_out;
    std::vector<std::unique_ptr<VideoSource>> videos;
    std::vector<std::unique_ptr<VideoSubscription>> subscriptions;
    Adaptation adaptation = Adaptation::client;

    std::uint8_t transport_cc_extension = 0;
    ArrivalFeedback arrivals;
    ReceiverEstimate estimate;  ///< What it says that it can receive.
    ReceiverLink link;          ///< What we know of that, and what waits to be sent.
    RepeatBudget repeat_budget;
    UplinkLimit uplink_limit;
    /// What the way to it carries, all media together; 0: not measured yet.
    std::uint32_t available_kbps = 0;
    /// What of that is left for video once audio has got its own. Says nothing while `available_kbps` is 0.
    std::uint64_t video_budget_bps() const { return link.video_budget_bps(); }
    std::uint64_t wanted_bps = 0;  ///< More than this is of no use to it.
    double reported_loss = 0;      ///< Of what it gets, as its receiver reports say.
    SignalStrength signal;
    std::chrono::microseconds round_trip{100'000};
    bool round_trip_known = false;
    Time next_report{};

    /// The SSRC our RTCP speaks with.
    std::uint32_t own_ssrc() const { return audio_out.settings.ssrc != 0 ? audio_out.settings.ssrc : 1; }
};

struct PacketRouter::Impl {
    Impl(Sink& output, RouterSettings router_settings) : sink(output), settings(router_settings) {}

    // packet_router.cpp
    Peer* find(PeerId peer) {
        const auto found = peers.find(peer);
        return found == peers.end() ? nullptr : found->second.get();
    }
    std::uint64_t random(std::uint64_t salt);
    void link_all(Time now);
    VideoSource* find_source(StreamId stream) const;

    // packet_router_layers.cpp
    void choose_all_layers(Time now);
    void choose_layers(Peer& receiver, Time now);
    bool list_choices(VideoSubscription& subscription, const Peer& receiver, layers::Candidate& candidate, Time now);
    void hold(VideoSubscription& subscription, bool held);

    // packet_router_audio.cpp
    void on_audio(Peer& from, const wire::RtpView& packet, Time arrival);
    void on_red(Peer& from, const wire::RedPacket& red, std::int64_t timestamp, Time arrival);
    /// One Opus packet on its way to those who hear this peer: as it is, and into the mix.
    void pass_on(Peer& from, const mixing::Mixer::Packet& packet, Time arrival);
    void send_audio(Peer& to, AudioSlots::Stamp stamp, core::BytesView payload);
    void listen(Peer& peer, Time now);
    void choose_speakers(Time now);
    void fill_silence(Peer& peer, Time now);

    // packet_router_mix.cpp
    void arrange_mixer();
    void make_mixer();
    /// What may be heard at the moment, and what of it comes in packets that do not last 20 ms.
    struct Audible {
        OtherVoices voices;
        OtherVoices odd;
    };
    bool wants_mix(const Peer& listener, const Audible& audible) const;
    void hear_mix(Peer& listener);
    void hear_packets(Peer& listener, Time now);
    void mix(Time now);
    void beat(Time at);

    // packet_router_rtp.cpp
    void on_video(Peer& from, VideoSource& source, VideoSource::Part part, const wire::RtpView& packet, Time arrival);

    // packet_router_send.cpp
    void negotiate_link(Peer& peer, const Downlink& downlink);
    void close_link(Peer& peer);
    /// Sends the packet in `rtp_room()`, now or when its turn comes.
    void send_rtp(Peer& to, std::size_t size);
    /// The same for an answer to a NACK.
    void send_again(Peer& to, std::size_t size);
    void drop_waiting(Peer& to, const VideoSubscription& stopped);
    void release(Peer& peer);
    void probe(Peer& peer);
    void refresh_link(Peer& peer);
    void flush(Peer& to, wire::RtcpWriter& compound);
    std::span<std::uint8_t> rtp_room() {
        return std::span(rtp_buffer).subspan(congestion::kHeadRoom, kMaxPacketSize - congestion::kHeadRoom);
    }

    // packet_router_rtcp.cpp
    void on_report(Peer& from, const wire::RtcpView& view, Time now);
    void on_nack(Peer& from, const wire::RtcpView& view, std::size_t& allowance, Time now);
    void on_arrivals(Peer& from, const wire::RtcpView& view);
    void on_payload_feedback(Peer& from, const wire::RtcpView& view, Time now);
    void request_key_frame(Peer& from, std::uint32_t media_ssrc);
    VideoSubscription* subscription(Peer& peer, std::uint32_t ssrc);

    // packet_router_tick.cpp
    void repair(Peer& peer, Time now);
    void report(Peer& peer, Time now);
    void limit_uplink(Peer& peer, Time now);
    std::size_t seen_videos(const Peer& receiver) const;
    /// Lets `write` append to the compound, sending what is there first when it does not fit.
    template <class Write>
    void append(Peer& to, wire::RtcpWriter& compound, Write&& write) {
        if (write(compound)) return;
        flush(to, compound);
        write(compound);
    }
    void judge_link(Peer& peer, std::span<const wire::ReportBlock> arrived, Time now);
    std::span<std::uint8_t> rtcp_room() { return std::span(rtcp_buffer).first(kMaxCompound); }

    /// Below any path's MTU with the SRTCP trailer on top.
    static constexpr std::size_t kMaxCompound = 1150;

    Sink& sink;
    RouterSettings settings;
    bool hurried = false;
    Time clock{};  ///< The latest time that any call brought.
    congestion::PacketPool waiting;
    RouterCounters counters;
    std::unordered_map<PeerId, std::unique_ptr<Peer>> peers;
    std::unordered_map<StreamId, VideoSource*> sources;
    SpeakerChoice speakers;
    std::unique_ptr<mixing::Mixer> mixer;  ///< Once somebody may have two to hear.
    std::vector<mixing::Candidate> mix_candidates;
    Time next_beat{};
    bool any_mixed = false;
    std::vector<SpeakerChoice::Candidate> candidates;
    std::vector<AudioLevel> level_list;
    std::vector<LinkReport> link_list;
    std::vector<StreamReport> stream_list;
    std::vector<GroupPause> pause_list;
    std::vector<GroupPause> pauses_to_report;
    std::array<layers::Candidate, kMaxSubscriptionsPerPeer> layer_candidates;
    std::array<VideoSubscription*, kMaxSubscriptionsPerPeer> layer_takers{};
    Time next_layer_choice{};
    std::uint64_t random_state = 0;
    /// What is sent is written behind room for its stamp.
    std::array<std::uint8_t, kMaxPacketSize + kTrailerRoom> rtp_buffer{};
    std::array<std::uint8_t, kMaxCompound + kTrailerRoom> rtcp_buffer{};

  private:
    // packet_router_send.cpp
    void depart(Peer& to, OutgoingLine& line, std::span<std::uint8_t> room, std::size_t size);
    void wait(Peer& to, OutgoingLine& line, congestion::Pacer::Lane lane, std::span<const std::uint8_t> packet);
    void cut(Peer& to, OutgoingLine& line, OutgoingLine::Range dropped);
    std::uint64_t wanted_bps(const Peer& peer) const;
};

}  // namespace media::room
