// What the site does with the platform around it: names from the directory, tokens renewed in mid-call, Chime's
// notifications, and refusals of a provider on their way to the client.
#include <boost/json/parse.hpp>

#include "api/site_test_parts.hpp"

namespace api::testing_parts {
namespace {

namespace json = boost::json;

/// Holds one session of doctor 12, and takes every notification.
class OneSession final : public FailingStore {
  public:
    OneSession() {
        session.session_id = "54a780e9-cdea-473a-ad93-801d19d54ff4";
        session.doctor_id = "12";
        session.patient_id = "34";
        session.appointment_id = "789e1552-abfa-42ab-a7a9-b033e8b745f9";
    }
    consultation::Session session;
    std::vector<service::ChimeEvent> events;

    Task<core::Result<void>> record(std::vector<consultation::AuditEntry>, std::vector<consultation::Event>) override {
        co_return core::Result<void>{};
    }
    Task<core::Result<std::optional<consultation::Session>>> find(std::string) override { co_return session; }
    Task<core::Result<std::optional<consultation::Session>>> find_by_appointment(std::string id) override {
        if (id != session.appointment_id) co_return std::nullopt;
        co_return session;
    }
    Task<core::Result<std::optional<consultation::Session>>> find_by_meeting(std::string) override {
        co_return session;
    }
    Task<core::Result<service::SessionPage>> list(service::SessionQuery query) override {
        service::SessionPage page{{session, session}, 2};
        if (query.status && *query.status != session.status) page = {};
        co_return page;
    }
    Task<core::Result<bool>> record_chime_event(service::ChimeEvent event, core::Time) override {
        events.push_back(std::move(event));
        co_return true;
    }
};

const std::map<std::string, std::string> kDoctor{{"Authorization", "Bearer DOCTOR"}};

TEST_F(SiteTest, NamesComeWithOneQuestionForAnAnswer) {
    OneSession store;
    Directory directory;
    use(store);
    settings_.names = &directory;
    const auto one = json::parse(ask("GET", "/api/video/sessions/x", kDoctor).body);
    EXPECT_EQ(one.at("doctor_name"), "Dr. 12");
    EXPECT_EQ(one.at("doctor_specialty"), "Cardiology");
    EXPECT_EQ(one.at("patient_name"), "Patient 34");
    EXPECT_EQ(one.at("clinic_name"), nullptr);
    EXPECT_EQ(directory.asked, 1);
    const auto list = json::parse(ask("GET", "/api/video/sessions", kDoctor).body);
    EXPECT_EQ(list.at("sessions").as_array().size(), 2u);
    EXPECT_EQ(list.at("sessions").at(1).at("patient_name"), "Patient 34");
    EXPECT_EQ(directory.asked, 2);
    EXPECT_EQ(ask("GET", "/api/video/sessions?status=COMPLETED", kDoctor).status, 200u);
    EXPECT_EQ(ask("GET", "/api/video/sessions/x", {{"Authorization", "Bearer NURSE"}}).status, 403u);
    EXPECT_EQ(directory.asked, 2) << "nobody is asked for a refusal or an empty page";
}

TEST_F(SiteTest, WithoutADirectoryNamesAreNull) {
    OneSession store;
    use(store);
    const auto one = json::parse(ask("GET", "/api/video/sessions/x", kDoctor).body);
    for (const auto* name : {"doctor_name", "doctor_specialty", "patient_name", "clinic_name"}) {
        EXPECT_EQ(one.at(name), nullptr) << name;
    }
}

TEST_F(SiteTest, ASessionIsFoundByItsAppointment) {
    OneSession store;
    use(store);
    const auto found = ask("GET", "/api/video/sessions/by-appointment/789e1552-abfa-42ab-a7a9-b033e8b745f9", kDoctor);
    EXPECT_EQ(found.status, 200u);
    EXPECT_EQ(json::parse(found.body).at("session_id"), "54a780e9-cdea-473a-ad93-801d19d54ff4");
    EXPECT_EQ(ask("GET", "/api/video/sessions/by-appointment/another", kDoctor).status, 404u);
}

class RenewalTest : public SiteTest {
  protected:
    static constexpr std::string_view kPath = "/api/video/auth/refresh-token";

    std::string detail_of(const Headers& headers, unsigned status) {
        const auto response = ask("POST", kPath, headers);
        EXPECT_EQ(response.status, status) << response.body;
        if (status == 401) {
            EXPECT_EQ(header(response, "WWW-Authenticate"), "Bearer");
        }
        return std::string{json::parse(response.body).at("detail").as_string()};
    }

    RoleIsIdentity issuer_;
};

TEST_F(RenewalTest, GivesAParticipantOfARunningSessionANewToken) {
    OneSession store;
    store.session.status = consultation::Status::active;
    use(store);
    settings_.issuer = &issuer_;
    settings_.token_life = std::chrono::minutes{90};
    const auto response = ask("POST", kPath, kDoctor, "{\"broken");
    EXPECT_EQ(response.status, 200u);
    EXPECT_EQ(response.body,
              R"({"access_token":"new-DOCTOR","token_type":"bearer","expires_at":"2026-01-25T15:30:00Z",)"
              R"("user":{"user_id":"12","email":"doctor@example.org","role":"DOCTOR","name":null}})");
    EXPECT_EQ(header(response, "Cache-Control"), "no-store");
    EXPECT_EQ(issuer_.grace, std::chrono::minutes{30});
}

TEST_F(RenewalTest, RefusesEverybodyElse) {
    OneSession store;
    use(store);
    settings_.issuer = &issuer_;
    EXPECT_EQ(detail_of({}, 401), "Missing or invalid authorization header");
    EXPECT_EQ(detail_of({{"Authorization", "Basic ZG9jdG9yOjEy"}}, 401), "Missing or invalid authorization header");
    EXPECT_EQ(detail_of({{"Authorization", "Bearer forged"}}, 401), "Invalid token - cannot refresh");
    EXPECT_EQ(detail_of({{"Authorization", "Bearer empty"}}, 401), "Invalid token payload - missing user_id or role");
    // The session is only booked.
    EXPECT_EQ(detail_of(kDoctor, 403), "Only participants of a running session may renew an expired token");
}

TEST_F(RenewalTest, IsNotThereWhereTokensCannotBeMade) {
    EXPECT_EQ(ask("POST", kPath, kDoctor).status, 501u);
    OneSession store;
    store.session.status = consultation::Status::waiting;
    use(store);
    issuer_.only_public_keys = true;
    settings_.issuer = &issuer_;
    EXPECT_EQ(detail_of(kDoctor, 501), "This service only knows public keys");
}

TEST_F(RenewalTest, SaysSoWhenTheStoreIsDown) {
    settings_.issuer = &issuer_;
    const auto response = ask("POST", kPath, kDoctor);
    EXPECT_EQ(response.status, 503u);
    EXPECT_EQ(header(response, "Retry-After"), "7");
}

class ChimeEventsTest : public SiteTest {
  protected:
    static constexpr std::string_view kPath = "/api/video/chime/events";
    static constexpr std::string_view kEvent =
        R"({"id":"e1","detail-type":"Chime Meeting State Change","detail":{"eventType":"chime:AttendeeJoined",)"
        R"("timestamp":1769349600000,"meetingId":"m","attendeeId":"a"}})";
    const Headers key_{{"X-Api-Key", "the key"}};
};

TEST_F(ChimeEventsTest, AreNotTakenWithoutASecret) {
    EXPECT_EQ(ask("POST", kPath, key_, kEvent).status, 404u);
    EXPECT_EQ(ask("POST", kPath, {{"X-Api-Key", ""}}, kEvent).status, 404u);
}

TEST_F(ChimeEventsTest, WantTheSecretAsKeyOrPassword) {
    OneSession store;
    use(store);
    settings_.chime_events_secret = "the key";
    const std::vector<Headers> bad{{},
                                   {{"X-Api-Key", ""}},
                                   {{"X-Api-Key", "the ke"}},
                                   {{"X-Api-Key", "the key!"}},
                                   {{"X-Api-Key", "no"}, {"Authorization", "Basic YXdzOnRoZSBrZXk="}},
                                   {{"Authorization", "Basic YXdzOnRoZSBrZQ=="}},
                                   {{"Authorization", "Basic dGhlIGtleQ=="}},
                                   {{"Authorization", "Basic ****"}},
                                   {{"Authorization", "Bearer the key"}}};
    for (const auto& headers : bad) {
        const auto response = ask("POST", kPath, headers, kEvent);
        EXPECT_EQ(response.status, 401u);
        EXPECT_EQ(header(response, "WWW-Authenticate"), "Basic realm=\"chime events\"");
    }
    EXPECT_TRUE(store.events.empty());
    EXPECT_EQ(ask("POST", kPath, key_, kEvent).body, R"({"accepted":1})");
    EXPECT_EQ(ask("POST", kPath, {{"Authorization", "basic YXdzOnRoZSBrZXk="}}, kEvent).status, 202u);
    ASSERT_EQ(store.events.size(), 2u);
    EXPECT_EQ(store.events[0].event_id, "e1");
    EXPECT_EQ(store.events[0].occurred_at, *core::parse_utc("2026-01-25T14:00:00"));
}

TEST_F(ChimeEventsTest, WhatIsUnknownIsAcceptedSoThatItIsNotRepeated) {
    settings_.chime_events_secret = "the key";
    for (const auto* other : {"{}", "[]", R"({"detail-type":"Scheduled Event","detail":{}})"}) {
        const auto response = ask("POST", kPath, key_, other);
        EXPECT_EQ(response.status, 202u) << other;
        EXPECT_EQ(response.body, R"({"accepted":0})");
    }
    EXPECT_EQ(ask("POST", kPath, key_, "{\"broken").status, 422u);
    EXPECT_EQ(ask("POST", kPath, key_, "").status, 422u);
    EXPECT_EQ(store_.asked, 0);
}

TEST_F(ChimeEventsTest, AreToBeSentAgainWhenTheStoreIsDown) {
    settings_.chime_events_secret = "the key";
    const auto response = ask("POST", kPath, key_, kEvent);
    EXPECT_EQ(response.status, 503u);
    EXPECT_EQ(header(response, "Retry-After"), "7");
}

TEST_F(SiteTest, WhatAProviderRefusesIsToldInOurWords) {
    using enum core::ErrorKind;
    const std::vector<std::pair<core::ErrorKind, unsigned>> table{
        {gone, 410}, {unsupported, 501}, {bad_gateway, 502}, {timeout, 504}};
    for (const auto& [kind, status] : table) {
        store_.error = {kind, "The meeting service says no", std::chrono::seconds{3}};
        const auto response = ask("POST", "/api/video/sessions/x/join", kDoctor, "{}");
        EXPECT_EQ(response.status, status);
        EXPECT_EQ(response.body, R"({"detail":"The meeting service says no"})");
        EXPECT_EQ(header(response, "Retry-After"), "3");
    }
    store_.error.retry_after = {};
    EXPECT_EQ(header(ask("GET", "/api/video/sessions/x", kDoctor), "Retry-After"), "");
}

}  // namespace
}  // namespace api::testing_parts
