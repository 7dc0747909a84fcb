// The signalling of one meeting: who is there, what they publish and receive, what each client has to be told.
// A state machine without sockets and clocks: frames, losses and time in, outputs out. The rules are those of the
// amazon-chime-sdk-js client.
//
// Owned by one media thread and used on it only. Everything a client can make it keep is bounded; a frame that breaks
// the protocol ends its own connection and nothing else.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/capabilities.hpp"
#include "core/result.hpp"
#include "media/room/media_report.hpp"
#include "media/room/negotiation.hpp"
#include "media/room/roster.hpp"
#include "media/room/signalling.hpp"
#include "media/room/signalling_limits.hpp"
#include "media/room/signalling_messages.hpp"
#include "media/room/signalling_sources.hpp"
#include "media/wire/frames.hpp"

namespace media::room {

inline constexpr std::size_t kMaxConnections = 400;  ///< Below what the packet plane carries.
inline constexpr std::size_t kMaxContentShares = 2;  ///< At the same time; the client's documented limit.
inline constexpr std::size_t kMaxPublishers = 25;    ///< Cameras at the same time.

class Meeting {
  public:
    explicit Meeting(MeetingSettings settings);
    ~Meeting();
    Meeting(const Meeting&) = delete;
    Meeting& operator=(const Meeting&) = delete;

    /// A signalling connection is there. `peer` is never used twice in a meeting.
    void connect(PeerId peer, Identity identity, LocalTransport local, TurnCredentials turn, Moment now, Outputs& out);
    /// A message arrived on it. Messages on connections that are closed are ignored.
    void receive(PeerId peer, std::string_view message, Moment now, Outputs& out);
    /// The connection is gone.
    void lost(PeerId peer, Moment now);
    /// A connectivity check of the client came through.
    void media_reached(PeerId peer);
    /// The client's media path failed or fell silent while the signalling connection may be alive.
    void media_lost(PeerId peer, Moment now, Outputs& out);

    /// To be called at least every 100 ms, with the packet plane's report when it is wanted.
    bool wants_report(Moment now) const { return now.steady >= metadata_at_; }
    void tick(Moment now, const MediaReport& report, Outputs& out);

    /// The meeting is over: tells everybody; further connections are refused.
    void end(Moment now, Outputs& out);
    /// Puts the attendee and its content share out.
    void remove_attendee(std::string_view attendee_id, Moment now, Outputs& out);

    /// From now on the attendee may send and receive this.
    void set_capabilities(std::string_view attendee_id, core::Capabilities capabilities, Moment now, Outputs& out);
    /// Sends a serialized SdkTranscriptFrame to everybody (topic `aws:chime:transcription`).
    void send_transcript(std::string_view frame, Moment now, Outputs& out);

    /// Nobody is here or expected back, and nothing is kept for them: may be forgotten.
    bool idle(Moment now) const;
    bool ended() const { return ended_; }
    const Roster& roster() const { return roster_; }
    std::size_t connections() const { return connections_.size(); }

  private:
    enum class Phase { fresh, joined, subscribed, closing };
    struct Connection;
    /// All that makes one receiver's INDEX differ from another's.
    struct IndexView;
    struct ReadyIndex;
    using Frame = wire::proto::Frame;

    // meeting.cpp: connections, frames, time
    void begin_closing(Connection& connection, std::uint16_t code, Moment now, Outputs& out);
    void put_out(Connection& connection, std::uint32_t audio_status, std::uint16_t code, Moment now, Outputs& out);
    void refuse(Connection& connection, Frame::Type type, std::uint32_t status, std::string_view why, Moment now,
                Outputs& out);
    void drop(PeerId peer, std::uint16_t code, Outputs& out);
    void check_time(Moment now, Outputs& out);
    void on_ping(Connection& connection, const Frame& frame, Moment now, Outputs& out);
    void on_primary_meeting_join(const Connection& connection, Moment now, Outputs& out);
    void send(PeerId to, const Frame& frame, Outputs& out) const;
    void send_attendees(const Frame& frame, PeerId except, Outputs& out) const;
    Connection* find(PeerId peer);

    // meeting_presence.cpp: who joins and leaves, is muted, is heard
    void on_join(Connection& connection, const Frame& frame, Moment now, Outputs& out);
    void on_leave(Connection& connection, Moment now, Outputs& out);
    void on_audio_control(Connection& connection, bool muted, Moment now, Outputs& out);
    bool has_room(const Connection& newcomer) const;
    bool needs_relay(const Connection& connection) const;
    void note_unreached(const Connection& connection, Moment now);
    void replace_older(const Connection& newer, Moment now, Outputs& out);
    void enter_roster(Connection& connection, bool muted, Moment now, Outputs& out);
    void remove_member(const std::string& full_id, bool dropped, Moment at, Moment now, Outputs& out);
    void take_off_media(PeerId peer, Outputs& out);
    void send_roster(const Connection& connection, Moment now, Outputs& out) const;
    void announce(const wire::proto::AudioStreamIdEntry& entry, PeerId except, Moment now, Outputs& out) const;
    void send_metadata(const MediaReport& report, Moment now, Outputs& out);

    // meeting_media.cpp: negotiation, publications, rights
    void on_subscribe(Connection& connection, const Frame& frame, Moment now, Outputs& out);
    core::Result<wire::SdpOffer> read_offer(Connection& connection, const wire::proto::Subscribe& subscribe) const;
    bool may_publish(const Connection& connection) const;
    bool may_see(const Connection& connection, const Publication* publication) const;
    void publish(Connection& connection, const std::vector<wire::proto::StreamDescriptor>& videos, const Answer& answer,
                 Moment now, Outputs& out);
    bool unpublish(const std::string& full_id, Moment at, Outputs& out);
    void withdraw(Connection& connection, Moment now, Outputs& out);
    void send_subscribe_ack(const Connection& connection, const wire::proto::Subscribe& subscribe, const Answer& answer,
                            bool camera_refused, Moment now, Outputs& out) const;

    // meeting_adaptation.cpp: what receivers ask for and what the packet plane reports
    void on_pause(Connection& connection, const Frame& frame, bool paused, Outputs& out);
    void on_remote_video_update(Connection& connection, const Frame& frame, Outputs& out);
    static void agree_on_adaptation(Connection& connection, const wire::proto::Join& join);
    static void take_wish(Connection& connection, const wire::proto::VideoSubscriptionConfiguration& configuration);
    static void apply_wishes(Connection& connection);
    bool switch_stream(const Connection& connection, Subscription& line,
                       const wire::proto::VideoSubscriptionConfiguration& configuration) const;
    void follow_streams(const MediaReport& report, Moment now, Outputs& out);
    void send_pauses(std::span<const GroupPause> pauses, Moment now, Outputs& out);
    void send_bitrates(std::span<const LinkReport> links, Moment now, Outputs& out) const;

    // meeting_messages.cpp: data messages and transcripts
    void on_data_messages(Connection& connection, const Frame& frame, Moment now, Outputs& out);
    void replay_messages(const Connection& connection, Moment now, Outputs& out);

    // meeting_index.cpp: what each client is shown
    IndexView view_of(const Connection& connection, std::size_t attendees, std::size_t cameras) const;
    wire::proto::Index index_of(const IndexView& view, const std::vector<std::uint32_t>& codecs) const;
    std::vector<std::uint32_t> codec_intersection() const;
    void send_index(Connection& connection, Moment now, Outputs& out);
    /// Sends a new INDEX to everybody whose last one says something else; after many in a row not before the next tick.
    void refresh_indexes(Moment now, Outputs& out);

    MeetingSettings settings_;
    std::map<PeerId, Connection> connections_;
    Roster roster_;
    Sources sources_;
    MessageStore messages_;
    TokenBucket message_rate_{100, 200};          ///< Of everybody together; beyond: returned as throttled.
    TokenBucket hard_message_rate_{500, 10'000};  ///< Beyond: the sender is put out.
    TokenBucket index_rate_{10, 40};
    SsrcSource ssrcs_;
    Time metadata_at_{};
    Time check_at_{};
    Time bitrates_at_{};
    bool index_due_ = false;
    bool ended_ = false;
};

}  // namespace media::room
