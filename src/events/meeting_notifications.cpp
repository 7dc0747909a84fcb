#include "events/meeting_notifications.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <set>
#include <utility>

#include "core/log.hpp"
#include "events/backoff.hpp"
#include "events/lease.hpp"
#include "events/pause.hpp"
#include "net/task_group.hpp"

namespace events {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using service::MeetingNotification;
using service::Task;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Between two looks at the queue, however many calls end meanwhile.
constexpr milliseconds kBreath{50};
constexpr milliseconds kTimeout{10'000};
/// Time for a call and for writing down how it went.
constexpr milliseconds kCallTime{12'000};
constexpr milliseconds kFirstRetry{200};
constexpr milliseconds kLastRetry{5000};
/// Cancelled coroutines end at once, but the loop must come to them.
constexpr milliseconds kCancelTime{200};
constexpr unsigned kGone = 410;
/// There is one account, and AWS never gives this number away.
constexpr std::string_view kAccount = "000000000000";

/// Those that tell by which network somebody came or went.
constexpr std::array<std::string_view, 6> kOfConnections{"chime:AttendeeJoined",      "chime:AttendeeLeft",
                                                         "chime:AttendeeDropped",     "chime:AttendeeContentJoined",
                                                         "chime:AttendeeContentLeft", "chime:AttendeeContentDropped"};

json::object detail_of(const MeetingNotification& told) {
    const auto millis = std::chrono::floor<milliseconds>(told.occurred_at).time_since_epoch().count();
    json::object detail{
        {"version", "0"}, {"eventType", told.event_type}, {"timestamp", millis}, {"meetingId", told.meeting_id}};
    if (!told.attendee_id.empty()) {
        detail.emplace("attendeeId", told.attendee_id);
        detail.emplace("externalUserId", told.external_user_id);
    }
    if (std::ranges::find(kOfConnections, told.event_type) != kOfConnections.end()) {
        detail.emplace("networkType", "Voip");
    }
    detail.emplace("externalMeetingId", told.external_meeting_id);
    detail.emplace("mediaRegion", told.media_region);
    if (told.capabilities) {
        detail.emplace("success", "1");
        detail.emplace("attendeeCapabilities", json::object{{"audio", name_of(told.capabilities->audio)},
                                                            {"video", name_of(told.capabilities->video)},
                                                            {"content", name_of(told.capabilities->content)}});
    }
    return detail;
}

double chance() {
    return core::random_u32() / 4294967296.0;
}

}  // namespace

std::string notification_id(const MeetingNotification& told) {
    const auto hash = core::hex(core::sha256(core::as_bytes(told.meeting_id + "/" + std::to_string(told.sequence))));
    return hash.substr(0, 8) + "-" + hash.substr(8, 4) + "-5" + hash.substr(13, 3) + "-a" + hash.substr(17, 3) + "-" +
           hash.substr(20, 12);
}

std::string notification_body(const MeetingNotification& told) {
    const json::object event{{"version", "0"},
                             {"id", notification_id(told)},
                             {"detail-type", "Chime Meeting State Change"},
                             {"source", "aws.chime"},
                             {"account", kAccount},
                             {"time", core::format_rfc3339(std::chrono::floor<std::chrono::seconds>(told.occurred_at))},
                             {"region", told.control_region},
                             {"resources", json::array{}},
                             {"detail", detail_of(told)}};
    return json::serialize(event);
}

net::OutgoingRequest notification_request(const MeetingNotificationSettings& settings, const MeetingNotification& told,
                                          core::Time now) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    const auto id = notification_id(told);
    net::OutgoingRequest request;
    request.method = "POST";
    request.url = settings.url;
    request.body = notification_body(told);
    request.timeout = kTimeout;
    request.headers = {{"content-type", "application/json"},
                       {"webhook-id", id},
                       {"webhook-timestamp", std::to_string(seconds)},
                       {"webhook-signature", webhook_signature(settings.key, id, seconds, request.body)}};
    if (!settings.api_key.empty()) request.headers.emplace_back("x-api-key", settings.api_key);
    return request;
}

class MeetingNotifications::Parts {
  public:
    Parts(MeetingNotificationSettings settings, service::MeetingNotificationQueue& queue, service::Outbox& leases,
          net::HttpClient& client, const core::Clock& clock, asio::any_io_executor executor)
        : settings_(std::move(settings)),
          queue_(queue),
          client_(client),
          clock_(clock),
          executor_(std::move(executor)),
          tasks_(std::make_shared<net::TaskGroup>(executor_)),
          lease_(leases, "meeting notifications", settings_.lease_life),
          backoff_(kFirstRetry, kLastRetry) {}

    void start() {
        started_ = true;
        asio::post(executor_, [this] { tasks_->spawn("meeting notifications", run()); });
    }

    bool stop(milliseconds limit) {
        if (!std::exchange(started_, false)) return true;
        asio::post(executor_, [this] { pause_.end(); });
        // The group, not this, goes along: the wait may outlive the call.
        asio::co_spawn(
            executor_,
            [](std::shared_ptr<net::TaskGroup> tasks) -> asio::awaitable<void> { co_await tasks->join(); }(tasks_),
            asio::use_future)
            .wait_for(limit);
        return tasks_->stop(kCancelTime);
    }

  private:
    Task<void> run() {
        while (!pause_.ended()) {
            const auto rest = co_await turn();
            if (rest) backoff_.reset();
            co_await pause_.sleep(kBreath);
            co_await pause_.sleep(rest ? *rest : backoff_.next(), rest.has_value());
        }
        if (under_way_.empty()) co_await lease_.release();
    }

    /// One round; how long to rest after it. An error is the store's.
    Task<core::Result<milliseconds>> turn() {
        const auto held = co_await lease_.hold();
        if (!held) co_return std::unexpected(held.error());
        if (!*held) co_return settings_.standby_poll;
        const auto now = clock_.now();
        auto due = co_await queue_.due_notifications(now, settings_.batch);
        if (!due) co_return std::unexpected(due.error());
        std::vector<std::int64_t> expired;
        for (auto& told : *due) {
            if (under_way_.contains(told.sequence)) continue;
            if (now >= told.occurred_at + settings_.policy.life) {
                expired.push_back(told.sequence);
            } else if (may_start()) {
                under_way_.insert(told.sequence);
                tasks_->spawn("meeting notification", deliver(std::move(told)));
            }
        }
        if (auto done = co_await give_up(std::move(expired)); !done) co_return std::unexpected(done.error());
        co_return settings_.poll;
    }

    /// An endpoint that does not work is tried by one call at a time.
    bool may_start() const {
        if (pause_.ended() || steady_clock::now() > lease_.held_until() - kCallTime) return false;
        return under_way_.size() < (failing_ ? 1 : settings_.parallel);
    }

    Task<void> deliver(MeetingNotification told) {
        co_await attempt(told);
        under_way_.erase(told.sequence);
        // The next of the same meeting may go.
        pause_.rouse();
        if (pause_.ended() && under_way_.empty()) co_await lease_.release();
    }

    Task<void> attempt(const MeetingNotification& told) {
        const auto response = co_await client_.send(notification_request(settings_, told, clock_.now()));
        if (response && response->status / 100 == 2) {
            record({});
            co_return co_await finish(told.sequence);
        }
        record(response ? "it answers " + std::to_string(response->status) : response.error().detail);
        const auto now = clock_.now();
        const auto wanted = response ? retry_after(response->header("retry-after"), now) : std::nullopt;
        const auto next = next_attempt(settings_.policy, {.failures = told.attempts + 1,
                                                          .occurred_at = told.occurred_at,
                                                          .now = now,
                                                          .retry_after = wanted,
                                                          .chance = chance()});
        const bool is_gone = response && response->status == kGone;
        // If the store does not take it, it stays due.
        if (next && !is_gone) {
            co_await queue_.postpone_notification(told.sequence, *next);
        } else {
            std::vector<std::int64_t> one(1, told.sequence);
            co_await give_up(std::move(one));
        }
    }

    /// Persists while the lease lasts: what is delivered should not be delivered again.
    Task<void> finish(std::int64_t sequence) {
        Backoff backoff(kFirstRetry, kLastRetry);
        for (;;) {
            std::vector<std::int64_t> one(1, sequence);
            const auto finished = co_await queue_.finish_notifications(std::move(one));
            if (finished || pause_.ended() || steady_clock::now() > lease_.held_until()) co_return;
            co_await pause_.sleep(backoff.next());
        }
    }

    Task<core::Result<void>> give_up(std::vector<std::int64_t> sequences) {
        if (sequences.empty()) co_return core::Result<void>{};
        const auto count = sequences.size();
        auto finished = co_await queue_.finish_notifications(std::move(sequences));
        if (finished) core::log::warning("meeting notifications given up", {{"count", std::to_string(count)}});
        co_return finished;
    }

    void record(const std::string& error) {
        const bool failing = !error.empty();
        if (failing == std::exchange(failing_, failing)) return;
        if (failing) {
            core::log::warning("meeting notifications are not taken", {{"why", error}});
        } else {
            core::log::info("meeting notifications are taken again");
        }
    }

    const MeetingNotificationSettings settings_;
    service::MeetingNotificationQueue& queue_;
    net::HttpClient& client_;
    const core::Clock& clock_;
    const asio::any_io_executor executor_;
    Pause pause_;
    const std::shared_ptr<net::TaskGroup> tasks_;
    Lease lease_;
    Backoff backoff_;
    std::set<std::int64_t> under_way_;
    bool failing_ = false;
    bool started_ = false;
};

MeetingNotifications::MeetingNotifications(MeetingNotificationSettings settings,
                                           service::MeetingNotificationQueue& queue, service::Outbox& leases,
                                           net::HttpClient& client, const core::Clock& clock,
                                           asio::any_io_executor executor)
    : parts_(std::make_unique<Parts>(std::move(settings), queue, leases, client, clock, std::move(executor))) {}

MeetingNotifications::~MeetingNotifications() {
    stop(milliseconds{0});
}

void MeetingNotifications::start() {
    parts_->start();
}

bool MeetingNotifications::stop(milliseconds limit) {
    return parts_->stop(limit);
}

}  // namespace events
