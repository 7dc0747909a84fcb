#include "api/rate_key.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <string>

#include "core/bytes.hpp"
#include "net/address_ranges.hpp"

namespace api {
namespace {

static_assert(std::endian::native == std::endian::little);

struct SipState {
    std::uint64_t a, b, c, d;

    void rounds(int count) {
        while (count-- > 0) {
            a += b;
            c += d;
            b = std::rotl(b, 13) ^ a;
            d = std::rotl(d, 16) ^ c;
            a = std::rotl(a, 32);
            c += b;
            a += d;
            b = std::rotl(b, 17) ^ c;
            d = std::rotl(d, 21) ^ a;
            c = std::rotl(c, 32);
        }
    }
    void take(std::uint64_t word) {
        d ^= word;
        rounds(2);
        a ^= word;
    }
};

}  // namespace

std::uint64_t siphash(std::uint64_t low, std::uint64_t high, std::string_view bytes) {
    // The constants spell "somepseudorandomlygeneratedbytes".
    SipState state{low ^ 0x736f6d6570736575, high ^ 0x646f72616e646f6d, low ^ 0x6c7967656e657261,
                   high ^ 0x7465646279746573};
    const auto last = static_cast<std::uint64_t>(bytes.size()) << 56;
    std::uint64_t word = 0;
    for (; bytes.size() >= sizeof(word); bytes.remove_prefix(sizeof(word))) {
        std::memcpy(&word, bytes.data(), sizeof(word));
        state.take(word);
    }
    word = 0;
    if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
    state.take(word | last);
    state.c ^= 0xff;
    state.rounds(4);
    return state.a ^ state.b ^ state.c ^ state.d;
}

RateKeys::RateKeys(std::string_view secret) {
    const auto hash = core::hmac_sha256(core::as_bytes(secret), core::as_bytes(std::string_view{"rate keys"}));
    std::memcpy(&low_, hash.data(), sizeof(low_));
    std::memcpy(&high_, hash.data() + sizeof(low_), sizeof(high_));
}

std::uint64_t RateKeys::of(std::uint8_t kind, std::string_view bytes) const {
    // The kind goes into the key, so that the text need not be copied behind it.
    return siphash(low_ ^ kind, high_, bytes);
}

std::uint64_t RateKeys::of_user(std::uint8_t kind, std::string_view user_id) const {
    return of(kind, user_id);
}

std::uint64_t RateKeys::of_address(std::uint8_t kind, std::string_view text) const {
    const auto address = net::parse_address(text);
    if (!address) return of(kind, text);
    const auto key = [&](const auto& bytes, std::size_t count) {
        return of(kind, core::as_text({bytes.data(), count}));
    };
    constexpr std::size_t kNetwork = 8;
    if (address->is_v4()) return key(address->to_v4().to_bytes(), 4);
    return key(address->to_v6().to_bytes(), kNetwork);
}

}  // namespace api
