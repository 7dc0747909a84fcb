#include "media/server/turn_credentials.hpp"

#include <array>
#include <string>

#include "core/bytes.hpp"

namespace media::server {

room::TurnCredentials make_turn_credentials(const Settings::Turn& settings, core::Time now) {
    const auto expiry = std::chrono::duration_cast<std::chrono::seconds>((now + settings.life).time_since_epoch());
    std::array<std::uint8_t, 8> own{};
    core::random_bytes(own);
    room::TurnCredentials credentials;
    credentials.uris = settings.uris;
    credentials.username = std::to_string(expiry.count()) + ":" + core::hex(own);
    credentials.password =
        core::base64(core::hmac_sha1(core::as_bytes(settings.secret), core::as_bytes(credentials.username)));
    credentials.life = settings.life;
    return credentials;
}

}  // namespace media::server
