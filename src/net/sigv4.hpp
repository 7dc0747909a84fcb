// AWS Signature Version 4 in the Authorization header, for services other than S3: both sides of it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
// Pure: the time is an argument. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/time.hpp"

namespace net {

/// What AWS knows an account's user or role by.
struct AwsKeys {
    std::string access_key_id;
    std::string secret_access_key;           ///< Secret.
    std::string session_token{};             ///< Secret; empty for long-term keys.
    std::optional<core::Time> expires_at{};  ///< Unset: never, as far as we know.

    bool operator==(const AwsKeys&) const = default;
};

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Every byte but letters, digits and `-_.~` as %XX: how AWS wants names, values and path segments in a URL.
std::string percent_encoded(std::string_view text);

/// `name=value&…`, encoded and in the order that is signed; goes into the URL as it is.
std::string canonical_query(const Pairs& query);

/// The order and encoding that is signed, of a query as it stands in a URL.
std::string canonical_query_of(std::string_view query);

/// A request as it will be sent.
struct SignableRequest {
    std::string method;
    std::string host;   ///< With the port, unless it is the scheme's own.
    std::string path;   ///< Percent-encoded, as in the URL; empty is `/`.
    std::string query;  ///< From `canonical_query`.
    Pairs headers;      ///< All of them are signed, but User-Agent, Expect and X-Amzn-Trace-Id.
    std::string body;
};

/// The headers that must be added: X-Amz-Date, X-Amz-Security-Token (with a session token) and Authorization.
Pairs signature_headers(const SignableRequest& request, const AwsKeys& keys, std::string_view region,
                        std::string_view service, core::Time now);

/// `20260125T140000Z`, the form of X-Amz-Date.
std::string basic_time(core::Time time);
/// Nullopt for anything else, dates that no calendar has included.
std::optional<core::Time> parse_basic_time(std::string_view text);

/// An Authorization header taken apart. Views into it.
struct SigV4Authorization {
    std::string_view access_key_id, date, region, service;
    std::vector<std::string_view> signed_headers;  ///< Lower case, sorted, none twice.
    std::string_view signature;                    ///< 64 lower-case hexadecimal digits.
};

/// Nullopt, and why, when the header is not of this algorithm, lacks a part or has one of another form.
std::optional<SigV4Authorization> parse_authorization(std::string_view header, std::string_view& why);

/// A request as it came, with what its Authorization header says was signed.
struct ReceivedSignable {
    std::string_view method, path, query;  ///< As in the request line.
    Pairs headers;                         ///< Those that were signed: lower-case names, a pair for each field line.
    std::string_view payload_hash;         ///< Hexadecimal.
    std::string_view time;                 ///< X-Amz-Date.
};

/// The signature that whoever has the secret key makes of it, in hexadecimal.
std::string expected_signature(const ReceivedSignable& request, const SigV4Authorization& claimed,
                               std::string_view secret_access_key);

}  // namespace net
