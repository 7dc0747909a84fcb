#include "media/server/media_port.hpp"

#include <algorithm>
#include <utility>

#include "media/server/addresses.hpp"
#include "media/wire/demux.hpp"
#include "media/wire/stun.hpp"

namespace media::server {

using transport::Path;

namespace {
/// How often another free port is tried when a number that is free for UDP is taken for TCP.
constexpr int kPortTries = 20;
}  // namespace

MediaPort::~MediaPort() = default;

core::Result<void> MediaPort::open(const std::vector<std::string>& addresses, std::uint16_t port) {
    std::vector<std::string> wanted = addresses;
    if (wanted.empty()) {
        wanted.emplace_back("0.0.0.0");
        if (machine_has_v6()) wanted.emplace_back("::");
    }
    core::Result<void> result;
    for (int i = 0; i < (port == 0 ? kPortTries : 1); ++i) {
        sockets_.clear();
        streams_.stop();
        result = try_open(wanted, port);
        if (result) break;
    }
    return result;
}

core::Result<void> MediaPort::try_open(const std::vector<std::string>& addresses, std::uint16_t port) {
    port_ = port;
    for (const std::string& address : addresses) {
        auto socket = UdpSocket::open(context_, address, port_);
        if (!socket) return std::unexpected(socket.error());
        if (port_ == 0) port_ = (*socket)->port();
        if (auto listening = streams_.listen(address, port_); !listening) return listening;
        sockets_.push_back(std::move(*socket));
    }
    return {};
}

UdpCounters MediaPort::udp_counters() const {
    UdpCounters all;
    for (const auto& socket : sockets_) {
        const auto& one = socket->counters();
        all.received += one.received;
        all.bytes_received += one.bytes_received;
        all.bytes_queued += one.bytes_queued;
        all.truncated += one.truncated;
        all.sent += one.sent;
        all.messages += one.messages;
        all.not_sent += one.not_sent;
        all.read_errors += one.read_errors;
    }
    return all;
}

bool MediaPort::has_v4() const {
    return std::ranges::any_of(sockets_, [](const auto& socket) { return !socket->is_v6(); });
}

bool MediaPort::has_v6() const {
    return std::ranges::any_of(sockets_, [](const auto& socket) { return socket->is_v6(); });
}

void MediaPort::start() {
    for (const auto& socket : sockets_) socket->start(*this);
    streams_.start(*this);
}

void MediaPort::add_user(std::string_view ufrag, PortUser& user) {
    users_.insert_or_assign(std::string(ufrag), &user);
}

void MediaPort::remove_user(std::string_view ufrag, PortUser& user, std::span<const Path> paths) {
    if (const auto found = users_.find(ufrag); found != users_.end() && found->second == &user) users_.erase(found);
    for (const Path& path : paths) {
        remove_path(path, user);
        if (path.connection != 0) streams_.close(path.connection);
    }
}

void MediaPort::add_path(const Path& path, PortUser& user) {
    // An address that another peer had belongs to whoever proved last that it is there.
    ways_.insert_or_assign(path, Way{&user, path.connection == 0 ? current_socket_ : nullptr, current_local_});
    if (path.connection != 0) streams_.proven(path.connection);
}

void MediaPort::remove_path(const Path& path, const PortUser& user) {
    const auto found = ways_.find(path);
    if (found == ways_.end() || found->second.user != &user) return;
    ways_.erase(found);
    ++removals_;
}

void MediaPort::send(const Path& path, core::BytesView datagram) {
    const auto found = ways_.find(path);
    if (found != ways_.end()) send_on(found->second, path, datagram);
}

void MediaPort::send(Route& route, const Path& path, core::BytesView datagram) {
    if (route.as_of != removals_ || route.path != path) {
        const auto found = ways_.find(path);
        if (found == ways_.end()) return;
        route = {path, &found->second, removals_};
    }
    send_on(*route.way, path, datagram);
}

void MediaPort::send_on(const Way& way, const Path& path, core::BytesView datagram) {
    if (way.socket) {
        way.socket->queue(datagram, path.address, way.local);
    } else {
        streams_.send(path.connection, datagram);
    }
}

void MediaPort::flush() {
    for (const auto& socket : sockets_) socket->flush();
}

void MediaPort::on_datagram(UdpSocket& socket, const Datagram& datagram) {
    current_socket_ = &socket;
    current_local_ = datagram.to;
    deliver(datagram.bytes, Path{datagram.from, 0}, datagram.arrived);
}

void MediaPort::on_stream_packet(const Path& path, std::span<std::uint8_t> packet) {
    current_socket_ = nullptr;
    current_local_ = {};
    deliver(packet, path, transport::Instant::clock::now());
}

void MediaPort::deliver(std::span<std::uint8_t> datagram, const Path& path, transport::Instant arrived) {
    const wire::PacketKind kind = wire::classify(datagram);
    if (kind == wire::PacketKind::unknown) {
        ++counters_.unknown_kind;
        return;
    }
    if (in_haste() && kind == wire::PacketKind::rtcp && wire::is_lone_nack(datagram)) {
        ++counters_.hasty;
        return;
    }
    const auto way = ways_.find(path);
    if (way != ways_.end() && current_socket_) {
        way->second.socket = current_socket_;
        way->second.local = current_local_;
    }
    PortUser* user = nullptr;
    if (kind == wire::PacketKind::stun) {
        user = user_named_in(datagram);
    } else if (way != ways_.end()) {
        user = way->second.user;
    } else {
        ++counters_.stranger;
    }
    if (!user) return;
    ++counters_.delivered;
    user->on_datagram(datagram, path, arrived);
}

PortUser* MediaPort::user_named_in(core::BytesView datagram) {
    const auto message = wire::StunMessage::parse(datagram);
    if (!message || !message->username()) {
        ++counters_.malformed_stun;
        return nullptr;
    }
    const auto name = wire::split_username(*message->username());
    const auto found = name ? users_.find(name->receiver) : users_.end();
    if (found == users_.end()) {
        ++counters_.unknown_user;
        return nullptr;
    }
    return found->second;
}

void MediaPort::on_stream_closed(const Path& path) {
    const auto way = ways_.find(path);
    if (way == ways_.end()) return;
    PortUser* user = way->second.user;
    ways_.erase(way);
    ++removals_;
    user->on_path_closed(path);
}

}  // namespace media::server
