// The front of the meeting server: all that other rooms see of it.
//
// A meeting lives on one media thread; nothing here blocks or waits for it. The control plane hands it signalling
// connections that it has already let in; it tells an observer who is connected.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/capabilities.hpp"
#include "core/meeting_event.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "net/websocket.hpp"

namespace media::server {

struct MediaVitals;  ///< media_vitals.hpp

struct Settings {
    std::uint16_t port = 8087;                  ///< UDP, and TCP for ICE-TCP.
    std::vector<std::string> listen_addresses;  ///< Empty: all (0.0.0.0 and ::).
    std::vector<std::string>
        announced_addresses;  ///< IP addresses in SDP answers; empty: every address of the machine, loopback included.
    std::uint16_t announced_port = 0;  ///< 0: `port`.
    /// Media threads; each carries meetings of its own on a port of its own: `port`, `port` + 1 … (announced likewise).
    std::size_t threads = 1;
    bool pinned = false;                  ///< Each of them stays on a core of its own.
    std::chrono::seconds gone_after{20};  ///< A connection lost for so long means: has left.

    /// A relay for clients whose network lets nothing else through (RFC 8656), with credentials made from a secret that
    /// is shared with it (draft-uberti-behave-turn-rest-00).
    struct Turn {
        std::vector<std::string> uris;  ///< `turn:host:port?transport=udp`; empty: there is no relay.
        std::string secret;
        std::chrono::seconds life{12 * 3600};
    } turn{};
};

/// Whom a signalling connection belongs to. Established by the join token before the meeting server sees it.
struct Participant {
    std::string meeting_id;
    std::string attendee_id;  ///< Without `#content`.
    std::string external_user_id;
    bool content = false;  ///< A content share: the second connection of the same attendee.
    core::Capabilities capabilities{};
    bool wants_relay = false;         ///< It asked for TURN.
    std::size_t max_attendees = 250;  ///< Of the meeting; the first participant's counts.
};

/// Told what happens. Called on a media thread: must return at once and must not call back into the server.
class Observer {
  public:
    virtual ~Observer() = default;
    virtual void happened(core::MeetingEvent event) = 0;
};

/// How a meeting's transcription is doing, as clients are told.
struct TranscriptionNews {
    enum class Type : std::uint8_t { started, interrupted, resumed, stopped, failed };
    Type type = Type::started;
    core::Time at;
    std::string region;
    std::string configuration;  ///< JSON.
    std::string message;        ///< A sentence for people; may be empty.
};
/// For `MeetingServer::send_transcript`. Pure.
std::string transcription_frame(const TranscriptionNews& news);

/// Thread-safe; destroying it drops every connection (after `stop`).
class MeetingServer {
  public:
    /// Binds the ports and starts the media thread; fails with a message for the operator when a port is taken.
    static core::Result<std::unique_ptr<MeetingServer>> start(Settings settings, Observer& observer);
    virtual ~MeetingServer() = default;

    /// Carries one signalling conversation until the connection is over. Runs on the connection's event loop.
    virtual boost::asio::awaitable<void> serve(std::shared_ptr<net::WebSocket> socket, Participant participant) = 0;

    /// Tells everybody that the meeting has ended (AUDIO_STATUS 410) and forgets it.
    virtual void end_meeting(std::string meeting_id) = 0;
    /// Puts one attendee out (AUDIO_STATUS 411), content share included.
    virtual void remove_attendee(std::string meeting_id, std::string attendee_id) = 0;
    virtual void set_capabilities(std::string meeting_id, std::string attendee_id, core::Capabilities capabilities) = 0;
    /// Sends everybody in the meeting a serialized SdkTranscriptFrame, as clients of live transcription read it.
    virtual void send_transcript(std::string meeting_id, std::string frame) = 0;
    /// Attendee ids of everybody connected now (or lost for less than `gone_after`).
    virtual boost::asio::awaitable<std::vector<std::string>> connected() = 0;
    /// Meetings with anybody connected, or lost for less than `gone_after`.
    virtual std::size_t meetings() const = 0;
    /// Of all media threads together; lateness is the worst of theirs. Does not block.
    virtual MediaVitals vitals() const = 0;
    /// Sends everybody in the meeting to reconnect (close 4500) and forgets it without marking it as ended. Nobody
    /// counts as gone by that: the observer is told nothing, `connected` just does not name them any more.
    virtual void release_meeting(std::string meeting_id) = 0;
    /// Sends everybody to reconnect (close 4500), then stops the media thread. Blocks until it is down; at most a
    /// second.
    virtual void stop() = 0;
};

}  // namespace media::server
