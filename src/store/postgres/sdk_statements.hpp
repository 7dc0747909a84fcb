// The SQL of the SDK's meetings and of what is told about them. Made once for the program; any thread.
#pragma once

#include "store/postgres/statements.hpp"

namespace store::postgres {

struct SdkStatements {
    Statement create_meeting, find_place, find_by_request;
    Statement add_attendees, list_attendees, remove_attendee, set_capabilities;
    Statement end_meeting, set_transcription;
    Statement tags, set_tags, remove_tags;
    Statement note_event, note_connected, due_to_end, prune_meetings;
};
const SdkStatements& sdk_statements();

struct NotificationStatements {
    Statement due, finish, postpone;
};
const NotificationStatements& notification_statements();

}  // namespace store::postgres
