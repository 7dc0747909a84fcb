// Port: the meeting server, as those who make meetings on it by the SDK's API need it. `meetings/embedded` implements
// it.
#pragma once

#include <string>
#include <vector>

#include "core/capabilities.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "service/task.hpp"

namespace service {

/// Where a client finds a meeting: members of the SDK's `MediaPlacement`. Those that no client opens may be empty.
struct MediaPlacement {
    std::string audio_host_url, audio_fallback_url, signaling_url, turn_control_url;
};

/// What is told to the clients of a meeting about its transcription.
struct TranscriptionStatus {
    enum class Type { started, interrupted, resumed, stopped, failed };
    Type type = Type::started;
    core::Time at;
    std::string region;
    std::string configuration;  ///< JSON, as the caller of the API gave it.
    std::string message;        ///< A sentence for people.
};

/// Any control-plane thread; bounded time. Meetings and attendees that nobody is connected to are fine everywhere.
class MeetingFloor {
  public:
    virtual ~MeetingFloor() = default;

    /// Secret. Good for as long as the attendee is let in; the same for the same attendee.
    virtual std::string join_token(const std::string& meeting_id, const std::string& attendee_id) const = 0;
    /// For a client that reached the service at `reached_at` (scheme and host), in the region where there is a choice.
    virtual Task<core::Result<MediaPlacement>> place(std::string meeting_id, std::string media_region,
                                                     std::string reached_at) = 0;
    /// Tells everybody that the meeting has ended.
    virtual Task<core::Result<void>> close(std::string meeting_id) = 0;
    /// Puts one attendee out, with what they share.
    virtual Task<core::Result<void>> put_out(std::string meeting_id, std::string attendee_id) = 0;
    virtual Task<core::Result<void>> set_capabilities(std::string meeting_id, std::vector<std::string> attendee_ids,
                                                      core::Capabilities capabilities) = 0;
    virtual Task<core::Result<void>> tell_transcription(std::string meeting_id, TranscriptionStatus status) = 0;
};

}  // namespace service
