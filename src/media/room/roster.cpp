#include "media/room/roster.hpp"

#include <algorithm>

namespace media::room {

Member& Roster::enter(const Identity& identity, PeerId peer, bool muted, core::Time wall, std::uint32_t& replaced) {
    const std::string key = identity.full_id();
    const auto known = members_.find(key);
    replaced = known == members_.end() ? 0 : known->second.audio_stream_id;
    const PersonId person = known == members_.end() ? person_of(identity.attendee_id) : known->second.person;
    Member& member = members_[key];
    member = {identity, ids_.next(wall), person, muted, peer, std::nullopt, member.needs_relay};
    return member;
}

Member* Roster::find(const std::string& full_id) {
    const auto found = members_.find(full_id);
    return found == members_.end() ? nullptr : &found->second;
}

const Member* Roster::find(const std::string& full_id) const {
    const auto found = members_.find(full_id);
    return found == members_.end() ? nullptr : &found->second;
}

const Member* Roster::find_peer(PeerId peer) const {
    if (peer == 0) return nullptr;
    const auto found = std::ranges::find_if(members_, [&](const auto& entry) { return entry.second.peer == peer; });
    return found == members_.end() ? nullptr : &found->second;
}

Member* Roster::find_peer(PeerId peer) {
    return const_cast<Member*>(std::as_const(*this).find_peer(peer));
}

std::size_t Roster::attendees() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(members_, [](const auto& entry) { return !entry.second.identity.content; }));
}

PersonId Roster::person_of(const std::string& attendee_id) {
    // Whoever of the two is here already: the attendee, or its content share.
    for (const bool content : {false, true}) {
        if (const Member* member = find(Identity{attendee_id, {}, content}.full_id())) return member->person;
    }
    return ++last_person_;
}

wire::proto::AudioStreamIdEntry Roster::present(const Member& member) {
    wire::proto::AudioStreamIdEntry entry;
    entry.set_audio_stream_id(member.audio_stream_id);
    entry.set_attendee_id(member.identity.full_id());
    entry.set_external_user_id(member.identity.external_user_id);
    entry.set_muted(member.muted);
    return entry;
}

wire::proto::AudioStreamIdEntry Roster::absent(std::uint32_t audio_stream_id, bool dropped) {
    wire::proto::AudioStreamIdEntry entry;
    entry.set_audio_stream_id(audio_stream_id);
    if (dropped) entry.set_dropped(true);
    return entry;
}

}  // namespace media::room
