#include "net/stream.hpp"

#include <boost/asio/error.hpp>

namespace net {

Stream::~Stream() {
    if (const auto* session = std::get_if<Session>(&way_); session && *session) close();
}

boost::asio::ip::tcp::socket& Stream::socket() {
    auto* plain = std::get_if<Plain>(&way_);
    return plain ? *plain : std::get<Session>(way_)->socket();
}

bool Stream::heard_text() const {
    const auto* session = std::get_if<Session>(&way_);
    return session && (*session)->heard_text();
}

std::size_t Stream::write_some(const std::array<boost::asio::const_buffer, 2>& buffers,
                               boost::system::error_code& error) {
    if (auto* plain = std::get_if<Plain>(&way_)) return plain->write_some(buffers, error);
    const auto outcome = std::get<Session>(way_)->write_some(buffers);
    error = outcome.want == TlsSession::Want::nothing ? outcome.error : boost::asio::error::would_block;
    return outcome.bytes;
}

void Stream::shutdown_send() {
    if (const auto* session = std::get_if<Session>(&way_)) (*session)->say_goodbye();
    boost::system::error_code ignored;
    socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
}

void Stream::cancel() {
    boost::system::error_code ignored;
    socket().cancel(ignored);
}

void Stream::close() {
    boost::system::error_code ignored;
    socket().close(ignored);
}

}  // namespace net
