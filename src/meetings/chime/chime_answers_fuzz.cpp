// Answers from whoever sits at AWS's address. The first byte says which kind.
#include <cstdint>
#include <cstdlib>

#include "meetings/chime/chime_answers.hpp"
#include "meetings/chime/chime_names.hpp"

namespace {

using namespace meetings::chime;

void demand(bool holds) {
    if (!holds) std::abort();
}

void check(const ChimeAttendee& attendee) {
    demand(is_chime_id(attendee.attendee_id));
    demand(!attendee.external_user_id.empty() && attendee.external_user_id.size() <= 64);
    demand(attendee.join_token.size() >= 2 && attendee.join_token.size() <= kMaxJoinToken);
}

void check(const CreatedMeeting& created) {
    const auto& meeting = created.meeting;
    demand(is_chime_id(meeting.meeting_id));
    demand(meeting.media_region.size() <= 50);
    demand(!meeting.audio_host_url.empty() && !meeting.signaling_url.empty());
    for (const auto* url :
         {&meeting.audio_host_url, &meeting.audio_fallback_url, &meeting.signaling_url, &meeting.turn_control_url}) {
        demand(url->size() <= kMaxMeetingUrl);
        demand(url->find_first_of(" \r\n") == std::string::npos);
    }
    for (const auto& attendee : created.attendees) check(attendee);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
    switch (data[0] % 4) {
        case 0:
            if (const auto created = read_meeting(text)) check(*created);
            break;
        case 1:
            if (const auto attendee = read_attendee(text)) check(*attendee);
            break;
        case 2:
            if (const auto page = read_attendee_page(text)) {
                for (const auto& id : page->attendee_ids) demand(is_chime_id(id));
                demand(page->next_token.size() <= kMaxNextToken);
            }
            break;
        default: {
            const auto line = text.find('\n');
            const auto body = line == std::string_view::npos ? std::string_view{} : text.substr(line + 1);
            demand(error_code(text.substr(0, line), body).size() <= 64);
        }
    }
    return 0;
}
