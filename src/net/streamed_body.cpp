#include "net/streamed_body.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <utility>

#include "net/loop_guard.hpp"

namespace net {
namespace asio = boost::asio;
namespace {

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
/// Who talks on while it should listen is no client of ours.
constexpr std::size_t kMostHeard = 64 * 1024;

std::string chunk_of(std::string piece) {
    std::array<char, 20> size;
    const auto end = std::to_chars(size.data(), size.data() + size.size(), piece.size(), 16).ptr;
    std::string chunk(size.data(), end);
    return chunk.append("\r\n").append(piece).append("\r\n");
}

}  // namespace

StreamedBody::StreamedBody(Stream& stream, bool chunked, std::function<void(bool)> writing)
    : stream_(stream), chunked_(chunked), writing_(std::move(writing)), signal_(stream.get_executor()) {}

void StreamedBody::start() {
    listening_ = true;
    listen();
}

void StreamedBody::listen() {
    stream_.async_read_some(asio::buffer(scrap_),
                            [self = shared_from_this()](boost::system::error_code error, std::size_t bytes) {
                                self->heard_ += bytes;
                                if (!error && !self->gone_ && self->heard_ <= kMostHeard) return self->listen();
                                self->listening_ = false;
                                self->gone_ = true;
                                self->wake();
                            });
}

void StreamedBody::wake() {
    woken_ = true;
    signal_.cancel();
}

void StreamedBody::end() {
    ending_ = true;
    wake();
}

asio::awaitable<bool> StreamedBody::send(std::string bytes) {
    writing_(true);
    const auto [error, written] = co_await asio::async_write(stream_, asio::buffer(bytes), kNoThrow);
    writing_(false);
    if (error) gone_ = true;
    co_return !error;
}

asio::awaitable<bool> StreamedBody::write(std::string piece) {
    if (gone_ || ending_) co_return false;
    // An empty chunk would end the body.
    if (piece.empty()) co_return true;
    const bool sent = co_await send(chunked_ ? chunk_of(std::move(piece)) : std::move(piece));
    co_return sent && !ending_;
}

asio::awaitable<bool> StreamedBody::wait(std::chrono::milliseconds limit) {
    if (!woken_ && !gone_ && !ending_) {
        signal_.expires_after(limit);
        co_await signal_.async_wait(kNoThrow);
    }
    woken_ = false;
    co_return !gone_ && !ending_;
}

std::function<void()> StreamedBody::waker() {
    const asio::any_io_executor executor = stream_.get_executor();
    return [weak = weak_from_this(), loop = LoopGuard::of(executor), executor] {
        loop->post(executor, [weak] {
            if (const auto self = weak.lock()) self->wake();
        });
    };
}

asio::awaitable<void> StreamedBody::finish() {
    if (!gone_ && chunked_) co_await send("0\r\n\r\n");
    if (!gone_) stream_.shutdown_send();
    // The read refers to the stream, so that has to stay until it is over.
    stream_.cancel();
    while (listening_) {
        signal_.expires_at(asio::steady_timer::time_point::max());
        co_await signal_.async_wait(kNoThrow);
    }
}

}  // namespace net
