// A client's connection as bytes: TCP, or TLS on top of it. What Boost.Asio and Beast call an asynchronous stream.
//
// Owned by a connection; its event loop only. Not to be moved while an operation waits.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <memory>
#include <utility>
#include <variant>

#include "net/tls_session.hpp"

namespace net {

class Stream {
  public:
    using executor_type = boost::asio::ip::tcp::socket::executor_type;

    /// The socket must be non-blocking.
    explicit Stream(boost::asio::ip::tcp::socket socket) : way_(std::move(socket)) {}
    Stream(boost::asio::ip::tcp::socket socket, ssl_ctx_st& context)
        : way_(std::make_shared<TlsSession>(std::move(socket), context)) {}
    Stream(Stream&&) = default;
    Stream& operator=(Stream&&) = delete;
    /// Ends what waits.
    ~Stream();

    executor_type get_executor() { return socket().get_executor(); }
    bool is_secure() const { return std::holds_alternative<Session>(way_); }
    bool is_open() { return socket().is_open(); }
    /// Below TLS, if there is any.
    boost::asio::ip::tcp::socket& socket();

    /// The TLS handshake: `void(error_code, size_t)`. Only where `is_secure`.
    template <class Token>
    auto async_handshake(Token&& token) {
        return wait_for([](TlsSession& session) { return session.shake_hands(); }, std::forward<Token>(token));
    }
    /// After a failed handshake: the client spoke plainly, and can still be answered so through `socket`.
    bool heard_text() const;

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        return boost::asio::async_initiate<Token, Signature>(
            [this](auto handler, const Buffers& into) {
                if (auto* plain = std::get_if<Plain>(&way_)) return plain->async_read_some(into, std::move(handler));
                wait_for([room = first_of(into)](TlsSession& session) { return session.read(room); },
                         std::move(handler));
            },
            token, buffers);
    }
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        return boost::asio::async_initiate<Token, Signature>(
            [this](auto handler, const Buffers& from) {
                if (auto* plain = std::get_if<Plain>(&way_)) return plain->async_write_some(from, std::move(handler));
                wait_for([from](TlsSession& session) { return session.write_some(from); }, std::move(handler));
            },
            token, buffers);
    }
    /// What can be written without waiting; `would_block` when that is nothing.
    std::size_t write_some(const std::array<boost::asio::const_buffer, 2>& buffers, boost::system::error_code& error);

    /// Ends our direction, with TLS's goodbye.
    void shutdown_send();
    /// Ends what waits, and nothing else.
    void cancel();
    void close();

  private:
    using Plain = boost::asio::ip::tcp::socket;
    using Session = std::shared_ptr<TlsSession>;
    using Signature = void(boost::system::error_code, std::size_t);

    /// Tries `attempt` until it has nothing left to wait for. Shares the session: a stream that goes away closes the
    /// socket, and what waited ends with `operation_aborted`.
    template <class Attempt>
    struct Operation {
        enum class Stage { begin, waiting, done };
        Session session;
        Attempt attempt;
        TlsSession::Outcome outcome{};
        Stage stage = Stage::begin;

        template <class Self>
        void operator()(Self& self, boost::system::error_code error = {}) {
            if (stage == Stage::done) return self.complete(outcome.error, outcome.bytes);
            auto& socket = session->socket();
            if (!error && !socket.is_open()) error = boost::asio::error::operation_aborted;
            outcome = error ? TlsSession::Outcome{.error = error} : attempt(*session);
            if (outcome.want != TlsSession::Want::nothing) {
                stage = Stage::waiting;
                const auto what = outcome.want == TlsSession::Want::read ? Plain::wait_read : Plain::wait_write;
                return socket.async_wait(what, std::move(self));
            }
            if (stage == Stage::waiting) return self.complete(outcome.error, outcome.bytes);
            // No operation may complete before it has been started.
            stage = Stage::done;
            boost::asio::post(socket.get_executor(), std::move(self));
        }
    };

    template <class Attempt, class Token>
    auto wait_for(Attempt attempt, Token&& token) {
        const auto& session = std::get<Session>(way_);
        return boost::asio::async_compose<Token, Signature>(Operation<Attempt>{session, std::move(attempt)}, token,
                                                            session->socket());
    }

    template <class Buffers>
    static boost::asio::mutable_buffer first_of(const Buffers& buffers) {
        const auto end = boost::asio::buffer_sequence_end(buffers);
        for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end; ++at) {
            if (const boost::asio::mutable_buffer buffer{*at}; buffer.size() > 0) return buffer;
        }
        return {};
    }

    std::variant<Plain, Session> way_;
};

/// For Beast, when a WebSocket's time is up.
inline void beast_close_socket(Stream& stream) {
    stream.close();
}

/// For Beast, when a WebSocket has said goodbye. What still comes is of no interest, so it is read without TLS.
template <class Handler>
void async_teardown(boost::beast::role_type role, Stream& stream, Handler&& handler) {
    stream.shutdown_send();
    boost::beast::websocket::async_teardown(role, stream.socket(), std::forward<Handler>(handler));
}
inline void teardown(boost::beast::role_type, Stream& stream, boost::system::error_code& error) {
    error = {};
    stream.close();
}

}  // namespace net
