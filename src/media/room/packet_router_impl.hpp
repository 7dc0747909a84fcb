// The inside of PacketRouter: maps that say who is there, who hears whom and who sees what. Included by
// packet_router*.cpp only; owner and thread as PacketRouter.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "media/room/arrival_feedback.hpp"
#include "media/room/audio_slots.hpp"
#include "media/room/packet_router.hpp"
#include "media/room/reception_stats.hpp"
#include "media/room/sequence_window.hpp"
#include "media/room/speaker_choice.hpp"
#include "media/room/uplink_limit.hpp"
#include "media/room/video_source.hpp"
#include "media/room/video_subscription.hpp"
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
};

/// What one peer hears.
struct AudioOutput {
    AudioDownlink settings;
    std::optional<AudioSlots> slots;  ///< Once the stream is negotiated.
    std::optional<PeerId> speaker;
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

    std::uint8_t transport_cc_extension = 0;
    ArrivalFeedback arrivals;
    ReceiverEstimate estimate;  ///< What it can receive.
    RepeatBudget repeat_budget;
    UplinkLimit uplink_limit;
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
    void link_all();
    VideoSource* find_source(StreamId stream) const;

    // packet_router_audio.cpp
    void on_audio(Peer& from, const wire::RtpView& packet, Time arrival);
    void send_audio(Peer& to, AudioSlots::Stamp stamp, core::BytesView payload);
    void listen(Peer& peer, Time now);
    void choose_speakers(Time now);
    void fill_silence(Peer& peer, Time now);

    // packet_router_rtp.cpp
    void on_video(Peer& from, VideoSource& source, VideoSource::Part part, const wire::RtpView& packet, Time arrival);
    void send_rtp(PeerId to, std::size_t size);
    std::span<std::uint8_t> rtp_room() { return std::span(rtp_buffer).first(kMaxPacketSize); }

    // packet_router_rtcp.cpp
    void on_report(Peer& from, const wire::RtcpView& view, Time now);
    void on_transport_feedback(Peer& from, const wire::RtcpView& view, std::size_t& allowance, Time now);
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
    void append(Peer& to, wire::RtcpWriter& compound, Write&& write);
    void flush(Peer& to, wire::RtcpWriter& compound);
    std::span<std::uint8_t> rtcp_room() { return std::span(rtcp_buffer).first(kMaxCompound); }

    /// Below any path's MTU with the SRTCP trailer on top.
    static constexpr std::size_t kMaxCompound = 1150;

    Sink& sink;
    RouterSettings settings;
    RouterCounters counters;
    std::unordered_map<PeerId, std::unique_ptr<Peer>> peers;
    std::unordered_map<StreamId, VideoSource*> sources;
    /// By source: who is to get its packets now or later.
    std::unordered_map<const VideoSource*, std::vector<VideoSubscription*>> subscribers;
    SpeakerChoice speakers;
    std::vector<SpeakerChoice::Candidate> candidates;
    std::vector<AudioLevel> level_list;
    std::vector<LinkReport> link_list;
    std::vector<StreamReport> stream_list;
    std::vector<GroupPause> pause_list;
    std::uint64_t random_state = 0;
    std::array<std::uint8_t, kMaxPacketSize + kTrailerRoom> rtp_buffer{};
    std::array<std::uint8_t, kMaxCompound + kTrailerRoom> rtcp_buffer{};
};

}  // namespace media::room
