// What goes into and comes out of the signalling of a meeting, as plain values: no sockets, no clocks, no threads.
// Who applies the outputs (the meeting server) does so in their order.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/bytes.hpp"
#include "core/capabilities.hpp"
#include "core/time.hpp"
#include "media/room/media_settings.hpp"
#include "media/wire/address.hpp"

namespace media::room {

/// Now, by the clock that never jumps and by the one that people read.
struct Moment {
    Time steady;
    core::Time wall;
};

/// Whom a connection belongs to; established before the meeting sees it.
struct Identity {
    std::string attendee_id;  ///< Without `#content`.
    std::string external_user_id;
    bool content = false;  ///< The content share of this attendee.
    core::Capabilities capabilities{};

    /// As frames name it.
    std::string full_id() const { return content ? attendee_id + "#content" : attendee_id; }
};

/// Our side of one connection's transport, as it will stand in the answers.
struct LocalTransport {
    std::string ice_ufrag;
    std::string ice_pwd;
};

/// A relay for one client, with credentials of its own. The client then sends through the relay only.
struct TurnCredentials {
    std::vector<std::string> uris;  ///< `turn:host:port?transport=udp`; empty: no relay.
    std::string username;
    std::string password;
    std::chrono::seconds life{};
    /// False: to be given only when an earlier connection of the client did not get a single check through.
    bool at_once = true;
};

/// The client's side, from its offer.
struct RemoteTransport {
    std::string ice_ufrag;
    std::string ice_pwd;
    core::Bytes fingerprint_sha256;  ///< 32 bytes.
    bool operator==(const RemoteTransport&) const = default;
};

struct MeetingSettings {
    std::chrono::seconds gone_after{20};                 ///< A connection lost for so long means: has left.
    core::Bytes fingerprint_sha256;                      ///< Of our certificate; 32 bytes.
    std::vector<wire::TransportAddress> udp_candidates;  ///< Most wanted first; at least one.
    std::vector<wire::TransportAddress> tcp_candidates;
    std::uint64_t seed = 1;           ///< Where SSRCs come from. Not a secret.
    std::size_t max_attendees = 250;  ///< In the roster, content shares not counted.
};

/// Close codes of the signalling WebSocket, as the client reads them.
namespace close_code {
inline constexpr std::uint16_t kNormal = 1000;
inline constexpr std::uint16_t kBadRequest = 4400;
inline constexpr std::uint16_t kEnded = 4410;
inline constexpr std::uint16_t kReconnect = 4500;
}  // namespace close_code

namespace output {

/// Send this message to the client.
struct Send {
    PeerId to = 0;
    std::string message;
};
/// The connection is over; the meeting has forgotten it.
struct Close {
    PeerId peer = 0;
    std::uint16_t code = 0;  ///< 0: without a close frame.
};
/// The client's transport is known: expect its packets.
struct OpenMedia {
    PeerId peer = 0;
    PersonId person = 0;
    bool content = false;
    RemoteTransport remote;
};
struct CloseMedia {
    PeerId peer = 0;
};
/// What the client sends and receives from now on.
struct Negotiated {
    PeerId peer = 0;
    Uplink uplink;
    Downlink downlink;
};
struct Mute {
    PeerId peer = 0;
    bool muted = false;
};
struct Pause {
    PeerId peer = 0;
    StreamId stream = 0;
    bool paused = false;
};
struct Allow {
    PeerId peer = 0;
    core::Capabilities capabilities;
};
/// Attendance: somebody, or their content share, has come.
struct Connected {
    std::string attendee_id;  ///< Without `#content`.
    core::Time at;
    bool content = false;
};
struct Gone {
    std::string attendee_id;
    core::Time at;
    bool content = false;
    bool dropped = false;  ///< The connection was lost; otherwise they left or were put out.
};
/// A camera or share began or stopped to be published.
struct Video {
    std::string attendee_id;
    core::Time at;
    bool content = false;
    bool started = false;
};

}  // namespace output

using Output = std::variant<output::Send, output::Close, output::OpenMedia, output::CloseMedia, output::Negotiated,
                            output::Mute, output::Pause, output::Allow, output::Connected, output::Gone, output::Video>;
using Outputs = std::vector<Output>;

}  // namespace media::room
