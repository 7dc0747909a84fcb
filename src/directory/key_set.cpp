#include "directory/key_set.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>

#include "core/bytes.hpp"
#include "directory/strict_object.hpp"

namespace directory {
namespace json = boost::json;
namespace {

constexpr std::size_t kMaxName = 256;    ///< Bytes of a `kid` or `alg`.
constexpr std::size_t kCoordinate = 32;  ///< Bytes of a P-256 coordinate (RFC 7518 section 6.2.1.2).
constexpr int kMinRsaBits = 2048;        ///< RFC 7518 section 3.3.
constexpr int kMaxRsaBits = 8192;        ///< A larger one only costs time.
constexpr int kMaxExponentBits = 64;

struct Free {
    void operator()(BIGNUM* number) const { BN_free(number); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    void operator()(OSSL_PARAM* params) const { OSSL_PARAM_free(params); }
    void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
    void operator()(BIO* bio) const { BIO_free(bio); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

std::unexpected<core::Error> refuse(std::string_view why) {
    return core::fail(core::ErrorKind::bad_gateway, "the key set is refused: " + std::string{why});
}

std::optional<std::string> text_of(const json::object& key, std::string_view name) {
    const auto* value = key.if_contains({name.data(), name.size()});
    if (value == nullptr || !value->is_string()) return {};
    return std::string{value->get_string()};
}

std::optional<core::Bytes> bytes_of(const json::object& key, std::string_view name) {
    const auto text = text_of(key, name);
    return text ? core::from_base64url(*text) : std::nullopt;
}

Owned<BIGNUM> number_of(const core::Bytes& bytes) {
    return Owned<BIGNUM>{BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)};
}

/// The PEM form (SubjectPublicKeyInfo) of a key of that type with these parameters; nullopt when it is none.
std::optional<std::string> pem_of(const char* type, OSSL_PARAM_BLD* builder) {
    const Owned<OSSL_PARAM> params{OSSL_PARAM_BLD_to_param(builder)};
    const Owned<EVP_PKEY_CTX> making{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
    EVP_PKEY* made = nullptr;
    if (!params || !making || EVP_PKEY_fromdata_init(making.get()) != 1 ||
        EVP_PKEY_fromdata(making.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
        return {};
    }
    const Owned<EVP_PKEY> key{made};
    const Owned<EVP_PKEY_CTX> checking{EVP_PKEY_CTX_new_from_pkey(nullptr, made, nullptr)};
    const Owned<BIO> out{BIO_new(BIO_s_mem())};
    if (!checking || EVP_PKEY_public_check(checking.get()) != 1 || !out || PEM_write_bio_PUBKEY(out.get(), made) != 1) {
        return {};
    }
    char* text = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
}

std::optional<std::string> rsa_pem(const json::object& key) {
    const auto modulus = bytes_of(key, "n");
    const auto exponent = bytes_of(key, "e");
    if (!modulus || !exponent || modulus->size() > kMaxRsaBits || exponent->size() > kMaxRsaBits) return {};
    const auto n = number_of(*modulus);
    const auto e = number_of(*exponent);
    if (!n || !e || BN_num_bits(n.get()) < kMinRsaBits || BN_num_bits(n.get()) > kMaxRsaBits) return {};
    if (BN_is_odd(n.get()) == 0 || BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) == 1) return {};
    if (BN_num_bits(e.get()) > kMaxExponentBits) return {};
    const Owned<OSSL_PARAM_BLD> builder{OSSL_PARAM_BLD_new()};
    if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
        return {};
    }
    return pem_of("RSA", builder.get());
}

std::optional<std::string> p256_pem(const json::object& key) {
    const auto x = bytes_of(key, "x");
    const auto y = bytes_of(key, "y");
    if (!x || !y || x->size() != kCoordinate || y->size() != kCoordinate) return {};
    core::Bytes point{POINT_CONVERSION_UNCOMPRESSED};
    point.insert(point.end(), x->begin(), x->end());
    point.insert(point.end(), y->begin(), y->end());
    const Owned<OSSL_PARAM_BLD> builder{OSSL_PARAM_BLD_new()};
    if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
        return {};
    }
    return pem_of("EC", builder.get());
}

std::optional<KeyType> type_of(const json::object& key) {
    const auto family = text_of(key, "kty");
    if (family == "RSA") return KeyType::rsa;
    if (family == "EC" && text_of(key, "crv") == "P-256") return KeyType::p256;
    return {};
}

/// RFC 7517 sections 4.2 and 4.3.
bool is_for_signatures(const json::object& key) {
    if (const auto use = text_of(key, "use"); use && *use != "sig") return false;
    const auto* operations = key.if_contains("key_ops");
    if (operations == nullptr) return true;
    const auto* list = operations->if_array();
    return list != nullptr && std::ranges::any_of(*list, [](const json::value& operation) {
               return operation.is_string() && operation.get_string() == "verify";
           });
}

bool is_short(const std::optional<std::string>& name) {
    return !name || name->size() <= kMaxName;
}

}  // namespace

core::Result<KeySet> KeySet::parse(std::string_view text) {
    if (text.size() > kMaxText) return refuse("it is too long");
    const auto object = parse_strict_object(text);
    if (!object) return refuse("it is not one JSON object");
    const auto* list = object->if_contains("keys");
    if (list == nullptr || !list->is_array()) return refuse("it has no list of keys");
    if (list->get_array().size() > kMaxKeys) return refuse("it has too many keys");
    KeySet set;
    for (const auto& value : list->get_array()) {
        const auto* key = value.if_object();
        if (key == nullptr) return refuse("it lists something that is no key");
        const auto type = type_of(*key);
        if (!type || !is_for_signatures(*key)) continue;
        auto pem = *type == KeyType::rsa ? rsa_pem(*key) : p256_pem(*key);
        if (!pem) return refuse("a key is broken or too weak");
        Key made{*type, text_of(*key, "kid"), text_of(*key, "alg"), std::move(*pem)};
        if (!is_short(made.kid) || !is_short(made.algorithm)) return refuse("a key has too long a name");
        const bool taken = made.kid && std::ranges::any_of(set.keys_, [&](const Key& other) {
                               return other.kid == made.kid && other.type == made.type;
                           });
        if (taken) return refuse("two keys have one name");
        set.keys_.push_back(std::move(made));
    }
    return set;
}

const std::string* KeySet::find(std::optional<std::string_view> kid, KeyType type, std::string_view algorithm) const {
    const std::string* found = nullptr;
    for (const auto& key : keys_) {
        if (key.type != type || (key.algorithm && *key.algorithm != algorithm)) continue;
        if (kid && key.kid != *kid) continue;
        if (found != nullptr) return nullptr;
        found = &key.pem;
    }
    return found;
}

}  // namespace directory
