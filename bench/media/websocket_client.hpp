// A WebSocket client without blocking (RFC 6455), for the signalling of many participants on one thread: messages in
// and out, pings answered. Owned by one participant; its worker calls it when its descriptor is ready.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace bench {

/// `ws://ADDRESS:PORT/PATH`, IPv4 addresses and `localhost` only.
struct WebSocketUrl {
    std::string host;
    std::uint16_t port = 0;
    std::string target;

    /// Throws std::runtime_error.
    static WebSocketUrl parse(const std::string& text);
};

class WebSocketClient {
  public:
    struct Events {
        std::function<void()> opened;
        std::function<void(std::string_view message)> message;
        std::function<void()> closed;  ///< Whatever the reason; the last call.
    };

    /// Begins to connect; `protocols` as the header wants them. Throws std::runtime_error when no socket is to be had.
    WebSocketClient(const WebSocketUrl& url, const std::string& protocols, Events events);
    ~WebSocketClient();
    WebSocketClient(const WebSocketClient&) = delete;
    WebSocketClient& operator=(const WebSocketClient&) = delete;

    int descriptor() const { return fd_; }
    /// Reads and writes what can be; may call the events.
    void ready();
    bool wants_to_write() const { return !out_.empty(); }
    bool open() const { return open_ && !over_; }

    void send_binary(std::string_view message) { send_frame(2, message); }
    void send_text(std::string_view message) { send_frame(1, message); }
    void close();

  private:
    void send_frame(std::uint8_t opcode, std::string_view message);
    void write();
    void take();
    bool take_answer();
    bool take_frame();
    void end();

    Events events_;
    int fd_ = -1;
    std::string in_;
    std::string out_;
    std::string fragments_;
    bool open_ = false;
    bool over_ = false;
};

}  // namespace bench
