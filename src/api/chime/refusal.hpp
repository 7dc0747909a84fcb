// Refusals as clients of AWS understand them: the exception's name in a header, and a JSON body. Plain.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "net/http.hpp"

namespace api::chime {

struct Refusal {
    unsigned status = 400;
    std::string_view type;        ///< `NotFoundException`; a literal.
    std::string message;          ///< For people; repeats nothing of the request but ids of meetings.
    std::string resource_name{};  ///< The ARN that was named; only where tags are refused.
    long retry_after = 0;         ///< Seconds; 0: not said.
};

inline Refusal bad_request(std::string message) {
    return {.status = 400, .type = "BadRequestException", .message = std::move(message)};
}

/// What a use case could not do. `unprocessable` is a full meeting.
Refusal refusal_of(const core::Error& error);

net::Response response_of(const Refusal& refusal, std::string_view request_id);

}  // namespace api::chime
