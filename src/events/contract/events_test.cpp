#include "events/events.hpp"

#include <gtest/gtest.h>

#include "events/contract/harness.hpp"
#include "net/loopback.hpp"
#include "service/consultations.hpp"

namespace events::contract {
namespace {

using service::Vitals;

/// Booking and ending by message need no meeting: whoever asks for one gets none.
class NoMeetings final : public service::MeetingProvider {
  public:
    service::Task<core::Result<service::MadeMeeting>> create_meeting(service::MeetingPlan) override {
        co_return std::unexpected(none());
    }
    service::Task<core::Result<service::Credentials>> credentials(consultation::Meeting, std::string, std::string, bool,
                                                                  core::trace::Context) override {
        co_return std::unexpected(none());
    }
    consultation::Meeting placed_for(consultation::Meeting meeting, std::string_view) const override { return meeting; }
    service::Task<core::Result<void>> end_meeting(consultation::Provider, std::string) override {
        co_return core::Result<void>{};
    }
    service::Task<core::Result<void>> remove_attendee(consultation::Provider, std::string, std::string) override {
        co_return core::Result<void>{};
    }
    service::Task<core::Result<std::vector<std::string>>> roster(consultation::Meeting) override {
        co_return std::unexpected(none());
    }
    service::Task<core::Result<void>> start_transcription(consultation::Meeting,
                                                          service::TranscriptionOptions) override {
        co_return std::unexpected(none());
    }
    service::Task<core::Result<void>> stop_transcription(consultation::Meeting) override {
        co_return std::unexpected(none());
    }
    Presence presence(consultation::Provider) const override { return Presence::none; }

  private:
    static core::Error none() { return {core::ErrorKind::unsupported, "no meetings here", {}}; }
};

/// The service without its API: what comes and goes by messages.
class Service {
  public:
    explicit Service(EventsSettings settings)
        : consultations({.meeting_url_base = "http://localhost:8086"}, *store, meetings, clock),
          requests(*store, *store, consultations),
          events(with_zone(std::move(settings)), *store, requests, client, clock, loop.executor()) {}
    ~Service() { EXPECT_TRUE(events.stop(5s)); }
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    core::SystemClock clock;
    StoreFixture store;
    LoopThread loop;
    net::HttpClient client;
    NoMeetings meetings;
    service::Consultations consultations;
    service::PlatformRequests requests;
    Events events;

  private:
    static EventsSettings with_zone(EventsSettings settings) {
        settings.zone = [](std::chrono::local_time<std::chrono::microseconds> local) {
            return core::Time{local.time_since_epoch()} - 5h - 30min;
        };
        return settings;
    }
};

EventsSettings with_broker(const BrokerSettings& broker) {
    EventsSettings settings;
    settings.broker = broker;
    return settings;
}

EventsSettings with_webhook(const std::string& url, const std::string& secret) {
    EventsSettings settings;
    settings.webhook_urls = {url};
    settings.webhook_secret = secret;
    return settings;
}

class EventsTest : public BrokerTest {};

constexpr auto kAppointment = "789e1552-abfa-42ab-a7a9-b033e8b745f9";

Sent create(const std::string& made_at) {
    return {.body = std::string(R"({"event_type":"appointment.video.create","data":{"appointment_id":")") +
                    kAppointment +
                    R"(","doctor_id":"12","patient_id":34,"scheduled_time":"2036-01-25T14:00:00","timestamp":")" +
                    made_at + R"("}})",
            .headers = {{"__TypeId__", "java.util.HashMap"}}};
}

TEST_F(EventsTest, DefectD13ABookingByMessageIsMadeOnceAndAnsweredEachTime) {
    Service service(with_broker(server.settings()));
    service.events.start();
    client->send("appointments-exchange", "appointment.video.create", create("2026-01-24T10:30:00.123456789"));
    const auto announced = client->take(observer, 1);
    ASSERT_EQ(announced.size(), 1U);
    EXPECT_EQ(announced[0].routing_key, "video.session.created");
    EXPECT_NE(announced[0].body.find(kAppointment), std::string::npos);
    const auto session = service.loop.run(service.store->find_by_appointment(kAppointment)).value();
    ASSERT_TRUE(session);
    EXPECT_EQ(session->patient_id, "34");
    EXPECT_EQ(core::format_rfc3339(session->scheduled_start_time), "2036-01-25T08:30:00Z");
    EXPECT_EQ(announced[0].headers.at("session_id"), session->session_id);

    // The repetition makes no second session, but is answered again.
    client->send("appointments-exchange", "appointment.video.create", create("2026-01-24T11:00:00"));
    const auto again = client->take(observer, 1);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].routing_key, "video.session.created");
    EXPECT_EQ(again[0].headers.at("session_id"), session->session_id);
    EXPECT_NE(again[0].message_id, announced[0].message_id);
    ASSERT_TRUE(eventually([&] { return service.events.consumer().handled == 2; }));

    // Something that can never work.
    client->send(
        "appointments-exchange", "appointment.video.start",
        {.body = R"({"event_type":"appointment.video.start","data":{"session_id":"nobody","doctor_id":"12"}})"});
    EXPECT_EQ(client->take(std::string(kParkedQueue), 1).size(), 1U);
    ASSERT_TRUE(eventually([&] { return service.events.consumer().parked == 1; }));
    ASSERT_TRUE(eventually([&] { return service.events.broker().sent == 2; }));
    EXPECT_EQ(service.events.broker().link, Vitals::Link::healthy);
    EXPECT_EQ(service.events.consumer().link, Vitals::Link::healthy);
    EXPECT_EQ(service.events.webhooks().link, Vitals::Link::disabled);
}

TEST_F(EventsTest, StopsInTimeWithAFrozenBroker) {
    Service service(with_broker(server.settings()));
    service.events.start();
    ASSERT_TRUE(eventually([&] {
        return service.events.broker().link == Vitals::Link::healthy &&
               service.events.consumer().link == Vitals::Link::healthy;
    }));
    server.halt();
    const auto start = steady_clock::now();
    EXPECT_TRUE(service.events.stop(2s));
    EXPECT_LT(steady_clock::now() - start, 3s);
}

TEST(EventsWithoutBroker, EventsWaitAndAreCounted) {
    Service service({});
    service.events.start();
    ASSERT_TRUE(service.loop.run(service.store->append(event("s", 1, service.clock.now() - 60s))));
    ASSERT_TRUE(eventually([&] { return service.events.broker().waiting == 1; }));
    EXPECT_EQ(service.events.broker().link, Vitals::Link::disabled);
    EXPECT_EQ(service.events.consumer().link, Vitals::Link::disabled);
    EXPECT_GE(service.events.broker().oldest_seconds, 60);
}

TEST(EventsWithoutBroker, ABrokerThatIsAwayIsDisconnected) {
    auto settings = BrokerSettings{};
    settings.host = "127.0.0.1";
    settings.port = free_port();
    Service service(with_broker(settings));
    service.events.start();
    ASSERT_TRUE(eventually([&] { return !service.events.broker().last_error.empty(); }));
    EXPECT_EQ(service.events.broker().link, Vitals::Link::disconnected);
    EXPECT_EQ(service.events.consumer().link, Vitals::Link::disconnected);
    EXPECT_EQ(service.events.broker().last_error, "the broker cannot be reached");
}

TEST(EventsWithoutBroker, WebhooksAloneAreEnough) {
    std::atomic<int> calls{0};
    net::testing::Loopback receiver([&calls](const net::Request&) -> boost::asio::awaitable<net::Response> {
        ++calls;
        net::Response response;
        response.status = 204;
        co_return response;
    });
    Service service(with_webhook("http://127.0.0.1:" + std::to_string(receiver.port()) + "/", "whsec_c2VjcmV0"));
    service.events.start();
    ASSERT_TRUE(service.loop.run(service.store->append(event("s", 1, service.clock.now()))));
    ASSERT_TRUE(eventually([&] { return service.events.webhooks().sent == 1; }));
    EXPECT_EQ(service.events.webhooks().link, Vitals::Link::healthy);
    EXPECT_EQ(calls.load(), 1);
}

TEST(EventsWithoutBroker, WebhooksNeedASecret) {
    EXPECT_THROW(Service(with_webhook("http://127.0.0.1/", "")), std::invalid_argument);
    EXPECT_THROW(Service(with_webhook("http://127.0.0.1/", "whsec_?")), std::invalid_argument);
}

}  // namespace
}  // namespace events::contract
