#include "net/websocket_connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "net/http_writer.hpp"

namespace net {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
namespace {

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

}  // namespace

WebSocketConnection::WebSocketConnection(Stream connection, std::chrono::milliseconds idle_time)
    : stream_(std::move(connection)),
      idle_time_(idle_time),
      close_timer_(stream_.get_executor()),
      went_down_(stream_.get_executor(), asio::steady_timer::time_point::max()) {}

asio::awaitable<bool> WebSocketConnection::accept(const Request& request, const Upgrade& upgrade) {
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = kCloseTime;
    timeout.idle_timeout = idle_time_;
    timeout.keep_alive_pings = false;
    stream_.set_option(timeout);
    stream_.set_option(websocket::permessage_deflate{});
    stream_.read_message_max(upgrade.max_message);
    stream_.binary(true);
    stream_.auto_fragment(false);
    stream_.set_option(websocket::stream_base::decorator(
        [subprotocol = upgrade.subprotocol, id = std::string{request.request_id}](websocket::response_type& response) {
            response.set(beast::http::field::server, "video-consultation");
            response.set("X-Request-ID", id);
            if (!subprotocol.empty()) response.set(beast::http::field::sec_websocket_protocol, subprotocol);
        }));

    beast::http::request<beast::http::empty_body> upgrade_request;
    static_cast<beast::http::fields&>(upgrade_request) = *request.fields;
    upgrade_request.method(beast::http::verb::get);
    upgrade_request.target({request.target.data(), request.target.size()});
    const auto [error] = co_await stream_.async_accept(upgrade_request, kNoThrow);
    if (error) {
        shut();
        co_return false;
    }
    open_ = true;
    co_return true;
}

asio::awaitable<std::optional<std::string>> WebSocketConnection::read() {
    const auto self = shared_from_this();
    if (down_ || closing_) co_return std::nullopt;
    std::string message;
    auto buffer = asio::dynamic_buffer(message);
    const auto [error, size] = co_await stream_.async_read(buffer, kNoThrow);
    if (error) {
        // While we close it is the close itself that ends the stream; it also shuts the socket.
        if (!closing_) shut();
        co_return std::nullopt;
    }
    if (closing_) co_return std::nullopt;
    if (stream_.got_text()) {
        close(websocket::close_code::unknown_data);
        co_return std::nullopt;
    }
    co_return std::move(message);
}

void WebSocketConnection::send(std::string message) {
    if (over_.load(std::memory_order_relaxed)) return;
    const auto bytes = queued_bytes_.fetch_add(message.size(), std::memory_order_relaxed) + message.size();
    const auto messages = queued_messages_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (bytes > kMaxQueuedBytes || messages > kMaxQueuedMessages) {
        abort();
        return;
    }
    asio::dispatch(stream_.get_executor(), [self = shared_from_this(), text = std::move(message)]() mutable {
        self->enqueue(std::move(text));
    });
}

void WebSocketConnection::close(std::uint16_t code) {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this(), code] {
        if (self->closing_ || self->down_) return;
        self->closing_ = true;
        self->over_ = true;
        self->close_code_ = code;
        self->close_timer_.expires_after(kCloseTime);
        self->close_timer_.async_wait([self](const boost::system::error_code& error) {
            if (!error) self->shut();
        });
        if (!self->writing_) self->begin_close();
    });
}

void WebSocketConnection::abort() {
    over_ = true;
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->shut(); });
}

asio::awaitable<void> WebSocketConnection::finish() {
    const auto self = shared_from_this();
    close(websocket::close_code::normal);
    while (!down_) {
        co_await went_down_.async_wait(kNoThrow);
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
            shut();
            co_return;
        }
    }
}

void WebSocketConnection::enqueue(std::string message) {
    if (closing_ || down_ || !open_) return;
    queue_.push_back(std::move(message));
    if (!writing_) write_next();
}

void WebSocketConnection::write_next() {
    writing_ = true;
    stream_.async_write(asio::buffer(queue_.front()),
                        [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                            self->writing_ = false;
                            if (self->down_) return;
                            self->queued_bytes_ -= self->queue_.front().size();
                            self->queued_messages_ -= 1;
                            self->queue_.pop_front();
                            if (error) {
                                self->shut();
                            } else if (!self->queue_.empty()) {
                                self->write_next();
                            } else if (self->closing_) {
                                self->begin_close();
                            }
                        });
}

void WebSocketConnection::begin_close() {
    if (close_sent_ || down_) return;
    close_sent_ = true;
    stream_.async_close(static_cast<websocket::close_code>(close_code_),
                        [self = shared_from_this()](const boost::system::error_code&) { self->shut(); });
}

void WebSocketConnection::shut() {
    if (down_) return;
    down_ = true;
    over_ = true;
    stream_.next_layer().close();
    close_timer_.cancel();
    went_down_.cancel();
}

}  // namespace net
