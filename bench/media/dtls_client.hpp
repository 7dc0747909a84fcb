// DTLS 1.2 client on memory BIOs, as a browser that was given `a=setup:passive`: handshake, then the SRTP keys.
//
// Identity: made once, shared by all, any thread. DtlsClient: owned by one peer connection.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "core/bytes.hpp"
#include "media/transport/certificate.hpp"
#include "media/transport/srtp.hpp"

namespace bench {

/// One certificate for all participants: a server cannot tell, and handshakes cost it the same.
class Identity {
  public:
    Identity();
    /// `AB:CD:…`, for SDP.
    const std::string& fingerprint() const { return fingerprint_; }
    SSL_CTX* context() const { return context_.get(); }

  private:
    media::transport::Certificate certificate_;
    media::transport::OpensslPtr<SSL_CTX, SSL_CTX_free> context_;
    std::string fingerprint_;
};

class DtlsClient {
  public:
    explicit DtlsClient(const Identity& identity);

    /// Takes a datagram (empty: begins, or does what time demands) and calls `send(core::BytesView)` with what answers
    /// it.
    template <class Send>
    void handle(core::BytesView datagram, Send&& send) {
        take(datagram);
        flush(send);
    }
    bool connected() const { return keys_.has_value(); }
    bool failed() const { return failed_; }
    const std::optional<media::transport::SrtpKeys>& keys() const { return keys_; }
    template <class Send>
    void close(Send&& send) {
        SSL_shutdown(ssl_.get());
        flush(send);
    }

  private:
    void take(core::BytesView datagram);
    void finish();
    template <class Send>
    void flush(Send&& send) {
        for (core::BytesView out = output(); !out.empty(); out = output()) send(out);
    }
    core::BytesView output();

    media::transport::OpensslPtr<SSL, SSL_free> ssl_;
    std::array<std::uint8_t, 2048> out_{};
    std::optional<media::transport::SrtpKeys> keys_;
    bool failed_ = false;
};

}  // namespace bench
