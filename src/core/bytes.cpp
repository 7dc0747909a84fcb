#include "core/bytes.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <algorithm>

#include <stdexcept>

namespace core {
namespace {
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::uint8_t kNoDigit = 255;
constexpr auto kDigits = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(kNoDigit);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
        values.at(static_cast<unsigned char>(kAlphabet[i])) = static_cast<std::uint8_t>(i);
    }
    return values;
}();
}  // namespace

std::string base64url(BytesView bytes) {
    std::string out;
    out.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t buffer = 0;
    int bits = 0;
    for (const auto byte : bytes) {
        buffer = buffer << 8 | byte;
        for (bits += 8; bits >= 6; bits -= 6) out.push_back(kAlphabet[buffer >> (bits - 6) & 63]);
    }
    if (bits > 0) out.push_back(kAlphabet[buffer << (6 - bits) & 63]);
    return out;
}

std::string base64(BytesView bytes) {
    auto text = base64url(bytes);
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

std::optional<Bytes> from_base64url(std::string_view text) {
    if (text.size() % 4 == 1) return {};
    Bytes out;
    out.reserve(text.size() * 3 / 4);
    std::uint32_t buffer = 0;
    int bits = 0;
    for (const char c : text) {
        const auto value = kDigits[static_cast<unsigned char>(c)];
        if (value == kNoDigit) return {};
        buffer = buffer << 6 | value;
        if (bits += 6; bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<std::uint8_t>(buffer >> bits));
        }
    }
    // Left-over bits must be zero, else two texts would mean the same bytes.
    if ((buffer & ((1u << bits) - 1)) != 0) return {};
    return out;
}

std::string hex(BytesView bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const auto byte : bytes) {
        out.push_back(kHex[byte >> 4]);
        out.push_back(kHex[byte & 15]);
    }
    return out;
}

void random_bytes(std::span<std::uint8_t> out) {
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) throw std::runtime_error("no secure randomness");
}

std::uint32_t random_u32() {
    std::array<std::uint8_t, 4> raw;
    random_bytes(raw);
    return std::uint32_t{raw[0]} << 24 | std::uint32_t{raw[1]} << 16 | std::uint32_t{raw[2]} << 8 | raw[3];
}

std::string uuid4() {
    std::array<std::uint8_t, 16> raw;
    random_bytes(raw);
    raw[6] = static_cast<std::uint8_t>((raw[6] & 0x0f) | 0x40);
    raw[8] = static_cast<std::uint8_t>((raw[8] & 0x3f) | 0x80);
    std::string out;
    out.reserve(36);
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
        out.push_back(kHex[raw[i] >> 4]);
        out.push_back(kHex[raw[i] & 15]);
    }
    return out;
}

Sha256 sha256(BytesView data) {
    Sha256 out;
    SHA256(data.data(), data.size(), out.data());
    return out;
}

Sha1 hmac_sha1(BytesView key, BytesView data) {
    Sha1 out;
    unsigned size = out.size();
    if (!HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), out.data(), &size)) {
        throw std::runtime_error("HMAC-SHA1 is not available");
    }
    return out;
}

Sha256 hmac_sha256(BytesView key, BytesView data) {
    Sha256 out;
    unsigned size = out.size();
    if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), out.data(), &size)) {
        throw std::runtime_error("HMAC-SHA256 is not available");
    }
    return out;
}

bool equal_in_constant_time(BytesView a, BytesView b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace core
