// ICE-TCP (RFC 6544, passive candidates): TCP connections that carry the same datagrams as the UDP port, framed after
// RFC 4571. For clients behind firewalls that let no UDP through.
//
// Owned by a MediaThread and used on it only. Strangers may connect: until a connectivity check has proven who they
// are, they get no answer, little time, and only a few places.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "media/transport/path.hpp"

namespace media::server {

struct StreamCounters {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;        ///< All places taken.
    std::uint64_t unproven_late = 0;  ///< No connectivity check in time.
    std::uint64_t broken_framing = 0;
    std::uint64_t too_slow = 0;  ///< Took nothing for too long.
    std::uint64_t not_sent = 0;  ///< Packets dropped because the connection's queue was full.
};

class StreamReceiver {
  public:
    virtual ~StreamReceiver() = default;
    virtual void on_stream_packet(const transport::Path& path, std::span<std::uint8_t> packet) = 0;
    virtual void on_stream_closed(const transport::Path& path) = 0;
    virtual void on_batch_end() = 0;
};

class StreamPort {
  public:
    static constexpr std::size_t kMaxConnections = 1024;
    static constexpr std::size_t kMaxUnproven = 128;
    static constexpr std::size_t kMaxQueue = 256 * 1024;
    static constexpr transport::Duration kProofTime = std::chrono::seconds(10);
    static constexpr transport::Duration kStuckTime = std::chrono::seconds(10);

    explicit StreamPort(boost::asio::io_context& context);
    ~StreamPort();
    StreamPort(const StreamPort&) = delete;
    StreamPort& operator=(const StreamPort&) = delete;

    core::Result<void> listen(const std::string& address, std::uint16_t port);
    /// Begins to accept. `receiver` must stay until the event loop has stopped or this is gone.
    void start(StreamReceiver& receiver);
    /// Undoes `listen`.
    void stop();

    void send(std::uint32_t connection, core::BytesView packet);
    /// A connectivity check on this connection was answered: it may stay.
    void proven(std::uint32_t connection);
    void close(std::uint32_t connection);
    /// Closes what is late. Call about once a second.
    void check_time(transport::Instant now);

    std::size_t connections() const { return connections_.size(); }
    const StreamCounters& counters() const { return counters_; }

  private:
    struct Connection;
    struct Acceptor;
    void accept(Acceptor& acceptor);
    void take(boost::asio::ip::tcp::socket socket);
    void read(const std::shared_ptr<Connection>& connection);
    void write(const std::shared_ptr<Connection>& connection);
    void drop(const std::shared_ptr<Connection>& connection);
    std::size_t unproven() const;

    boost::asio::io_context& context_;
    std::vector<std::unique_ptr<Acceptor>> acceptors_;
    std::unordered_map<std::uint32_t, std::shared_ptr<Connection>> connections_;
    StreamReceiver* receiver_ = nullptr;
    std::uint32_t last_id_ = 0;
    StreamCounters counters_;
};

}  // namespace media::server
