// Ports for tests of the site: down, or answering simply. Test only.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "api/site.hpp"
#include "service/directory.hpp"
#include "service/meeting_provider.hpp"
#include "service/store.hpp"
#include "service/token_verifier.hpp"

namespace api::testing_parts {

using service::Task;

/// A store that fails the same way always.
class FailingStore : public service::Store {
  public:
    core::Error error{core::ErrorKind::unavailable, "connection refused by 10.1.2.3", std::chrono::seconds{7}};
    bool throws = false;
    int asked = 0;

    std::unexpected<core::Error> no() {
        ++asked;
        if (throws) throw std::runtime_error("secret of the store");
        return std::unexpected(error);
    }

    Task<core::Result<std::optional<consultation::Session>>> find(std::string) override { co_return no(); }
    Task<core::Result<std::optional<consultation::Session>>> find_by_meeting(std::string) override { co_return no(); }
    Task<core::Result<std::optional<consultation::Session>>> find_by_appointment(std::string) override {
        co_return no();
    }
    Task<core::Result<service::SessionPage>> list(service::SessionQuery) override { co_return no(); }
    Task<core::Result<std::vector<consultation::AuditEntry>>> audit_trail(std::string) override { co_return no(); }
    Task<core::Result<std::optional<service::IdempotencyRecord>>> find_idempotency(std::string, std::string) override {
        co_return no();
    }
    Task<core::Result<service::Committed>> commit(consultation::Change,
                                                  std::optional<service::IdempotencyRecord>) override {
        co_return no();
    }
    Task<core::Result<void>> heartbeat(std::vector<service::Heartbeat>) override { co_return no(); }
    Task<core::Result<std::vector<std::string>>> due(service::DuePolicy, int) override { co_return no(); }
    Task<core::Result<std::vector<std::string>>> open_at(consultation::Provider, std::string, int) override {
        co_return no();
    }
    Task<core::Result<void>> ping() override { co_return no(); }

    Task<core::Result<void>> record(std::vector<consultation::AuditEntry>, std::vector<consultation::Event>) override {
        co_return no();
    }

    Task<core::Result<bool>> hold_lease(std::string, std::string, std::chrono::milliseconds) override {
        co_return no();
    }
    Task<core::Result<void>> release_lease(std::string, std::string) override { co_return no(); }
    Task<core::Result<void>> append(consultation::Event) override { co_return no(); }
    Task<core::Result<std::vector<service::OutboxMessage>>> unpublished(int) override { co_return no(); }
    Task<core::Result<void>> mark_published(std::vector<std::int64_t>) override { co_return no(); }
    Task<core::Result<int>> fan_out(std::vector<std::string>, core::Time, int) override { co_return no(); }
    Task<core::Result<std::vector<service::Delivery>>> due_deliveries(core::Time, int) override { co_return no(); }
    Task<core::Result<void>> finish_deliveries(std::vector<std::int64_t>) override { co_return no(); }
    Task<core::Result<void>> postpone_delivery(std::int64_t, core::Time) override { co_return no(); }
    Task<core::Result<service::Backlog>> backlog(service::Channel) override { co_return no(); }
    Task<core::Result<int>> prune_outbox(core::Time, bool, int) override { co_return no(); }

    Task<core::Result<std::vector<consultation::Job>>> claim_jobs(core::Time, std::chrono::seconds, int) override {
        co_return no();
    }
    Task<core::Result<void>> finish_job(std::string) override { co_return no(); }
    Task<core::Result<void>> postpone_job(std::string, core::Time) override { co_return no(); }
    Task<core::Result<void>> add_jobs(std::vector<consultation::Job>) override { co_return no(); }
    Task<core::Result<service::Backlog>> job_backlog() override { co_return no(); }

    Task<core::Result<service::Usage>> usage(core::Time, core::Time) override { co_return no(); }
    Task<core::Result<std::vector<service::SessionUsage>>> usage_sessions(core::Time, core::Time, int) override {
        co_return no();
    }
    Task<core::Result<std::int64_t>> billed_tenths(core::Time, core::Time, core::Time) override { co_return no(); }
    Task<core::Result<bool>> note_threshold(std::string, int, consultation::Event) override { co_return no(); }
    Task<core::Result<void>> record_quality(std::string, std::string, consultation::Provider, service::QualityReport,
                                            core::Time) override {
        co_return no();
    }
    Task<core::Result<bool>> record_chime_event(service::ChimeEvent, core::Time) override { co_return no(); }
    Task<core::Result<std::vector<service::MeterRow>>> meter_rows(core::Time, core::Time, std::string, std::string,
                                                                  int) override {
        co_return no();
    }
};

class NoMeetings final : public service::MeetingProvider {
  public:
    static std::unexpected<core::Error> none() { return core::fail(core::ErrorKind::internal, "none"); }

    Task<core::Result<service::MadeMeeting>> create_meeting(service::MeetingPlan) override { co_return none(); }
    Task<core::Result<service::Credentials>> credentials(consultation::Meeting, std::string, std::string, bool,
                                                         core::trace::Context) override {
        co_return none();
    }
    consultation::Meeting placed_for(consultation::Meeting meeting, std::string_view) const override { return meeting; }
    Task<core::Result<void>> end_meeting(consultation::Provider, std::string) override {
        co_return core::Result<void>{};
    }
    Task<core::Result<void>> remove_attendee(consultation::Provider, std::string, std::string) override {
        co_return core::Result<void>{};
    }
    Task<core::Result<std::vector<std::string>>> roster(consultation::Meeting) override { co_return none(); }
    Task<core::Result<void>> start_transcription(consultation::Meeting, service::TranscriptionOptions) override {
        co_return none();
    }
    Task<core::Result<void>> stop_transcription(consultation::Meeting) override { co_return none(); }
    Presence presence(consultation::Provider) const override { return Presence::none; }
};

/// The token is the role; the user is always 12.
class RoleIsToken final : public service::TokenVerifier {
  public:
    core::Result<service::Caller> verify(std::string_view token) const override {
        if (token == "forged")
            return core::fail(core::ErrorKind::unauthenticated, "Invalid authentication credentials");
        if (token == "empty") return core::fail(core::ErrorKind::unauthenticated, "Invalid token payload");
        return service::Caller{"12", std::string{token}};
    }
};

/// Renews what RoleIsToken knows; the grace that it was given is kept.
class RoleIsIdentity final : public service::TokenIssuer {
  public:
    mutable std::chrono::seconds grace{0};
    bool only_public_keys = false;

    core::Result<service::Identity> recognise(std::string_view token, std::chrono::seconds allowed) const override {
        grace = allowed;
        auto caller = RoleIsToken{}.verify(token);
        if (!caller) return std::unexpected(caller.error());
        return service::Identity{std::move(*caller), "doctor@example.org", std::nullopt};
    }
    core::Result<service::IssuedToken> issue(const service::Identity& identity,
                                             std::chrono::seconds life) const override {
        if (only_public_keys) return core::fail(core::ErrorKind::unsupported, "This service only knows public keys");
        return service::IssuedToken{"new-" + identity.caller.role, *core::parse_utc("2026-01-25T14:00:00") + life};
    }
};

/// Knows everybody; counts how often it was asked.
class Directory final : public service::Names {
  public:
    int asked = 0;

    Task<std::vector<service::SessionNames>> names_of(std::vector<service::NamesWanted> wanted) override {
        ++asked;
        std::vector<service::SessionNames> names;
        names.reserve(wanted.size());
        for (const auto& each : wanted) {
            names.push_back({"Dr. " + each.doctor_id, "Cardiology", "Patient " + each.patient_id, std::nullopt});
        }
        co_return names;
    }
};

/// A site over those ports; change `settings_` before the first `ask`.
class SiteTest : public testing::Test {
  protected:
    using Headers = std::map<std::string, std::string>;

    net::Response ask(std::string_view method, std::string_view target, const Headers& headers = {},
                      std::string_view body = {}) {
        boost::beast::http::fields fields;
        for (const auto& [name, value] : headers) fields.insert(name, value);
        net::Request request;
        request.method = method;
        request.target = target;
        request.body = body;
        request.request_id = "r-1";
        request.fields = &fields;
        if (!consultations_) use(store_);
        if (!handler_) handler_ = make_site(settings_, *consultations_, *metering_, tokens_);
        boost::asio::io_context context;
        auto answer = boost::asio::co_spawn(context, handler_(request), boost::asio::use_future);
        context.run();
        return answer.get();
    }

    static std::string header(const net::Response& response, std::string_view name) {
        std::string found;
        for (const auto& [key, value] : response.headers) {
            if (key == name) found += value;
        }
        return found;
    }

    static constexpr std::string_view kBooking =
        R"({"booking_type":"DIRECT_DOCTOR","doctor_id":"12","patient_id":"34","scheduled_start_time":"2026-01-25"})";

    /// The same site anew, over another store.
    void use(service::Store& store) {
        consultations_.emplace(service::ConsultationsSettings{}, store, meetings_, clock_);
        metering_.emplace(service::MeteringSettings{}, store, clock_);
        handler_ = {};
    }

    SiteSettings settings_;
    FailingStore store_;
    NoMeetings meetings_;
    RoleIsToken tokens_;
    core::SystemClock clock_;
    std::optional<service::Consultations> consultations_;
    std::optional<service::Metering> metering_;
    net::Handler handler_;
};

}  // namespace api::testing_parts
