#include "api/chime/request_signature.hpp"

#include <algorithm>
#include <optional>

#include "core/bytes.hpp"
#include "net/sigv4.hpp"

namespace api::chime {
namespace {

constexpr std::string_view kService = "chime";
constexpr unsigned kForbidden = 403;

Refusal forbidden(std::string_view type, std::string message) {
    return {.status = kForbidden, .type = type, .message = std::move(message)};
}
Refusal incomplete(std::string message) {
    return forbidden("IncompleteSignatureException", std::move(message));
}
Refusal invalid(std::string message) {
    return forbidden("InvalidSignatureException", std::move(message));
}
Refusal unknown_key() {
    return forbidden("UnrecognizedClientException", "The security token included in the request is invalid.");
}
Refusal mismatch() {
    return invalid(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.");
}

bool is_signed(const net::SigV4Authorization& claimed, std::string_view name) {
    return std::ranges::binary_search(claimed.signed_headers, name);
}

/// What must be covered by the signature is.
std::optional<Refusal> check_coverage(const net::Request& request, const net::SigV4Authorization& claimed) {
    for (const std::string_view name : {"host", "x-amz-date"}) {
        if (!is_signed(claimed, name)) return invalid("'" + std::string{name} + "' must be a signed header.");
    }
    for (const std::string_view name : {"x-amz-content-sha256", "x-amz-security-token"}) {
        if (request.has_header(name) && !is_signed(claimed, name)) {
            return invalid("'" + std::string{name} + "' must be a signed header.");
        }
    }
    for (const auto name : claimed.signed_headers) {
        if (!request.has_header(name)) return mismatch();
    }
    return {};
}

std::optional<Refusal> check_time(std::string_view text, const net::SigV4Authorization& claimed, core::Time now) {
    const auto signed_at = net::parse_basic_time(text);
    if (!signed_at) {
        return incomplete("Date must be in ISO-8601 'basic format'. See ISO-8601 and the 'X-Amz-Date' header.");
    }
    if (!text.starts_with(claimed.date))
        return invalid("Date in Credential scope does not match the day of X-Amz-Date.");
    const auto ours = net::basic_time(now);
    if (*signed_at < now - kMostSkew) {
        return invalid("Signature expired: " + std::string{text} + " is now earlier than " +
                       net::basic_time(now - kMostSkew) + " (" + ours + " - 5 min.)");
    }
    if (*signed_at > now + kMostSkew) {
        return invalid("Signature not yet current: " + std::string{text} + " is still later than " +
                       net::basic_time(now + kMostSkew) + " (" + ours + " + 5 min.)");
    }
    return {};
}

net::Pairs signed_pairs(const net::Request& request, const net::SigV4Authorization& claimed) {
    net::Pairs pairs;
    for (const auto name : claimed.signed_headers) {
        const auto [first, last] = request.fields->equal_range({name.data(), name.size()});
        for (auto field = first; field != last; ++field) {
            pairs.emplace_back(name, std::string{field->value().data(), field->value().size()});
        }
    }
    return pairs;
}

}  // namespace

std::variant<Signer, Refusal> check_signature(const net::Request& request, const ApiKeys& keys, core::Time now) {
    const auto header = request.header("Authorization");
    if (header.empty()) return forbidden("MissingAuthenticationTokenException", "Missing Authentication Token");
    std::string_view why;
    const auto claimed = net::parse_authorization(header, why);
    if (!claimed) return incomplete(std::string{why});
    if (auto refused = check_coverage(request, *claimed)) return std::move(*refused);
    if (claimed->service != kService) return invalid("Credential should be scoped to correct service: 'chime'.");
    const auto key = keys.find(claimed->access_key_id);
    // Temporary credentials are AWS's own; ours have no session token.
    if (key == keys.end() || request.has_header("X-Amz-Security-Token")) return unknown_key();
    const auto time = request.header("X-Amz-Date");
    if (auto refused = check_time(time, *claimed, now)) return std::move(*refused);

    const auto payload_hash = core::hex(core::sha256(core::as_bytes(request.body)));
    if (request.has_header("X-Amz-Content-Sha256") && request.header("X-Amz-Content-Sha256") != payload_hash) {
        return mismatch();
    }
    const net::ReceivedSignable received{
        request.method, request.path(), request.query(), signed_pairs(request, *claimed), payload_hash, time};
    const auto expected = net::expected_signature(received, *claimed, key->second);
    if (!core::equal_in_constant_time(core::as_bytes(expected), core::as_bytes(claimed->signature))) return mismatch();
    return Signer{std::string{claimed->region}};
}

}  // namespace api::chime
