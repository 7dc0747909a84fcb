// The other end of a PeerTransport, for tests: ICE checks and a DTLS client as a browser would send them.
// One test, one thread.
#pragma once

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "media/transport/certificate.hpp"
#include "media/transport/ice_lite.hpp"
#include "media/transport/path.hpp"
#include "media/transport/srtp.hpp"
#include "media/wire/stun.hpp"

namespace media::transport::test {

inline constexpr Instant kStart{std::chrono::hours(1)};

inline Path udp(std::uint8_t host, std::uint16_t port = 50000) {
    return {wire::TransportAddress::v4(192, 0, 2, host, port)};
}

/// A connectivity check of whoever owns `from` to whoever owns `to`.
struct Check {
    const IceCredentials& to;
    const IceCredentials& from;
    bool use_candidate = false;
    bool controlling = true;
    std::string username = to.ufrag + ':' + from.ufrag;
    std::string password = to.password;

    core::Bytes bytes() const {
        core::Bytes out(256);
        wire::BindingRequest request;
        request.transaction_id = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
        request.username = username;
        request.password = password;
        request.priority = 0x6E0001FF;
        request.use_candidate = use_candidate;
        if (controlling) {
            request.controlling = 7;
        } else {
            request.controlled = 7;
        }
        out.resize(wire::write_binding_request(out, request));
        return out;
    }
};

/// DTLS 1.2 client. What it wants to send waits in `out`.
class DtlsClient {
  public:
    explicit DtlsClient(const Certificate& certificate,
                        const char* srtp = "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM", long mtu = 1200)
        : context_(SSL_CTX_new(DTLS_client_method())) {
        SSL_CTX_set_options(context_.get(), SSL_OP_NO_QUERY_MTU);
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
        if (srtp) EXPECT_EQ(SSL_CTX_set_tlsext_use_srtp(context_.get(), srtp), 0);
        EXPECT_EQ(SSL_CTX_use_certificate(context_.get(), certificate.x509()), 1);
        EXPECT_EQ(SSL_CTX_use_PrivateKey(context_.get(), certificate.key()), 1);
        ssl_.reset(SSL_new(context_.get()));
        BIO* bio = BIO_new(method());
        BIO_set_data(bio, this);
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl_.get(), bio, bio);
        SSL_set_mtu(ssl_.get(), mtu);
        DTLS_set_timer_cb(ssl_.get(), [](SSL*, unsigned) { return 3'600'000'000U; });
        SSL_set_connect_state(ssl_.get());
    }
    DtlsClient(const DtlsClient&) = delete;
    DtlsClient& operator=(const DtlsClient&) = delete;

    std::deque<core::Bytes> out;

    void start() { advance(); }
    void receive(core::BytesView datagram) {
        in_.emplace_back(datagram.begin(), datagram.end());
        advance();
    }
    /// Sends the last flight again, as when the timer of a real client goes off.
    void time_out() {
        // OpenSSL 3.0 shows its BIO where the deadline is kept; putting it into the past is all a fake clock needs.
        static_assert(OPENSSL_VERSION_NUMBER < 0x30200000L, "later versions keep the deadline elsewhere");
        ASSERT_NE(deadline_, nullptr);
        *deadline_ = {1, 0};
        EXPECT_GE(DTLSv1_handle_timeout(ssl_.get()), 0);
    }
    void say_goodbye() { SSL_shutdown(ssl_.get()); }

    bool connected() const { return connected_; }
    bool failed() const { return failed_; }
    bool heard_goodbye() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
    Fingerprint server() const { return Fingerprint::of(*SSL_get0_peer_certificate(ssl_.get())); }
    std::string cipher() const { return SSL_get_cipher(ssl_.get()); }
    int version() const { return SSL_version(ssl_.get()); }

    SrtpKeys keys() const {
        const auto* chosen = SSL_get_selected_srtp_profile(ssl_.get());
        EXPECT_NE(chosen, nullptr);
        const SrtpProfile profile = chosen && chosen->id == SRTP_AEAD_AES_128_GCM ? SrtpProfile::aead_aes_128_gcm
                                                                                  : SrtpProfile::aes128_cm_sha1_80;
        core::Bytes material(keying_material_size(profile));
        EXPECT_EQ(SSL_export_keying_material(ssl_.get(), material.data(), material.size(), "EXTRACTOR-dtls_srtp", 19,
                                             nullptr, 0, 0),
                  1);
        return split_keying_material(profile, material);
    }

  private:
    static int read(BIO* bio, char* to, int size) {
        auto& self = *static_cast<DtlsClient*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        if (self.in_.empty()) {
            BIO_set_retry_read(bio);
            return -1;
        }
        const core::Bytes datagram = std::move(self.in_.front());
        self.in_.pop_front();
        const std::size_t count = std::min(datagram.size(), static_cast<std::size_t>(size));
        std::copy_n(datagram.begin(), count, to);
        return static_cast<int>(count);
    }
    static int write(BIO* bio, const char* from, int size) {
        static_cast<DtlsClient*>(BIO_get_data(bio))->out.emplace_back(from, from + size);
        return size;
    }
    static long control(BIO* bio, int command, long, void* argument) {
        if (command == BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT) {
            static_cast<DtlsClient*>(BIO_get_data(bio))->deadline_ = static_cast<timeval*>(argument);
        }
        return command == BIO_CTRL_FLUSH ? 1 : 0;
    }
    static const BIO_METHOD* method() {
        static const OpensslPtr<BIO_METHOD, BIO_meth_free> made = [] {
            OpensslPtr<BIO_METHOD, BIO_meth_free> m(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "client"));
            BIO_meth_set_read(m.get(), read);
            BIO_meth_set_write(m.get(), write);
            BIO_meth_set_ctrl(m.get(), control);
            return m;
        }();
        return made.get();
    }

    void advance() {
        if (!connected_) {
            const int result = SSL_do_handshake(ssl_.get());
            connected_ = result == 1;
            if (!connected_ && SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) failed_ = true;
        }
        if (connected_) {
            std::array<char, 2048> data;
            while (SSL_read(ssl_.get(), data.data(), static_cast<int>(data.size())) > 0) {
            }
        }
        ERR_clear_error();
    }

    OpensslPtr<SSL_CTX, SSL_CTX_free> context_;
    OpensslPtr<SSL, SSL_free> ssl_;
    std::deque<core::Bytes> in_;
    timeval* deadline_ = nullptr;
    bool connected_ = false;
    bool failed_ = false;
};

/// A plain RTP packet: the fixed header, then `payload` bytes that depend on the sequence number.
inline core::Bytes rtp(std::uint32_t ssrc, std::uint16_t sequence, std::size_t payload = 40) {
    core::Bytes packet = {0x80,
                          111,
                          static_cast<std::uint8_t>(sequence >> 8),
                          static_cast<std::uint8_t>(sequence),
                          0,
                          0,
                          0,
                          1,
                          static_cast<std::uint8_t>(ssrc >> 24),
                          static_cast<std::uint8_t>(ssrc >> 16),
                          static_cast<std::uint8_t>(ssrc >> 8),
                          static_cast<std::uint8_t>(ssrc)};
    for (std::size_t i = 0; i < payload; ++i) packet.push_back(static_cast<std::uint8_t>(i + sequence));
    return packet;
}

/// An empty receiver report.
inline core::Bytes rtcp(std::uint32_t ssrc) {
    return {0x80,
            201,
            0,
            1,
            static_cast<std::uint8_t>(ssrc >> 24),
            static_cast<std::uint8_t>(ssrc >> 16),
            static_cast<std::uint8_t>(ssrc >> 8),
            static_cast<std::uint8_t>(ssrc)};
}

}  // namespace media::transport::test
