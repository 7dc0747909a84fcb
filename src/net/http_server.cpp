#include "net/http_server.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <mutex>

#include "core/bytes.hpp"
#include "core/log.hpp"
#include "net/http_connection.hpp"
#include "net/listeners.hpp"
#include "net/task_group.hpp"

namespace net {
namespace asio = boost::asio;
using asio::ip::tcp;
namespace {

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nServer: video-consultation\r\nContent-Type: application/json\r\n"
    "Content-Length: 33\r\nRetry-After: 1\r\nConnection: close\r\n\r\n{\"detail\":\"Too many connections\"}";
constexpr std::chrono::seconds kCutTime{1};

std::chrono::milliseconds tick_length(const HttpServerSettings& settings) {
    const auto shortest = std::min(
        {settings.handshake_time, settings.header_time, settings.body_time, settings.write_time, settings.idle_time});
    return std::clamp(shortest / 4, std::chrono::milliseconds{10}, std::chrono::milliseconds{250});
}

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<Impl> {
  public:
    Impl(Executors& executors, std::vector<tcp::acceptor> acceptors)
        : acceptors_(std::move(acceptors)),
          port_(acceptors_.front().local_endpoint().port()),
          accepting_(executors.executor(0)) {}

    void open(const HttpServerSettings& settings, Executors& executors, const Handler& handler,
              const UpgradeHandler& upgrade);
    void close();
    bool stop(std::chrono::milliseconds limit);
    std::uint16_t port() const { return port_; }
    std::size_t connections() const;
    HttpServerCounters counters() const;

  private:
    struct Worker {
        explicit Worker(asio::io_context& io)
            : context(io), upkeep(io.get_executor()), conversations(io.get_executor()) {}
        asio::io_context& context;
        TaskGroup upkeep;
        TaskGroup conversations;
        HttpLoop loop;
        std::atomic<std::size_t> open{0};
    };

    static asio::awaitable<void> accept(std::shared_ptr<Impl> self, tcp::acceptor& acceptor);
    void turn_away(tcp::socket socket) const;
    static asio::awaitable<void> tick(std::shared_ptr<Impl> self, Worker& worker);
    static asio::awaitable<void> converse(std::shared_ptr<Impl> self, Worker& worker, tcp::socket socket);
    void left(Worker& worker);
    bool wait_until_empty(std::chrono::milliseconds limit);

    std::vector<tcp::acceptor> acceptors_;
    const std::uint16_t port_;
    std::shared_ptr<TlsIdentity> tls_;
    bool stopped_ = false;  ///< The owner's.
    std::size_t max_connections_ = 0;
    std::atomic<std::uint64_t> accepted_{0}, turned_away_{0};
    std::vector<std::unique_ptr<Worker>> workers_;
    TaskGroup accepting_;
    std::mutex mutex_;
    std::condition_variable someone_left_;
};

void HttpServer::Impl::open(const HttpServerSettings& settings, Executors& executors, const Handler& handler,
                            const UpgradeHandler& upgrade) {
    max_connections_ = settings.max_connections;
    tls_ = settings.tls;
    for (std::size_t i = 0; i < executors.size(); ++i) {
        auto& worker = *workers_.emplace_back(std::make_unique<Worker>(executors.context(i)));
        worker.loop.settings = settings;
        worker.loop.handler = handler;
        worker.loop.upgrade = upgrade;
        worker.loop.tick_length = tick_length(settings);
        // They count as connections, so they must not fill those.
        const auto handshakes = std::min(settings.max_handshakes, settings.max_connections / 2);
        worker.loop.max_handshakes = std::max<std::size_t>(handshakes / executors.size(), 1);
        std::array<std::uint8_t, 6> random;
        core::random_bytes(random);
        worker.loop.id_prefix = core::hex(random) + "-";
        asio::post(worker.context,
                   [self = shared_from_this(), &worker] { worker.upkeep.spawn("http tick", tick(self, worker)); });
    }
    asio::post(workers_.front()->context, [self = shared_from_this()] {
        for (auto& acceptor : self->acceptors_) self->accepting_.spawn("http accept", accept(self, acceptor));
    });
}

asio::awaitable<void> HttpServer::Impl::accept(std::shared_ptr<Impl> self, tcp::acceptor& acceptor) {
    asio::steady_timer pause(co_await asio::this_coro::executor);
    while (acceptor.is_open()) {
        // The loop with the fewest connections gets the next one: any number of clients spreads evenly.
        auto& worker = **std::ranges::min_element(self->workers_, {}, [](const auto& w) { return w->open.load(); });
        auto [error, socket] = co_await acceptor.async_accept(worker.context, kNoThrow);
        if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
        if (error) {
            // Out of descriptors or memory: what is open may end soon; spinning would not help it.
            core::log::warning("cannot accept a connection", {{"error", error.message()}});
            pause.expires_after(std::chrono::milliseconds{100});
            co_await pause.async_wait(kNoThrow);
            continue;
        }
        if (self->connections() >= self->max_connections_) {
            self->turned_away_.fetch_add(1, std::memory_order_relaxed);
            self->turn_away(std::move(socket));
            continue;
        }
        self->accepted_.fetch_add(1, std::memory_order_relaxed);
        ++worker.open;
        asio::post(worker.context, [self, &worker, accepted = std::move(socket)]() mutable {
            // A closing group would drop the conversation unstarted, and its count with it.
            if (worker.loop.closing) return self->left(worker);
            worker.conversations.spawn("http connection", converse(self, worker, std::move(accepted)));
        });
    }
}

void HttpServer::Impl::turn_away(tcp::socket socket) const {
    // Behind TLS nothing can be said without the work of a handshake.
    if (tls_) return;
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(kFull), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> HttpServer::Impl::tick(std::shared_ptr<Impl>, Worker& worker) {
    asio::steady_timer timer(worker.context);
    for (;;) {
        timer.expires_after(worker.loop.tick_length);
        const auto [error] = co_await timer.async_wait(kNoThrow);
        if (error) co_return;
        ++worker.loop.tick;
        for (auto* connection : worker.loop.connections) connection->check_deadline();
    }
}

asio::awaitable<void> HttpServer::Impl::converse(std::shared_ptr<Impl> self, Worker& worker, tcp::socket socket) {
    struct Leave {
        Impl& impl;
        Worker& worker;
        ~Leave() { impl.left(worker); }
    } leave{*self, worker};
    const auto certificate = self->tls_ ? self->tls_->context() : nullptr;
    const auto connection = std::make_shared<HttpConnection>(worker.loop, std::move(socket), certificate.get());
    co_await connection->run();
}

void HttpServer::Impl::left(Worker& worker) {
    {
        const std::lock_guard lock(mutex_);
        --worker.open;
    }
    someone_left_.notify_all();
}

std::size_t HttpServer::Impl::connections() const {
    std::size_t total = 0;
    for (const auto& worker : workers_) total += worker->open.load();
    return total;
}

HttpServerCounters HttpServer::Impl::counters() const {
    HttpServerCounters counters;
    counters.connections = connections();
    counters.accepted = accepted_.load(std::memory_order_relaxed);
    counters.turned_away = turned_away_.load(std::memory_order_relaxed);
    for (const auto& worker : workers_) {
        const auto& of_loop = worker->loop.counters;
        counters.websockets += of_loop.websockets.load(std::memory_order_relaxed);
        counters.streams += of_loop.streams.load(std::memory_order_relaxed);
        counters.tls_handshakes += of_loop.handshakes.load(std::memory_order_relaxed);
        counters.failed_tls_handshakes += of_loop.failed_handshakes.load(std::memory_order_relaxed);
    }
    return counters;
}

void HttpServer::Impl::close() {
    asio::dispatch(workers_.front()->context, [self = shared_from_this()] {
        boost::system::error_code ignored;
        for (auto& acceptor : self->acceptors_) acceptor.close(ignored);
    });
    for (auto& worker : workers_) {
        asio::dispatch(worker->context, [self = shared_from_this(), &loop = worker->loop] {
            loop.closing = true;
            for (auto* connection : loop.connections) connection->close_if_idle();
        });
    }
}

bool HttpServer::Impl::wait_until_empty(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return someone_left_.wait_for(lock, limit, [this] { return connections() == 0; });
}

bool HttpServer::Impl::stop(std::chrono::milliseconds limit) {
    if (std::exchange(stopped_, true)) return true;
    close();
    const bool calm = wait_until_empty(limit);
    const bool accepted = accepting_.stop(kCutTime);
    if (!calm) {
        for (auto& worker : workers_) {
            asio::dispatch(worker->context, [self = shared_from_this(), &worker = *worker] {
                for (auto* connection : worker.loop.connections) connection->cut();
                worker.conversations.cancel();
            });
        }
        wait_until_empty(kCutTime);
    }
    for (auto& worker : workers_) {
        if (accepted) worker->upkeep.stop(kCutTime);
    }
    return calm;
}

core::Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerSettings settings, Executors& executors,
                                                            Handler handler, UpgradeHandler upgrade) {
    auto acceptors = listen_on(executors.context(0), settings.hosts, settings.port);
    if (!acceptors) return std::unexpected(std::move(acceptors.error()));
    auto impl = std::make_shared<Impl>(executors, std::move(*acceptors));
    impl->open(settings, executors, handler, upgrade);
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() {
    impl_->stop(std::chrono::milliseconds{0});
}
std::uint16_t HttpServer::port() const {
    return impl_->port();
}
std::size_t HttpServer::connections() const {
    return impl_->connections();
}
HttpServerCounters HttpServer::counters() const {
    return impl_->counters();
}
void HttpServer::close() {
    impl_->close();
}
bool HttpServer::stop(std::chrono::milliseconds limit) {
    return impl_->stop(limit);
}

}  // namespace net
