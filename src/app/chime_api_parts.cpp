#include "app/chime_api_parts.hpp"

#include <utility>

#include "api/chime/chime_api.hpp"

namespace app {

std::unique_ptr<ChimeApiParts> ChimeApiParts::make(const Config& config, const OpenStore& store,
                                                   service::MeetingFloor& floor, net::HttpClient& client,
                                                   const core::Clock& clock, boost::asio::any_io_executor executor) {
    const auto& wanted = config.chime_api;
    if (wanted.keys.empty()) return nullptr;
    auto parts = std::make_unique<ChimeApiParts>();
    service::SdkMeetingsSettings settings;
    settings.notify = !wanted.notifications_url.empty();
    settings.empty_for = wanted.empty_for;
    settings.longest = wanted.longest;
    parts->meetings_ = std::make_unique<service::SdkMeetings>(settings, *store.sdk_meetings, floor, clock);
    parts->api_ = api::chime::make_chime_api(wanted.keys, *parts->meetings_, clock);
    if (!settings.notify) return parts;
    events::MeetingNotificationSettings telling;
    telling.url = wanted.notifications_url;
    telling.key = events::webhook_key(config.webhook_secret).value_or(core::Bytes{});
    telling.api_key = wanted.notifications_api_key;
    parts->notifications_ = std::make_unique<events::MeetingNotifications>(
        std::move(telling), *store.sdk_meetings, *store.store, client, clock, std::move(executor));
    return parts;
}

net::Handler ChimeApiParts::before(net::Handler site) const {
    return [api = api_, site = std::move(site)](const net::Request& request) {
        return api::chime::is_chime_path(request.path()) ? api(request) : site(request);
    };
}

void ChimeApiParts::start() {
    if (notifications_) notifications_->start();
}

bool ChimeApiParts::stop(std::chrono::milliseconds limit) {
    return !notifications_ || notifications_->stop(limit);
}

}  // namespace app
