// The AWS keys in use: found once at start, renewed in the background before they run out.
//
// Has a thread of its own (`aws-keys`) that waits for endpoints and reads files; everybody else takes the present keys
// and never waits. Owned by `app` (or a test); construct and destroy on a thread that is not an event loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include "core/result.hpp"
#include "core/time.hpp"
#include "meetings/chime/aws_keys.hpp"
#include "meetings/chime/credential_sources.hpp"
#include "net/executors.hpp"
#include "net/http_client.hpp"
#include "net/task_group.hpp"

namespace meetings::chime {

/// When to look at the sources again; nullopt: these keys do not run out. Five minutes before they do; if that is over
/// or there are none, after a pause that grows with the failures in a row, up to a minute.
std::optional<std::chrono::milliseconds> pause_before_renewal(const std::optional<AwsKeys>& keys, int failures,
                                                              core::Time now);

class AwsCredentials {
  public:
    /// Starts looking at once. Client and clock must outlive this.
    AwsCredentials(CredentialSettings settings, net::HttpClient& client, const core::Clock& clock);
    /// `stop`.
    ~AwsCredentials();
    AwsCredentials(const AwsCredentials&) = delete;
    AwsCredentials& operator=(const AwsCredentials&) = delete;

    /// For start-up: are there any? Blocks, at most so long, until the sources have been looked through. Error
    /// `unavailable`: a source is set up but gives none, or has not answered in time; the search goes on in either case
    /// then, and not after `false`.
    core::Result<bool> discover(std::chrono::milliseconds limit);

    /// The present keys; `unavailable` when there are none, or they have run out and could not be renewed. Any thread.
    core::Result<AwsKeys> current();

    /// AWS does not accept the present keys: somebody may have changed them at their source. Any thread.
    void refused();

    /// Ends the thread. Twice is fine.
    void stop();

  private:
    boost::asio::awaitable<void> keep_current();
    void take(core::Result<std::optional<AwsKeys>> found);
    void look_again();

    CredentialSources sources_;
    const core::Clock& clock_;

    std::mutex
        mutex_;  ///< Guards what follows, up to the blank line. Keys and outcome are written by the thread alone.
    std::condition_variable looked_;
    std::optional<AwsKeys> keys_;
    std::optional<core::Result<bool>> discovered_;  ///< Outcome of the first search.
    std::chrono::steady_clock::time_point looked_at_;
    bool stopped_ = false;

    int failures_ = 0;  ///< In a row. Only on the thread.
    net::Executors loop_{1, "aws-keys"};
    boost::asio::steady_timer timer_;
    std::unique_ptr<net::TaskGroup> tasks_;
};

}  // namespace meetings::chime
