// The process's own DTLS identity: a self-signed ECDSA P-256 certificate made at start and kept in memory only, and the
// fingerprints that tie certificates to SDP (RFC 8122 section 5, RFC 8827 section 5.6).
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <optional>

#include "core/bytes.hpp"

namespace media::transport {

template <auto Free>
struct OpensslDelete {
    void operator()(auto* object) const { Free(object); }
};
template <class T, auto Free>
using OpensslPtr = std::unique_ptr<T, OpensslDelete<Free>>;

/// SHA-256 over the DER form of a certificate.
struct Fingerprint {
    core::Sha256 digest{};

    /// From the digest that stands in SDP; null unless it has 32 bytes.
    static std::optional<Fingerprint> from_digest(core::BytesView digest);
    static Fingerprint of(const X509& certificate);

    bool operator==(const Fingerprint&) const = default;
};

/// Immutable after construction: any thread. Owned by whoever starts the media plane, for the life of the process.
class Certificate {
  public:
    /// Makes a fresh key and certificate, valid from a day ago for a year; throws std::runtime_error when OpenSSL
    /// cannot.
    Certificate();

    const Fingerprint& fingerprint() const { return fingerprint_; }
    X509* x509() const { return x509_.get(); }
    EVP_PKEY* key() const { return key_.get(); }

  private:
    OpensslPtr<EVP_PKEY, EVP_PKEY_free> key_;
    OpensslPtr<X509, X509_free> x509_;
    Fingerprint fingerprint_;
};

}  // namespace media::transport
