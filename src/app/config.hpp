// The whole configuration, checked. Read once at start; parts of the service get their own piece of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "app/environment.hpp"
#include "core/log.hpp"
#include "core/result.hpp"
#include "directory/jwt_verifier.hpp"

namespace app {

struct Config {
    std::string host = "0.0.0.0";
    std::uint16_t port = 8086;
    std::size_t threads = 1;  ///< Event loops of the control plane.
    std::size_t max_connections = 4096;

    std::string data_dir = "./data";
    std::optional<std::string> database_url;  ///< PostgreSQL; unset: SQLite in `data_dir`.
    std::chrono::seconds database_wait{30};   ///< For PostgreSQL, at start.

    std::optional<std::string> jwt_secret;  ///< Unset: generated once, kept in `data_dir`.
    directory::JwtAlgorithm jwt_algorithm = directory::JwtAlgorithm::hs256;

    std::string app_name = "Video Consultation Service";
    std::string version = "1.0.0";
    bool debug = false;
    core::log::Level log_level = core::log::Level::info;
    std::string time_zone = "UTC";
    int free_tier_minutes = 1000;

    std::string api_url;      ///< `http://localhost:<port>` unless set; no slash at the end.
    std::string public_url;   ///< Where clients reach the service, by `PUBLIC_HOST`; empty: as they came.
    std::string public_host;  ///< The host alone; empty: every address of the machine.
    std::uint16_t media_port = 8087;
    std::uint16_t public_media_port = 0;  ///< 0: `media_port`.

    std::chrono::minutes abandoned_after{15};
    std::chrono::minutes no_show_grace{15};
    std::chrono::seconds join_timeout{120};
    std::chrono::seconds gone_after{20};

    /// No database and no secret given: a first try, which gets a demo consultation.
    bool is_trial() const { return !database_url && !jwt_secret; }
    bool needs_data_dir() const { return !database_url || !jwt_secret; }
};

/// The configuration, or one line that names the variable and says what it may be.
core::Result<Config> read_config(const Environment& environment);

}  // namespace app
