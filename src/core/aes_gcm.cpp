#include "core/aes_gcm.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>

namespace core {
namespace {

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
struct FreeCipher {
    void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};

/// Made once a thread: a context and the look-up of a cipher cost more than a short text.
EVP_CIPHER_CTX* ready(BytesView key, BytesView nonce, bool sealing) {
    static const std::unique_ptr<EVP_CIPHER, FreeCipher> cipher(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
    thread_local const std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context(EVP_CIPHER_CTX_new());
    if (!cipher || !context ||
        EVP_CipherInit_ex(context.get(), cipher.get(), nullptr, key.data(), nonce.data(), sealing ? 1 : 0) != 1) {
        throw std::runtime_error("OpenSSL has no AES-256-GCM");
    }
    return context.get();
}

bool update(EVP_CIPHER_CTX* context, std::uint8_t* out, BytesView in) {
    int size = 0;
    return in.empty() || EVP_CipherUpdate(context, out, &size, in.data(), static_cast<int>(in.size())) == 1;
}

/// OpenSSL counts in int.
bool fits(std::size_t size) {
    return size <= static_cast<std::size_t>(std::numeric_limits<int>::max());
}

}  // namespace

Aes256Gcm::Aes256Gcm(BytesView key) {
    if (key.size() != kKey) throw std::invalid_argument("a key of AES-256 has 32 bytes");
    std::ranges::copy(key, key_.begin());
}

Aes256Gcm::~Aes256Gcm() {
    OPENSSL_cleanse(key_.data(), key_.size());
}

Bytes Aes256Gcm::seal(BytesView plain, std::string_view context) const {
    if (!fits(plain.size()) || !fits(context.size())) throw std::length_error("too long to seal");
    Bytes out(kNonce + plain.size() + kTag);
    const auto all = std::span(out);
    random_bytes(all.first(kNonce));
    auto* const cipher = ready(key_, all.first(kNonce), true);
    int size = 0;
    if (!update(cipher, nullptr, as_bytes(context)) || !update(cipher, out.data() + kNonce, plain) ||
        EVP_CipherFinal_ex(cipher, all.last(kTag).data(), &size) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, kTag, all.last(kTag).data()) != 1) {
        throw std::runtime_error("OpenSSL does not encrypt");
    }
    return out;
}

std::optional<std::string> Aes256Gcm::open(BytesView sealed, std::string_view context) const {
    if (sealed.size() < kNonce + kTag || !fits(sealed.size()) || !fits(context.size())) return {};
    const auto text = sealed.subspan(kNonce, sealed.size() - kNonce - kTag);
    std::array<std::uint8_t, kTag> tag{};
    std::ranges::copy(sealed.last(kTag), tag.begin());
    std::string out(text.size(), '\0');
    auto* const bytes = reinterpret_cast<std::uint8_t*>(out.data());
    auto* const cipher = ready(key_, sealed.first(kNonce), false);
    int size = 0;
    // Whether the tag is right is known last: nothing leaves this function before.
    if (!update(cipher, nullptr, as_bytes(context)) || !update(cipher, bytes, text) ||
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()) != 1 ||
        EVP_CipherFinal_ex(cipher, tag.data(), &size) != 1) {
        return {};
    }
    return out;
}

Sha256 Aes256Gcm::mark(std::string_view purpose, std::string_view text) const {
    const auto derived = hmac_sha256(key_, as_bytes(purpose));
    return hmac_sha256(derived, as_bytes(text));
}

}  // namespace core
