#include "app/neighbours_parts.hpp"

#include <utility>

#include "directory/appointments_client.hpp"
#include "directory/profile_names.hpp"

namespace app {

core::Result<std::unique_ptr<NeighboursParts>> NeighboursParts::make(const Config& config, const std::string& secret,
                                                                     net::HttpClient& client, net::HttpClient& outside,
                                                                     const core::Clock& clock,
                                                                     const core::ZoneResolver& zone,
                                                                     boost::asio::any_io_executor loop) {
    auto parts = std::make_unique<NeighboursParts>();
    if (config.jwks_file) {
        auto file = directory::KeyFile::read(*config.jwks_file);
        if (!file) return core::fail(file.error().kind, "JWT_JWKS_FILE: " + file.error().detail);
        parts->keys_ = std::move(*file);
    } else if (config.jwks_url) {
        parts->keys_ =
            std::make_unique<directory::KeyUrl>(directory::KeyUrlSettings{.url = *config.jwks_url}, outside, loop);
    }
    parts->tokens_ = std::make_unique<directory::JwtVerifier>(
        directory::JwtSettings{.secret = secret, .algorithm = config.jwt_algorithm, .keys = parts->keys_.get()}, clock);
    if (config.profile_url) {
        parts->names_ = std::make_unique<directory::ProfileNames>(
            directory::ProfileNamesSettings{.base_url = *config.profile_url}, client, clock);
    }
    if (config.appointments_url) {
        parts->appointments_ = std::make_unique<directory::AppointmentsClient>(
            directory::AppointmentsSettings{.base_url = *config.appointments_url, .time_zone = zone}, client);
    }
    return parts;
}

}  // namespace app
