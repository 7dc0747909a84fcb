#include "directory/jwks.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>
#include <utility>

#include "core/log.hpp"
#include "net/loop_guard.hpp"
#include "net/task_group.hpp"

namespace directory {
namespace asio = boost::asio;

PublicKeys::Current PublicKeys::current() const {
    const std::scoped_lock lock(place_->mutex);
    return {place_->set, place_->generation.load(std::memory_order_relaxed)};
}

void PublicKeys::Place::put(KeySet keys) {
    const std::scoped_lock lock(mutex);
    if (keys == *set) return;
    set = std::make_shared<const KeySet>(std::move(keys));
    generation.fetch_add(1, std::memory_order_release);
}

core::Result<std::unique_ptr<KeyFile>> KeyFile::read(const std::string& path) {
    const auto refuse = [&](const std::string& why) { return core::fail(core::ErrorKind::invalid, path + ": " + why); };
    std::ifstream file(path, std::ios::binary);
    std::string text(KeySet::kMaxText + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    if (text.empty()) return refuse("cannot be read");
    auto keys = KeySet::parse(text);
    if (!keys) return refuse(keys.error().detail);
    if (keys->size() == 0) return refuse("holds no RSA or P-256 key for signatures");
    auto made = std::make_unique<KeyFile>();
    made->place()->put(std::move(*keys));
    return made;
}

/// Reads the URL for as long as the KeyUrl lives. Shared with its coroutine; the loop's thread, but for `miss`.
class KeyUrl::Reader : public std::enable_shared_from_this<Reader> {
  public:
    Reader(std::shared_ptr<Place> place, KeyUrlSettings settings, net::HttpClient& client,
           const asio::any_io_executor& executor)
        : place_(std::move(place)),
          settings_(std::move(settings)),
          client_(client),
          executor_(executor),
          loop_(net::LoopGuard::of(executor)),
          timer_(executor),
          tasks_(executor) {}

    void start() {
        loop_->post(executor_, [self = shared_from_this()] { self->tasks_.spawn("key set", run(self)); });
    }

    void stop() {
        loop_->post(executor_, [self = shared_from_this()] { self->tasks_.cancel(); });
    }

    /// Any thread.
    void miss() {
        if (missed_.exchange(true)) return;
        loop_->post(executor_, [self = shared_from_this()] { self->timer_.cancel(); });
    }

  private:
    static asio::awaitable<void> run(std::shared_ptr<Reader> self);
    static asio::awaitable<core::Result<KeySet>> read(std::shared_ptr<Reader> self);
    bool take(core::Result<KeySet> keys);

    const std::shared_ptr<Place> place_;
    const KeyUrlSettings settings_;
    net::HttpClient& client_;
    const asio::any_io_executor executor_;
    const std::shared_ptr<net::LoopGuard> loop_;
    asio::steady_timer timer_;
    net::TaskGroup tasks_;
    std::atomic<bool> missed_{false};
    bool told_ = false;  ///< That it fails.
};

asio::awaitable<void> KeyUrl::Reader::run(std::shared_ptr<Reader> self) {
    for (;;) {
        self->missed_.store(false);
        const bool good = self->take(co_await read(self));
        const auto read_at = std::chrono::steady_clock::now();
        const auto due = [&] {
            const bool soon = !good || self->missed_.load();
            return read_at + (soon ? self->settings_.shortest_pause : self->settings_.refresh);
        };
        while (std::chrono::steady_clock::now() < due()) {
            self->timer_.expires_at(due());
            // A missing key ends the wait early, to begin a shorter one.
            co_await self->timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }
}

asio::awaitable<core::Result<KeySet>> KeyUrl::Reader::read(std::shared_ptr<Reader> self) {
    net::OutgoingRequest request;
    request.url = self->settings_.url;
    request.headers = {{"Accept", "application/jwk-set+json, application/json"}};
    request.timeout = self->settings_.timeout;
    request.connect_timeout = self->settings_.timeout;
    request.max_body = KeySet::kMaxText;
    request.follow_redirects = true;
    const auto answer = co_await self->client_.send(std::move(request));
    if (!answer) co_return std::unexpected(answer.error());
    if (answer->status != 200) {
        co_return core::fail(core::ErrorKind::bad_gateway, "it answers with status " + std::to_string(answer->status));
    }
    co_return KeySet::parse(answer->body);
}

/// False when there is nothing to work with.
bool KeyUrl::Reader::take(core::Result<KeySet> keys) {
    if (keys && keys->size() > 0) {
        place_->put(std::move(*keys));
        if (std::exchange(told_, false)) core::log::info("public keys are read again");
        return true;
    }
    const auto why = keys ? "it holds no RSA or P-256 key for signatures" : keys.error().detail;
    if (!std::exchange(told_, true)) {
        core::log::error("public keys for tokens cannot be read from their URL", {{"reason", why}});
    }
    // A set without keys is one as well: whoever empties it wants no token to be taken.
    if (keys) place_->put(std::move(*keys));
    return false;
}

KeyUrl::KeyUrl(KeyUrlSettings settings, net::HttpClient& client, asio::any_io_executor executor)
    : reader_(std::make_shared<Reader>(place(), std::move(settings), client, executor)) {
    reader_->start();
}

KeyUrl::~KeyUrl() {
    reader_->stop();
}

void KeyUrl::missed() const {
    reader_->miss();
}

}  // namespace directory
