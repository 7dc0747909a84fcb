// The API of "Chime SDK Meetings" under `/chime`, for the AWS SDKs: base URL `http(s)://host/chime` as their
// `endpoint`. https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_Operations_Amazon_Chime_SDK_Meetings.html
#pragma once

#include "api/chime/request_signature.hpp"
#include "api/chime/route.hpp"
#include "core/time.hpp"
#include "net/http.hpp"
#include "service/sdk_meetings.hpp"

namespace api::chime {

/// Answers requests whose path `is_chime_path`; every answer is JSON. The references must outlive the handler and its
/// copies. Any control-plane thread.
net::Handler make_chime_api(ApiKeys keys, service::SdkMeetings& meetings, const core::Clock& clock);

}  // namespace api::chime
