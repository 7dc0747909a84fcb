// A layer over a store: passes every call on, so that a layer that changes something about a few calls overrides only
// those. Calls as in SessionStore. Owned by the wiring; what is below must outlive it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "service/store.hpp"

namespace service {

class StoreLayer : public Store {
  public:
    explicit StoreLayer(Store& below) : below_(below) {}
    StoreLayer(const StoreLayer&) = delete;  ///< A layer over a layer is no copy of it.
    StoreLayer& operator=(const StoreLayer&) = delete;

    Task<core::Result<std::optional<consultation::Session>>> find(std::string session_id) override {
        return below_.find(std::move(session_id));
    }
    Task<core::Result<std::optional<consultation::Session>>> find_by_meeting(std::string meeting_id) override {
        return below_.find_by_meeting(std::move(meeting_id));
    }
    Task<core::Result<std::optional<consultation::Session>>> find_by_appointment(std::string appointment_id) override {
        return below_.find_by_appointment(std::move(appointment_id));
    }
    Task<core::Result<SessionPage>> list(SessionQuery query) override { return below_.list(std::move(query)); }
    Task<core::Result<std::vector<consultation::AuditEntry>>> audit_trail(std::string session_id) override {
        return below_.audit_trail(std::move(session_id));
    }
    Task<core::Result<std::optional<IdempotencyRecord>>> find_idempotency(std::string user_id,
                                                                          std::string key) override {
        return below_.find_idempotency(std::move(user_id), std::move(key));
    }
    Task<core::Result<Committed>> commit(consultation::Change change,
                                         std::optional<IdempotencyRecord> idempotency = {}) override {
        return below_.commit(std::move(change), std::move(idempotency));
    }
    Task<core::Result<void>> heartbeat(std::vector<Heartbeat> beats) override {
        return below_.heartbeat(std::move(beats));
    }
    Task<core::Result<std::vector<std::string>>> due(DuePolicy policy, int limit) override {
        return below_.due(policy, limit);
    }
    Task<core::Result<std::vector<std::string>>> open_at(consultation::Provider provider, std::string after,
                                                         int limit) override {
        return below_.open_at(provider, std::move(after), limit);
    }
    Task<core::Result<void>> ping() override { return below_.ping(); }

    Task<core::Result<bool>> hold_lease(std::string name, std::string holder, std::chrono::milliseconds life) override {
        return below_.hold_lease(std::move(name), std::move(holder), life);
    }
    Task<core::Result<void>> release_lease(std::string name, std::string holder) override {
        return below_.release_lease(std::move(name), std::move(holder));
    }
    Task<core::Result<void>> append(consultation::Event event) override { return below_.append(std::move(event)); }
    Task<core::Result<std::vector<OutboxMessage>>> unpublished(int limit) override { return below_.unpublished(limit); }
    Task<core::Result<void>> mark_published(std::vector<std::int64_t> sequences) override {
        return below_.mark_published(std::move(sequences));
    }
    Task<core::Result<int>> fan_out(std::vector<std::string> endpoints, Time since, int limit) override {
        return below_.fan_out(std::move(endpoints), since, limit);
    }
    Task<core::Result<std::vector<Delivery>>> due_deliveries(Time now, int limit) override {
        return below_.due_deliveries(now, limit);
    }
    Task<core::Result<void>> finish_deliveries(std::vector<std::int64_t> delivery_ids) override {
        return below_.finish_deliveries(std::move(delivery_ids));
    }
    Task<core::Result<void>> postpone_delivery(std::int64_t delivery_id, Time next_attempt) override {
        return below_.postpone_delivery(delivery_id, next_attempt);
    }
    Task<core::Result<Backlog>> backlog(Channel channel) override { return below_.backlog(channel); }
    Task<core::Result<int>> prune_outbox(Time before, bool published_only, int limit) override {
        return below_.prune_outbox(before, published_only, limit);
    }

    Task<core::Result<std::vector<consultation::Job>>> claim_jobs(Time now, std::chrono::seconds lease,
                                                                  int limit) override {
        return below_.claim_jobs(now, lease, limit);
    }
    Task<core::Result<void>> finish_job(std::string job_id) override { return below_.finish_job(std::move(job_id)); }
    Task<core::Result<void>> postpone_job(std::string job_id, Time due_at) override {
        return below_.postpone_job(std::move(job_id), due_at);
    }
    Task<core::Result<void>> add_jobs(std::vector<consultation::Job> jobs) override {
        return below_.add_jobs(std::move(jobs));
    }
    Task<core::Result<Backlog>> job_backlog() override { return below_.job_backlog(); }

    Task<core::Result<Usage>> usage(Time from, Time to) override { return below_.usage(from, to); }
    Task<core::Result<std::vector<SessionUsage>>> usage_sessions(Time from, Time to, int limit) override {
        return below_.usage_sessions(from, to, limit);
    }
    Task<core::Result<std::int64_t>> billed_tenths(Time from, Time to, Time now) override {
        return below_.billed_tenths(from, to, now);
    }
    Task<core::Result<bool>> note_threshold(std::string month, int percent, consultation::Event event) override {
        return below_.note_threshold(std::move(month), percent, std::move(event));
    }
    Task<core::Result<void>> record_quality(std::string session_id, std::string user_id,
                                            consultation::Provider provider, QualityReport report, Time now) override {
        return below_.record_quality(std::move(session_id), std::move(user_id), provider, std::move(report), now);
    }
    Task<core::Result<bool>> record_chime_event(ChimeEvent event, Time now) override {
        return below_.record_chime_event(std::move(event), now);
    }
    Task<core::Result<std::vector<MeterRow>>> meter_rows(Time from, Time to, std::string after_session,
                                                         std::string after_user, int limit) override {
        return below_.meter_rows(from, to, std::move(after_session), std::move(after_user), limit);
    }

    Task<core::Result<void>> record(std::vector<consultation::AuditEntry> entries,
                                    std::vector<consultation::Event> events) override {
        return below_.record(std::move(entries), std::move(events));
    }

  protected:
    Store& below() const { return below_; }

  private:
    Store& below_;
};

}  // namespace service
