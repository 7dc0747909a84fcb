#include "net/http_connection.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

#include "core/log.hpp"
#include "net/forwarded.hpp"

namespace net {
namespace asio = boost::asio;
namespace {

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::size_t kLingerBytes = 256 * 1024;
constexpr std::chrono::milliseconds kLingerTime{2'000};
constexpr std::size_t kMaxRequestId = 64;
constexpr std::size_t kKeptHead = 4096;
constexpr int kStreamBuffer = 16 * 1024;

bool is_sane_id(std::string_view id) {
    return !id.empty() && id.size() <= kMaxRequestId && std::ranges::all_of(id, [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string_view{"-_.:/+=@"}.find(static_cast<char>(c)) != std::string_view::npos;
    });
}

/// Counted as long as it lives.
class Presence {
  public:
    explicit Presence(std::atomic<std::int64_t>& count) : count_(count) {
        count_.fetch_add(1, std::memory_order_relaxed);
    }
    ~Presence() { count_.fetch_sub(1, std::memory_order_relaxed); }
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;

  private:
    std::atomic<std::int64_t>& count_;
};

Stream make_stream(asio::ip::tcp::socket socket, ssl_ctx_st* tls) {
    boost::system::error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket.non_blocking(true, ignored);
    return tls ? Stream(std::move(socket), *tls) : Stream(std::move(socket));
}

}  // namespace

HttpConnection::HttpConnection(HttpLoop& loop, asio::ip::tcp::socket socket, ssl_ctx_st* tls)
    : loop_(loop),
      place_(loop.connections.insert(loop.connections.end(), this)),
      stream_(make_stream(std::move(socket), tls)),
      reader_({.header = loop.settings.max_header, .body = loop.settings.max_body}),
      handshake_(loop.handshakes.end()) {
    boost::system::error_code ignored;
    peer_ = without_mapping(stream_.socket().remote_endpoint(ignored).address());
    remote_address_ = peer_.to_string();
    if (loop.settings.trusted_proxies.contains(peer_)) proxies_ = &loop.settings.trusted_proxies;
}

HttpConnection::~HttpConnection() {
    if (streamed_) streamed_->leave();
    leave_handshakes();
    loop_.connections.erase(place_);
}

void HttpConnection::enter(Phase phase) {
    phase_ = phase;
    const auto& settings = loop_.settings;
    switch (phase) {
        case Phase::handshake:
            deadline_ = loop_.deadline(settings.handshake_time);
            break;
        // Whoever connects has something to say; only later requests may be long in coming.
        case Phase::waiting:
            deadline_ = loop_.deadline(first_ ? settings.header_time : settings.idle_time);
            break;
        case Phase::header:
            deadline_ = loop_.deadline(settings.header_time);
            break;
        case Phase::body:
            deadline_ = loop_.deadline(settings.body_time);
            break;
        case Phase::writing:
            deadline_ = loop_.deadline(settings.write_time);
            break;
        case Phase::lingering:
            deadline_ = loop_.deadline(kLingerTime);
            break;
        case Phase::handling:
        case Phase::streaming:
        case Phase::websocket:
            deadline_ = 0;
            break;
    }
}

void HttpConnection::check_deadline() {
    if (deadline_ == 0 || loop_.tick < deadline_) return;
    deadline_ = 0;
    expired_ = true;
    if (phase_ == Phase::header || phase_ == Phase::body) {
        // Ends the read only: the client is told why.
        stream_.cancel();
    } else {
        stream_.close();
    }
}

void HttpConnection::close_if_idle() {
    if (phase_ == Phase::waiting || phase_ == Phase::handshake) stream_.close();
    if (streamed_) streamed_->end();
}

void HttpConnection::cut() {
    if (websocket_) return websocket_->abort();
    stream_.close();
}

asio::awaitable<void> HttpConnection::run() {
    const auto self = shared_from_this();
    if (stream_.is_secure() && !co_await shake_hands()) co_return;
    while (co_await read_request()) {
        first_ = false;
        name_request();
        describe_client();
        const auto& request = reader_.request();
        enter(Phase::handling);
        if (loop_.upgrade && reader_.is_websocket_upgrade()) {
            if (!co_await upgrade()) co_return;
        } else {
            const auto response = co_await ask(request);
            const bool keep_alive = reader_.keep_alive() && !loop_.closing;
            if (!co_await write(response, keep_alive)) co_return;
        }
        reader_.next();
        if (loop_.closing) break;
    }
}

/// True: what follows is encrypted. A handshake costs memory and waits for a stranger, so there is a limit to their
/// number; whoever takes longest makes room for the next, as a client in earnest is done long before that.
asio::awaitable<bool> HttpConnection::shake_hands() {
    enter(Phase::handshake);
    if (loop_.handshakes.size() >= loop_.max_handshakes) {
        auto& slowest = *loop_.handshakes.front();
        slowest.leave_handshakes();
        slowest.cut();
    }
    handshake_ = loop_.handshakes.insert(loop_.handshakes.end(), this);
    const auto [error, nothing] = co_await stream_.async_handshake(kNoThrow);
    leave_handshakes();
    (error ? loop_.counters.failed_handshakes : loop_.counters.handshakes).fetch_add(1, std::memory_order_relaxed);
    if (error && stream_.heard_text() && stream_.is_open()) {
        const Response response = refusal(400, "This port speaks HTTPS: the address begins with https://");
        append_head(head_, response, {.request_id = {}, .keep_alive = false});
        enter(Phase::writing);
        const std::array<asio::const_buffer, 2> buffers{asio::buffer(head_), asio::buffer(response.body)};
        const auto [failed, size] = co_await asio::async_write(stream_.socket(), buffers, kNoThrow);
        if (!failed) co_await linger();
    }
    co_return !error;
}

void HttpConnection::leave_handshakes() {
    if (handshake_ == loop_.handshakes.end()) return;
    loop_.handshakes.erase(handshake_);
    handshake_ = loop_.handshakes.end();
}

/// True: a request is ready. False: the connection is over, and whatever there was to say has been said.
asio::awaitable<bool> HttpConnection::read_request() {
    enter(Phase::waiting);
    for (;;) {
        const auto state = reader_.advance();
        if (state == RequestReader::State::ready) co_return true;
        if (state == RequestReader::State::refused) {
            co_await refuse(reader_.refusal().status, reader_.refusal().detail);
            co_return false;
        }
        if (reader_.take_wants_continue() && !co_await write_all({asio::buffer(kContinue), asio::const_buffer{}})) {
            co_return false;
        }
        const auto phase = reader_.idle() ? Phase::waiting : (reader_.header_done() ? Phase::body : Phase::header);
        if (phase != phase_) enter(phase);
        if (loop_.closing && phase == Phase::waiting) co_return false;

        const auto room = reader_.prepare();
        const auto [error, bytes] = co_await stream_.async_read_some(asio::buffer(room.data(), room.size()), kNoThrow);
        if (expired_) {
            if (!reader_.idle() && stream_.is_open()) co_await refuse(408, "Request took too long to arrive");
            co_return false;
        }
        if (error) co_return false;
        reader_.commit(bytes);
    }
}

asio::awaitable<Response> HttpConnection::ask(const Request& request) {
    // What was thrown may quote the request, so only its type is logged.
    const char* type = "";
    try {
        co_return co_await loop_.handler(request);
    } catch (const std::exception& error) {
        type = typeid(error).name();
    } catch (...) {
    }
    core::log::error("request handler failed", {{"request_id", std::string{request.request_id}}, {"type", type}});
    co_return crash_answer();
}

/// True: written, and the connection goes on.
asio::awaitable<bool> HttpConnection::write(const Response& response, bool keep_alive) {
    if (response.stream && !reader_.is_head()) {
        co_await stream(response);
        co_return false;
    }
    head_.clear();
    if (head_.capacity() > kKeptHead) head_.shrink_to_fit();
    append_head(head_, response,
                {.request_id = reader_.request().request_id, .keep_alive = keep_alive, .http10 = reader_.is_http10()});
    const bool with_body = !reader_.is_head() && response.status != 204 && response.status != 304;
    const auto body = with_body ? body_of(response) : std::string_view{};
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(head_), asio::const_buffer{body.data(), body.size()}};

    // Nearly always the kernel takes it all at once; only what is left over needs to wait.
    boost::system::error_code error;
    const auto written = stream_.write_some(buffers, error);
    if (error && error != asio::error::would_block) co_return false;
    const auto total = head_.size() + body.size();
    const auto done = error ? 0 : written;
    if (done < total) {
        const auto head_done = std::min(done, head_.size());
        enter(Phase::writing);
        if (!co_await write_all({buffers[0] + head_done, buffers[1] + (done - head_done)})) co_return false;
    }
    if (keep_alive) co_return true;
    // Bytes left unread would make the kernel reset the connection, and the answer might get lost.
    if (reader_.leftover() > 0) {
        co_await linger();
    } else {
        stream_.shutdown_send();
    }
    co_return false;
}

/// A stream may say little for hours. The kernel then keeps little for a client that does not read, and notices itself
/// when that one, or the network to it, has gone without a word.
void HttpConnection::notice_silence() {
    boost::system::error_code ignored;
    stream_.socket().set_option(asio::socket_base::send_buffer_size(kStreamBuffer), ignored);
    const auto patience = static_cast<unsigned>(loop_.settings.write_time.count());
    ::setsockopt(stream_.socket().native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
}

/// The head, and then whatever the source writes. Nothing can follow on the connection.
asio::awaitable<void> HttpConnection::stream(const Response& response) {
    const bool chunked = !reader_.is_http10();
    head_.clear();
    append_head(head_, response, {.request_id = reader_.request().request_id, .keep_alive = false, .chunked = chunked});
    enter(Phase::writing);
    if (!co_await write_all({asio::buffer(head_), asio::const_buffer{}})) co_return;
    enter(Phase::streaming);
    const Presence open(loop_.counters.streams);
    notice_silence();
    streamed_ = std::make_shared<StreamedBody>(
        stream_, chunked, [this](bool writing) { enter(writing ? Phase::writing : Phase::streaming); });
    streamed_->start();
    if (loop_.closing) streamed_->end();
    const char* thrown = nullptr;
    try {
        co_await response.stream(*streamed_);
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) throw;
        thrown = typeid(error).name();
    } catch (const std::exception& error) {
        thrown = typeid(error).name();
    }
    if (thrown) {
        core::log::error("streaming failed",
                         {{"request_id", std::string{reader_.request().request_id}}, {"type", thrown}});
        // Without the last chunk the client knows that this is not the end.
        stream_.close();
    }
    co_await streamed_->finish();
}

asio::awaitable<bool> HttpConnection::write_all(std::array<asio::const_buffer, 2> buffers) {
    const auto [error, bytes] = co_await asio::async_write(stream_, buffers, kNoThrow);
    co_return !error;
}

/// True: it became a plain answer and the connection goes on.
asio::awaitable<bool> HttpConnection::upgrade() {
    const auto& request = reader_.request();
    if (reader_.leftover() > 0) {
        co_await refuse(400, "Nothing may follow the upgrade request");
        co_return false;
    }
    if (request.header("Sec-WebSocket-Version") != "13") {
        Response answer = refusal(426, "WebSocket version 13 is needed");
        answer.headers = {{"Sec-WebSocket-Version", "13"}};
        co_return co_await write(answer, reader_.keep_alive() && !loop_.closing);
    }
    // RFC 6455 section 4.2.1: 16 bytes in base64.
    const auto key = request.header("Sec-WebSocket-Key");
    if (key.size() != 24 || !key.ends_with("==")) {
        co_return co_await write(refusal(400, "Invalid Sec-WebSocket-Key header"),
                                 reader_.keep_alive() && !loop_.closing);
    }
    std::variant<Response, Upgrade> decision;
    bool failed = false;
    try {
        decision = co_await loop_.upgrade(request);
    } catch (const std::exception& error) {
        core::log::error("upgrade handler failed",
                         {{"request_id", std::string{request.request_id}}, {"type", typeid(error).name()}});
        failed = true;
    }
    if (failed) decision = crash_answer();
    if (const auto* answer = std::get_if<Response>(&decision)) {
        co_return co_await write(*answer, reader_.keep_alive() && !loop_.closing);
    }

    auto& agreed = std::get<Upgrade>(decision);
    enter(Phase::websocket);
    const auto websocket = std::make_shared<WebSocketConnection>(std::move(stream_), loop_.settings.websocket_idle);
    websocket_ = websocket;
    const Presence open(loop_.counters.websockets);
    if (!co_await websocket->accept(request, agreed)) co_return false;
    try {
        co_await agreed.serve(websocket);
    } catch (const std::exception& error) {
        core::log::error("WebSocket handler failed",
                         {{"request_id", std::string{request.request_id}}, {"type", typeid(error).name()}});
        failed = true;
    }
    if (failed) websocket->close(1011);
    co_await websocket->finish();
    co_return false;
}

asio::awaitable<void> HttpConnection::refuse(unsigned status, std::string_view detail) {
    const Response response = refusal(status, detail);
    head_.clear();
    append_head(head_, response, {.request_id = {}, .keep_alive = false});
    enter(Phase::writing);
    if (co_await write_all({asio::buffer(head_), asio::buffer(response.body)})) co_await linger();
}

asio::awaitable<void> HttpConnection::linger() {
    enter(Phase::lingering);
    stream_.shutdown_send();
    // Nobody looks at what is read here, so it may stay encrypted.
    std::array<char, 4096> scrap;
    for (std::size_t total = 0; total < kLingerBytes;) {
        const auto [error, bytes] = co_await stream_.socket().async_read_some(asio::buffer(scrap), kNoThrow);
        if (error) co_return;
        total += bytes;
    }
}

/// Who asks, and over what.
void HttpConnection::describe_client() {
    auto& request = reader_.request();
    request.is_secure = stream_.is_secure();
    request.proxies = proxies_;
    if (proxies_) {
        const auto client = read_forwarded(*request.fields, *proxies_);
        remote_address_ = client.address.value_or(peer_).to_string();
    }
    request.remote_address = remote_address_;
}

void HttpConnection::name_request() {
    auto& request = reader_.request();
    if (const auto given = request.header("X-Request-ID"); is_sane_id(given)) {
        request.request_id = given;
        return;
    }
    auto* out = std::ranges::copy(loop_.id_prefix, own_id_.data()).out;
    out = std::to_chars(out, own_id_.data() + own_id_.size(), loop_.next_id++, 16).ptr;
    request.request_id = {own_id_.data(), out};
}

}  // namespace net
