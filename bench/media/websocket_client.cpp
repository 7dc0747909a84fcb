#include "websocket_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>

#include "media/wire/byte_io.hpp"

namespace bench {

namespace {
constexpr std::size_t kMostInput = 4 * 1024 * 1024;
/// Masking hides bytes from proxies (RFC 6455 section 10.3); there are none here, so the mask is zero.
constexpr std::string_view kMask{"\0\0\0\0", 4};
}  // namespace

WebSocketUrl WebSocketUrl::parse(const std::string& text) {
    WebSocketUrl url;
    const std::string scheme = "ws://";
    const auto host_end = text.find_first_of(":/", scheme.size());
    if (!text.starts_with(scheme) || host_end == std::string::npos)
        throw std::runtime_error("not a ws:// URL: " + text);
    url.host = text.substr(scheme.size(), host_end - scheme.size());
    if (url.host == "localhost") url.host = "127.0.0.1";
    auto path = text.find('/', host_end);
    if (path == std::string::npos) path = text.size();
    url.port = 80;
    if (text[host_end] == ':') std::from_chars(&text[host_end + 1], text.data() + path, url.port);
    url.target = path == text.size() ? "/" : text.substr(path);
    return url;
}

WebSocketClient::WebSocketClient(const WebSocketUrl& url, const std::string& protocols, Events events)
    : events_(std::move(events)), fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(url.port);
    if (fd_ < 0 || inet_pton(AF_INET, url.host.c_str(), &to.sin_addr) != 1)
        throw std::runtime_error("no socket for " + url.host);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) {
        throw std::runtime_error("cannot connect to " + url.host);
    }
    out_ = "GET " + url.target + " HTTP/1.1\r\nHost: " + url.host + ":" + std::to_string(url.port) +
           "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: bWVkaWEgbG9hZCB0b29sIQ==\r\nSec-WebSocket-Protocol: " +
           protocols + "\r\n\r\n";
}

WebSocketClient::~WebSocketClient() {
    ::close(fd_);
}

void WebSocketClient::ready() {
    if (over_) return;
    std::array<char, 64 * 1024> buffer;
    for (;;) {
        const ssize_t size = recv(fd_, buffer.data(), buffer.size(), 0);
        if (size > 0) {
            in_.append(buffer.data(), static_cast<std::size_t>(size));
            if (in_.size() > kMostInput) return end();
            if (static_cast<std::size_t>(size) < buffer.size()) break;
        } else if (size == 0 || (errno != EAGAIN && errno != EINTR && errno != ENOTCONN)) {
            take();
            return end();
        } else {
            break;
        }
    }
    take();
    write();
}

void WebSocketClient::write() {
    while (!out_.empty() && !over_) {
        const ssize_t size = send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
        if (size > 0) {
            out_.erase(0, static_cast<std::size_t>(size));
        } else {
            if (errno != EAGAIN && errno != EINTR && errno != ENOTCONN) end();
            return;
        }
    }
}

void WebSocketClient::take() {
    if (!open_ && !take_answer()) return;
    while (!over_ && take_frame()) {
    }
}

bool WebSocketClient::take_answer() {
    const auto head = in_.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    if (!in_.starts_with("HTTP/1.1 101")) {
        end();
        return false;
    }
    in_.erase(0, head + 4);
    open_ = true;
    events_.opened();
    return true;
}

bool WebSocketClient::take_frame() {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(in_.data());
    if (in_.size() < 2) return false;
    std::size_t head = 2;
    std::uint64_t size = bytes[1] & 0x7F;
    if (size >= 126) {
        head = size == 126 ? 4 : 10;
        if (in_.size() < head) return false;
        size = head == 4 ? media::wire::load_u16(bytes + 2) : media::wire::load_u64(bytes + 2);
    }
    if (size > kMostInput) {
        end();
        return false;
    }
    if (in_.size() < head + size) return false;
    const bool last = (bytes[0] & 0x80) != 0;
    const unsigned opcode = bytes[0] & 0x0F;
    const std::string body = in_.substr(head, size);
    in_.erase(0, head + size);
    if (opcode <= 2) {
        fragments_ += body;
        if (last) {
            const std::string message = std::move(fragments_);
            fragments_.clear();
            events_.message(message);
        }
    } else if (opcode == 8) {
        end();
    } else if (opcode == 9) {
        send_frame(10, body);
    }
    return true;
}

void WebSocketClient::send_frame(std::uint8_t opcode, std::string_view message) {
    if (over_) return;
    out_ += static_cast<char>(0x80 | opcode);
    if (message.size() < 126) {
        out_ += static_cast<char>(0x80 | message.size());
    } else {
        const int bytes = message.size() < 65536 ? 2 : 8;
        out_ += static_cast<char>(bytes == 2 ? 0xFE : 0xFF);
        for (int i = bytes - 1; i >= 0; --i) out_ += static_cast<char>(message.size() >> (8 * i));
    }
    out_ += kMask;
    out_ += message;
    if (open_) write();
}

void WebSocketClient::close() {
    if (!over_) send_frame(8, {});
    over_ = true;
}

void WebSocketClient::end() {
    if (over_) return;
    over_ = true;
    events_.closed();
}

}  // namespace bench
