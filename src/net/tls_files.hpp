// A certificate and its key, from files to what OpenSSL serves connections with.
#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <string>

struct ssl_ctx_st;

namespace net {

/// Where certificate and key are kept: two PEM files, or one PKCS#12 file (RFC 7292).
struct TlsFiles {
    std::string certificate_file{};  ///< PEM: the certificate and those between it and its authority, in any order.
    std::string key_file{};          ///< PEM, not encrypted; may be the same file.
    std::string pkcs12_file{};       ///< Instead of the two.
    std::string password{};          ///< Of the PKCS#12 file.
    std::string password_file{};  ///< Holds it instead, and is read again with it; a line end behind it does not count.
};

/// Why the files cannot be used. `why` is a sentence for the operator that names the file.
struct TlsFault {
    enum class Source { certificate, key, pkcs12, password, password_file };
    Source source = Source::certificate;
    std::string why;
};

/// Connections that were made with it keep it.
struct TlsContext {
    std::shared_ptr<ssl_ctx_st> context;
    std::chrono::sys_seconds valid_until;  ///< Of the certificate; may be past.
};

/// Reads the files, checks that key and certificate are a pair, and sets up the server side of TLS 1.2 and 1.3: forward
/// secrecy and authenticated ciphers only, ALPN `http/1.1`, resumption by tickets. Blocks; any thread.
std::expected<TlsContext, TlsFault> load_tls(const TlsFiles& files);

}  // namespace net
