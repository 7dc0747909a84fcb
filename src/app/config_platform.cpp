#include <initializer_list>
#include <string>

#include "app/config_reader.hpp"
#include "meetings/chime/media_regions.hpp"

namespace app {
namespace {

/// The default of the old Chime namespace, which compose files still carry: meetings are not made there.
constexpr std::string_view kOldChimeHost = "https://service.chime.aws.amazon.com";

void read_url(Reader& reader, std::string_view name, std::optional<std::string>& out) {
    const auto value = reader.find(name);
    if (!value) return;
    const auto place = parse_place(*value);
    if (!place || place->scheme.empty()) return reader.complain(name, "a URL such as http://localhost:8082");
    out = place->url;
}

void read_aws(Reader& reader, AwsConfig& aws) {
    aws.access_key_id = reader.find("AWS_ACCESS_KEY_ID");
    aws.secret_access_key = reader.find("AWS_SECRET_ACCESS_KEY");
    aws.session_token = reader.find("AWS_SESSION_TOKEN");
    if (aws.access_key_id.has_value() != aws.secret_access_key.has_value()) {
        reader.complain("AWS_SECRET_ACCESS_KEY", "to be set together with AWS_ACCESS_KEY_ID");
    }
    aws.profile = reader.find("AWS_PROFILE");
    aws.credentials_file = reader.find("AWS_SHARED_CREDENTIALS_FILE");
    aws.config_file = reader.find("AWS_CONFIG_FILE");
    aws.home = reader.foreign("HOME");
    aws.container_relative_uri = reader.find("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    aws.container_full_uri = reader.find("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    aws.container_token = reader.find("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    aws.container_token_file = reader.find("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    read_url(reader, "AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.metadata_endpoint);
    reader.boolean("AWS_EC2_METADATA_DISABLED", aws.metadata_disabled);
    reader.text("AWS_REGION", aws.region);
    const bool sane = !aws.region.empty() && aws.region.size() <= 30 && std::ranges::all_of(aws.region, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (!sane) reader.complain("AWS_REGION", "a region such as us-east-1");
    if (reader.find("AWS_CHIME_ENDPOINT").value_or(std::string{kOldChimeHost}) != kOldChimeHost) {
        read_url(reader, "AWS_CHIME_ENDPOINT", aws.endpoint);
    }
    read_url(reader, "AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS", aws.endpoint);
}

void read_meetings(Reader& reader, Config& config) {
    reader.choice(
        "MEETING_PROVIDER", config.meeting_provider,
        {{"auto", ProviderMode::automatic}, {"chime", ProviderMode::chime}, {"embedded", ProviderMode::embedded}});
    if (config.meeting_provider == ProviderMode::chime) config.budget_policy = BudgetPolicy::warn;
    reader.choice(
        "CHIME_BUDGET_POLICY", config.budget_policy,
        {{"fallback", BudgetPolicy::fallback}, {"refuse", BudgetPolicy::refuse}, {"warn", BudgetPolicy::warn}});
    if (config.meeting_provider == ProviderMode::chime && config.budget_policy == BudgetPolicy::fallback) {
        reader.complain("CHIME_BUDGET_POLICY", "refuse or warn with MEETING_PROVIDER=chime; fallback needs auto");
    }
    config.media_regions = reader.list("MEDIA_REGIONS");
    for (const auto& region : config.media_regions) {
        if (!meetings::chime::is_media_region(region)) {
            reader.complain("MEDIA_REGIONS",
                            "media regions of Amazon Chime SDK meetings, such as us-east-1,eu-central-1");
        }
    }
    reader.duration("CHIME_TIMEOUT_MS", config.chime_timeout, 100, 60'000);
    reader.text("CHIME_EVENTS_SECRET", config.chime_events_secret);
    reader.duration("CHIME_RECONCILE_SECONDS", config.chime_reconcile, 1, 3600);
}

void read_broker(Reader& reader, Config& config) {
    BrokerConfig broker;
    bool named = false;
    for (const auto* name : {"HOST", "PORT", "USER", "PASSWORD", "VHOST", "EXCHANGE"}) {
        named |= reader.find(std::string{"RABBITMQ_"} + name).has_value();
    }
    if (!named) return;
    reader.text("RABBITMQ_HOST", broker.host);
    reader.number("RABBITMQ_PORT", broker.port, 1, 65535);
    reader.text("RABBITMQ_USER", broker.user);
    reader.text("RABBITMQ_PASSWORD", broker.password);
    reader.text("RABBITMQ_VHOST", broker.vhost);
    reader.text("RABBITMQ_EXCHANGE", broker.exchange);
    config.broker = std::move(broker);
}

void read_webhooks(Reader& reader, Config& config) {
    config.webhook_urls = reader.list("WEBHOOK_URLS");
    reader.text("WEBHOOK_SECRET", config.webhook_secret);
    for (const auto& url : config.webhook_urls) {
        if (!url.starts_with("http://") && !url.starts_with("https://")) {
            reader.complain("WEBHOOK_URLS", "URLs such as https://events.example.org/video, with commas between them");
        }
    }
    if (!config.webhook_urls.empty() && config.webhook_secret.empty()) {
        reader.complain("WEBHOOK_SECRET", "a secret that signs what goes to WEBHOOK_URLS");
    }
}

}  // namespace

void read_platform(Reader& reader, Config& config) {
    read_aws(reader, config.aws);
    read_meetings(reader, config);
    read_broker(reader, config);
    read_webhooks(reader, config);
    for (const auto& text : reader.list("OUTGOING_ALLOW")) {
        const auto range = net::AddressRange::parse(text);
        if (!range) {
            reader.complain("OUTGOING_ALLOW",
                            "addresses or ranges such as 192.0.2.7,10.0.0.0/8,fd00::/8, with commas between");
            break;
        }
        config.outgoing_allow.add(*range);
    }
    std::int64_t days = config.outbox_retention.count();
    reader.number("OUTBOX_RETENTION_DAYS", days, 1, 365);
    config.outbox_retention = std::chrono::days{days};

    read_url(reader, "PROFILE_SERVICE_URL", config.profile_url);
    read_url(reader, "APPOINTMENTS_SERVICE_URL", config.appointments_url);
    reader.boolean("VERIFY_APPOINTMENTS", config.verify_appointments);
    if (config.verify_appointments && !config.appointments_url) {
        reader.complain("APPOINTMENTS_SERVICE_URL", "a URL, since VERIFY_APPOINTMENTS asks it");
    }
}

}  // namespace app
