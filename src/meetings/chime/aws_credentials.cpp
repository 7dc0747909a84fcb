#include "meetings/chime/aws_credentials.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "core/log.hpp"

namespace meetings::chime {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr std::chrono::minutes kRenewBefore{5};
constexpr milliseconds kFirstPause{1'000}, kMostPause{60'000};
/// So long after a search another one brings nothing new.
constexpr std::chrono::seconds kSettled{10};

}  // namespace

std::optional<milliseconds> pause_before_renewal(const std::optional<AwsKeys>& keys, int failures, core::Time now) {
    if (keys && !keys->expires_at && failures == 0) return {};
    const auto backoff = std::min(kFirstPause * (1 << std::clamp(failures - 1, 0, 10)), kMostPause);
    if (!keys || !keys->expires_at) return backoff;
    const auto until_due = std::chrono::ceil<milliseconds>(*keys->expires_at - kRenewBefore - now);
    // Keys that are nearly over may simply be given out again for a while.
    return std::max(until_due, backoff);
}

AwsCredentials::AwsCredentials(CredentialSettings settings, net::HttpClient& client, const core::Clock& clock)
    : sources_(std::move(settings), client),
      clock_(clock),
      timer_(loop_.executor(0)),
      tasks_(std::make_unique<net::TaskGroup>(loop_.executor(0))) {
    asio::post(loop_.executor(0), [this] { tasks_->spawn("AWS credentials", keep_current()); });
    loop_.start();
}

AwsCredentials::~AwsCredentials() {
    stop();
}

void AwsCredentials::stop() {
    {
        const std::scoped_lock lock(mutex_);
        if (std::exchange(stopped_, true)) return;
    }
    looked_.notify_all();
    tasks_->stop(milliseconds{2'000});
    loop_.stop();
    loop_.drop();
}

core::Result<bool> AwsCredentials::discover(milliseconds limit) {
    std::unique_lock lock(mutex_);
    looked_.wait_for(lock, limit, [this] { return discovered_ || stopped_; });
    if (discovered_) return *discovered_;
    return core::fail(core::ErrorKind::unavailable, "The sources of AWS credentials did not answer in time");
}

core::Result<AwsKeys> AwsCredentials::current() {
    const auto now = clock_.now();
    {
        const std::scoped_lock lock(mutex_);
        if (keys_ && (!keys_->expires_at || *keys_->expires_at > now)) return *keys_;
    }
    look_again();
    return core::fail(core::ErrorKind::unavailable, "AWS Chime cannot be used at the moment");
}

void AwsCredentials::refused() {
    look_again();
}

void AwsCredentials::look_again() {
    const std::scoped_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (stopped_ || !discovered_ || now < looked_at_ + kSettled) return;
    looked_at_ = now;
    asio::post(loop_.executor(0), [this] { timer_.cancel(); });
}

void AwsCredentials::take(core::Result<std::optional<AwsKeys>> found) {
    const bool has_keys = found && *found;
    // Endpoints give the same keys out until shortly before these run out; only new ones are worth anything then.
    const bool is_success = has_keys && (!(*found)->expires_at || keys_ != *found);
    if (!found) core::log::warning("AWS credentials were not found", {{"error", found.error().detail}});
    const std::scoped_lock lock(mutex_);
    failures_ = is_success ? 0 : failures_ + 1;
    if (has_keys) keys_ = std::move(*found);
    if (!discovered_) {
        if (found)
            discovered_ = has_keys;
        else
            discovered_ = std::unexpected(found.error());
    }
    looked_at_ = std::chrono::steady_clock::now();
}

asio::awaitable<void> AwsCredentials::keep_current() {
    for (;;) {
        take(co_await sources_.load());
        looked_.notify_all();
        // Where there is nothing, nothing will be.
        const auto pause =
            !keys_ && discovered_->has_value() ? std::nullopt : pause_before_renewal(keys_, failures_, clock_.now());
        timer_.expires_at(pause ? std::chrono::steady_clock::now() + *pause
                                : std::chrono::steady_clock::time_point::max());
        co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

}  // namespace meetings::chime
