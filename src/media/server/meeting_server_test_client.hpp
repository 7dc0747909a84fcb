// A meeting client for tests: a signalling socket in memory, and over a real network ICE checks, a DTLS client and
// SRTP. Made and used on the test's thread; only the FakeSocket is shared with the server.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "media/room/signalling_test_client.hpp"
#include "media/server/meeting_server.hpp"
#include "media/transport/framing.hpp"
#include "media/transport/srtp.hpp"
#include "media/transport/test_client.hpp"
#include "media/wire/frames.hpp"
#include "media/wire/sdp.hpp"
#include "net/websocket.hpp"

namespace media::server::test {

namespace proto = wire::proto;
using namespace std::chrono_literals;

/// Nothing here takes long; a test that waits longer has failed.
inline constexpr auto kPatience = 10s;

/// The server's end of a signalling connection, without network.
class FakeSocket final : public net::WebSocket {
  public:
    explicit FakeSocket(boost::asio::io_context& context) : context_(context), arrived_(context) {
        arrived_.expires_at(boost::asio::steady_timer::time_point::max());
    }

    boost::asio::awaitable<std::optional<std::string>> read() override {
        while (incoming_.empty() && !over_) {
            boost::system::error_code ignored;
            co_await arrived_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
        }
        if (incoming_.empty()) co_return std::nullopt;
        std::string message = std::move(incoming_.front());
        incoming_.pop_front();
        co_return message;
    }
    void send(std::string message) override {
        const std::lock_guard lock(mutex_);
        sent_.push_back(std::move(message));
        changed_.notify_all();
    }
    void close(std::uint16_t code) override { finish(code); }
    void abort() override { finish(0); }

    // The client's end.
    void push(std::string message) {
        boost::asio::post(context_, [this, message = std::move(message)]() mutable {
            incoming_.push_back(std::move(message));
            wake();
        });
    }
    void hang_up() {
        boost::asio::post(context_, [this] {
            over_ = true;
            wake();
        });
    }
    /// The next frame of this type; frames of other types before it stay for later calls.
    std::optional<proto::Frame> next(proto::Frame::Type type) {
        std::unique_lock lock(mutex_);
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        for (;;) {
            for (auto entry = sent_.begin(); entry != sent_.end(); ++entry) {
                const auto frame = wire::unwrap_frame(*entry);
                if (!frame || frame->type() != type) continue;
                sent_.erase(entry);
                return *frame;
            }
            if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) return std::nullopt;
        }
    }
    /// The close code (0: aborted), once closed.
    std::optional<std::uint16_t> closed() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, kPatience, [&] { return code_.has_value(); });
        return code_;
    }

  private:
    void wake() { arrived_.cancel(); }
    void finish(std::uint16_t code) {
        {
            const std::lock_guard lock(mutex_);
            if (code_) return;
            code_ = code;
            changed_.notify_all();
        }
        hang_up();
    }

    boost::asio::io_context& context_;
    boost::asio::steady_timer arrived_;
    std::deque<std::string> incoming_;
    bool over_ = false;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> sent_;
    std::optional<std::uint16_t> code_;
};

/// A thread that plays the control plane: it runs `serve` for each connection.
class ControlPlane {
  public:
    ControlPlane() : thread_([this] { context_.run(); }) {}
    ~ControlPlane() {
        work_.reset();
        context_.stop();
        thread_.join();
    }
    std::shared_ptr<FakeSocket> connect(MeetingServer& server, Participant participant) {
        auto socket = std::make_shared<FakeSocket>(context_);
        boost::asio::co_spawn(context_, server.serve(socket, std::move(participant)), boost::asio::detached);
        return socket;
    }
    std::vector<std::string> connected(MeetingServer& server) {
        return boost::asio::co_spawn(context_, server.connected(), boost::asio::use_future).get();
    }

  private:
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ = make_work_guard(context_);
    std::thread thread_;
};

/// Datagrams to and from the server's media port, over UDP or over TCP with framing.
class MediaSocket {
  public:
    MediaSocket(const std::string& address, std::uint16_t port, bool tcp) : tcp_(tcp) {
        const bool v6 = address.find(':') != std::string::npos;
        fd_ = socket(v6 ? AF_INET6 : AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        sockaddr_in6 v6_name{};
        v6_name.sin6_family = AF_INET6;
        v6_name.sin6_port = htons(port);
        const void* name = v6 ? static_cast<const void*>(&v6_name) : &v4;
        inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(),
                  v6 ? static_cast<void*>(&v6_name.sin6_addr) : static_cast<void*>(&v4.sin_addr));
        EXPECT_EQ(::connect(fd_, static_cast<const sockaddr*>(name), v6 ? sizeof v6_name : sizeof v4), 0);
    }
    ~MediaSocket() { ::close(fd_); }
    MediaSocket(const MediaSocket&) = delete;
    MediaSocket& operator=(const MediaSocket&) = delete;

    void send(core::BytesView datagram) {
        core::Bytes bytes;
        if (tcp_) {
            const auto header = transport::frame_header(datagram.size());
            bytes.assign(header.begin(), header.end());
        }
        bytes.insert(bytes.end(), datagram.begin(), datagram.end());
        EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    }
    /// Hands what has arrived to `each`; waits at most `wait` for something. False: the connection is over.
    bool receive(std::chrono::milliseconds wait, const std::function<void(std::span<std::uint8_t>)>& each) {
        pollfd entry{fd_, POLLIN, 0};
        if (poll(&entry, 1, static_cast<int>(wait.count())) <= 0) return true;
        if (!tcp_) {
            std::array<std::uint8_t, 4096> buffer;
            const ssize_t size = recv(fd_, buffer.data(), buffer.size(), 0);
            if (size > 0) each(std::span(buffer).first(static_cast<std::size_t>(size)));
            return true;
        }
        const auto space = decoder_.space();
        const ssize_t size = recv(fd_, space.data(), space.size(), 0);
        return size > 0 && decoder_.accept(static_cast<std::size_t>(size), each);
    }

  private:
    bool tcp_;
    int fd_ = -1;
    transport::FrameDecoder decoder_;
};

/// As SDP writes it: `AB:CD:…`.
inline std::string fingerprint_text(const transport::Fingerprint& fingerprint) {
    std::string text;
    for (const char c : core::hex(fingerprint.digest)) {
        if (text.size() % 3 == 2) text += ':';
        text += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return text;
}

/// One browser: joins, negotiates, connects its media, sends and receives RTP.
class MeetingClient {
  public:
    MeetingClient(ControlPlane& control, MeetingServer& server, Participant participant, std::uint64_t session = 1)
        : socket(control.connect(server, participant)), ice_(transport::IceCredentials::make()), session_(session) {
        offer.ufrag = ice_.ufrag;
        offer.pwd = ice_.password;
        offer.fingerprint = fingerprint_text(certificate_.fingerprint());
    }

    void join() {
        socket->push(room::test::join(session_));
        ASSERT_TRUE(socket->next(proto::Frame::JOIN_ACK));
        index = socket->next(proto::Frame::INDEX);
        ASSERT_TRUE(index);
    }
    /// Sends `offer` and takes the answer.
    void negotiate() {
        socket->push(room::test::subscribe(offer));
        ack = socket->next(proto::Frame::SUBSCRIBE_ACK);
        ASSERT_TRUE(ack);
        ASSERT_FALSE(ack->has_error()) << ack->error().description();
        auto parsed = wire::parse_sdp(ack->suback().sdp_answer());
        ASSERT_TRUE(parsed) << parsed.error().detail;
        answer = std::move(*parsed);
    }
    /// ICE over this address of the answer's candidates, then DTLS.
    void connect_media(const std::string& address, bool tcp = false) {
        const std::string& text = ack->suback().sdp_answer();
        const std::string wanted = tcp ? " tcp " : " udp ";
        std::uint16_t port = 0;
        for (auto at = text.find("a=candidate:"); at != std::string::npos; at = text.find("a=candidate:", at + 1)) {
            const std::string line = text.substr(at, text.find('\r', at) - at);
            const auto found = line.find(" " + address + " ");
            if (line.find(wanted) == std::string::npos || found == std::string::npos) continue;
            port = static_cast<std::uint16_t>(std::stoi(line.substr(found + address.size() + 2)));
        }
        media_port_ = port;
        ASSERT_NE(port, 0) << "no candidate " << address << " in\n" << text;
        media = std::make_unique<MediaSocket>(address, port, tcp);
        check();
        ASSERT_TRUE(pump([&] { return checked_; }));
        dtls_ = std::make_unique<transport::test::DtlsClient>(certificate_);
        dtls_->start();
        ASSERT_TRUE(pump([&] { return dtls_->connected(); }));
        EXPECT_EQ(fingerprint_text(dtls_->server()), room::test::sdp_value(text, "fingerprint").substr(8));
        const auto keys = dtls_->keys();
        srtp_ = std::make_unique<transport::SrtpSession>(keys.profile, keys.server, keys.client);
    }
    void check() {
        const transport::IceCredentials server{answer.media.at(0).ice_ufrag, answer.media.at(0).ice_pwd};
        media->send(transport::test::Check{.to = server, .from = ice_, .use_candidate = true}.bytes());
    }
    std::uint16_t media_port() const { return media_port_; }
    void send_rtp(core::Bytes packet) {
        const std::size_t size = packet.size();
        packet.resize(size + 64);
        const auto secured = srtp_->protect_rtp(packet, size);
        ASSERT_TRUE(secured);
        media->send(*secured);
    }
    /// Takes what comes in until `done`; false when that takes too long.
    bool pump(const std::function<bool()>& done) {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (!done()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            flush();
            if (!media->receive(20ms, [this](std::span<std::uint8_t> datagram) { take(datagram); })) return done();
        }
        flush();
        return true;
    }

    std::shared_ptr<FakeSocket> socket;
    room::test::OfferText offer;
    std::optional<proto::Frame> index;
    std::optional<proto::Frame> ack;
    wire::SdpOffer answer;
    std::unique_ptr<MediaSocket> media;
    std::vector<core::Bytes> rtp;
    std::vector<core::Bytes> rtcp;

  private:
    void flush() {
        while (dtls_ && !dtls_->out.empty()) {
            media->send(dtls_->out.front());
            dtls_->out.pop_front();
        }
    }
    void take(std::span<std::uint8_t> datagram) {
        if (datagram[0] <= 3) {
            const auto message = wire::StunMessage::parse(datagram);
            ASSERT_TRUE(message);
            EXPECT_TRUE(message->is_binding_success());
            EXPECT_TRUE(message->check_integrity(answer.media.at(0).ice_pwd));
            checked_ = true;
        } else if (datagram[0] >= 20 && datagram[0] <= 63) {
            if (dtls_) dtls_->receive(datagram);
        } else if (srtp_) {
            const bool control = (datagram[1] & 0x7f) >= 64 && (datagram[1] & 0x7f) <= 95;
            const auto plain = control ? srtp_->unprotect_rtcp(datagram) : srtp_->unprotect_rtp(datagram);
            if (plain) (control ? rtcp : rtp).emplace_back(plain->begin(), plain->end());
        }
    }

    transport::Certificate certificate_;
    transport::IceCredentials ice_;
    std::uint64_t session_;
    std::uint16_t media_port_ = 0;
    bool checked_ = false;
    std::unique_ptr<transport::test::DtlsClient> dtls_;
    std::unique_ptr<transport::SrtpSession> srtp_;
};

}  // namespace media::server::test
