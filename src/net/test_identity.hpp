// For tests: certificates and keys, made on the spot, as the files that operators have.
#pragma once

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace net::testing {

struct FreeOpenssl {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(PKCS12* store) const { PKCS12_free(store); }
    void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
    void operator()(std::FILE* file) const { std::fclose(file); }
};
template <class T>
using Openssl = std::unique_ptr<T, FreeOpenssl>;

inline Openssl<std::FILE> file_for_writing(const std::string& path) {
    Openssl<std::FILE> file{std::fopen(path.c_str(), "w")};
    if (!file) throw std::runtime_error("cannot write " + path);
    return file;
}

/// An empty folder, removed with all that is in it.
class TestFolder {
  public:
    TestFolder() {
        std::string pattern = ::testing::TempDir() + "tls-XXXXXX";
        if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder");
        path_ = pattern;
    }
    ~TestFolder() { std::filesystem::remove_all(path_); }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    std::string operator/(const std::string& name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

/// A certificate (ECDSA, P-256, valid for an hour unless told otherwise) and its key.
class Issued {
  public:
    struct Wish {
        std::string common_name = "test";
        std::string names{};             ///< `DNS:localhost,IP:127.0.0.1`; empty: none.
        const Issued* issuer = nullptr;  ///< Null: vouches for itself.
        bool may_issue = false;
        long valid_for = 3600;  ///< Seconds; may be negative.
    };

    explicit Issued(const Wish& wish) : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
        static long serial = 0;
        auto* certificate = certificate_.get();
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
        X509_gmtime_adj(X509_getm_notAfter(certificate), wish.valid_for);
        X509_set_pubkey(certificate, key_.get());
        auto* name = X509_get_subject_name(certificate);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1, -1, 0);
        X509_set_issuer_name(certificate, wish.issuer ? X509_get_subject_name(wish.issuer->certificate()) : name);
        if (!wish.names.empty()) extend(NID_subject_alt_name, wish.names);
        if (wish.may_issue) extend(NID_basic_constraints, "critical,CA:TRUE");
        if (wish.may_issue) extend(NID_key_usage, "critical,keyCertSign");
        X509_sign(certificate, wish.issuer ? wish.issuer->key() : key_.get(), EVP_sha256());
    }

    EVP_PKEY* key() const { return key_.get(); }
    X509* certificate() const { return certificate_.get(); }

  private:
    void extend(int kind, const std::string& value) {
        const Openssl<X509_EXTENSION> extension{X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str())};
        X509_add_ext(certificate_.get(), extension.get(), -1);
    }

    Openssl<EVP_PKEY> key_;
    Openssl<X509> certificate_;
};

inline void write_certificates(const std::string& path, std::initializer_list<const Issued*> all) {
    const auto file = file_for_writing(path);
    for (const auto* one : all) PEM_write_X509(file.get(), one->certificate());
}

/// With a password the key is encrypted.
inline void write_key(const std::string& path, const Issued& owner, const std::string& password = {}) {
    PEM_write_PrivateKey(file_for_writing(path).get(), owner.key(), password.empty() ? nullptr : EVP_aes_128_cbc(),
                         nullptr, 0, nullptr, password.empty() ? nullptr : const_cast<char*>(password.c_str()));
}

/// A PKCS#12 file as today's tools write it, of the certificate, its key, and others.
inline void write_pkcs12(const std::string& path, const Issued& owner, const std::string& password,
                         std::initializer_list<const Issued*> others = {}) {
    const Openssl<STACK_OF(X509)> stack{sk_X509_new_null()};
    for (const auto* other : others) sk_X509_push(stack.get(), other->certificate());
    const Openssl<PKCS12> store{
        PKCS12_create(password.c_str(), "server", owner.key(), owner.certificate(), stack.get(), 0, 0, 0, 0, 0)};
    i2d_PKCS12_fp(file_for_writing(path).get(), store.get());
}

/// A certificate that vouches for itself, good for `names`, and its key, as files of a folder of its own.
class Identity {
  public:
    explicit Identity(const std::string& names) : issued_({.names = names}) {
        write_certificates(certificate_file(), {&issued_});
        write_key(key_file(), issued_);
    }

    std::string certificate_file() const { return folder_ / "certificate.pem"; }
    std::string key_file() const { return folder_ / "key.pem"; }
    const Issued& issued() const { return issued_; }

  private:
    TestFolder folder_;
    Issued issued_;
};

}  // namespace net::testing
