// Port: attendee-minutes, call quality and what Chime reported, as figures. Calls as in SessionStore.
//
// Two ways of counting stand side by side: whole minutes for each person and session (the platform's own figure), and
// for Chime tenths of a minute for each stay, rounded up, since AWS bills attendee-minutes "in 0.1 minute increments"
// (https://aws.github.io/amazon-chime-sdk-js/modules/faqs.html, how meetings are billed).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "consultation/session.hpp"
#include "core/result.hpp"
#include "service/task.hpp"

namespace service {

using consultation::Time;

struct ProviderUsage {
    std::int64_t attendee_minutes = 0;  ///< Whole minutes, summed over people.
    std::int64_t billed_tenths = 0;     ///< Chime only.
    std::int64_t sessions = 0;          ///< With at least one record.

    bool operator==(const ProviderUsage&) const = default;
};

struct UsageDay {
    Time day;  ///< 00:00 UTC.
    ProviderUsage embedded, chime;
};

/// Means over the reports of clients; unset where nobody reported.
struct QualitySummary {
    std::int64_t reports = 0;
    std::optional<double> latency_ms, packet_loss_percentage, audio_score, video_score;
};

/// Figures of the records dated in [from, to), and what is going on now.
struct Usage {
    std::int64_t sessions = 0;         ///< Created in [from, to).
    std::int64_t active_sessions = 0;  ///< WAITING or ACTIVE now, whatever the month.
    ProviderUsage embedded, chime;
    std::optional<double> average_session_minutes;  ///< Actual start to end of sessions COMPLETED in [from, to).
    std::vector<UsageDay> days;                     ///< Only days with records, oldest first.
    QualitySummary quality;
};

/// A session behind the figure.
struct SessionUsage {
    std::string session_id;
    std::string doctor_id, patient_id;
    consultation::Provider provider = consultation::Provider::embedded;
    Time date;  ///< First join.
    std::int64_t attendee_minutes = 0;
    std::int64_t billed_tenths = 0;
};

/// A client's figures of its own call. Unset: not measured.
struct QualityReport {
    std::optional<int> latency_ms;
    std::optional<double> packet_loss_percentage;  ///< 0..100.
    std::optional<int> audio_score, video_score;   ///< 1..5.
    std::optional<bool> technical_issues;
    std::optional<std::string> issue_description;
};

/// What AWS told about a meeting; kept to check our own record against.
struct ChimeEvent {
    std::string event_id;
    std::string event_type;  ///< `chime:AttendeeJoined` …
    std::string meeting_id;
    std::string attendee_id;  ///< Empty for events of the meeting.
    Time occurred_at;
};

/// A usage record beside what the intervals of the same person, session and provider give.
struct MeterRow {
    std::string session_id, user_id;
    consultation::Provider provider = consultation::Provider::embedded;
    std::int64_t attendee_minutes = 0, billed_tenths = 0;   ///< As recorded (0 without a record).
    std::int64_t interval_micros = 0, interval_tenths = 0;  ///< From the closed intervals.
    std::optional<std::int64_t> provider_micros;            ///< Connected by Chime's own events, where there are any.
};

class MeterStore {
  public:
    virtual ~MeterStore() = default;

    virtual Task<core::Result<Usage>> usage(Time from, Time to) = 0;
    /// Latest first.
    virtual Task<core::Result<std::vector<SessionUsage>>> usage_sessions(Time from, Time to, int limit) = 0;
    /// Chime's tenths of a minute: records dated in [from, to), and what runs now up to `now`.
    virtual Task<core::Result<std::int64_t>> billed_tenths(Time from, Time to, Time now) = 0;

    /// Notes that the month (`2026-11`) has crossed `percent` and appends `event` to the outbox, in one transaction.
    /// False: noted before; nothing is appended.
    virtual Task<core::Result<bool>> note_threshold(std::string month, int percent, consultation::Event event) = 0;

    /// Adds a report to the running means of (session, user, provider).
    virtual Task<core::Result<void>> record_quality(std::string session_id, std::string user_id,
                                                    consultation::Provider provider, QualityReport report,
                                                    Time now) = 0;

    /// False: seen before.
    virtual Task<core::Result<bool>> record_chime_event(ChimeEvent event, Time now) = 0;

    /// Rows whose record or first interval is dated in [from, to), by session and user, after the given ones.
    virtual Task<core::Result<std::vector<MeterRow>>> meter_rows(Time from, Time to, std::string after_session,
                                                                 std::string after_user, int limit) = 0;
};

}  // namespace service
