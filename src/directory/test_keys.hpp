// For tests: keys as an auth service has them, their public halves as JSON Web Keys, and tokens signed with them.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/bytes.hpp"

namespace directory::testing {

inline std::string encoded(std::string_view text) {
    return core::base64url(core::as_bytes(text));
}

class SigningKey {
  public:
    static SigningKey rsa(unsigned bits = 2048) { return SigningKey{EVP_RSA_gen(bits)}; }
    static SigningKey ec(const char* curve = "P-256") { return SigningKey{EVP_EC_gen(curve)}; }

    bool is_rsa() const { return EVP_PKEY_is_a(key_.get(), "RSA") == 1; }

    /// `rest` is written behind the key's own members, `,"kid":"1"`.
    std::string jwk(const std::string& rest = {}) const {
        if (is_rsa()) {
            return R"({"kty":"RSA","n":")" + number(OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" +
                   number(OSSL_PKEY_PARAM_RSA_E) + "\"" + rest + "}";
        }
        return R"({"kty":"EC","crv":"P-256","x":")" + number(OSSL_PKEY_PARAM_EC_PUB_X) + R"(","y":")" +
               number(OSSL_PKEY_PARAM_EC_PUB_Y) + "\"" + rest + "}";
    }

    std::string public_pem() const {
        const std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), &BIO_free};
        PEM_write_bio_PUBKEY(out.get(), key_.get());
        char* text = nullptr;
        const auto size = BIO_get_mem_data(out.get(), &text);
        return {text, static_cast<std::size_t>(size)};
    }

    /// A token of RS256 or ES256, whatever the header says.
    std::string token(std::string_view header, std::string_view payload) const {
        const auto text = encoded(header) + "." + encoded(payload);
        return text + "." + core::base64url(signature(text));
    }

  private:
    explicit SigningKey(EVP_PKEY* key) : key_(key, &EVP_PKEY_free) {
        if (!key_) throw std::runtime_error("no key");
    }

    /// Big-endian; coordinates in full length.
    std::string number(const char* name) const {
        BIGNUM* value = nullptr;
        if (EVP_PKEY_get_bn_param(key_.get(), name, &value) != 1) throw std::runtime_error("no such number");
        core::Bytes bytes(static_cast<std::size_t>(is_rsa() ? BN_num_bytes(value) : 32));
        BN_bn2binpad(value, bytes.data(), static_cast<int>(bytes.size()));
        BN_free(value);
        return core::base64url(bytes);
    }

    core::Bytes signature(const std::string& text) const {
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> signing{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
        const auto* data = reinterpret_cast<const unsigned char*>(text.data());
        std::size_t size = 0;
        EVP_DigestSignInit(signing.get(), nullptr, EVP_sha256(), nullptr, key_.get());
        EVP_DigestSign(signing.get(), nullptr, &size, data, text.size());
        core::Bytes made(size);
        if (EVP_DigestSign(signing.get(), made.data(), &size, data, text.size()) != 1) {
            throw std::runtime_error("no signature");
        }
        made.resize(size);
        return is_rsa() ? made : plain(made);
    }

    /// RFC 7518 section 3.4: the two numbers side by side.
    static core::Bytes plain(const core::Bytes& der) {
        const auto* at = der.data();
        const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair{
            d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), &ECDSA_SIG_free};
        core::Bytes bytes(64);
        BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes.data(), 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), bytes.data() + 32, 32);
        return bytes;
    }

    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

inline std::string set_of(std::initializer_list<std::string> keys) {
    std::string text = R"({"keys":[)";
    for (const auto& key : keys) text += (text.back() == '[' ? "" : ",") + key;
    return text + "]}";
}

}  // namespace directory::testing
