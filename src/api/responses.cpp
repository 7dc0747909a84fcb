#include "api/responses.hpp"

#include <algorithm>
#include <utility>

#include "api/json_text.hpp"
#include "api/text.hpp"
#include "core/log.hpp"

namespace api {
namespace {

constexpr auto kDefaultRetry = std::chrono::seconds{2};
constexpr std::string_view kUnavailable = "The service is temporarily unavailable, please try again";

unsigned status_of(core::ErrorKind kind) {
    using enum core::ErrorKind;
    switch (kind) {
        case invalid:
            return 400;
        case unauthenticated:
            return 401;
        case forbidden:
            return 403;
        case not_found:
            return 404;
        case conflict:
            return 409;
        case unprocessable:
            return 422;
        case gone:
            return 410;
        case precondition_failed:
            return 412;
        case precondition_required:
            return 428;
        case unsupported:
            return 501;
        case bad_gateway:
            return 502;
        case unavailable:
            return 503;
        case timeout:
            return 504;
        case internal:
            return 500;
    }
    return 500;
}

}  // namespace

net::Response json_response(unsigned status, std::string body) {
    net::Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

net::Response refusal(unsigned status, std::string_view detail) {
    std::string body;
    JsonObject{body}("detail", detail);
    return json_response(status, std::move(body));
}

net::Response unprocessable(const Faults& faults) {
    return json_response(422, faults.body());
}

net::Response unauthenticated(std::string_view detail) {
    auto response = refusal(401, detail);
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
}

net::Response failure(const core::Error& error, std::string_view operation, std::string_view request_id) {
    const unsigned status = status_of(error.kind);
    if (status == 401) return unauthenticated(error.detail);
    if (status == 503) {
        core::log::warning("request not served", {{"request_id", std::string{request_id}}, {"why", error.detail}});
        auto response = refusal(status, error.for_client ? std::string_view{error.detail} : kUnavailable);
        response.headers.emplace_back(
            "Retry-After", std::to_string((error.retry_after.count() > 0 ? error.retry_after : kDefaultRetry).count()));
        return response;
    }
    if (status != 500) {
        auto response = refusal(status, error.detail);
        if (status > 500) {
            core::log::warning("request not served", {{"request_id", std::string{request_id}}, {"why", error.detail}});
        }
        if (error.retry_after.count() > 0) {
            response.headers.emplace_back("Retry-After", std::to_string(error.retry_after.count()));
        }
        return response;
    }
    core::log::error("request failed", {{"request_id", std::string{request_id}}, {"why", error.detail}});
    if (!operation.empty()) return refusal(status, std::string{operation} + ": internal error");
    return crash({}, false, request_id);
}

net::Response crash(std::string_view what, bool debug, std::string_view request_id) {
    if (!what.empty()) {
        core::log::error("request crashed", {{"request_id", std::string{request_id}}, {"why", std::string{what}}});
    }
    std::string body;
    JsonObject{body}("error", "Internal server error")(
        "detail", debug && !what.empty() ? with_valid_utf8(what) : std::string{"An unexpected error occurred"});
    return json_response(500, std::move(body));
}

}  // namespace api
