#include "api/door_answers.hpp"

#include <optional>

#include "api/json_text.hpp"
#include "consultation/invitation.hpp"
#include "consultation/waiting_room.hpp"

namespace api {
namespace {

using consultation::Attendee;
using core::Time;

std::optional<std::string_view> kind_of(const Attendee& attendee) {
    return attendee.guest_kind ? std::optional{to_text(*attendee.guest_kind)} : std::nullopt;
}

void append_invitation(JsonObject& object, const Attendee& guest, Time now) {
    object("user_id", guest.user_id)("role", kind_of(guest))("name", guest.guest_name);
    object("status", to_text(consultation::invitation_state(guest, now)))("invited_at", guest.invited_at);
    object("expires_at", guest.invitation_expires_at)("used_at", guest.invitation_used_at);
    object("revoked_at", guest.invitation_revoked_at);
}

}  // namespace

std::string waiting_answer(const service::Joined& waiting) {
    const auto& session = waiting.session;
    std::string out;
    JsonObject{out}("session_id", session.session_id)("status", "WAITING_ROOM")("position", waiting.queued->position)(
        "waiting_since", waiting.queued->since)("poll_after_seconds", kPollSeconds)("user_id", waiting.user_id)(
        "role", to_text(waiting.role))("scheduled_start_time", session.scheduled_start_time)(
        "scheduled_end_time", session.scheduled_end_time);
    return out;
}

std::string queue_answer(const consultation::Session& session, Time now) {
    std::string out;
    {
        JsonObject object{out};
        object("session_id", session.session_id)("waiting_room", session.waiting_room);
        object.key("waiting") += '[';
        int place = 0;
        for (const auto& person : consultation::queue(session, now)) {
            if (place++ > 0) out += ',';
            JsonObject{out}("position", place)("user_id", person.user_id)("role", to_text(person.role))(
                "guest_role", kind_of(person))("name", person.guest_name)("waiting_since", person.waiting_since)(
                "last_seen_at", person.waiting_seen_at);
        }
        out += ']';
    }
    return out;
}

std::string invited_answer(const service::Invited& invited, std::string_view link, Time now) {
    std::string out;
    {
        JsonObject object{out};
        object("session_id", invited.session.session_id);
        append_invitation(object, invited.guest, now);
        object("invitation", invited.invitation)("link", link);
    }
    return out;
}

std::string invitations_answer(const consultation::Session& session, Time now) {
    std::string out;
    {
        JsonObject object{out};
        object("session_id", session.session_id);
        object.key("invitations") += '[';
        bool first = true;
        for (const auto& attendee : session.attendees) {
            if (attendee.role != consultation::Role::guest) continue;
            if (!first) out += ',';
            first = false;
            JsonObject one{out};
            append_invitation(one, attendee, now);
        }
        out += ']';
    }
    return out;
}

std::string redeemed_answer(const service::Redeemed& redeemed) {
    std::string out;
    JsonObject{out}("access_token", redeemed.token.token)("token_type", "bearer")(
        "expires_at", redeemed.token.expires_at)("session_id", redeemed.session.session_id)(
        "user_id", redeemed.guest.user_id)("role", to_text(redeemed.guest.role))("guest_role", kind_of(redeemed.guest))(
        "name", redeemed.guest.guest_name)("scheduled_start_time", redeemed.session.scheduled_start_time)(
        "scheduled_end_time", redeemed.session.scheduled_end_time);
    return out;
}

}  // namespace api
