// Signalling connections for tests, seen from the client: in memory, or as a real WebSocket over this machine's
// network.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "media/server/meeting_server.hpp"
#include "media/wire/frames.hpp"
#include "net/loopback.hpp"
#include "net/websocket.hpp"

namespace media::server::test {

namespace proto = wire::proto;
using namespace std::chrono_literals;

/// Nothing here takes long; a test that waits longer has failed.
inline constexpr auto kPatience = 10s;

/// The client's end of a signalling connection. Any thread.
class ClientEnd {
  public:
    virtual ~ClientEnd() = default;
    virtual void push(std::string message) = 0;
    /// Ends without a close frame.
    virtual void hang_up() = 0;

    /// The next frame of this type; frames of other types before it stay for later calls.
    std::optional<proto::Frame> next(proto::Frame::Type type) {
        return next_where(type, [](const proto::Frame&) { return true; });
    }
    /// The next frame of this type that is `wanted`; those of this type before it are dropped.
    template <class Wanted>
    std::optional<proto::Frame> next_where(proto::Frame::Type type, Wanted&& wanted) {
        std::unique_lock lock(mutex_);
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        for (;;) {
            for (auto entry = sent_.begin(); entry != sent_.end();) {
                const auto frame = wire::unwrap_frame(*entry);
                if (!frame || frame->type() != type) {
                    ++entry;
                    continue;
                }
                entry = sent_.erase(entry);
                if (wanted(*frame)) return *frame;
            }
            if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) return std::nullopt;
        }
    }
    /// The next frame of this type, if it is here already.
    std::optional<proto::Frame> poll(proto::Frame::Type type) {
        const std::lock_guard lock(mutex_);
        for (auto entry = sent_.begin(); entry != sent_.end(); ++entry) {
            auto frame = wire::unwrap_frame(*entry);
            if (!frame || frame->type() != type) continue;
            sent_.erase(entry);
            return std::move(*frame);
        }
        return std::nullopt;
    }
    /// The close code (0: aborted), once closed.
    std::optional<std::uint16_t> closed() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, kPatience, [&] { return code_.has_value(); });
        return code_;
    }
    bool is_closed() {
        const std::lock_guard lock(mutex_);
        return code_.has_value();
    }

  protected:
    void deliver(std::string message) {
        const std::lock_guard lock(mutex_);
        sent_.push_back(std::move(message));
        changed_.notify_all();
    }
    /// False when it was over before.
    bool over(std::uint16_t code) {
        const std::lock_guard lock(mutex_);
        if (code_) return false;
        code_ = code;
        changed_.notify_all();
        return true;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> sent_;
    std::optional<std::uint16_t> code_;
};

/// Both ends of a connection without network; the server's end is a net::WebSocket.
class FakeSocket final : public net::WebSocket, public ClientEnd, public std::enable_shared_from_this<FakeSocket> {
  public:
    explicit FakeSocket(boost::asio::io_context& context) : context_(context), arrived_(context) {
        arrived_.expires_at(boost::asio::steady_timer::time_point::max());
    }

    boost::asio::awaitable<std::optional<std::string>> read() override {
        while (incoming_.empty() && !over_) {
            boost::system::error_code ignored;
            co_await arrived_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
        }
        if (incoming_.empty()) co_return std::nullopt;
        std::string message = std::move(incoming_.front());
        incoming_.pop_front();
        co_return message;
    }
    void send(std::string message) override { deliver(std::move(message)); }
    void close(std::uint16_t code) override { finish(code); }
    void abort() override { finish(0); }

    void push(std::string message) override {
        boost::asio::post(context_, [this, alive = shared_from_this(), message = std::move(message)]() mutable {
            incoming_.push_back(std::move(message));
            arrived_.cancel();
        });
    }
    void hang_up() override {
        boost::asio::post(context_, [this, alive = shared_from_this()] {
            over_ = true;
            arrived_.cancel();
        });
    }

  private:
    void finish(std::uint16_t code) {
        if (over(code)) hang_up();
    }

    boost::asio::io_context& context_;
    boost::asio::steady_timer arrived_;
    std::deque<std::string> incoming_;
    bool over_ = false;
};

/// A thread that plays the control plane: it runs `serve` for each connection.
class ControlPlane {
  public:
    ControlPlane() : thread_([this] { context_.run(); }) {}
    ~ControlPlane() {
        work_.reset();
        context_.stop();
        thread_.join();
    }
    std::shared_ptr<FakeSocket> connect(MeetingServer& server, Participant participant) {
        auto socket = std::make_shared<FakeSocket>(context_);
        boost::asio::co_spawn(context_, server.serve(socket, std::move(participant)), boost::asio::detached);
        return socket;
    }
    std::vector<std::string> connected(MeetingServer& server) {
        return boost::asio::co_spawn(context_, server.connected(), boost::asio::use_future).get();
    }

  private:
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ = make_work_guard(context_);
    std::thread thread_;
};

/// A WebSocket client as a browser is one.
class WireSocket final : public ClientEnd {
  public:
    WireSocket(std::uint16_t port, const std::string& path) : stream_(context_) {
        namespace websocket = boost::beast::websocket;
        stream_.next_layer().connect({boost::asio::ip::address_v4::loopback(), port});
        stream_.binary(true);
        stream_.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
            request.set(boost::beast::http::field::sec_websocket_protocol, "_aws_wt_session, token");
        }));
        stream_.handshake("localhost", path);
        read_next();
        thread_ = std::thread([this] { context_.run(); });
    }
    ~WireSocket() override {
        hang_up();
        thread_.join();
    }
    WireSocket(const WireSocket&) = delete;
    WireSocket& operator=(const WireSocket&) = delete;

    void push(std::string message) override {
        boost::asio::post(context_, [this, message = std::move(message)]() mutable {
            outgoing_.push_back(std::move(message));
            if (outgoing_.size() == 1) write_next();
        });
    }
    void hang_up() override {
        boost::asio::post(context_, [this] {
            boost::system::error_code ignored;
            stream_.next_layer().close(ignored);
        });
    }

  private:
    void read_next() {
        stream_.async_read(buffer_, [this](const boost::system::error_code& error, std::size_t) {
            if (error) {
                const bool said = error == boost::beast::websocket::error::closed;
                over(said ? static_cast<std::uint16_t>(stream_.reason().code) : std::uint16_t{0});
                return;
            }
            deliver(boost::beast::buffers_to_string(buffer_.data()));
            buffer_.consume(buffer_.size());
            read_next();
        });
    }
    void write_next() {
        stream_.async_write(boost::asio::buffer(outgoing_.front()),
                            [this](const boost::system::error_code& error, std::size_t) {
                                if (error) return;
                                outgoing_.pop_front();
                                if (!outgoing_.empty()) write_next();
                            });
    }

    boost::asio::io_context context_;
    boost::beast::websocket::stream<boost::asio::ip::tcp::socket> stream_;
    boost::beast::flat_buffer buffer_;
    std::deque<std::string> outgoing_;
    std::thread thread_;
};

/// An HTTP server that lets everybody in as whom the test says they are.
class FrontDoor {
  public:
    explicit FrontDoor(MeetingServer& server) : server_(server) {}

    std::shared_ptr<WireSocket> connect(Participant participant) {
        std::string path;
        {
            const std::lock_guard lock(mutex_);
            path = "/control/" + std::to_string(guests_.size());
            guests_[path] = std::move(participant);
        }
        return std::make_shared<WireSocket>(loopback_.port(), path);
    }

  private:
    using Decision = std::variant<net::Response, net::Upgrade>;

    static boost::asio::awaitable<net::Response> not_found(const net::Request&) {
        net::Response response;
        response.status = 404;
        co_return response;
    }
    static boost::asio::awaitable<Decision> let_in(FrontDoor& door, std::string path) {
        const std::lock_guard lock(door.mutex_);
        net::Upgrade upgrade;
        upgrade.subprotocol = "_aws_wt_session";
        upgrade.max_message = wire::kMaxFrameSize;
        upgrade.serve = [&door, participant = door.guests_.at(path)](std::shared_ptr<net::WebSocket> socket) {
            return door.server_.serve(std::move(socket), participant);
        };
        co_return upgrade;
    }

    MeetingServer& server_;
    std::mutex mutex_;
    std::map<std::string, Participant> guests_;
    net::testing::Loopback loopback_{
        not_found, [this](const net::Request& request) { return let_in(*this, std::string(request.path())); }};
};

}  // namespace media::server::test
