// Everything kept in PostgreSQL 13 or later, through libpq in pipeline mode: each event loop has a few connections of
// its own, and the operations of all its coroutines share them. An operation is one statement; operations that wait at
// the same time travel in one transaction, and are tried again alone when one of them spoils it. Made and stopped by
// the wiring; calls from any control-plane thread. An event loop that calls it must be run by one thread. Connections
// keep their loop busy until `stop()` or the end of the loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "service/archive.hpp"
#include "service/audit_log.hpp"
#include "service/audit_mac.hpp"
#include "service/booking_store.hpp"
#include "service/key_store.hpp"
#include "service/node_store.hpp"
#include "service/rate_ledger.hpp"
#include "service/sdk_meeting_store.hpp"
#include "service/store.hpp"
#include "service/store_insight.hpp"

namespace store::postgres {

struct PostgresSettings {
    std::string url;  ///< `postgresql://user:pass@host:port/db`; `postgres://` and `postgresql+asyncpg://` as well.
    int connections_per_loop = 4;                     ///< Half of them read, half of them write.
    std::chrono::milliseconds start_timeout{30000};   ///< How long `open` waits for the server and the migrations.
    std::chrono::milliseconds connect_timeout{5000};  ///< For each attempt.
    std::chrono::milliseconds operation_timeout{5000};
    std::chrono::milliseconds ping_timeout{1000};
    std::chrono::milliseconds longest_back_off{1000};      ///< Between attempts to connect again.
    std::size_t queue_limit = 2048;                        ///< Waiting operations of a loop; beyond it `unavailable`.
    std::shared_ptr<const service::AuditKeys> audit_keys;  ///< Null: rows of the audit trail get no MAC.
};

class PostgresStore final : public service::Store,
                            public service::NodeStore,
                            public service::SdkMeetingStore,
                            public service::AuditChain,
                            public service::BookingStore,
                            public service::RateLedger,
                            public service::KeyStore,
                            public service::Archive,
                            public service::StoreInsight {
  public:
    /// Connects, takes over or makes the schema, and brings it up to date. Blocks at most `start_timeout` for the
    /// server; refuses a schema that a newer version has written.
    static core::Result<std::unique_ptr<PostgresStore>> open(PostgresSettings settings);
    ~PostgresStore() override;

    /// Answers what is waiting with `unavailable`, closes the connections and joins the threads. Any thread;
    /// idempotent.
    void stop();

    service::Task<core::Result<std::optional<consultation::Session>>> find(std::string session_id) override;
    service::Task<core::Result<std::optional<consultation::Session>>> find_by_meeting(std::string meeting_id) override;
    service::Task<core::Result<std::optional<consultation::Session>>> find_by_appointment(
        std::string appointment_id) override;
    service::Task<core::Result<service::SessionPage>> list(service::SessionQuery query) override;
    service::Task<core::Result<std::vector<consultation::AuditEntry>>> audit_trail(std::string session_id) override;
    service::Task<core::Result<std::optional<service::IdempotencyRecord>>> find_idempotency(std::string user_id,
                                                                                            std::string key) override;
    service::Task<core::Result<service::Committed>> commit(
        consultation::Change change, std::optional<service::IdempotencyRecord> idempotency = {}) override;
    service::Task<core::Result<void>> heartbeat(std::vector<service::Heartbeat> beats) override;
    service::Task<core::Result<std::vector<std::string>>> due(service::DuePolicy policy, int limit) override;
    service::Task<core::Result<std::vector<std::string>>> open_at(consultation::Provider provider, std::string after,
                                                                  int limit) override;
    service::Task<core::Result<void>> ping() override;

    service::Task<core::Result<bool>> hold_lease(std::string name, std::string holder,
                                                 std::chrono::milliseconds life) override;
    service::Task<core::Result<void>> release_lease(std::string name, std::string holder) override;
    service::Task<core::Result<void>> append(consultation::Event event) override;
    service::Task<core::Result<std::vector<service::OutboxMessage>>> unpublished(int limit) override;
    service::Task<core::Result<void>> mark_published(std::vector<std::int64_t> sequences) override;
    service::Task<core::Result<int>> fan_out(std::vector<std::string> endpoints, service::Time since,
                                             int limit) override;
    service::Task<core::Result<std::vector<service::Delivery>>> due_deliveries(service::Time now, int limit) override;
    service::Task<core::Result<void>> finish_deliveries(std::vector<std::int64_t> delivery_ids) override;
    service::Task<core::Result<void>> postpone_delivery(std::int64_t delivery_id, service::Time next_attempt) override;
    service::Task<core::Result<service::Backlog>> backlog(service::Channel channel) override;
    service::Task<core::Result<int>> prune_outbox(service::Time before, bool published_only, int limit) override;

    service::Task<core::Result<std::vector<consultation::Job>>> claim_jobs(service::Time now,
                                                                           std::chrono::seconds lease,
                                                                           int limit) override;
    service::Task<core::Result<void>> finish_job(std::string job_id) override;
    service::Task<core::Result<void>> postpone_job(std::string job_id, service::Time due_at) override;
    service::Task<core::Result<void>> add_jobs(std::vector<consultation::Job> jobs) override;
    service::Task<core::Result<service::Backlog>> job_backlog() override;

    service::Task<core::Result<service::Usage>> usage(service::Time from, service::Time to) override;
    service::Task<core::Result<std::vector<service::SessionUsage>>> usage_sessions(service::Time from, service::Time to,
                                                                                   int limit) override;
    service::Task<core::Result<std::int64_t>> billed_tenths(service::Time from, service::Time to,
                                                            service::Time now) override;
    service::Task<core::Result<bool>> note_threshold(std::string month, int percent,
                                                     consultation::Event event) override;
    service::Task<core::Result<void>> record_quality(std::string session_id, std::string user_id,
                                                     consultation::Provider provider, service::QualityReport report,
                                                     service::Time now) override;
    service::Task<core::Result<bool>> record_chime_event(service::ChimeEvent event, service::Time now) override;
    service::Task<core::Result<std::vector<service::MeterRow>>> meter_rows(service::Time from, service::Time to,
                                                                           std::string after_session,
                                                                           std::string after_user, int limit) override;

    service::Task<core::Result<void>> record(std::vector<consultation::AuditEntry> entries,
                                             std::vector<consultation::Event> events) override;
    service::Task<core::Result<std::optional<service::AuditHead>>> audit_head() override;
    service::Task<core::Result<std::vector<service::AuditRow>>> unchained(int limit) override;
    service::Task<core::Result<std::vector<service::AuditRow>>> chained(std::int64_t position, int limit) override;
    service::Task<core::Result<bool>> chain(service::AuditHead before, std::vector<service::AuditLink> links,
                                            service::AuditHead after) override;

    bool is_shared() const override;
    service::Task<core::Result<void>> enroll(service::Node self) override;
    service::Task<core::Result<std::vector<std::string>>> beat(service::Node self,
                                                               std::vector<service::Place> held) override;
    service::Task<core::Result<service::Survey>> survey(std::string meeting_id) override;
    service::Task<core::Result<std::optional<service::Place>>> claim_place(std::string meeting_id, std::string region,
                                                                           std::string node_id,
                                                                           std::optional<service::Place> from) override;
    service::Task<core::Result<void>> vacate(std::string node_id, std::vector<std::string> meeting_ids) override;
    service::Task<core::Result<int>> vacate_others(std::string node_id, std::vector<std::string> but,
                                                   std::chrono::milliseconds grace) override;
    service::Task<core::Result<bool>> send_order(service::MeetingOrder order, std::string sender) override;
    service::Task<core::Result<std::vector<service::MeetingOrder>>> take_orders(std::string node_id) override;
    service::Task<core::Result<void>> tidy(std::chrono::seconds age) override;

    service::Task<core::Result<bool>> create_meeting(service::SdkMeeting meeting,
                                                     std::vector<service::SdkAttendee> attendees, service::Tags tags,
                                                     bool notify) override;
    service::Task<core::Result<std::optional<service::SdkPlace>>> find_place(std::string meeting_id,
                                                                             std::string attendee_id) override;
    service::Task<core::Result<std::optional<service::SdkMeeting>>> find_by_request(std::string request_token) override;
    service::Task<core::Result<std::vector<service::SdkAttendee>>> add_attendees(
        std::string meeting_id, std::vector<service::SdkAttendee> attendees, int most, bool notify) override;
    service::Task<core::Result<std::vector<service::SdkAttendee>>> list_attendees(std::string meeting_id,
                                                                                  std::string after,
                                                                                  int limit) override;
    service::Task<core::Result<bool>> remove_attendee(std::string meeting_id, std::string attendee_id, core::Time now,
                                                      bool notify) override;
    service::Task<core::Result<std::vector<std::string>>> set_capabilities(std::string meeting_id,
                                                                           std::vector<std::string> attendee_ids,
                                                                           bool except, core::Capabilities capabilities,
                                                                           core::Time now, bool notify) override;
    service::Task<core::Result<bool>> end_meeting(std::string meeting_id, core::Time now, bool notify,
                                                  std::optional<service::EndTerms> terms = {}) override;
    service::Task<core::Result<bool>> set_transcription(std::string meeting_id,
                                                        std::optional<std::string> configuration) override;
    service::Task<core::Result<service::Tags>> tags(std::string meeting_id) override;
    service::Task<core::Result<service::TagOutcome>> set_tags(std::string meeting_id, service::Tags tags,
                                                              int most) override;
    service::Task<core::Result<void>> remove_tags(std::string meeting_id, std::vector<std::string> keys) override;
    service::Task<core::Result<void>> note_event(core::MeetingEvent event, std::string event_type,
                                                 bool notify) override;
    service::Task<core::Result<std::vector<service::Misplaced>>> note_connected(std::vector<std::string> attendee_ids,
                                                                                core::Time now,
                                                                                core::Time changed_since) override;
    service::Task<core::Result<std::vector<std::string>>> due_to_end(service::EndTerms terms, int limit) override;
    service::Task<core::Result<int>> prune_meetings(core::Time ended_before, int limit) override;
    service::Task<core::Result<std::vector<service::MeetingNotification>>> due_notifications(core::Time now,
                                                                                             int limit) override;
    service::Task<core::Result<void>> finish_notifications(std::vector<std::int64_t> sequences) override;
    service::Task<core::Result<void>> postpone_notification(std::int64_t sequence, core::Time next_attempt) override;

    service::Task<core::Result<std::optional<service::Consent>>> find_consent(std::string patient_id,
                                                                              std::string version) override;
    service::Task<core::Result<std::optional<service::Consent>>> add_consent(service::Consent consent) override;
    service::Task<core::Result<std::vector<consultation::Happening>>> happenings(std::string session_id,
                                                                                 std::int64_t sequence,
                                                                                 int limit) override;
    service::Task<core::Result<std::optional<consultation::Happening>>> find_happening(
        std::string session_id, std::optional<std::string> event_id) override;
    service::Task<core::Result<std::vector<std::pair<std::string, std::int64_t>>>> versions(
        std::vector<std::string> session_ids) override;

    service::Task<core::Result<std::vector<service::RateEntry>>> exchange_rates(
        std::vector<service::RateEntry> spent) override;
    service::Task<core::Result<void>> forget_rates(int limit) override;

    service::Task<core::Result<std::vector<service::StoredKey>>> data_keys() override;
    service::Task<core::Result<bool>> add_data_key(service::StoredKey key) override;
    service::Task<core::Result<bool>> rewrap_data_key(service::StoredKey before, service::StoredKey after) override;
    service::Task<core::Result<std::vector<service::SealedText>>> texts_unlike(service::SealedColumn column,
                                                                               std::string unlike, std::string after,
                                                                               int limit) override;
    service::Task<core::Result<int>> replace_texts(service::SealedColumn column,
                                                   std::vector<service::ResealedText> texts) override;

    service::Task<core::Result<std::vector<std::string>>> expired(service::Time before, int limit) override;
    service::Task<core::Result<void>> rename_people(std::string session_id,
                                                    std::vector<std::pair<std::string, std::string>> names) override;
    service::Task<core::Result<void>> mark_retired(std::string session_id, service::Time now) override;
    service::Task<core::Result<bool>> purge(std::string session_id, std::int64_t version) override;
    service::Task<core::Result<int>> prune(service::Leftover what, service::Time before, int limit) override;
    service::Task<core::Result<std::vector<std::string>>> sessions_of_patient(std::string patient_id, std::string after,
                                                                              int limit) override;
    service::Task<core::Result<std::vector<consultation::Interval>>> stays(std::string session_id) override;
    service::Task<core::Result<std::vector<service::PersonFigures>>> figures(std::string session_id) override;
    service::Task<core::Result<std::vector<service::AuditRow>>> audit_rows(std::string session_id,
                                                                           std::int64_t after_sequence,
                                                                           int limit) override;
    service::Task<core::Result<std::vector<service::Consent>>> consents_of(std::string patient_id) override;

    service::Vitals::Database database_vitals() const override;
    service::Task<core::Result<service::Vitals::Census>> census(core::Time closed_since, core::Time now) override;

  private:
    struct Parts;
    explicit PostgresStore(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace store::postgres
