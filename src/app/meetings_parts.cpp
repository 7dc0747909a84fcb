#include "app/meetings_parts.hpp"

#include <fstream>
#include <utility>
#include <vector>

#include "app/media_vitals.hpp"
#include "app/network_parts.hpp"
#include "core/bytes.hpp"

namespace app {
namespace {

/// How long the search for AWS keys may hold up the start.
constexpr std::chrono::seconds kKeySearch{5};

/// Whether the machine says that it is one of AWS's: only there is anybody at the metadata address, and asking
/// elsewhere costs seconds of waiting.
/// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html
bool is_ec2() {
    std::string vendor;
    std::getline(std::ifstream{"/sys/class/dmi/id/sys_vendor"}, vendor);
    std::string uuid;
    std::getline(std::ifstream{"/sys/hypervisor/uuid"}, uuid);
    return vendor.starts_with("Amazon") || uuid.starts_with("ec2");
}

meetings::chime::CredentialSettings credential_settings(const Config& config) {
    const auto& aws = config.aws;
    meetings::chime::CredentialSettings settings;
    settings.access_key_id = aws.access_key_id.value_or("");
    settings.secret_access_key = aws.secret_access_key.value_or("");
    settings.session_token = aws.session_token.value_or("");
    settings.home = aws.home.value_or("");
    settings.credentials_file = aws.credentials_file.value_or("");
    settings.config_file = aws.config_file.value_or("");
    settings.profile = aws.profile.value_or("");
    settings.container_relative_uri = aws.container_relative_uri.value_or("");
    settings.container_full_uri = aws.container_full_uri.value_or("");
    settings.container_authorization_token = aws.container_token.value_or("");
    settings.container_authorization_token_file = aws.container_token_file.value_or("");
    settings.metadata_endpoint = aws.metadata_endpoint.value_or("");
    const bool worth_asking = config.meeting_provider == ProviderMode::chime || aws.metadata_endpoint || is_ec2();
    settings.metadata_disabled = aws.metadata_disabled || !worth_asking;
    return settings;
}

meetings::policy::MeetingChoiceSettings choice_settings(const Config& config) {
    using Settings = meetings::policy::MeetingChoiceSettings;
    Settings settings;
    if (config.meeting_provider == ProviderMode::chime) settings.mode = Settings::Mode::chime;
    if (config.meeting_provider == ProviderMode::embedded) settings.mode = Settings::Mode::embedded;
    if (config.budget_policy == BudgetPolicy::refuse) settings.budget = Settings::Budget::refuse;
    if (config.budget_policy == BudgetPolicy::warn) settings.budget = Settings::Budget::warn;
    return settings;
}

}  // namespace

core::Result<std::unique_ptr<MeetingsParts>> MeetingsParts::make(const Config& config, const std::string& secret,
                                                                 service::Nodes& nodes, net::HttpClient& client,
                                                                 service::Metering& metering,
                                                                 const core::Clock& clock) {
    auto parts = std::make_unique<MeetingsParts>();
    if (config.meeting_provider != ProviderMode::chime) {
        if (auto made = parts->make_embedded(config, secret, nodes); !made) return std::unexpected(made.error());
    }
    if (config.meeting_provider != ProviderMode::embedded) {
        if (auto made = parts->make_chime(config, client, clock); !made) return std::unexpected(made.error());
    }
    parts->choice_ = std::make_unique<meetings::policy::MeetingChoice>(
        choice_settings(config), parts->embedded_.get(), parts->chime_.get(),
        [&metering] { return metering.budget_used_up(); });
    return parts;
}

core::Result<> MeetingsParts::make_embedded(const Config& config, const std::string& secret, service::Nodes& nodes) {
    meetings::embedded::Settings settings;
    settings.secret = secret;
    settings.default_url = config.api_url;
    embedded_ = std::make_unique<meetings::embedded::EmbeddedMeetings>(std::move(settings), nodes);

    auto addresses = media_addresses(config);
    if (!addresses) return std::unexpected(addresses.error());
    media::server::Settings server;
    server.port = config.media_port;
    server.listen_addresses = std::move(addresses->listen);
    server.announced_addresses = std::move(addresses->announced);
    server.announced_port = config.public_media_port;
    server.threads = std::max<std::size_t>(config.media_threads, 1);
    server.pinned = config.media_threads != 0;
    server.gone_after = config.gone_after;
    server.turn = {config.turn.uris, config.turn.secret, config.turn.life};
    auto started = media::server::MeetingServer::start(std::move(server), *embedded_);
    if (!started) {
        return core::fail(core::ErrorKind::internal,
                          started.error().detail + "; free it, or choose another with --media-port or MEDIA_PORT");
    }
    media_ = std::move(*started);
    embedded_->attach_server(*media_);
    return {};
}

core::Result<> MeetingsParts::make_chime(const Config& config, net::HttpClient& client, const core::Clock& clock) {
    credentials_ = std::make_unique<meetings::chime::AwsCredentials>(credential_settings(config), client, clock);
    const auto found = credentials_->discover(kKeySearch);
    if (found && !*found) {
        if (config.meeting_provider == ProviderMode::chime) {
            return core::fail(
                core::ErrorKind::invalid,
                "Error: Unable to locate credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                "MEETING_PROVIDER=embedded");
        }
        credentials_.reset();
        return {};
    }
    if (!found) core::log::warning("AWS credentials are not there yet", {{"why", found.error().detail}});
    meetings::chime::ChimeApiSettings api;
    api.region = config.aws.region;
    api.endpoint = config.aws.endpoint.value_or("");
    api.timeout = config.chime_timeout;
    api_ = std::make_unique<meetings::chime::ChimeApi>(std::move(api), client, *credentials_, clock);
    meetings::chime::ChimeMeetingsSettings settings;
    settings.media_region = config.aws.region;
    settings.events_expected = !config.chime_events_secret.empty();
    chime_ = std::make_unique<meetings::chime::ChimeMeetings>(std::move(settings), *api_);
    return {};
}

void MeetingsParts::attach_owners(std::vector<service::MeetingOwner*> owners, boost::asio::any_io_executor executor) {
    if (embedded_) embedded_->attach_owners(std::move(owners), std::move(executor));
}

std::string MeetingsParts::describe() const {
    if (!chime_) return "embedded";
    return embedded_ ? "chime, embedded" : "chime";
}

service::Vitals::Media MeetingsParts::media_vitals() const {
    return media_ ? app::media_vitals(media_->vitals()) : service::Vitals::Media{};
}

service::Vitals::Breaker MeetingsParts::vitals() const {
    return chime_ ? chime_->vitals() : service::Vitals::Breaker{};
}

void MeetingsParts::stop_media() {
    if (media_) media_->stop();
}

void MeetingsParts::stop() {
    if (credentials_) credentials_->stop();
}

}  // namespace app
