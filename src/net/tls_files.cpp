#include "net/tls_files.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace net {
namespace {

using Source = TlsFault::Source;

constexpr std::size_t kLargestFile = 1024 * 1024;
constexpr std::size_t kMostCertificates = 32;

struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(PKCS12* store) const { PKCS12_free(store); }
    void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

/// A file's bytes, which may be a key: wiped when done with.
class FileText {
  public:
    FileText() = default;
    FileText(FileText&& other) noexcept : text_(std::exchange(other.text_, {})) {}
    FileText& operator=(FileText&&) = delete;
    ~FileText() { OPENSSL_cleanse(text_.data(), text_.size()); }

    static std::expected<FileText, TlsFault> read(const std::string& path, Source source);
    std::string_view view() const { return text_; }
    Owned<BIO> bio() const { return Owned<BIO>{BIO_new_mem_buf(text_.data(), static_cast<int>(text_.size()))}; }

  private:
    std::string text_;
};

/// What the private key and the certificates of one server are, whatever file they were in.
struct Pair {
    Owned<EVP_PKEY> key;
    Owned<X509> certificate;
    std::vector<Owned<X509>> others;
};

std::unexpected<TlsFault> fault(Source source, std::string why) {
    ERR_clear_error();
    return std::unexpected(TlsFault{source, std::move(why)});
}

/// Why OpenSSL failed last.
std::string openssl_reason() {
    const auto* reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? reason : "unknown error";
}

std::expected<FileText, TlsFault> FileText::read(const std::string& path, Source source) {
    const auto cannot = [&](const char* why) { return fault(source, "cannot read " + path + ": " + why); };
    // A pipe without a writer must not hold the start up.
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return cannot(std::strerror(errno));
    struct Close {
        int fd;
        ~Close() { close(fd); }
    } closing{fd};
    struct stat about{};
    if (fstat(fd, &about) != 0) return cannot(std::strerror(errno));
    if (!S_ISREG(about.st_mode)) return cannot("it is not a file");
    if (static_cast<std::size_t>(about.st_size) > kLargestFile) return cannot("it is larger than 1 MiB");
    FileText file;
    // One block, so that no copy of a key is left behind by a string that grows.
    file.text_.resize(static_cast<std::size_t>(about.st_size));
    std::size_t size = 0;
    while (size < file.text_.size()) {
        const auto got = ::read(fd, file.text_.data() + size, file.text_.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return cannot(std::strerror(errno));
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    file.text_.resize(size);
    return file;
}

/// Asked for the password of a PEM file: there is none, and nobody at a terminal to ask.
int no_password(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

std::expected<std::vector<Owned<X509>>, TlsFault> read_certificates(const std::string& path) {
    const auto text = FileText::read(path, Source::certificate);
    if (!text) return std::unexpected(text.error());
    const auto bio = text->bio();
    std::vector<Owned<X509>> certificates;
    bool asked = false;
    ERR_clear_error();
    while (auto* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_password, &asked)) {
        certificates.emplace_back(certificate);
        if (certificates.size() > kMostCertificates) {
            return fault(Source::certificate, path + " holds more than 32 certificates");
        }
    }
    const auto error = ERR_peek_last_error();
    const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    if (!at_end) return fault(Source::certificate, path + " is broken: " + openssl_reason());
    ERR_clear_error();
    if (certificates.empty()) return fault(Source::certificate, path + " holds no certificate in PEM form");
    return certificates;
}

std::expected<Pair, TlsFault> read_pem(const TlsFiles& files) {
    auto certificates = read_certificates(files.certificate_file);
    if (!certificates) return std::unexpected(certificates.error());
    const auto text = FileText::read(files.key_file, Source::key);
    if (!text) return std::unexpected(text.error());
    Pair pair;
    bool asked = false;
    ERR_clear_error();
    pair.key.reset(PEM_read_bio_PrivateKey(text->bio().get(), nullptr, no_password, &asked));
    if (!pair.key) {
        return fault(Source::key, files.key_file + (asked ? " is encrypted; the key must be plain, or in a PKCS#12 file"
                                                          : " holds no private key in PEM form"));
    }
    for (auto& certificate : *certificates) {
        if (!pair.certificate && X509_check_private_key(certificate.get(), pair.key.get()) == 1) {
            pair.certificate = std::move(certificate);
        } else {
            pair.others.push_back(std::move(certificate));
        }
    }
    if (!pair.certificate) {
        return fault(Source::key, "the key in " + files.key_file + " does not belong to the certificate in " +
                                      files.certificate_file);
    }
    return pair;
}

std::expected<std::string, TlsFault> read_password(const TlsFiles& files) {
    if (files.password_file.empty()) return files.password;
    const auto text = FileText::read(files.password_file, Source::password_file);
    if (!text) return std::unexpected(text.error());
    auto password = text->view();
    while (password.ends_with('\n') || password.ends_with('\r')) password.remove_suffix(1);
    return std::string{password};
}

bool opens(PKCS12* store, const std::string& password) {
    // Some tools write no password as none, some as an empty one.
    return PKCS12_verify_mac(store, password.c_str(), -1) == 1 ||
           (password.empty() && PKCS12_verify_mac(store, nullptr, 0) == 1);
}

std::expected<Pair, TlsFault> read_pkcs12(const TlsFiles& files) {
    const auto& path = files.pkcs12_file;
    const auto text = FileText::read(path, Source::pkcs12);
    if (!text) return std::unexpected(text.error());
    auto password = read_password(files);
    if (!password) return std::unexpected(password.error());
    ERR_clear_error();
    const Owned<PKCS12> store{d2i_PKCS12_bio(text->bio().get(), nullptr)};
    if (!store) return fault(Source::pkcs12, path + " is no PKCS#12 file, or is broken");
    if (PKCS12_mac_present(store.get()) == 1 && !opens(store.get(), *password)) {
        const bool from_file = !files.password_file.empty();
        return fault(from_file ? Source::password_file : Source::password, "it does not open " + path);
    }
    EVP_PKEY* key = nullptr;
    X509* certificate = nullptr;
    STACK_OF(X509)* stack = nullptr;
    ERR_clear_error();
    const bool parsed = PKCS12_parse(store.get(), password->c_str(), &key, &certificate, &stack) == 1;
    OPENSSL_cleanse(password->data(), password->size());
    Pair pair{Owned<EVP_PKEY>{key}, Owned<X509>{certificate}, {}};
    Owned<STACK_OF(X509)> others{stack};
    if (!parsed) {
        return fault(Source::pkcs12, path + " cannot be decrypted (" + openssl_reason() +
                                         "); files of old tools must be made anew with AES");
    }
    if (!pair.key || !pair.certificate) return fault(Source::pkcs12, path + " holds no certificate with its key");
    while (others && sk_X509_num(others.get()) > 0) pair.others.emplace_back(sk_X509_shift(others.get()));
    return pair;
}

/// RFC 7301 section 3.2: HTTP/1.1 is all that is spoken here. Who offers only other protocols is told so.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered, unsigned length,
                    void*) {
    static constexpr std::array<unsigned char, 9> kOurs{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, size, kOurs.data(), kOurs.size(), offered, length) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

std::shared_ptr<SSL_CTX> make_context() {
    std::shared_ptr<SSL_CTX> owned(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    auto* context = owned.get();
    if (!context) return {};
    constexpr std::string_view kName = "video-consultation";
    const bool done = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                      SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
                      SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kName.data()),
                                                     kName.size()) == 1;
    // A client that puts ChaCha20 first has no AES instructions, and gets its way.
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    // Idle connections give their buffers back.
    SSL_CTX_set_mode(context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    // Tickets are kept by the clients; a cache here would grow with whoever connects.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    return done ? owned : nullptr;
}

/// Adds those that lead from the certificate to its authority, each behind the one it vouches for. The authority itself
/// is left out: who trusts it has it.
bool add_chain(SSL_CTX* context, const Pair& pair) {
    const auto* last = pair.certificate.get();
    for (std::size_t length = 0; length < pair.others.size(); ++length) {
        X509* next = nullptr;
        for (const auto& other : pair.others) {
            const bool is_root = X509_check_issued(other.get(), other.get()) == X509_V_OK;
            if (!next && !is_root && X509_check_issued(other.get(), const_cast<X509*>(last)) == X509_V_OK) {
                next = other.get();
            }
        }
        if (!next) return true;
        if (SSL_CTX_add1_chain_cert(context, next) != 1) return false;
        last = next;
    }
    return true;
}

std::chrono::sys_seconds end_of(const X509* certificate) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return {};
    return std::chrono::sys_seconds{std::chrono::seconds{timegm(&parts)}};
}

}  // namespace

std::expected<TlsContext, TlsFault> load_tls(const TlsFiles& files) {
    const bool is_pkcs12 = !files.pkcs12_file.empty();
    const auto pair = is_pkcs12 ? read_pkcs12(files) : read_pem(files);
    if (!pair) return std::unexpected(pair.error());
    const auto source = is_pkcs12 ? Source::pkcs12 : Source::certificate;
    const auto& path = is_pkcs12 ? files.pkcs12_file : files.certificate_file;
    ERR_clear_error();
    auto context = make_context();
    if (!context || SSL_CTX_use_certificate(context.get(), pair->certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context.get(), pair->key.get()) != 1 || !add_chain(context.get(), *pair)) {
        return fault(source, path + " cannot be used: " + openssl_reason());
    }
    return TlsContext{std::move(context), end_of(pair->certificate.get())};
}

}  // namespace net
