// For tests: a server on a free port of the loopback address, and a blocking client that sends raw bytes.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

#include "net/http_server.hpp"

namespace net::testing {

/// Long enough for a loaded machine; no test waits for it when all is well.
inline constexpr int kPatienceMs = 20'000;

class RawClient {
  public:
    explicit RawClient(std::uint16_t port, int receive_buffer = 0) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
        if (receive_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    }
    ~RawClient() { close(fd_); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    /// False once the server has closed.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    /// The next answer, head and body (none after HEAD); empty when the connection ended before it was complete.
    std::string answer(bool head = false) {
        std::size_t end;
        while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
            if (!receive()) return {};
        }
        std::size_t length = 0;
        const auto field = pending_.find("Content-Length: ");
        if (!head && field < end) length = std::stoul(pending_.substr(field + 16));
        while (pending_.size() < end + 4 + length) {
            if (!receive()) return {};
        }
        auto whole = pending_.substr(0, end + 4 + length);
        pending_.erase(0, whole.size());
        return whole;
    }

    /// Exactly so many bytes, or fewer when the connection ends before.
    std::string bytes(std::size_t count) {
        while (pending_.size() < count && receive()) {
        }
        auto taken = pending_.substr(0, count);
        pending_.erase(0, taken.size());
        return taken;
    }

    /// Everything until the server closes.
    std::string rest() {
        while (receive()) {
        }
        return std::exchange(pending_, {});
    }

    void shutdown_send() { shutdown(fd_, SHUT_WR); }

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

/// Runs from construction to destruction.
class Loopback {
  public:
    explicit Loopback(Handler handler, UpgradeHandler upgrade = {}, HttpServerSettings settings = {},
                      std::size_t loops = 2)
        : executors_(loops) {
        settings.hosts = {"127.0.0.1"};
        settings.port = 0;
        auto started = HttpServer::start(settings, executors_, std::move(handler), std::move(upgrade));
        EXPECT_TRUE(started.has_value());
        server_ = std::move(*started);
        executors_.start();
    }

    HttpServer& server() { return *server_; }
    Executors& executors() { return executors_; }
    std::uint16_t port() const { return server_->port(); }

  private:
    Executors executors_;
    std::unique_ptr<HttpServer> server_;
};

}  // namespace net::testing
