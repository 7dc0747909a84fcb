#include "media/transport/dtls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/srtp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

namespace media::transport {
namespace {

/// Everything of ours that one flight may hold; a real one has less than 2 KB.
constexpr std::size_t kMaxFlight = 16 * 1024;
/// The client's certificate and what else it may claim to send as one message.
constexpr long kMaxCertificate = 16 * 1024;
constexpr std::string_view kExporter = "EXTRACTOR-dtls_srtp";  // RFC 5764 section 4.2

void require(bool done, const char* what) {
    if (!done) throw std::runtime_error(std::string("cannot prepare DTLS: ") + what);
}

}  // namespace

/// A BIO whose reads and writes are datagrams of a DtlsServer, and the certificate check.
struct DtlsHooks {
    static int read(BIO* bio, char* out, int size) {
        auto& server = *static_cast<DtlsServer*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        if (server.input_.empty() || size <= 0) {
            BIO_set_retry_read(bio);
            return -1;
        }
        // Like a socket: what does not fit is lost, the next read begins with the next datagram.
        const std::size_t count = std::min(server.input_.size(), static_cast<std::size_t>(size));
        std::memcpy(out, server.input_.data(), count);
        server.input_ = {};
        return static_cast<int>(count);
    }

    static int write(BIO* bio, const char* data, int size) {
        auto& server = *static_cast<DtlsServer*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        if (size <= 0) return 0;
        server.store({reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)});
        return size;
    }

    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

    static const BIO_METHOD* method() {
        static const OpensslPtr<BIO_METHOD, BIO_meth_free> method = [] {
            OpensslPtr<BIO_METHOD, BIO_meth_free> made(
                BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams of a peer"));
            require(made && BIO_meth_set_read(made.get(), read) == 1 && BIO_meth_set_write(made.get(), write) == 1 &&
                        BIO_meth_set_ctrl(made.get(), control) == 1,
                    "datagram BIO");
            return made;
        }();
        return method.get();
    }

    /// Takes the place of OpenSSL's chain verification: the certificates of browsers are self-signed, only the
    /// fingerprint from the signalling channel counts (RFC 8827 section 5.6).
    static int verify(X509_STORE_CTX* store, void*) {
        const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
        const auto* server = static_cast<const DtlsServer*>(SSL_get_app_data(ssl));
        const X509* certificate = X509_STORE_CTX_get0_cert(store);
        if (server && certificate && Fingerprint::of(*certificate) == server->peer_) return 1;
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
        return 0;
    }

    /// OpenSSL's own timer reads the wall clock, so it is put out of the way: DtlsServer sends flights again itself.
    static unsigned timer(SSL*, unsigned) {
        constexpr unsigned kHour = 3'600'000'000U;  // microseconds
        return kHour;
    }
};

DtlsContext::DtlsContext(const Certificate& certificate)
    : context_(SSL_CTX_new(DTLS_server_method())), fingerprint_(certificate.fingerprint()) {
    SSL_CTX* context = context_.get();
    require(context != nullptr, "context");
    require(SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
                SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1,
            "version");
    require(SSL_CTX_use_certificate(context, certificate.x509()) == 1 &&
                SSL_CTX_use_PrivateKey(context, certificate.key()) == 1,
            "certificate");
    require(SSL_CTX_set_cipher_list(context,
                                    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
                                    "ECDHE-ECDSA-AES256-GCM-SHA384") == 1,
            "ciphers");
    require(SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1, "groups");
    // This one function returns 0 when it worked.
    require(SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80") == 0, "SRTP profiles");
    SSL_CTX_set_options(
        context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(context, kMaxCertificate);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(context, DtlsHooks::verify, nullptr);
}

DtlsServer::DtlsServer(const DtlsContext& context, const Fingerprint& peer, Instant now)
    : ssl_(SSL_new(context.get())), peer_(peer), deadline_(now + kHandshakeTime) {
    require(ssl_ != nullptr, "connection");
    BIO* bio = BIO_new(DtlsHooks::method());
    require(bio != nullptr, "connection");
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_mtu(ssl_.get(), kMtu);
    DTLS_set_timer_cb(ssl_.get(), DtlsHooks::timer);
    SSL_set_accept_state(ssl_.get());
}

DtlsServer::~DtlsServer() = default;

std::optional<Instant> DtlsServer::next_timeout() const {
    if (state_ != DtlsState::handshaking) return std::nullopt;
    return retransmit_at_ ? std::min(*retransmit_at_, deadline_) : deadline_;
}

void DtlsServer::take(core::BytesView datagram, Instant now) {
    if (state_ == DtlsState::failed || state_ == DtlsState::closed || datagram.empty()) return;
    if (state_ == DtlsState::handshaking && ++datagrams_ > kHandshakeDatagrams) return fail();
    input_ = datagram;
    next_flight_ = true;
    if (state_ == DtlsState::handshaking) shake_hands(now);
    if (state_ == DtlsState::connected) read_records();
    input_ = {};
    release_buffers();
}

void DtlsServer::shake_hands(Instant now) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return finish_handshake();
    const int error = SSL_get_error(ssl_.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return fail();
    if (!next_flight_) {
        retransmit_after_ = kFirstRetransmission;
        retransmit_at_ = now + retransmit_after_;
    }
}

void DtlsServer::finish_handshake() {
    const SRTP_PROTECTION_PROFILE* chosen = SSL_get_selected_srtp_profile(ssl_.get());
    if (!chosen) return fail();
    const SrtpProfile profile =
        chosen->id == SRTP_AEAD_AES_128_GCM ? SrtpProfile::aead_aes_128_gcm : SrtpProfile::aes128_cm_sha1_80;
    std::array<std::uint8_t, keying_material_size(SrtpProfile::aes128_cm_sha1_80)> material{};
    const std::size_t size = keying_material_size(profile);
    if (SSL_export_keying_material(ssl_.get(), material.data(), size, kExporter.data(), kExporter.size(), nullptr, 0,
                                   0) != 1) {
        return fail();
    }
    keys_ = split_keying_material(profile, std::span(material).first(size));
    OPENSSL_cleanse(material.data(), material.size());
    retransmit_at_.reset();
    state_ = DtlsState::connected;
}

void DtlsServer::read_records() {
    // Nobody sends data over this association; reading makes OpenSSL answer repeated flights and notice the goodbye.
    std::array<std::uint8_t, 2048> unwanted;
    if (SSL_alloc_buffers(ssl_.get()) != 1) {
        state_ = DtlsState::closed;
        return;
    }
    for (;;) {
        ERR_clear_error();
        const int result = SSL_read(ssl_.get(), unwanted.data(), static_cast<int>(unwanted.size()));
        if (result > 0) continue;
        const int error = SSL_get_error(ssl_.get(), result);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
        if (error == SSL_ERROR_ZERO_RETURN) SSL_shutdown(ssl_.get());
        state_ = DtlsState::closed;
        return;
    }
}

/// After the handshake there is hardly ever a record, and OpenSSL's buffers for the longest one are most of what a
/// connection keeps. (SSL_MODE_RELEASE_BUFFERS does nothing for DTLS.)
void DtlsServer::release_buffers() {
    if (state_ == DtlsState::handshaking) return;
    // Refused while a record is half read or written; then they stay until the next time.
    static_cast<void>(SSL_free_buffers(ssl_.get()));
}

void DtlsServer::check_time(Instant now) {
    if (state_ != DtlsState::handshaking) return;
    if (now >= deadline_) return fail();
    if (!retransmit_at_ || now < *retransmit_at_) return;
    // The same records once more, as if the network had doubled them: the peer drops those it has processed already.
    unsent_ = sizes_.size();
    ++retransmissions_;
    retransmit_after_ = std::min(retransmit_after_ * 2, kLongestRetransmission);
    retransmit_at_ = now + retransmit_after_;
}

void DtlsServer::shut() {
    if (state_ == DtlsState::connected) {
        ERR_clear_error();
        next_flight_ = true;
        if (SSL_alloc_buffers(ssl_.get()) == 1) SSL_shutdown(ssl_.get());
        release_buffers();
    }
    if (state_ != DtlsState::failed) state_ = DtlsState::closed;
    retransmit_at_.reset();
}

void DtlsServer::fail() {
    ERR_clear_error();
    state_ = DtlsState::failed;
    retransmit_at_.reset();
}

void DtlsServer::store(core::BytesView datagram) {
    if (next_flight_) {
        flight_.clear();
        sizes_.clear();
        next_flight_ = false;
    }
    if (flight_.size() + datagram.size() > kMaxFlight) return;
    flight_.insert(flight_.end(), datagram.begin(), datagram.end());
    sizes_.push_back(static_cast<std::uint16_t>(datagram.size()));
    unsent_ = sizes_.size();
}

}  // namespace media::transport
