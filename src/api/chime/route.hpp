// Which operation of "Chime SDK Meetings" a request asks for. Pure.
// https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_Operations_Amazon_Chime_SDK_Meetings.html
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace api::chime {

enum class Operation : std::uint8_t {
    create_meeting,
    create_meeting_with_attendees,
    get_meeting,
    delete_meeting,
    create_attendee,
    batch_create_attendee,
    get_attendee,
    list_attendees,
    delete_attendee,
    update_attendee_capabilities,
    batch_update_attendee_capabilities_except,
    start_meeting_transcription,
    stop_meeting_transcription,
    list_tags_for_resource,
    tag_resource,
    untag_resource,
};

struct Route {
    Operation operation = Operation::create_meeting;
    std::string meeting_id, attendee_id;  ///< As sent, decoded; any bytes. Empty where the path has none.
};

/// True for `/chime/…`, the SDK's endpoint being `…/chime`.
bool is_chime_path(std::string_view path);

/// Nullopt: there is no such operation. `target` begins with `/chime/`.
std::optional<Route> route_of(std::string_view method, std::string_view target);

}  // namespace api::chime
