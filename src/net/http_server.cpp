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
    const auto shortest = std::min({settings.header_time, settings.body_time, settings.write_time, settings.idle_time});
    return std::clamp(shortest / 4, std::chrono::milliseconds{10}, std::chrono::milliseconds{250});
}

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<Impl> {
  public:
    Impl(Executors& executors, tcp::acceptor acceptor)
        : acceptor_(std::move(acceptor)), port_(acceptor_.local_endpoint().port()), accepting_(executors.executor(0)) {}

    void open(const HttpServerSettings& settings, Executors& executors, const Handler& handler,
              const UpgradeHandler& upgrade);
    void close();
    bool stop(std::chrono::milliseconds limit);
    std::uint16_t port() const { return port_; }
    std::size_t connections() const;

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

    static asio::awaitable<void> accept(std::shared_ptr<Impl> self);
    static asio::awaitable<void> tick(std::shared_ptr<Impl> self, Worker& worker);
    static asio::awaitable<void> converse(std::shared_ptr<Impl> self, Worker& worker, tcp::socket socket);
    void left(Worker& worker);
    bool wait_until_empty(std::chrono::milliseconds limit);

    tcp::acceptor acceptor_;
    const std::uint16_t port_;
    bool stopped_ = false;  ///< The owner's.
    std::size_t max_connections_ = 0;
    std::vector<std::unique_ptr<Worker>> workers_;
    TaskGroup accepting_;
    std::mutex mutex_;
    std::condition_variable someone_left_;
};

void HttpServer::Impl::open(const HttpServerSettings& settings, Executors& executors, const Handler& handler,
                            const UpgradeHandler& upgrade) {
    max_connections_ = settings.max_connections;
    for (std::size_t i = 0; i < executors.size(); ++i) {
        auto& worker = *workers_.emplace_back(std::make_unique<Worker>(executors.context(i)));
        worker.loop.settings = settings;
        worker.loop.handler = handler;
        worker.loop.upgrade = upgrade;
        worker.loop.tick_length = tick_length(settings);
        std::array<std::uint8_t, 6> random;
        core::random_bytes(random);
        worker.loop.id_prefix = core::hex(random) + "-";
        asio::post(worker.context,
                   [self = shared_from_this(), &worker] { worker.upkeep.spawn("http tick", tick(self, worker)); });
    }
    asio::post(workers_.front()->context,
               [self = shared_from_this()] { self->accepting_.spawn("http accept", accept(self)); });
}

asio::awaitable<void> HttpServer::Impl::accept(std::shared_ptr<Impl> self) {
    asio::steady_timer pause(co_await asio::this_coro::executor);
    while (self->acceptor_.is_open()) {
        // The loop with the fewest connections gets the next one: any number of clients spreads evenly.
        auto& worker = **std::ranges::min_element(self->workers_, {}, [](const auto& w) { return w->open.load(); });
        auto [error, socket] = co_await self->acceptor_.async_accept(worker.context, kNoThrow);
        if (error == asio::error::operation_aborted || !self->acceptor_.is_open()) co_return;
        if (error) {
            // Out of descriptors or memory: what is open may end soon; spinning would not help it.
            core::log::warning("cannot accept a connection", {{"error", error.message()}});
            pause.expires_after(std::chrono::milliseconds{100});
            co_await pause.async_wait(kNoThrow);
            continue;
        }
        if (self->connections() >= self->max_connections_) {
            boost::system::error_code ignored;
            socket.non_blocking(true, ignored);
            socket.write_some(asio::buffer(kFull), ignored);
            socket.shutdown(tcp::socket::shutdown_send, ignored);
            continue;
        }
        ++worker.open;
        asio::post(worker.context, [self, &worker, accepted = std::move(socket)]() mutable {
            // A closing group would drop the conversation unstarted, and its count with it.
            if (worker.loop.closing) return self->left(worker);
            worker.conversations.spawn("http connection", converse(self, worker, std::move(accepted)));
        });
    }
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
    const auto connection = std::make_shared<HttpConnection>(worker.loop, std::move(socket));
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

void HttpServer::Impl::close() {
    asio::dispatch(workers_.front()->context, [self = shared_from_this()] {
        boost::system::error_code ignored;
        self->acceptor_.close(ignored);
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
    const auto where = settings.host + ":" + std::to_string(settings.port);
    auto& context = executors.context(0);
    boost::system::error_code error;
    auto address = asio::ip::make_address(settings.host, error);
    if (error) {
        const auto found = tcp::resolver(context).resolve(settings.host, "", error);
        if (error) return core::fail(core::ErrorKind::internal, "cannot listen on " + where + ": no such host name");
        address = found.begin()->endpoint().address();
    }
    const tcp::endpoint endpoint(address, settings.port);
    tcp::acceptor acceptor(context);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && address.is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        const auto why = error == asio::error::address_in_use  ? "the port is in use by another program"
                         : error == asio::error::access_denied ? "ports below 1024 need more rights"
                                                               : error.message();
        return core::fail(core::ErrorKind::internal, "cannot listen on " + where + ": " + why);
    }
    auto impl = std::make_shared<Impl>(executors, std::move(acceptor));
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
void HttpServer::close() {
    impl_->close();
}
bool HttpServer::stop(std::chrono::milliseconds limit) {
    return impl_->stop(limit);
}

}  // namespace net
