// AWS Signature Version 4 in the Authorization header, for services other than S3.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
// Pure: the time is an argument. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/time.hpp"
#include "meetings/chime/aws_keys.hpp"

namespace meetings::chime {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Every byte but letters, digits and `-_.~` as %XX: how AWS wants names, values and path segments in a URL.
std::string percent_encoded(std::string_view text);

/// `name=value&…`, encoded and in the order that is signed; goes into the URL as it is.
std::string canonical_query(const Pairs& query);

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

}  // namespace meetings::chime
