// Port: who makes the meetings. `meetings/embedded` asks our own meeting server, `meetings/chime` AWS, and
// `meetings/policy` is both, choosing one for each new meeting.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "consultation/session.hpp"
#include "core/result.hpp"
#include "service/task.hpp"

namespace service {

/// What one person needs to enter a meeting with the Chime client.
struct Credentials {
    std::string attendee_id;
    std::string external_user_id;
    std::string join_token;  ///< Secret; goes to its owner only, never to a log.
    std::string reach_at{};  ///< Where the meeting lives, `https://node-a.example.org`; empty: as the client came.
};

/// A meeting to be made. The same session and generation always ask in the very same words, so that a provider
/// recognises the repetition.
struct MeetingPlan {
    std::string session_id;
    int generation = 1;
    std::optional<std::string> media_region;  ///< Unset: the installation's.
    std::string doctor_id, patient_id;
    std::vector<std::string> external_user_ids;  ///< Who will come: `doctor-<user>`, `patient-<user>`.
    core::trace::Context trace{};                ///< Of the request that needs it; says nothing about the meeting.
};

struct MadeMeeting {
    consultation::Meeting meeting;
    std::vector<Credentials> attendees;  ///< Those that came with it, in no order; may be empty.
    std::string note;  ///< Why the meeting is not where it would usually be; for the audit trail. Mostly empty.
};

struct TranscriptionOptions {
    std::string language_code = "en-US";
    bool medical = false;
    std::string specialty = "PRIMARYCARE";  ///< Medical only.
    std::string type = "CONVERSATION";      ///< Medical only: CONVERSATION or DICTATION.
};

/// Any control-plane thread; bounded time. Errors: `unavailable` (503), `timeout` (504), `bad_gateway` (502),
/// `unsupported` (501); `gone` says that the meeting does not exist any more.
class MeetingProvider {
  public:
    virtual ~MeetingProvider() = default;

    /// Makes the meeting of (session, generation). Idempotent: the same plan gives the same meeting.
    virtual Task<core::Result<MadeMeeting>> create_meeting(MeetingPlan plan) = 0;

    /// A person's working credentials in the meeting, or `gone`. `known_attendee_id`: what they had before, or empty;
    /// `renew`: that identity was given up (they left), they need a new one.
    virtual Task<core::Result<Credentials>> credentials(consultation::Meeting meeting, std::string external_user_id,
                                                        std::string known_attendee_id, bool renew,
                                                        core::trace::Context of) = 0;

    /// The meeting with addresses for a client that reached the service at `reached_at` (scheme and host).
    virtual consultation::Meeting placed_for(consultation::Meeting meeting, std::string_view reached_at) const = 0;

    /// The same meeting for a client that asks to be given a TURN relay there; where a provider sees to that itself,
    /// nothing changes.
    virtual consultation::Meeting through_relay(consultation::Meeting meeting) const { return meeting; }

    /// Ends the meeting for everybody; unknown meetings are fine.
    virtual Task<core::Result<void>> end_meeting(consultation::Provider provider, std::string meeting_id) = 0;

    /// Puts one attendee out; unknown ones are fine.
    virtual Task<core::Result<void>> remove_attendee(consultation::Provider provider, std::string meeting_id,
                                                     std::string attendee_id) = 0;

    /// The attendees that the meeting knows (connected or not), or `gone`.
    virtual Task<core::Result<std::vector<std::string>>> roster(consultation::Meeting meeting) = 0;

    virtual Task<core::Result<void>> start_transcription(consultation::Meeting meeting,
                                                         TranscriptionOptions options) = 0;
    virtual Task<core::Result<void>> stop_transcription(consultation::Meeting meeting) = 0;

    /// How the provider tells who is connected: attendance is decided by that.
    enum class Presence {
        heartbeats,  ///< Again and again (our own server): without news they have left.
        events,      ///< When they connect and leave (Chime's notifications).
        none,        ///< Not at all: join and leave calls, and whether the meeting still exists, must do.
    };
    virtual Presence presence(consultation::Provider provider) const = 0;
};

}  // namespace service
