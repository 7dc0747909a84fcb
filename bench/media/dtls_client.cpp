#include "dtls_client.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <cctype>
#include <stdexcept>
#include <vector>

namespace bench {

namespace {
constexpr long kMtu = 1200;

std::string fingerprint_text(const media::transport::Fingerprint& fingerprint) {
    std::string text;
    for (const char c : core::hex(fingerprint.digest)) {
        if (text.size() % 3 == 2) text += ':';
        text += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return text;
}
}  // namespace

Identity::Identity()
    : context_(SSL_CTX_new(DTLS_client_method())), fingerprint_(fingerprint_text(certificate_.fingerprint())) {
    SSL_CTX* context = context_.get();
    SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU);
    // Who the server is does not matter to a measurement.
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    if (SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AEAD_AES_128_GCM") != 0 ||
        SSL_CTX_use_certificate(context, certificate_.x509()) != 1 ||
        SSL_CTX_use_PrivateKey(context, certificate_.key()) != 1) {
        throw std::runtime_error("OpenSSL refuses the certificate");
    }
}

DtlsClient::DtlsClient(const Identity& identity) : ssl_(SSL_new(identity.context())) {
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl_.get()), -1);
    SSL_set_mtu(ssl_.get(), kMtu);
    SSL_set_connect_state(ssl_.get());
}

void DtlsClient::take(core::BytesView datagram) {
    if (failed_) return;
    ERR_clear_error();
    if (!datagram.empty()) {
        // One at a time and read to its end: a memory BIO keeps no borders between datagrams.
        BIO_write(SSL_get_rbio(ssl_.get()), datagram.data(), static_cast<int>(datagram.size()));
    } else if (!keys_ && DTLSv1_handle_timeout(ssl_.get()) < 0) {
        failed_ = true;
    }
    if (keys_) {
        std::array<char, 2048> data;
        while (SSL_read(ssl_.get(), data.data(), static_cast<int>(data.size())) > 0) {
        }
        return;
    }
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
        finish();
    } else if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) {
        failed_ = true;
    }
}

void DtlsClient::finish() {
    using namespace media::transport;
    const auto* chosen = SSL_get_selected_srtp_profile(ssl_.get());
    failed_ = chosen == nullptr || chosen->id != SRTP_AEAD_AES_128_GCM;
    if (failed_) return;
    constexpr auto profile = SrtpProfile::aead_aes_128_gcm;
    core::Bytes material(keying_material_size(profile));
    failed_ = SSL_export_keying_material(ssl_.get(), material.data(), material.size(), "EXTRACTOR-dtls_srtp", 19,
                                         nullptr, 0, 0) != 1;
    if (!failed_) keys_ = split_keying_material(profile, material);
}

core::BytesView DtlsClient::output() {
    const int size = BIO_read(SSL_get_wbio(ssl_.get()), out_.data(), static_cast<int>(out_.size()));
    return size > 0 ? core::BytesView(out_).first(static_cast<std::size_t>(size)) : core::BytesView{};
}

}  // namespace bench
