// What a Meeting knows about one signalling connection. Private to meeting*.cpp.
#pragma once

#include <chrono>
#include <map>
#include <memory>
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
/// A client that knows our candidates for so long and gets no check through has a network that lets none through.
inline constexpr std::chrono::seconds kReachTime{5};
inline constexpr std::chrono::milliseconds kMetadataInterval{200};
inline constexpr std::chrono::milliseconds kCheckInterval{50};
inline constexpr std::chrono::seconds kBitratesInterval{4};
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

    /// It is in the meeting: neither on its way in nor on its way out.
    bool active() const { return phase == Phase::joined || phase == Phase::subscribed; }

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
    Adaptation adaptation = Adaptation::client;
    bool periodic_key_frames = false;  ///< Wanted for what it publishes.

    std::optional<RemoteTransport> remote;  ///< Of the first offer; it never changes on one connection.
    std::optional<Time> answered;           ///< When the first offer was.
    bool reached = false;                   ///< A connectivity check came through.
    std::string offer_dictionary;           ///< The beginning of the last compressed offer.
    Downlink downlink;
    Uplink uplink;
    std::set<std::string> paused;             ///< Mids that the client has paused.
    std::map<std::string, VideoWish> wishes;  ///< By mid, of subscriptions only.
    std::vector<std::uint32_t> decodable;
    /// The body of the last INDEX, to tell whether a new one says anything new.
    std::shared_ptr<const std::string> last_index;
    bool media_complained = false;

    TokenBucket frames{50, 200};  ///< Data messages not counted.
    TokenBucket negotiations{10, 60};
    TokenBucket hard_messages{200, 2000};  ///< Beyond: put out.
};

}  // namespace media::room
