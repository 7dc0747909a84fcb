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

#include "core/result.hpp"
#include "core/time.hpp"
#include "net/websocket.hpp"

namespace media::server {

struct Settings {
    std::uint16_t port = 8087;                  ///< UDP, and TCP for ICE-TCP.
    std::vector<std::string> listen_addresses;  ///< Empty: all (0.0.0.0 and ::).
    std::vector<std::string>
        announced_addresses;  ///< IP addresses in SDP answers; empty: every address of the machine, loopback included.
    std::uint16_t announced_port = 0;     ///< 0: `port`.
    std::chrono::seconds gone_after{20};  ///< A connection lost for so long means: has left.
};

/// Whom a signalling connection belongs to. Established by the join token before the meeting server sees it.
struct Participant {
    std::string meeting_id;
    std::string attendee_id;  ///< Without `#content`.
    std::string external_user_id;
    bool content = false;  ///< A content share: the second connection of the same attendee.
};

/// Told about attendance. Called on a media thread: must return at once and must not call back into the server.
class Observer {
  public:
    virtual ~Observer() = default;
    virtual void attendee_connected(const std::string& meeting_id, const std::string& attendee_id, core::Time at) = 0;
    /// Left on purpose, or was lost for `gone_after`; `at` is when the connection ended.
    virtual void attendee_gone(const std::string& meeting_id, const std::string& attendee_id, core::Time at) = 0;
};

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
    /// Attendee ids of everybody connected now (or lost for less than `gone_after`).
    virtual boost::asio::awaitable<std::vector<std::string>> connected() = 0;
    /// Sends everybody to reconnect (close 4500), then stops the media thread. Blocks until it is down; at most a
    /// second.
    virtual void stop() = 0;
};

}  // namespace media::server
