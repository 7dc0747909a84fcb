// Who is in a meeting: one member for each attendee, and one for each content share.
// Plain values without I/O; owned by a Meeting.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "media/room/signalling.hpp"
#include "media/room/signalling_ids.hpp"
#include "media/wire/signalling.pb.h"

namespace media::room {

struct Member {
    Identity identity;
    std::uint32_t audio_stream_id = 0;  ///< Never reused; a new one for each connection of the attendee.
    PersonId person = 0;                ///< The same for an attendee and its content share.
    bool muted = false;
    PeerId peer = 0;             ///< Whose media this is; 0: none (any more).
    std::optional<Moment> lost;  ///< Since when there is no signalling connection; null while there is one.
    bool needs_relay = false;    ///< A connection of it never got a connectivity check through.
};

class Roster {
  public:
    /// Adds the attendee or, when it is there already, gives it to the new connection under a new audio id. `replaced`
    /// is the id it had before, 0 if it is new.
    Member& enter(const Identity& identity, PeerId peer, bool muted, core::Time wall, std::uint32_t& replaced);
    void remove(const std::string& full_id) { members_.erase(full_id); }

    Member* find(const std::string& full_id);
    const Member* find(const std::string& full_id) const;
    /// The member whose media comes from this connection.
    Member* find_peer(PeerId peer);
    const Member* find_peer(PeerId peer) const;

    const std::map<std::string, Member>& members() const { return members_; }
    std::map<std::string, Member>& members() { return members_; }
    std::size_t size() const { return members_.size(); }
    /// Attendees, content shares not counted.
    std::size_t attendees() const;
    std::size_t content_shares() const { return members_.size() - attendees(); }

    /// The presence entry that says: is here.
    static wire::proto::AudioStreamIdEntry present(const Member& member);
    /// The presence entry that says: has left.
    static wire::proto::AudioStreamIdEntry absent(std::uint32_t audio_stream_id, bool dropped);

  private:
    PersonId person_of(const std::string& attendee_id);

    std::map<std::string, Member> members_;  ///< By full id.
    IdSource ids_;
    PersonId last_person_ = 0;
};

}  // namespace media::room
