// What a Meeting knows about one signalling connection. Private to meeting*.cpp.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "media/room/meeting.hpp"

namespace media::room {

/// From the first message to a usable negotiation; the client itself gives up after 15 s.
inline constexpr std::chrono::seconds kSetupTime{20};
/// A client pings every 10 s.
inline constexpr std::chrono::seconds kSilence{45};
/// What a client has to say LEAVE and close, once told that it is over.
inline constexpr std::chrono::milliseconds kFarewell{1000};
/// How long the media of a lost connection goes on: most clients are back before.
inline constexpr std::chrono::seconds kMediaGrace{5};
inline constexpr std::chrono::milliseconds kMetadataInterval{200};
inline constexpr std::chrono::milliseconds kCheckInterval{50};
/// Connections of one attendee that have not joined yet.
inline constexpr std::size_t kMaxFresh = 3;

struct Meeting::Connection {
    Connection(PeerId peer_, Identity identity_, LocalTransport local, TurnCredentials turn_, SsrcSource& ssrcs,
               Moment now)
        : peer(peer_),
          identity(std::move(identity_)),
          full_id(identity.full_id()),
          negotiation(std::move(local), ssrcs),
          turn(std::move(turn_)),
          heard(now),
          deadline(now.steady + kSetupTime) {}

    PeerId peer;
    Identity identity;
    std::string full_id;
    Phase phase = Phase::fresh;
    Negotiation negotiation;
    TurnCredentials turn;
    Moment heard;
    std::optional<Time> deadline;  ///< To be set up, or to be gone, by then.
    std::uint16_t close_with = 0;  ///< The code when the farewell is over.
    std::uint64_t audio_session_id = 0;

    std::optional<RemoteTransport> remote;  ///< Of the first offer; it never changes on one connection.
    Downlink downlink;
    Uplink uplink;
    std::set<StreamId> paused;
    std::vector<std::uint32_t> decodable;
    std::string last_index;  ///< Serialized without time, to tell whether a new one says anything new.
    bool media_complained = false;

    TokenBucket frames{50, 200};
    TokenBucket negotiations{10, 60};
    TokenBucket messages{100, 200};        ///< Beyond: returned as throttled.
    TokenBucket hard_messages{200, 2000};  ///< Beyond: put out.
};

}  // namespace media::room
