#include "api/chime/refusal.hpp"

#include "api/json_text.hpp"
#include "core/log.hpp"

namespace api::chime {

Refusal refusal_of(const core::Error& error) {
    using core::ErrorKind;
    switch (error.kind) {
        case ErrorKind::invalid:
            return bad_request(error.detail);
        case ErrorKind::not_found:
        case ErrorKind::gone:
            return {.status = 404, .type = "NotFoundException", .message = error.detail};
        case ErrorKind::conflict:
            return {.status = 409, .type = "ConflictException", .message = error.detail};
        case ErrorKind::unprocessable:
            return {.status = 400, .type = "LimitExceededException", .message = error.detail};
        case ErrorKind::unavailable:
        case ErrorKind::timeout:
            return {.status = 503,
                    .type = "ServiceUnavailableException",
                    .message = "The service is currently unavailable, try again",
                    .retry_after = std::max<long>(1, error.retry_after.count())};
        default:
            core::log::error("an operation of the SDK's API failed", {{"why", error.detail}});
            return {.status = 500, .type = "ServiceFailureException", .message = "The service encountered an error"};
    }
}

net::Response response_of(const Refusal& refusal, std::string_view request_id) {
    net::Response response;
    response.status = refusal.status;
    {
        JsonObject body(response.body);
        body("Code", refusal.type)("Message", refusal.message)("RequestId", request_id);
        if (!refusal.resource_name.empty()) body("ResourceName", refusal.resource_name);
    }
    response.headers.emplace_back("x-amzn-errortype", refusal.type);
    if (refusal.retry_after > 0) response.headers.emplace_back("Retry-After", std::to_string(refusal.retry_after));
    return response;
}

}  // namespace api::chime
