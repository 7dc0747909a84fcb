// Attendee-minutes, call quality and what Chime reported, as figures.
#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using consultation::Provider;
using consultation::Role;
using service::ProviderUsage;

const Time kJanuary = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
const Time kFebruary = std::chrono::sys_days{std::chrono::year{2026} / 2 / 1};

class Meter : public StoreTest {
  protected:
    void record(int session, const std::string& user, Provider provider, int minutes, std::int64_t tenths, Time date) {
        auto change = update(find(id(session)).value_or(created_if_absent(session)));
        change.usage = {{id(session), user, minutes, date, true, provider, tenths}};
        ASSERT_EQ(commit(change), Committed::applied);
    }
    Session created_if_absent(int number) {
        auto session = plain_session(number);
        if (!find(session.session_id)) created(session);
        return session;
    }
    /// Known under `attendee_id` when the stay began, under nothing afterwards.
    void stay(int interval, int session, const std::string& user, Provider provider, Time joined,
              std::optional<Time> left, const std::string& attendee_id = "") {
        auto change = update(find(id(session)).value_or(created_if_absent(session)));
        Attendee person;
        person.row_id = id(session) + user;
        person.row_id.erase(0, person.row_id.size() - 36);
        person.user_id = user;
        person.chime_attendee_id = attendee_id;
        if (!left) person.open_interval_id = id(interval);
        auto& people = change.after.attendees;
        std::erase_if(people, [&](const Attendee& other) { return other.user_id == user; });
        people.push_back(person);
        change.intervals = {{id(interval), id(session), user, Role::patient, joined, left, provider,
                             "meeting-" + std::to_string(session)}};
        ASSERT_EQ(commit(change), Committed::applied);
        auto after = update(*find(id(session)));
        for (auto& other : after.after.attendees) other.chime_attendee_id = "";
        ASSERT_EQ(commit(after), Committed::applied);
    }
    void meeting(int session, const std::string& meeting_id) {
        auto change = update(find(id(session)).value_or(created_if_absent(session)));
        change.meetings = {{meeting_id, id(session), Provider::chime, 1, at(), {}}};
        ASSERT_EQ(commit(change), Committed::applied);
    }
    bool report(const std::string& type, const std::string& meeting_id, const std::string& attendee_id, Time when) {
        return done(store->record_chime_event(
            {"event-" + std::to_string(++events), "chime:" + type, meeting_id, attendee_id, when}, when));
    }
    service::Usage january() { return done(store->usage(kJanuary, kFebruary)); }
    std::vector<service::MeterRow> rows(int limit = 100) {
        return done(store->meter_rows(kJanuary, kFebruary, "", "", limit));
    }

    int events = 0;
};
STORE_TEST_SUITE(Meter);
SEALED_STORE_TEST_SUITE(Meter);

TEST_P(Meter, UsageByProviderAndDay) {
    record(1, "12", Provider::embedded, 30, 0, at());
    record(1, "34", Provider::embedded, 29, 0, at(1min));
    record(2, "12", Provider::chime, 10, 101, at(24h));
    record(2, "34", Provider::chime, 9, 95, at(24h));
    record(2, "34", Provider::embedded, 5, 0, at(24h));
    record(3, "12", Provider::chime, 7, 70, kFebruary - 1us);
    record(3, "34", Provider::chime, 3, 30, kFebruary);  // another month's
    record(4, "34", Provider::chime, 3, 30, kJanuary - 1us);

    const auto usage = january();
    EXPECT_EQ(usage.embedded, (ProviderUsage{64, 0, 2}));
    EXPECT_EQ(usage.chime, (ProviderUsage{26, 266, 2}));
    ASSERT_EQ(usage.days.size(), 3U);
    EXPECT_EQ(usage.days[0].day, at(-14h));
    EXPECT_EQ(usage.days[0].embedded, (ProviderUsage{59, 0, 1}));
    EXPECT_EQ(usage.days[0].chime, ProviderUsage{});
    EXPECT_EQ(usage.days[1].day, at(10h));
    EXPECT_EQ(usage.days[1].embedded, (ProviderUsage{5, 0, 1}));
    EXPECT_EQ(usage.days[1].chime, (ProviderUsage{19, 196, 1}));
    EXPECT_EQ(usage.days[2].day, kFebruary - 24h);
    EXPECT_EQ(usage.days[2].chime, (ProviderUsage{7, 70, 1}));
}

TEST_P(Meter, NothingIsNoFigure) {
    const auto usage = january();
    EXPECT_EQ(usage.sessions, 0);
    EXPECT_EQ(usage.embedded, ProviderUsage{});
    EXPECT_EQ(usage.chime, ProviderUsage{});
    EXPECT_EQ(usage.average_session_minutes, std::nullopt);
    EXPECT_TRUE(usage.days.empty());
    EXPECT_EQ(usage.quality.reports, 0);
    EXPECT_EQ(usage.quality.latency_ms, std::nullopt);
    EXPECT_TRUE(done(store->usage_sessions(kJanuary, kFebruary, 10)).empty());
    EXPECT_EQ(done(store->billed_tenths(kJanuary, kFebruary, at())), 0);
    EXPECT_TRUE(rows().empty());
}

TEST_P(Meter, TheAverageIsOverWhatWasCompletedInTheMonth) {
    const auto lasting = [&](int number, Status status, Time start, std::chrono::microseconds length) {
        auto session = plain_session(number);
        session.status = status;
        session.actual_start_time = start;
        session.actual_end_time = start + length;
        created(session);
    };
    lasting(1, Status::completed, at(), 30min);
    lasting(2, Status::completed, at(), 10min + 30s);
    lasting(3, Status::cancelled, at(), 500min);
    lasting(4, Status::completed, kFebruary - 1min, 1min);
    lasting(5, Status::completed, kJanuary - 3min, 3min);
    EXPECT_DOUBLE_EQ(january().average_session_minutes.value(), 14.5);
}

TEST_P(Meter, APersonAtTwoProvidersHasTwoRecords) {
    auto change = creation(plain_session(1));
    change.usage = {{id(1), "34", 1, at(), false, Provider::chime, 11},
                    {id(1), "34", 2, at(), false, Provider::embedded, 0},
                    {id(1), "34", 3, at(), true, Provider::chime, 33}};
    EXPECT_EQ(commit(change), Committed::applied);
    EXPECT_EQ(january().chime, (ProviderUsage{3, 33, 1}));
    EXPECT_EQ(january().embedded, (ProviderUsage{2, 0, 1}));
}

TEST_P(Meter, TheSessionsBehindTheFigureLatestFirst) {
    record(1, "12", Provider::embedded, 30, 0, at(1min));
    record(1, "34", Provider::embedded, 29, 0, at());
    record(2, "12", Provider::chime, 10, 101, at(1h));
    record(3, "12", Provider::chime, 10, 101, kFebruary);
    const auto sessions = done(store->usage_sessions(kJanuary, kFebruary, 10));
    ASSERT_EQ(sessions.size(), 2U);
    EXPECT_EQ(sessions[0].session_id, id(2));
    EXPECT_EQ(sessions[0].provider, Provider::chime);
    EXPECT_EQ(sessions[0].billed_tenths, 101);
    EXPECT_EQ(sessions[1].session_id, id(1));
    EXPECT_EQ(sessions[1].doctor_id, "12");
    EXPECT_EQ(sessions[1].patient_id, "34");
    EXPECT_EQ(sessions[1].provider, Provider::embedded);
    EXPECT_EQ(sessions[1].date, at());
    EXPECT_EQ(sessions[1].attendee_minutes, 59);
    EXPECT_EQ(done(store->usage_sessions(kJanuary, kFebruary, 1)).size(), 1U);
}

TEST_P(Meter, WhatRunsNowIsBilledToo) {
    record(1, "12", Provider::chime, 10, 101, at());
    record(1, "34", Provider::chime, 10, 7, kJanuary - 1us);
    stay(50, 2, "12", Provider::chime, at(), std::nullopt);           // 60.000001 s: eleven tenths
    stay(51, 2, "34", Provider::chime, at(1min), std::nullopt);       // 0.000001 s: one
    stay(52, 3, "34", Provider::chime, at(2h), std::nullopt);         // the future: none
    stay(53, 4, "34", Provider::embedded, at(), std::nullopt);        // ours costs nothing
    stay(54, 5, "34", Provider::chime, at(), at(1min));               // over: its record will say
    stay(55, 6, "34", Provider::chime, kJanuary - 1h, std::nullopt);  // last month's
    EXPECT_EQ(done(store->billed_tenths(kJanuary, kFebruary, at(1min + 1us))), 101 + 11 + 1);
}

TEST_P(Meter, AThresholdIsToldOfOnceAMonth) {
    EXPECT_TRUE(done(store->note_threshold("2026-01", 50, event(1, "usage"))));
    EXPECT_FALSE(done(store->note_threshold("2026-01", 50, event(2, "usage"))));
    EXPECT_TRUE(done(store->note_threshold("2026-01", 80, event(3, "usage"))));
    EXPECT_TRUE(done(store->note_threshold("2026-02", 50, event(4, "usage"))));
    std::vector<std::string> told;
    for (const auto& message : done(store->unpublished(10))) told.push_back(message.event_id);
    EXPECT_EQ(told, (std::vector{id(1), id(3), id(4)}));
}

TEST_P(Meter, OfTwoProcessesThatCrossAThresholdOneTells) {
    const auto other = backend->open();
    for (int round = 0; round < 20; ++round) {
        const auto first = loop.begin(store->note_threshold("2026-01", round, event(round, "usage")));
        const auto second = loop.begin(other->note_threshold("2026-01", round, event(100 + round, "usage")));
        EXPECT_NE(awaited(first), awaited(second));
    }
    EXPECT_EQ(done(store->unpublished(100)).size(), 20U);
}

TEST_P(Meter, QualityIsTheMeanOfWhatWasMeasured) {
    const auto quality = [&](service::QualityReport report) {
        done(store->record_quality(id(1), "34", Provider::chime, std::move(report), at()));
    };
    quality({100, 0.25, 5, {}, {}, {}});
    quality({101, {}, 4, {}, true, "echo"});
    quality({102, 1.0, 4, {}, {}, "none now"});
    quality({});
    const auto column = [&](const std::string& name) {
        return backend->value("SELECT " + name + " FROM video_consultation_metrics");
    };
    EXPECT_EQ(column("count(*)"), "1");
    EXPECT_EQ(column("average_latency_ms"), "101");
    EXPECT_EQ(std::stod(column("packet_loss_percentage")), 0.63);
    EXPECT_EQ(column("audio_quality_score"), "4");
    EXPECT_EQ(column("video_quality_score IS NULL"), column("1 = 1"));
    EXPECT_EQ(column("technical_issues"), column("1 = 1"));
    const bool is_sealed = GetParam().ends_with("_sealed");
    EXPECT_EQ(column("issue_description").starts_with("enc1:1:"), is_sealed);
    if (!is_sealed) EXPECT_EQ(column("issue_description"), "none now");
    quality({{}, {}, {}, {}, false, {}});
    EXPECT_EQ(column("technical_issues"), column("1 = 0"));

    done(store->record_quality(id(1), "34", Provider::embedded, {7, {}, {}, 2, {}, {}}, at()));
    done(store->record_quality(id(2), "12", Provider::chime, {5000, {}, {}, {}, {}, {}}, kFebruary));
    const auto summary = january().quality;
    EXPECT_EQ(summary.reports, 6);
    EXPECT_DOUBLE_EQ(summary.latency_ms.value(), 310.0 / 4);
    EXPECT_DOUBLE_EQ(summary.packet_loss_percentage.value(), 0.625);
    EXPECT_DOUBLE_EQ(summary.audio_score.value(), 13.0 / 3);
    EXPECT_DOUBLE_EQ(summary.video_score.value(), 2);
}

TEST_P(Meter, AReportOfQualityIsNoUsage) {
    done(store->record_quality(id(1), "34", Provider::chime, {9, {}, {}, {}, {}, {}}, at(5h)));
    EXPECT_EQ(january().chime, ProviderUsage{});
    EXPECT_TRUE(january().days.empty());
    EXPECT_TRUE(done(store->usage_sessions(kJanuary, kFebruary, 10)).empty());
    EXPECT_TRUE(rows().empty());
    // The record joins it in its row, and keeps it.
    record(1, "34", Provider::chime, 10, 100, at());
    EXPECT_EQ(january().chime, (ProviderUsage{10, 100, 1}));
    EXPECT_EQ(january().quality.reports, 1);
    EXPECT_EQ(done(store->usage_sessions(kJanuary, kFebruary, 10)).at(0).date, at());
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_metrics"), "1");
}

TEST_P(Meter, WhatChimeToldIsNotedOnce) {
    const service::ChimeEvent told{"event", "chime:AttendeeJoined", "meeting", "attendee", at()};
    EXPECT_TRUE(done(store->record_chime_event(told, at(1s))));
    EXPECT_FALSE(done(store->record_chime_event(told, at(2s))));
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_chime_events"), "1");
}

TEST_P(Meter, RecordsStandBesideTheirIntervals) {
    stay(50, 1, "12", Provider::chime, at(), at(1min));
    stay(51, 1, "12", Provider::chime, at(2min), at(2min + 1us));
    stay(52, 1, "12", Provider::chime, at(3min), std::nullopt);
    record(1, "12", Provider::chime, 1, 11, at());
    stay(53, 1, "12", Provider::embedded, at(5min), at(15min));
    record(1, "34", Provider::chime, 5, 50, at());                // no interval
    stay(54, 2, "34", Provider::embedded, at(), at(7min));        // no record
    stay(55, 3, "34", Provider::embedded, at(), std::nullopt);    // still inside: nothing to compare
    stay(56, 4, "34", Provider::chime, kJanuary - 1h, kJanuary);  // began in another month
    stay(57, 4, "34", Provider::chime, kJanuary + 1h, kJanuary + 2h);
    stay(58, 5, "34", Provider::chime, kFebruary - 1us, kFebruary + 1min);  // this month's to the end
    const auto found = rows();
    const auto expect = [&](std::size_t place, int session, const std::string& user, Provider provider,
                            std::int64_t minutes, std::int64_t tenths, std::chrono::microseconds sum,
                            std::int64_t interval_tenths) {
        ASSERT_LT(place, found.size());
        const auto& row = found[place];
        EXPECT_EQ(row.session_id, id(session)) << place;
        EXPECT_EQ(row.user_id, user) << place;
        EXPECT_EQ(row.provider, provider) << place;
        EXPECT_EQ(row.attendee_minutes, minutes) << place;
        EXPECT_EQ(row.billed_tenths, tenths) << place;
        EXPECT_EQ(row.interval_micros, sum.count()) << place;
        EXPECT_EQ(row.interval_tenths, interval_tenths) << place;
        EXPECT_EQ(row.provider_micros, std::nullopt) << place;
    };
    EXPECT_EQ(found.size(), 5U);
    expect(0, 1, "12", Provider::chime, 1, 11, 1min + 1us, 11);
    expect(1, 1, "12", Provider::embedded, 0, 0, 10min, 0);
    expect(2, 1, "34", Provider::chime, 5, 50, 0us, 0);
    expect(3, 2, "34", Provider::embedded, 0, 0, 7min, 0);
    expect(4, 5, "34", Provider::chime, 0, 0, 1min + 1us, 11);
}

TEST_P(Meter, PagesOfRowsNeverTearAPersonApart) {
    for (int session = 1; session <= 4; ++session) {
        for (const std::string user : {"12", "34"}) {
            record(session, user, Provider::chime, 1, 10, at());
            record(session, user, Provider::embedded, 1, 0, at());
        }
    }
    std::vector<std::string> seen;
    std::string session;
    std::string user;
    for (auto page = rows(3); !page.empty(); page = done(store->meter_rows(kJanuary, kFebruary, session, user, 3))) {
        EXPECT_LE(page.size(), 6U);
        for (const auto& row : page) {
            seen.push_back(row.session_id + row.user_id + std::string(to_text(row.provider)));
        }
        session = page.back().session_id;
        user = page.back().user_id;
    }
    std::vector<std::string> all;
    for (const auto& row : rows()) all.push_back(row.session_id + row.user_id + std::string(to_text(row.provider)));
    EXPECT_EQ(all.size(), 16U);
    EXPECT_EQ(seen, all);
}

TEST_P(Meter, DriftAgainstWhatChimeTold) {
    meeting(1, "first");
    meeting(1, "second");
    meeting(2, "foreign");
    stay(50, 1, "34", Provider::chime, at(), at(10min), "one");
    stay(51, 1, "34", Provider::chime, at(20min), at(30min), "two");
    record(1, "34", Provider::chime, 20, 200, at());
    EXPECT_EQ(rows().at(0).provider_micros, std::nullopt);

    // Out of order, with a reconnection, a doubled join, and an end that only the meeting's tells.
    EXPECT_TRUE(report("AttendeeLeft", "first", "one", at(9min)));
    EXPECT_TRUE(report("AttendeeJoined", "first", "one", at()));
    EXPECT_TRUE(report("AttendeeDropped", "first", "one", at(4min)));
    EXPECT_TRUE(report("AttendeeJoined", "first", "one", at(5min)));
    EXPECT_TRUE(report("AttendeeJoined", "first", "one", at(6min)));
    EXPECT_TRUE(report("AttendeeVideoStarted", "first", "one", at(7min)));
    EXPECT_TRUE(report("AttendeeJoined", "second", "two", at(20min)));
    EXPECT_TRUE(report("MeetingEnded", "second", "", at(29min)));
    // None of this person's business.
    EXPECT_TRUE(report("MeetingEnded", "first", "", at(19min)));
    EXPECT_TRUE(report("AttendeeJoined", "first", "somebody", at()));
    EXPECT_TRUE(report("AttendeeLeft", "first", "somebody", at(8min)));
    EXPECT_TRUE(report("AttendeeJoined", "foreign", "one", at()));
    EXPECT_TRUE(report("AttendeeLeft", "foreign", "one", at(1h)));
    const auto row = rows().at(0);
    EXPECT_EQ(row.interval_micros, std::chrono::microseconds(20min).count());
    EXPECT_EQ(row.provider_micros, std::chrono::microseconds(4min + 4min + 9min).count());
}

TEST_P(Meter, WhoIsStillConnectedCountsNothingYet) {
    meeting(1, "first");
    stay(50, 1, "34", Provider::chime, at(), at(), "one");
    EXPECT_TRUE(report("AttendeeJoined", "first", "one", at()));
    EXPECT_EQ(rows().at(0).provider_micros, 0);
}

}  // namespace
}  // namespace store::contract
