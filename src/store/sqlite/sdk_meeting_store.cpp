// The store as SdkMeetingStore.
#include <algorithm>
#include <utility>

#include "store/common/sdk_rows.hpp"
#include "store/sqlite/parts.hpp"
#include "store/sqlite/queries.hpp"

namespace store::sqlite {
namespace {

using core::Result;
using core::Time;
using service::SdkAttendee;
using service::SdkMeeting;
using service::Task;

/// What is told of attendees that have just been written; nothing is told without `notify`.
struct News {
    std::string_view event_type;
    Time at;
    bool with_capabilities = false;
    bool notify = false;
};

/// A meeting whose notifications have been put off goes on waiting.
constexpr std::string_view kTell =
    "INSERT INTO video_consultation_meeting_notifications (meeting_id, event_type, occurred_at, external_meeting_id,"
    " media_region, control_region, attendee_id, external_user_id, audio, video, content, next_attempt)"
    " SELECT m.meeting_id, ?1, ?2, m.external_meeting_id, m.media_region, m.control_region,"
    " coalesce(a.attendee_id, ''), coalesce(a.external_user_id, ''),"
    " CASE WHEN ?3 THEN a.audio END, CASE WHEN ?3 THEN a.video END, CASE WHEN ?3 THEN a.content END,"
    " max(?2, coalesce((SELECT max(n.next_attempt) FROM video_consultation_meeting_notifications n"
    "  WHERE n.meeting_id = m.meeting_id), ?2))"
    " FROM video_consultation_sdk_meetings m LEFT JOIN video_consultation_sdk_attendees a"
    " ON a.meeting_id = m.meeting_id AND a.attendee_id = ?5 WHERE m.meeting_id = ?4";

void tell(Connection& connection, const News& news, std::string_view meeting_id, std::string_view attendee_id = {}) {
    if (!news.notify) return;
    auto insert = connection.query(kTell);
    insert.text(news.event_type);
    insert.time(news.at);
    insert.number(news.with_capabilities ? 1 : 0);
    insert.text(meeting_id);
    insert.text(attendee_id);
    insert.run();
}

bool exists(Connection& connection, std::string_view sql, std::string_view parameter) {
    auto row = connection.query(sql);
    row.text(parameter);
    return row.step();
}

bool is_running(Connection& connection, std::string_view meeting_id) {
    return exists(connection,
                  "SELECT 1 FROM video_consultation_sdk_meetings WHERE meeting_id = ?1 AND ended_at IS NULL",
                  meeting_id);
}

/// False: the meeting has somebody of that external id.
bool insert_attendee(Connection& connection, std::string_view meeting_id, const SdkAttendee& attendee) {
    auto insert = connection.query(
        "INSERT INTO video_consultation_sdk_attendees"
        " (attendee_id, meeting_id, external_user_id, audio, video, content, created_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        " ON CONFLICT (meeting_id, external_user_id) WHERE removed_at IS NULL DO NOTHING");
    insert.text(attendee.attendee_id);
    insert.text(meeting_id);
    insert.text(attendee.external_user_id);
    insert.number(flow_number(attendee.capabilities.audio));
    insert.number(flow_number(attendee.capabilities.video));
    insert.number(flow_number(attendee.capabilities.content));
    insert.time(attendee.created_at);
    insert.run();
    return connection.changes() > 0;
}

void insert_tag(Connection& connection, std::string_view meeting_id, const std::pair<std::string, std::string>& tag) {
    auto upsert = connection.query(
        "INSERT INTO video_consultation_sdk_tags (meeting_id, key, value) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (meeting_id, key) DO UPDATE SET value = excluded.value");
    upsert.text(meeting_id);
    upsert.text(tag.first);
    upsert.text(tag.second);
    upsert.run();
}

bool create_meeting(Connection& connection, const SdkMeeting& meeting, const std::vector<SdkAttendee>& attendees,
                    const service::Tags& tags, bool notify) {
    if (exists(connection, "SELECT 1 FROM video_consultation_sdk_meetings WHERE request_token = ?1",
               meeting.request_token)) {
        return false;
    }
    {
        auto insert = connection.query(
            "INSERT INTO video_consultation_sdk_meetings (meeting_id, request_token, request_hash, control_region,"
            " external_meeting_id, media_region, details, max_attendees, created_at, active_at)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
        write_sdk_meeting(insert, meeting);
        insert.run();
    }
    for (const auto& tag : tags) insert_tag(connection, meeting.meeting_id, tag);
    tell(connection, {service::event_type::kMeetingStarted, meeting.created_at, false, notify}, meeting.meeting_id);
    for (const auto& attendee : attendees) {
        if (!insert_attendee(connection, meeting.meeting_id, attendee)) continue;
        tell(connection, {service::event_type::kAttendeeAdded, attendee.created_at, false, notify}, meeting.meeting_id,
             attendee.attendee_id);
    }
    return true;
}

std::optional<service::SdkPlace> find_place(Connection& connection, std::string_view meeting_id,
                                            std::string_view attendee_id) {
    static const std::string sql =
        "SELECT " + joined(kSdkMeetingColumns, "m.") + ", " + joined(kSdkAttendeeColumns, "a.") +
        " FROM video_consultation_sdk_meetings m LEFT JOIN video_consultation_sdk_attendees a"
        " ON a.meeting_id = m.meeting_id AND a.attendee_id = ?2 WHERE m.meeting_id = ?1";
    auto rows = connection.query(sql);
    rows.text(meeting_id);
    rows.text(attendee_id);
    if (!rows.step()) return {};
    return read_sdk_place(rows.row());
}

std::optional<SdkMeeting> find_by_request(Connection& connection, std::string_view request_token) {
    static const std::string sql =
        "SELECT " + joined(kSdkMeetingColumns) + " FROM video_consultation_sdk_meetings WHERE request_token = ?1";
    auto rows = connection.query(sql);
    rows.text(request_token);
    if (!rows.step()) return {};
    return read_sdk_meeting(rows.row());
}

std::optional<SdkAttendee> find_by_user(Connection& connection, std::string_view meeting_id,
                                        std::string_view external_user_id) {
    static const std::string sql = "SELECT " + joined(kSdkAttendeeColumns) +
                                   " FROM video_consultation_sdk_attendees"
                                   " WHERE meeting_id = ?1 AND external_user_id = ?2 AND removed_at IS NULL";
    auto rows = connection.query(sql);
    rows.text(meeting_id);
    rows.text(external_user_id);
    if (!rows.step()) return {};
    return read_sdk_attendee(rows.row());
}

int count_attendees(Connection& connection, std::string_view meeting_id) {
    auto row = connection.query(
        "SELECT count(*) FROM video_consultation_sdk_attendees WHERE meeting_id = ?1 AND removed_at IS NULL");
    row.text(meeting_id);
    row.step();
    return static_cast<int>(row.row().number(0));
}

std::vector<SdkAttendee> add_attendees(Connection& connection, std::string_view meeting_id,
                                       const std::vector<SdkAttendee>& attendees, int most, bool notify) {
    std::vector<SdkAttendee> answer;
    if (!is_running(connection, meeting_id)) return answer;
    std::vector<const SdkAttendee*> missing;
    for (const auto& attendee : attendees) {
        if (auto found = find_by_user(connection, meeting_id, attendee.external_user_id)) {
            answer.push_back(std::move(*found));
        } else {
            missing.push_back(&attendee);
        }
    }
    if (count_attendees(connection, meeting_id) + static_cast<int>(missing.size()) > most) return answer;
    for (const auto* attendee : missing) {
        if (!insert_attendee(connection, meeting_id, *attendee)) continue;
        answer.push_back(*attendee);
        tell(connection, {service::event_type::kAttendeeAdded, attendee->created_at, false, notify}, meeting_id,
             attendee->attendee_id);
    }
    return answer;
}

std::vector<SdkAttendee> list_attendees(Connection& connection, std::string_view meeting_id, std::string_view after,
                                        int limit) {
    static const std::string sql = "SELECT " + joined(kSdkAttendeeColumns, "a.") +
                                   " FROM video_consultation_sdk_attendees a"
                                   " JOIN video_consultation_sdk_meetings m ON m.meeting_id = a.meeting_id"
                                   " WHERE a.meeting_id = ?1 AND a.attendee_id > ?2 AND a.removed_at IS NULL"
                                   " AND m.ended_at IS NULL ORDER BY a.attendee_id LIMIT ?3";
    auto rows = connection.query(sql);
    rows.text(meeting_id);
    rows.text(after);
    rows.number(limit);
    std::vector<SdkAttendee> attendees;
    while (rows.step()) attendees.push_back(read_sdk_attendee(rows.row()));
    return attendees;
}

bool remove_attendee(Connection& connection, std::string_view meeting_id, std::string_view attendee_id, Time now,
                     bool notify) {
    if (!is_running(connection, meeting_id)) return false;
    {
        auto update = connection.query(
            "UPDATE video_consultation_sdk_attendees SET removed_at = ?3"
            " WHERE meeting_id = ?1 AND attendee_id = ?2 AND removed_at IS NULL");
        update.text(meeting_id);
        update.text(attendee_id);
        update.time(now);
        update.run();
    }
    if (connection.changes() == 0) return false;
    tell(connection, {service::event_type::kAttendeeDeleted, now, false, notify}, meeting_id, attendee_id);
    return true;
}

bool set_capabilities_of(Connection& connection, std::string_view meeting_id, std::string_view attendee_id,
                         const core::Capabilities& capabilities, Time now) {
    auto update = connection.query(
        "UPDATE video_consultation_sdk_attendees SET audio = ?3, video = ?4, content = ?5, changed_at = ?6"
        " WHERE meeting_id = ?1 AND attendee_id = ?2 AND removed_at IS NULL");
    update.text(meeting_id);
    update.text(attendee_id);
    update.number(flow_number(capabilities.audio));
    update.number(flow_number(capabilities.video));
    update.number(flow_number(capabilities.content));
    update.time(now);
    update.run();
    return connection.changes() > 0;
}

std::vector<std::string> all_attendees_but(Connection& connection, std::string_view meeting_id,
                                           const std::vector<std::string>& excluded) {
    auto rows = connection.query(
        "SELECT attendee_id FROM video_consultation_sdk_attendees WHERE meeting_id = ?1 AND removed_at IS NULL"
        " ORDER BY attendee_id");
    rows.text(meeting_id);
    std::vector<std::string> ids;
    while (rows.step()) {
        std::string id{rows.row().text(0)};
        if (std::ranges::find(excluded, id) == excluded.end()) ids.push_back(std::move(id));
    }
    return ids;
}

std::vector<std::string> set_capabilities(Connection& connection, std::string_view meeting_id,
                                          const std::vector<std::string>& attendee_ids, bool except,
                                          const core::Capabilities& capabilities, Time now, bool notify) {
    std::vector<std::string> written;
    if (!is_running(connection, meeting_id)) return written;
    for (auto& id : except ? all_attendees_but(connection, meeting_id, attendee_ids) : attendee_ids) {
        if (!set_capabilities_of(connection, meeting_id, id, capabilities, now)) continue;
        tell(connection, {service::event_type::kCapabilitiesUpdated, now, true, notify}, meeting_id, id);
        written.push_back(id);
    }
    return written;
}

bool end_meeting(Connection& connection, std::string_view meeting_id, Time now, bool notify,
                 const std::optional<service::EndTerms>& terms) {
    {
        auto update = connection.query(
            "UPDATE video_consultation_sdk_meetings SET ended_at = ?2, request_token = NULL, transcription = NULL"
            " WHERE meeting_id = ?1 AND ended_at IS NULL AND (?3 IS NULL OR active_at < ?3 OR created_at < ?4)");
        update.text(meeting_id);
        update.time(now);
        update.optional(terms ? std::optional(terms->empty_since) : std::nullopt);
        update.optional(terms ? std::optional(terms->created_before) : std::nullopt);
        update.run();
    }
    if (connection.changes() == 0) return false;
    tell(connection, {service::event_type::kMeetingEnded, now, false, notify}, meeting_id);
    return true;
}

bool set_transcription(Connection& connection, std::string_view meeting_id,
                       const std::optional<std::string>& configuration) {
    auto update = connection.query(
        "UPDATE video_consultation_sdk_meetings SET transcription = ?2 WHERE meeting_id = ?1 AND ended_at IS NULL");
    update.text(meeting_id);
    update.optional(configuration);
    update.run();
    return connection.changes() > 0;
}

service::Tags tags_of(Connection& connection, std::string_view meeting_id) {
    auto rows =
        connection.query("SELECT key, value FROM video_consultation_sdk_tags WHERE meeting_id = ?1 ORDER BY key");
    rows.text(meeting_id);
    service::Tags tags;
    while (rows.step()) tags.emplace_back(rows.row().text(0), rows.row().text(1));
    return tags;
}

service::TagOutcome set_tags(Connection& connection, std::string_view meeting_id, const service::Tags& tags, int most) {
    if (!is_running(connection, meeting_id)) return service::TagOutcome::no_such_meeting;
    const auto present = tags_of(connection, meeting_id);
    const auto is_new = [&](const auto& tag) {
        return std::ranges::none_of(present, [&](const auto& other) { return other.first == tag.first; });
    };
    const auto added = std::ranges::count_if(tags, is_new);
    if (std::cmp_greater(present.size() + static_cast<std::size_t>(added), most)) return service::TagOutcome::too_many;
    for (const auto& tag : tags) insert_tag(connection, meeting_id, tag);
    return service::TagOutcome::written;
}

void remove_tags(Connection& connection, std::string_view meeting_id, const std::vector<std::string>& keys) {
    for (const auto& key : keys) {
        auto remove = connection.query("DELETE FROM video_consultation_sdk_tags WHERE meeting_id = ?1 AND key = ?2");
        remove.text(meeting_id);
        remove.text(key);
        remove.run();
    }
}

void keep_active(Connection& connection, std::string_view attendee_id, Time at) {
    auto update = connection.query(
        "UPDATE video_consultation_sdk_meetings SET active_at = max(active_at, ?2) WHERE ended_at IS NULL"
        " AND meeting_id = (SELECT meeting_id FROM video_consultation_sdk_attendees WHERE attendee_id = ?1"
        "  AND removed_at IS NULL AND ((audio | video | content) & 1) = 1)");
    update.text(attendee_id);
    update.time(at);
    update.run();
}

void note_event(Connection& connection, const core::MeetingEvent& event, std::string_view event_type, bool notify) {
    const auto place = find_place(connection, event.meeting_id, event.attendee_id);
    if (!place || !place->attendee) return;
    keep_active(connection, event.attendee_id, event.at);
    tell(connection, {event_type, event.at, false, notify}, event.meeting_id, event.attendee_id);
}

std::vector<service::Misplaced> note_connected(Connection& connection, const std::vector<std::string>& attendee_ids,
                                               Time now, Time changed_since) {
    std::vector<service::Misplaced> misplaced;
    for (const auto& id : attendee_ids) {
        keep_active(connection, id, now);
        auto rows = connection.query(
            "SELECT a.meeting_id, a.attendee_id, m.ended_at IS NOT NULL, a.removed_at IS NOT NULL, a.audio, a.video,"
            " a.content FROM video_consultation_sdk_attendees a"
            " JOIN video_consultation_sdk_meetings m ON m.meeting_id = a.meeting_id WHERE a.attendee_id = ?1"
            " AND (m.ended_at IS NOT NULL OR a.removed_at IS NOT NULL OR a.changed_at >= ?2)");
        rows.text(id);
        rows.time(changed_since);
        if (rows.step()) misplaced.push_back(read_misplaced(rows.row()));
    }
    return misplaced;
}

std::vector<std::string> due_to_end(Connection& connection, const service::EndTerms& terms, int limit) {
    auto rows = connection.query(
        "SELECT meeting_id FROM video_consultation_sdk_meetings WHERE ended_at IS NULL AND active_at < ?1"
        " UNION SELECT meeting_id FROM video_consultation_sdk_meetings WHERE ended_at IS NULL AND created_at < ?2"
        " LIMIT ?3");
    rows.time(terms.empty_since);
    rows.time(terms.created_before);
    rows.number(limit);
    std::vector<std::string> ids;
    while (rows.step()) ids.emplace_back(rows.row().text(0));
    return ids;
}

int prune_meetings(Connection& connection, Time ended_before, int limit) {
    auto remove = connection.query(
        "DELETE FROM video_consultation_sdk_meetings WHERE meeting_id IN"
        " (SELECT meeting_id FROM video_consultation_sdk_meetings WHERE ended_at < ?1 ORDER BY ended_at LIMIT ?2)");
    remove.time(ended_before);
    remove.number(limit);
    remove.run();
    return connection.changes();
}

}  // namespace

Task<Result<bool>> SqliteStore::create_meeting(SdkMeeting meeting, std::vector<SdkAttendee> attendees,
                                               service::Tags tags, bool notify) {
    return parts_->write<bool>([meeting = std::move(meeting), attendees = std::move(attendees), tags = std::move(tags),
                                notify](Connection& connection) {
        return sqlite::create_meeting(connection, meeting, attendees, tags, notify);
    });
}

Task<Result<std::optional<service::SdkPlace>>> SqliteStore::find_place(std::string meeting_id,
                                                                       std::string attendee_id) {
    return parts_->read<std::optional<service::SdkPlace>>(
        [meeting_id = std::move(meeting_id), attendee_id = std::move(attendee_id)](Connection& connection) {
            return sqlite::find_place(connection, meeting_id, attendee_id);
        });
}

Task<Result<std::optional<SdkMeeting>>> SqliteStore::find_by_request(std::string request_token) {
    return parts_->read<std::optional<SdkMeeting>>([token = std::move(request_token)](Connection& connection) {
        return sqlite::find_by_request(connection, token);
    });
}

Task<Result<std::vector<SdkAttendee>>> SqliteStore::add_attendees(std::string meeting_id,
                                                                  std::vector<SdkAttendee> attendees, int most,
                                                                  bool notify) {
    return parts_->write<std::vector<SdkAttendee>>(
        [meeting_id = std::move(meeting_id), attendees = std::move(attendees), most, notify](Connection& connection) {
            return sqlite::add_attendees(connection, meeting_id, attendees, most, notify);
        });
}

Task<Result<std::vector<SdkAttendee>>> SqliteStore::list_attendees(std::string meeting_id, std::string after,
                                                                   int limit) {
    return parts_->read<std::vector<SdkAttendee>>(
        [meeting_id = std::move(meeting_id), after = std::move(after), limit](Connection& connection) {
            return sqlite::list_attendees(connection, meeting_id, after, limit);
        });
}

Task<Result<bool>> SqliteStore::remove_attendee(std::string meeting_id, std::string attendee_id, Time now,
                                                bool notify) {
    return parts_->write<bool>([meeting_id = std::move(meeting_id), attendee_id = std::move(attendee_id), now,
                                notify](Connection& connection) {
        return sqlite::remove_attendee(connection, meeting_id, attendee_id, now, notify);
    });
}

Task<Result<std::vector<std::string>>> SqliteStore::set_capabilities(std::string meeting_id,
                                                                     std::vector<std::string> attendee_ids, bool except,
                                                                     core::Capabilities capabilities, Time now,
                                                                     bool notify) {
    return parts_->write<std::vector<std::string>>([meeting_id = std::move(meeting_id), ids = std::move(attendee_ids),
                                                    except, capabilities, now, notify](Connection& connection) {
        return sqlite::set_capabilities(connection, meeting_id, ids, except, capabilities, now, notify);
    });
}

Task<Result<bool>> SqliteStore::end_meeting(std::string meeting_id, Time now, bool notify,
                                            std::optional<service::EndTerms> terms) {
    return parts_->write<bool>([meeting_id = std::move(meeting_id), now, notify, terms](Connection& connection) {
        return sqlite::end_meeting(connection, meeting_id, now, notify, terms);
    });
}

Task<Result<bool>> SqliteStore::set_transcription(std::string meeting_id, std::optional<std::string> configuration) {
    return parts_->write<bool>(
        [meeting_id = std::move(meeting_id), configuration = std::move(configuration)](Connection& connection) {
            return sqlite::set_transcription(connection, meeting_id, configuration);
        });
}

Task<Result<service::Tags>> SqliteStore::tags(std::string meeting_id) {
    return parts_->read<service::Tags>(
        [meeting_id = std::move(meeting_id)](Connection& connection) { return tags_of(connection, meeting_id); });
}

Task<Result<service::TagOutcome>> SqliteStore::set_tags(std::string meeting_id, service::Tags tags, int most) {
    return parts_->write<service::TagOutcome>(
        [meeting_id = std::move(meeting_id), tags = std::move(tags), most](Connection& connection) {
            return sqlite::set_tags(connection, meeting_id, tags, most);
        });
}

Task<Result<void>> SqliteStore::remove_tags(std::string meeting_id, std::vector<std::string> keys) {
    return parts_->write<void>([meeting_id = std::move(meeting_id), keys = std::move(keys)](Connection& connection) {
        sqlite::remove_tags(connection, meeting_id, keys);
    });
}

Task<Result<void>> SqliteStore::note_event(core::MeetingEvent event, std::string event_type, bool notify) {
    return parts_->write<void>(
        [event = std::move(event), event_type = std::move(event_type), notify](Connection& connection) {
            sqlite::note_event(connection, event, event_type, notify);
        });
}

Task<Result<std::vector<service::Misplaced>>> SqliteStore::note_connected(std::vector<std::string> attendee_ids,
                                                                          Time now, Time changed_since) {
    return parts_->write<std::vector<service::Misplaced>>(
        [ids = std::move(attendee_ids), now, changed_since](Connection& connection) {
            return sqlite::note_connected(connection, ids, now, changed_since);
        });
}

Task<Result<std::vector<std::string>>> SqliteStore::due_to_end(service::EndTerms terms, int limit) {
    return parts_->read<std::vector<std::string>>(
        [terms, limit](Connection& connection) { return sqlite::due_to_end(connection, terms, limit); });
}

Task<Result<int>> SqliteStore::prune_meetings(Time ended_before, int limit) {
    return parts_->write<int>([ended_before, limit](Connection& connection) {
        return sqlite::prune_meetings(connection, ended_before, limit);
    });
}

}  // namespace store::sqlite
