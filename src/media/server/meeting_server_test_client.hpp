// A meeting client for tests: a signalling connection, and over a real network ICE checks, a DTLS client and SRTP. Made
// and used on the test's thread.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "media/room/signalling_test_client.hpp"
#include "media/server/meeting_server.hpp"
#include "media/server/meeting_server_test_sockets.hpp"
#include "media/transport/framing.hpp"
#include "media/transport/srtp.hpp"
#include "media/transport/test_client.hpp"
#include "media/wire/frames.hpp"
#include "media/wire/sdp.hpp"

namespace media::server::test {

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
        : MeetingClient(control.connect(server, std::move(participant)), session) {}
    explicit MeetingClient(std::shared_ptr<ClientEnd> connection, std::uint64_t session = 1)
        : socket(std::move(connection)), ice_(transport::IceCredentials::make()), session_(session) {
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

    /// Takes what comes in for so long.
    void pump_for(std::chrono::milliseconds time) {
        const auto deadline = std::chrono::steady_clock::now() + time;
        pump([&] { return std::chrono::steady_clock::now() >= deadline; });
    }

    std::shared_ptr<ClientEnd> socket;
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

/// Remembers what happened in the meetings.
class RecordingObserver final : public Observer {
  public:
    struct Event {
        std::string what, meeting, attendee;
        bool operator==(const Event&) const = default;
    };
    void happened(core::MeetingEvent event) override {
        add({name_of(event.kind), event.meeting_id, event.attendee_id});
    }
    bool saw(const Event& event) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kPatience, [&] { return std::ranges::find(events_, event) != events_.end(); });
    }
    bool has(const Event& event) {
        const std::lock_guard lock(mutex_);
        return std::ranges::find(events_, event) != events_.end();
    }

  private:
    static std::string name_of(core::MeetingEvent::Kind kind) {
        using Kind = core::MeetingEvent::Kind;
        switch (kind) {
            case Kind::attendee_joined:
                return "connected";
            case Kind::attendee_left:
            case Kind::attendee_dropped:
                return "gone";
            case Kind::content_joined:
                return "share";
            case Kind::content_left:
            case Kind::content_dropped:
                return "share gone";
            case Kind::video_started:
                return "video";
            case Kind::video_stopped:
                return "video gone";
            case Kind::content_video_started:
                return "share video";
            case Kind::content_video_stopped:
                return "share video gone";
        }
        return {};
    }
    void add(Event event) {
        const std::lock_guard lock(mutex_);
        events_.push_back(std::move(event));
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Event> events_;
};

inline std::uint32_t ssrc_of(const core::Bytes& packet) {
    return std::uint32_t{packet[8]} << 24 | std::uint32_t{packet[9]} << 16 | std::uint32_t{packet[10]} << 8 |
           packet[11];
}

/// A VP8 packet that begins a key frame.
inline core::Bytes vp8_key_packet(std::uint32_t ssrc, std::uint16_t sequence, std::uint8_t payload_type) {
    core::Bytes packet = transport::test::rtp(ssrc, sequence, 0);
    packet[1] = static_cast<std::uint8_t>(payload_type | 0x80);
    const core::Bytes payload = {0x10, 0x50, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00, 1, 2, 3, 4};
    packet.insert(packet.end(), payload.begin(), payload.end());
    return packet;
}

}  // namespace media::server::test
