// The one port that all peers share: UDP sockets, ICE-TCP connections, and the tables that say whose a datagram is.
//
// A connectivity check finds its peer by the ufrag it names, everything else by the address it comes from; an address
// gets into the table only when a check from there was proven (RFC 8445 section 7.3). What belongs to nobody is counted
// and dropped. Owned by a MediaThread and used on it only.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "media/server/haste.hpp"
#include "media/server/stream_port.hpp"
#include "media/server/udp_socket.hpp"
#include "media/transport/path.hpp"

namespace media::server {

/// Why datagrams were dropped before they reached a peer.
struct PortCounters {
    std::uint64_t delivered = 0;
    std::uint64_t unknown_kind = 0;  ///< Neither STUN, DTLS, RTP nor RTCP.
    std::uint64_t malformed_stun = 0;
    std::uint64_t unknown_user = 0;  ///< A check for a ufrag that nobody has.
    std::uint64_t stranger = 0;      ///< DTLS or media from an address without a proven check.
    std::uint64_t hasty = 0;         ///< Requests for repeats, dropped because we were behind.
};

/// A peer, as the port sees it.
class PortUser {
  public:
    virtual ~PortUser() = default;
    virtual void on_datagram(std::span<std::uint8_t> datagram, const transport::Path& from,
                             transport::Instant arrived) = 0;
    /// The TCP connection of this path is closed.
    virtual void on_path_closed(const transport::Path& path) = 0;
};

class MediaPort final : private UdpReceiver, private StreamReceiver {
  public:
    explicit MediaPort(boost::asio::io_context& context) : context_(context), streams_(context) {}
    ~MediaPort() override;
    MediaPort(const MediaPort&) = delete;
    MediaPort& operator=(const MediaPort&) = delete;

    /// Binds UDP and TCP on the same number. Without addresses: all, IPv6 only where the machine has it. Port 0: any.
    core::Result<void> open(const std::vector<std::string>& addresses, std::uint16_t port);
    void start();
    std::uint16_t port() const { return port_; }
    bool has_v4() const;
    bool has_v6() const;

    /// From now on checks for this ufrag are the user's. A user has one ufrag.
    void add_user(std::string_view ufrag, PortUser& user);
    /// Forgets the user with all its paths; its TCP connections are closed without telling it.
    void remove_user(std::string_view ufrag, PortUser& user, std::span<const transport::Path> paths);
    void add_path(const transport::Path& path, PortUser& user);
    void remove_path(const transport::Path& path, const PortUser& user);

    /// Queues a datagram; it leaves at the next flush or when the batch is full. Unknown paths are ignored.
    void send(const transport::Path& path, core::BytesView datagram);
    /// How to reach a path.
    struct Way {
        PortUser* user = nullptr;
        UdpSocket* socket = nullptr;  ///< Null: TCP.
        LocalAddress local;
    };
    /// Where a sender's last datagram went, so that the next one there is not looked up. Kept by the sender.
    struct Route {
        transport::Path path;
        const Way* way = nullptr;
        std::uint64_t as_of = 0;
    };
    /// The same, for one packet after another to the same place.
    void send(Route& route, const transport::Path& path, core::BytesView datagram);
    void flush();
    /// We are behind with what came in.
    bool in_haste() const { return haste_.on(); }
    /// Closes TCP connections that are late. About once a second.
    void check_time(transport::Instant now) { streams_.check_time(now); }

    const PortCounters& counters() const { return counters_; }
    /// Of all sockets together.
    UdpCounters udp_counters() const;
    const StreamCounters& stream_counters() const { return streams_.counters(); }
    /// How often a look at a socket found us behind.
    std::uint64_t hurried() const { return hurried_; }
    /// The longest that a datagram has waited since the last call.
    transport::Duration take_worst_behind() { return std::exchange(worst_behind_, transport::Duration{}); }

  private:
    struct PathHash {
        std::size_t operator()(const transport::Path& path) const noexcept {
            return std::hash<wire::TransportAddress>{}(path.address) ^ (path.connection * 0x9e3779b9U);
        }
    };
    struct UfragHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };

    core::Result<void> try_open(const std::vector<std::string>& addresses, std::uint16_t port);
    void on_datagram(UdpSocket& socket, const Datagram& datagram) override;
    void on_stream_packet(const transport::Path& path, std::span<std::uint8_t> packet) override;
    void on_stream_closed(const transport::Path& path) override;
    void on_batch_end(transport::Duration behind) override {
        haste_.update(behind);
        hurried_ += haste_.on() ? 1 : 0;
        worst_behind_ = std::max(worst_behind_, behind);
        flush();
    }
    void on_batch_end() override { flush(); }
    void deliver(std::span<std::uint8_t> datagram, const transport::Path& path, transport::Instant arrived);
    void send_on(const Way& way, const transport::Path& path, core::BytesView datagram);
    PortUser* user_named_in(core::BytesView datagram);

    boost::asio::io_context& context_;
    std::vector<std::unique_ptr<UdpSocket>> sockets_;
    StreamPort streams_;
    std::uint16_t port_ = 0;
    std::unordered_map<std::string, PortUser*, UfragHash, std::equal_to<>> users_;
    std::unordered_map<transport::Path, Way, PathHash> ways_;
    std::uint64_t removals_ = 1;  ///< Of ways: a route is good as long as there were no more of them.
    /// How the datagram that is being handled came in: the way of a path that is added meanwhile.
    UdpSocket* current_socket_ = nullptr;
    LocalAddress current_local_;
    Haste haste_;
    std::uint64_t hurried_ = 0;
    transport::Duration worst_behind_{};
    PortCounters counters_;
};

}  // namespace media::server
