// The store as SdkMeetingStore and MeetingNotificationQueue.
#include <array>

#include "store/common/sdk_rows.hpp"
#include "store/postgres/answers.hpp"
#include "store/postgres/array_text.hpp"
#include "store/postgres/calls.hpp"
#include "store/postgres/sdk_statements.hpp"
#include "store/postgres/values.hpp"

namespace store::postgres {
namespace {

using core::Result;
using core::Time;
using service::SdkAttendee;
using service::SdkMeeting;
using service::Task;

bool any(const PGresult* rows) {
    return PQntuples(rows) > 0;
}

template <class T, T (*read)(const ResultRow&)>
std::vector<T> all(const PGresult* rows) {
    std::vector<T> out;
    out.reserve(static_cast<std::size_t>(PQntuples(rows)));
    for (int row = 0; row < PQntuples(rows); ++row) out.push_back(read(ResultRow(rows, row)));
    return out;
}

template <class T, T (*read)(const ResultRow&)>
std::optional<T> first(const PGresult* rows) {
    if (PQntuples(rows) == 0) return {};
    return read(ResultRow(rows, 0));
}

SdkAttendee attendee_of(const ResultRow& row) {
    return read_sdk_attendee(row);
}

std::pair<std::string, std::string> tag_of(const ResultRow& row) {
    return {std::string(row.text(0)), std::string(row.text(1))};
}

/// Six arrays: id, external id, three capabilities, time.
void write_attendees(Params& params, const std::vector<SdkAttendee>& attendees) {
    std::array<ArrayText, 6> columns;
    for (const auto& attendee : attendees) {
        columns[0].add(attendee.attendee_id);
        columns[1].add(attendee.external_user_id);
        columns[2].add(std::to_string(flow_number(attendee.capabilities.audio)));
        columns[3].add(std::to_string(flow_number(attendee.capabilities.video)));
        columns[4].add(std::to_string(flow_number(attendee.capabilities.content)));
        columns[5].add(core::format_zoneless(attendee.created_at));
    }
    for (auto& column : columns) params.text(column.take());
}

void write_tags(Params& params, const service::Tags& tags) {
    ArrayText keys, values;
    for (const auto& [key, value] : tags) {
        keys.add(key);
        values.add(value);
    }
    params.text(keys.take());
    params.text(values.take());
}

}  // namespace

Task<Result<bool>> PostgresStore::create_meeting(SdkMeeting meeting, std::vector<SdkAttendee> attendees,
                                                 service::Tags tags, bool notify) {
    Params params;
    write_sdk_meeting(params, meeting);
    write_attendees(params, attendees);
    write_tags(params, tags);
    params.flag(notify);
    return parts_->write_row(sdk_statements().create_meeting, std::move(params), meeting.meeting_id, any);
}

Task<Result<std::optional<service::SdkPlace>>> PostgresStore::find_place(std::string meeting_id,
                                                                         std::string attendee_id) {
    return parts_->read(sdk_statements().find_place, texts(meeting_id, attendee_id),
                        first<service::SdkPlace, read_sdk_place<ResultRow>>);
}

Task<Result<std::optional<SdkMeeting>>> PostgresStore::find_by_request(std::string request_token) {
    return parts_->read(sdk_statements().find_by_request, texts(request_token),
                        first<SdkMeeting, read_sdk_meeting<ResultRow>>);
}

Task<Result<std::vector<SdkAttendee>>> PostgresStore::add_attendees(std::string meeting_id,
                                                                    std::vector<SdkAttendee> attendees, int most,
                                                                    bool notify) {
    auto params = texts(meeting_id);
    write_attendees(params, attendees);
    params.number(most);
    params.flag(notify);
    return parts_->write_row(sdk_statements().add_attendees, std::move(params), std::move(meeting_id),
                             all<SdkAttendee, attendee_of>);
}

Task<Result<std::vector<SdkAttendee>>> PostgresStore::list_attendees(std::string meeting_id, std::string after,
                                                                     int limit) {
    auto params = texts(meeting_id, after);
    params.number(limit);
    return parts_->read(sdk_statements().list_attendees, std::move(params), all<SdkAttendee, attendee_of>);
}

Task<Result<bool>> PostgresStore::remove_attendee(std::string meeting_id, std::string attendee_id, Time now,
                                                  bool notify) {
    auto params = texts(meeting_id, attendee_id);
    params.time(now);
    params.flag(notify);
    return parts_->write_row(sdk_statements().remove_attendee, std::move(params), std::move(meeting_id), any);
}

Task<Result<std::vector<std::string>>> PostgresStore::set_capabilities(std::string meeting_id,
                                                                       std::vector<std::string> attendee_ids,
                                                                       bool except, core::Capabilities capabilities,
                                                                       Time now, bool notify) {
    auto params = texts(meeting_id, array_of(attendee_ids));
    params.flag(except);
    params.number(flow_number(capabilities.audio));
    params.number(flow_number(capabilities.video));
    params.number(flow_number(capabilities.content));
    params.time(now);
    params.flag(notify);
    return parts_->write_row(sdk_statements().set_capabilities, std::move(params), std::move(meeting_id), ids_of);
}

Task<Result<bool>> PostgresStore::end_meeting(std::string meeting_id, Time now, bool notify,
                                              std::optional<service::EndTerms> terms) {
    auto params = texts(meeting_id);
    params.time(now);
    params.flag(notify);
    params.optional(terms ? std::optional(terms->empty_since) : std::nullopt);
    params.optional(terms ? std::optional(terms->created_before) : std::nullopt);
    return parts_->write_row(sdk_statements().end_meeting, std::move(params), std::move(meeting_id), any);
}

Task<Result<bool>> PostgresStore::set_transcription(std::string meeting_id, std::optional<std::string> configuration) {
    auto params = texts(meeting_id);
    params.optional(configuration);
    return parts_->write_row(sdk_statements().set_transcription, std::move(params), std::move(meeting_id), any);
}

Task<Result<service::Tags>> PostgresStore::tags(std::string meeting_id) {
    return parts_->read(sdk_statements().tags, texts(meeting_id), all<service::Tags::value_type, tag_of>);
}

Task<Result<service::TagOutcome>> PostgresStore::set_tags(std::string meeting_id, service::Tags tags, int most) {
    auto params = texts(meeting_id);
    write_tags(params, tags);
    params.number(most);
    return parts_->write_row(
        sdk_statements().set_tags, std::move(params), std::move(meeting_id), [](const PGresult* rows) {
            using service::TagOutcome;
            constexpr std::array kOutcomes{TagOutcome::written, TagOutcome::no_such_meeting, TagOutcome::too_many};
            return kOutcomes.at(static_cast<std::size_t>(count_of(rows)));
        });
}

Task<Result<void>> PostgresStore::remove_tags(std::string meeting_id, std::vector<std::string> keys) {
    return parts_->write_row(sdk_statements().remove_tags, texts(meeting_id, array_of(keys)), meeting_id, nothing);
}

Task<Result<void>> PostgresStore::note_event(core::MeetingEvent event, std::string event_type, bool notify) {
    auto params = texts(event.meeting_id, event.attendee_id, event_type);
    params.time(event.at);
    params.flag(notify);
    return parts_->write_row(sdk_statements().note_event, std::move(params), std::move(event.meeting_id), nothing);
}

Task<Result<std::vector<service::Misplaced>>> PostgresStore::note_connected(std::vector<std::string> attendee_ids,
                                                                            Time now, Time changed_since) {
    auto params = texts(array_of(attendee_ids));
    params.time(now);
    params.time(changed_since);
    return parts_->write(sdk_statements().note_connected, std::move(params),
                         all<service::Misplaced, read_misplaced<ResultRow>>);
}

Task<Result<std::vector<std::string>>> PostgresStore::due_to_end(service::EndTerms terms, int limit) {
    Params params;
    params.time(terms.empty_since);
    params.time(terms.created_before);
    params.number(limit);
    return parts_->read(sdk_statements().due_to_end, std::move(params), ids_of);
}

Task<Result<int>> PostgresStore::prune_meetings(Time ended_before, int limit) {
    Params params;
    params.time(ended_before);
    params.number(limit);
    return parts_->write(sdk_statements().prune_meetings, std::move(params), count_of);
}

Task<Result<std::vector<service::MeetingNotification>>> PostgresStore::due_notifications(Time now, int limit) {
    Params params;
    params.time(now);
    params.number(limit);
    return parts_->read(notification_statements().due, std::move(params),
                        all<service::MeetingNotification, read_notification<ResultRow>>);
}

Task<Result<void>> PostgresStore::finish_notifications(std::vector<std::int64_t> sequences) {
    return parts_->write(notification_statements().finish, texts(array_of(sequences)), nothing);
}

Task<Result<void>> PostgresStore::postpone_notification(std::int64_t sequence, Time next_attempt) {
    Params params;
    params.number(sequence);
    params.time(next_attempt);
    return parts_->write(notification_statements().postpone, std::move(params), nothing);
}

}  // namespace store::postgres
