// Credentials for a TURN relay that shares a secret with us: the user name is the time of expiry and a random part, the
// password its HMAC-SHA1 (draft-uberti-behave-turn-rest-00 section 2.2; coturn's `use-auth-secret`). Any thread.
#pragma once

#include "core/time.hpp"
#include "media/room/signalling.hpp"
#include "media/server/meeting_server.hpp"

namespace media::server {

/// Good from `now` for the settings' life. Nothing in them says whose they are.
room::TurnCredentials make_turn_credentials(const Settings::Turn& settings, core::Time now);

}  // namespace media::server
