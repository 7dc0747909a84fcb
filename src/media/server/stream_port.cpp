#include "media/server/stream_port.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "media/server/socket_address.hpp"
#include "media/transport/framing.hpp"

namespace media::server {

namespace ip = boost::asio::ip;
using transport::Instant;

struct StreamPort::Acceptor {
    explicit Acceptor(boost::asio::io_context& context) : acceptor(context), pause(context) {}
    ip::tcp::acceptor acceptor;
    boost::asio::steady_timer pause;
};

struct StreamPort::Connection {
    Connection(std::uint32_t id_, ip::tcp::socket socket_, const wire::TransportAddress& remote)
        : path{remote, id_}, socket(std::move(socket_)), opened(Instant::clock::now()) {}

    transport::Path path;
    ip::tcp::socket socket;
    transport::FrameDecoder decoder;
    std::vector<std::uint8_t> queued;   ///< Framed packets that wait …
    std::vector<std::uint8_t> writing;  ///< … and those the kernel is being given.
    Instant opened;
    Instant write_began;
    bool is_writing = false;
    bool is_proven = false;
    bool is_over = false;
};

StreamPort::StreamPort(boost::asio::io_context& context) : context_(context) {}

StreamPort::~StreamPort() = default;

void StreamPort::stop() {
    acceptors_.clear();
}

core::Result<void> StreamPort::listen(const std::string& address, std::uint16_t port) {
    boost::system::error_code error;
    const auto ip_address = ip::make_address(address, error);
    if (error) return core::fail(core::ErrorKind::invalid, "not an IP address: " + address);
    auto entry = std::make_unique<Acceptor>(context_);
    ip::tcp::acceptor& acceptor = entry->acceptor;
    const ip::tcp::endpoint endpoint(ip_address, port);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(ip::tcp::acceptor::reuse_address(true), error);
    if (!error && ip_address.is_v6()) acceptor.set_option(ip::v6_only(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(128, error);
    if (error) {
        return core::fail(core::ErrorKind::unavailable,
                          "cannot listen on TCP " + address + " port " + std::to_string(port) + ": " + error.message());
    }
    acceptors_.push_back(std::move(entry));
    return {};
}

void StreamPort::start(StreamReceiver& receiver) {
    receiver_ = &receiver;
    for (const auto& acceptor : acceptors_) accept(*acceptor);
}

void StreamPort::accept(Acceptor& entry) {
    entry.acceptor.async_accept([this, &entry](const boost::system::error_code& error, ip::tcp::socket socket) {
        if (error == boost::asio::error::operation_aborted) return;
        if (!error) {
            take(std::move(socket));
            return accept(entry);
        }
        // Out of descriptors, most likely: trying again at once would spin.
        entry.pause.expires_after(std::chrono::milliseconds(100));
        entry.pause.async_wait([this, &entry](const boost::system::error_code& stopped) {
            if (!stopped) accept(entry);
        });
    });
}

std::size_t StreamPort::unproven() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(connections_, [](const auto& entry) { return !entry.second->is_proven; }));
}

void StreamPort::take(ip::tcp::socket socket) {
    boost::system::error_code error;
    const auto remote = socket.remote_endpoint(error);
    if (error) return;
    sockaddr_storage name{};
    std::copy_n(reinterpret_cast<const char*>(remote.data()), remote.size(), reinterpret_cast<char*>(&name));
    const auto address = address_from(name);
    if (!address || connections_.size() >= kMaxConnections || unproven() >= kMaxUnproven) {
        ++counters_.refused;
        return;
    }
    socket.set_option(ip::tcp::no_delay(true), error);
    socket.non_blocking(true, error);
    do ++last_id_;
    while (last_id_ == 0 || connections_.contains(last_id_));
    auto connection = std::make_shared<Connection>(last_id_, std::move(socket), *address);
    connections_.emplace(last_id_, connection);
    ++counters_.accepted;
    read(connection);
}

void StreamPort::read(const std::shared_ptr<Connection>& connection) {
    const auto space = connection->decoder.space();
    connection->socket.async_read_some(boost::asio::buffer(space.data(), space.size()),
                                       [this, connection](const boost::system::error_code& error, std::size_t count) {
                                           if (connection->is_over) return;
                                           if (error) return drop(connection);
                                           const bool sound =
                                               connection->decoder.accept(count, [&](std::span<std::uint8_t> packet) {
                                                   if (!connection->is_over)
                                                       receiver_->on_stream_packet(connection->path, packet);
                                               });
                                           receiver_->on_batch_end();
                                           if (connection->is_over) return;
                                           if (!sound) {
                                               ++counters_.broken_framing;
                                               return drop(connection);
                                           }
                                           read(connection);
                                       });
}

void StreamPort::send(std::uint32_t id, core::BytesView packet) {
    const auto found = connections_.find(id);
    if (found == connections_.end() || packet.size() > 0xffff) return;
    const auto& connection = found->second;
    if (connection->queued.size() + packet.size() > kMaxQueue) {
        ++counters_.not_sent;
        return;
    }
    const auto header = transport::frame_header(packet.size());
    connection->queued.insert(connection->queued.end(), header.begin(), header.end());
    connection->queued.insert(connection->queued.end(), packet.begin(), packet.end());
    if (!connection->is_writing) write(connection);
}

void StreamPort::write(const std::shared_ptr<Connection>& connection) {
    connection->writing.clear();
    connection->writing.swap(connection->queued);
    connection->is_writing = true;
    connection->write_began = Instant::clock::now();
    boost::asio::async_write(connection->socket, boost::asio::buffer(connection->writing),
                             [this, connection](const boost::system::error_code& error, std::size_t) {
                                 connection->is_writing = false;
                                 if (connection->is_over) return;
                                 if (error) return drop(connection);
                                 if (!connection->queued.empty()) write(connection);
                             });
}

void StreamPort::proven(std::uint32_t id) {
    const auto found = connections_.find(id);
    if (found != connections_.end()) found->second->is_proven = true;
}

void StreamPort::close(std::uint32_t id) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const auto connection = found->second;
    drop(connection);
}

void StreamPort::drop(const std::shared_ptr<Connection>& connection) {
    if (connection->is_over) return;
    connection->is_over = true;
    boost::system::error_code ignored;
    connection->socket.close(ignored);
    connections_.erase(connection->path.connection);
    receiver_->on_stream_closed(connection->path);
}

void StreamPort::check_time(Instant now) {
    std::vector<std::shared_ptr<Connection>> late;
    for (const auto& [id, connection] : connections_) {
        if (!connection->is_proven && now - connection->opened > kProofTime) {
            ++counters_.unproven_late;
            late.push_back(connection);
        } else if (connection->is_writing && now - connection->write_began > kStuckTime) {
            ++counters_.too_slow;
            late.push_back(connection);
        }
    }
    for (const auto& connection : late) drop(connection);
}

}  // namespace media::server
