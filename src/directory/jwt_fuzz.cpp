// Tokens from strangers. The first byte decides whether the rest is taken as a whole token, or as header and payload
// (divided by a line feed) that are signed with the right key, so that the claims' reader is reached as well.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdlib>

#include "core/bytes.hpp"
#include "directory/jwt_verifier.hpp"

namespace {

class FixedClock final : public core::Clock {
  public:
    core::Time now() const override { return core::Time{std::chrono::seconds{1'800'000'000}}; }
};

constexpr std::string_view kSecret = "fuzz";

std::string signed_token(std::string_view text) {
    const auto line = text.find('\n');
    std::string token = core::base64url(core::as_bytes(text.substr(0, line))) + ".";
    if (line != std::string_view::npos) token += core::base64url(core::as_bytes(text.substr(line + 1)));
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac;
    unsigned size = 0;
    HMAC(EVP_sha256(), kSecret.data(), int(kSecret.size()), reinterpret_cast<const unsigned char*>(token.data()),
         token.size(), mac.data(), &size);
    return token + "." + core::base64url({mac.data(), size});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const FixedClock clock;
    static const directory::JwtVerifier verifier(
        {.secret = std::string{kSecret}, .algorithm = directory::JwtAlgorithm::hs256}, clock);
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
    const bool is_signed = (data[0] & 1) != 0;
    const auto caller = verifier.verify(is_signed ? signed_token(text) : std::string{text});
    if (caller) {
        // Nobody guesses a signature, and no caller is nameless.
        if (!is_signed || caller->user_id.empty() || caller->role.empty()) std::abort();
        if (caller->user_id.size() > directory::JwtVerifier::kMaxId) std::abort();
    } else if (caller.error().kind != core::ErrorKind::unauthenticated) {
        std::abort();
    }
    return 0;
}
