// For tests: the other side of an HTTP client, played byte by byte; and an event loop whose coroutines a test waits
// for.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>

#include "net/executors.hpp"
#include "net/http_client.hpp"
#include "net/loopback.hpp"

namespace net::testing {

/// One accepted connection; blocking, with patience.
class RawPeer {
  public:
    explicit RawPeer(int fd) : fd_(fd) {}
    ~RawPeer() { close(fd_); }
    RawPeer(const RawPeer&) = delete;
    RawPeer& operator=(const RawPeer&) = delete;

    /// Up to and with the empty line behind the header fields.
    std::string head() {
        std::size_t end;
        while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
            if (!receive()) return {};
        }
        auto whole = pending_.substr(0, end + 4);
        pending_.erase(0, end + 4);
        return whole;
    }
    std::string bytes(std::size_t count) {
        while (pending_.size() < count && receive()) {
        }
        auto taken = pending_.substr(0, count);
        pending_.erase(0, taken.size());
        return taken;
    }
    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    /// Reads on until the client has closed.
    void wait_for_end() {
        while (receive()) {
        }
    }

  private:
    bool receive() {
        pollfd ready{fd_, POLLIN, 0};
        if (poll(&ready, 1, kPatienceMs) <= 0) {
            ADD_FAILURE() << "nothing arrived in time";
            return false;
        }
        char buffer[16384];
        const auto got = recv(fd_, buffer, sizeof buffer, 0);
        if (got <= 0) return false;
        pending_.append(buffer, static_cast<std::size_t>(got));
        return true;
    }

    int fd_;
    std::string pending_;
};

/// Listens on a free port of the loopback address.
class RawServer {
  public:
    RawServer() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
        EXPECT_EQ(listen(fd_, 512), 0);
        socklen_t size = sizeof at;
        getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
        port_ = ntohs(at.sin_port);
    }
    ~RawServer() { close(fd_); }
    RawServer(const RawServer&) = delete;
    RawServer& operator=(const RawServer&) = delete;

    std::uint16_t port() const { return port_; }
    std::string url(std::string_view path = "/") const {
        return "http://127.0.0.1:" + std::to_string(port_) + std::string{path};
    }

    std::unique_ptr<RawPeer> accept() {
        pollfd ready{fd_, POLLIN, 0};
        if (poll(&ready, 1, kPatienceMs) <= 0) throw std::runtime_error("nobody connected");
        return std::make_unique<RawPeer>(::accept(fd_, nullptr, nullptr));
    }
    /// Is somebody at the door right now?
    bool has_visitor() const {
        pollfd ready{fd_, POLLIN, 0};
        return poll(&ready, 1, 0) > 0;
    }

  private:
    int fd_;
    std::uint16_t port_ = 0;
};

/// One event loop, running from construction to destruction.
class CallerLoop {
  public:
    CallerLoop() : executors_(1, "caller") { executors_.start(); }

    boost::asio::any_io_executor executor() { return executors_.executor(0); }

    template <class T>
    std::future<T> spawn(boost::asio::awaitable<T> task) {
        return boost::asio::co_spawn(executor(), std::move(task), boost::asio::use_future);
    }
    template <class T>
    T run(boost::asio::awaitable<T> task) {
        auto result = spawn(std::move(task));
        if (result.wait_for(std::chrono::milliseconds{kPatienceMs}) != std::future_status::ready) {
            throw std::runtime_error("a coroutine did not end in time");
        }
        return result.get();
    }

  private:
    Executors executors_;
};

}  // namespace net::testing
