// The one-shot SHA-1 functions are marked deprecated, but they are the only ones that need no heap.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "media/wire/stun_integrity.hpp"

#include <openssl/sha.h>

#include <algorithm>

namespace media::wire::detail {

namespace {

constexpr std::size_t kBlock = 64;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB8'8320U : 0U);
        table[i] = value;
    }
    return table;
}

}  // namespace

Sha1Digest hmac_sha1(std::string_view key, core::BytesView head, core::BytesView tail) {
    std::array<std::uint8_t, kBlock> block{};
    if (key.size() > kBlock) {
        SHA1(reinterpret_cast<const std::uint8_t*>(key.data()), key.size(), block.data());
    } else {
        std::ranges::copy(core::as_bytes(key), block.begin());
    }
    Sha1Digest digest;
    SHA_CTX hash;
    for (auto& byte : block) byte ^= 0x36;
    SHA1_Init(&hash);
    SHA1_Update(&hash, block.data(), block.size());
    SHA1_Update(&hash, head.data(), head.size());
    SHA1_Update(&hash, tail.data(), tail.size());
    SHA1_Final(digest.data(), &hash);
    for (auto& byte : block) byte ^= 0x36 ^ 0x5C;
    SHA1_Init(&hash);
    SHA1_Update(&hash, block.data(), block.size());
    SHA1_Update(&hash, digest.data(), digest.size());
    SHA1_Final(digest.data(), &hash);
    return digest;
}

std::uint32_t crc32(core::BytesView head, core::BytesView tail) {
    static constexpr auto kTable = make_crc_table();
    std::uint32_t crc = 0xFFFF'FFFFU;
    for (const core::BytesView part : {head, tail}) {
        for (const std::uint8_t byte : part) crc = kTable[(crc ^ byte) & 0xFF] ^ (crc >> 8);
    }
    return ~crc;
}

}  // namespace media::wire::detail
