// Calls to AWS's "Chime SDK Meetings" API (2021-07-15): signed, bounded in time, repeated where that helps, and held
// back while AWS is down. Owned by `app`; any event loop. Nothing here blocks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "meetings/chime/aws_credentials.hpp"
#include "meetings/chime/breaker.hpp"
#include "meetings/chime/chime_values.hpp"
#include "meetings/chime/retry.hpp"
#include "net/http_client.hpp"
#include "net/sigv4.hpp"
#include "service/meeting_provider.hpp"
#include "service/task.hpp"
#include "service/vitals.hpp"

namespace meetings::chime {

struct ChimeApiSettings {
    std::string region = "us-east-1";         ///< The control region.
    std::string endpoint;                     ///< `http://host:port`; empty: AWS's for the region.
    std::chrono::milliseconds timeout{3000};  ///< For a call with all its attempts; one attempt gets half of it.
    RetrySettings retry;
    Breaker::Settings breaker;
};

/// Errors of all calls: `gone` (no such meeting or attendee), `unavailable`, `timeout`, `bad_gateway`.
class ChimeApi {
  public:
    /// Throws std::invalid_argument for an endpoint that is no http or https address. All three must outlive this.
    ChimeApi(ChimeApiSettings settings, net::HttpClient& client, AwsCredentials& credentials, const core::Clock& clock);

    /// CreateMeetingWithAttendees, or CreateMeeting if nobody is named. Where the account may not tag
    /// (chime:TagResource), the meeting is made without tags, and so are all later ones.
    service::Task<core::Result<CreatedMeeting>> create_meeting(NewMeeting meeting);
    service::Task<core::Result<void>> get_meeting(std::string meeting_id);
    service::Task<core::Result<void>> delete_meeting(std::string meeting_id);

    /// The same external user id gives the same attendee as long as there is one.
    service::Task<core::Result<ChimeAttendee>> create_attendee(std::string meeting_id, std::string external_user_id,
                                                               core::trace::Context of = {});
    service::Task<core::Result<void>> delete_attendee(std::string meeting_id, std::string attendee_id,
                                                      core::trace::Context of = {});
    service::Task<core::Result<std::vector<std::string>>> list_attendees(std::string meeting_id);

    service::Task<core::Result<void>> start_transcription(std::string meeting_id,
                                                          service::TranscriptionOptions options);
    service::Task<core::Result<void>> stop_transcription(std::string meeting_id);

    const std::string& region() const { return settings_.region; }
    service::Vitals::Breaker vitals() const;

  private:
    struct Call {
        std::string_view operation;
        std::string method;
        std::string path;
        net::Pairs query;
        std::string body;
        std::size_t max_answer = 4096;
        core::trace::Context trace{};  ///< What it is a part of.
    };
    struct Failure {
        core::Error error;
        unsigned status = 0;  ///< 0: no answer.
        std::string code;
    };
    struct Outcome {
        Attempt attempt;
        std::string code;  ///< Of an error answer.
        std::string body;
        bool is_nonsense = false;  ///< What came was no HTTP answer of AWS's.
    };
    using Answered = std::expected<std::string, Failure>;
    class Permit;

    service::Task<Answered> call(Call call);
    service::Task<core::Result<void>> call_without_answer(Call call);
    service::Task<Outcome> attempt(Call call, AwsKeys keys, std::chrono::milliseconds limit);
    net::OutgoingRequest signed_request(const Call& call, const AwsKeys& keys) const;
    Call creation(const NewMeeting& meeting, bool with_tags) const;
    Failure give_up(const Call& call, const Outcome& last, int made);
    std::optional<Breaker::Pass> admit();
    core::Error held_back() const;

    ChimeApiSettings settings_;
    net::HttpClient& client_;
    AwsCredentials& credentials_;
    const core::Clock& clock_;
    std::string host_;    ///< With the port, unless it is the scheme's own.
    std::string origin_;  ///< Scheme and host.
    std::string prefix_;  ///< A path in front of all others; mostly empty.
    std::atomic<bool> tags_refused_{false};

    mutable std::mutex mutex_;  ///< Guards the breaker and the counters.
    Breaker breaker_;
    std::uint64_t calls_ = 0, failures_ = 0, refused_ = 0;
};

}  // namespace meetings::chime
