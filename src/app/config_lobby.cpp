#include "app/config_reader.hpp"

namespace app {

void read_lobby(Reader& reader, Config& config) {
    auto& lobby = config.lobby;
    reader.boolean("WAITING_ROOM", lobby.waiting_room);
    // Doctor and patient always have a place.
    reader.number("MAX_ATTENDEES_PER_MEETING", lobby.max_attendees, 2, 50);
    reader.duration("INVITATION_MINUTES", lobby.invitation_life, 5, 31 * 24 * 60);
}

}  // namespace app
