#include "events/requests.hpp"

#include <gtest/gtest.h>

namespace events {
namespace {

using namespace std::chrono_literals;

/// A zone that is half past five ahead, all year.
core::Time zone(std::chrono::local_time<std::chrono::microseconds> local) {
    return core::Time{local.time_since_epoch()} - 5h - 30min;
}

core::Time utc(int hour, int minute, std::chrono::microseconds more = 0us) {
    return core::Time{std::chrono::sys_days{2026y / 1 / 25} + std::chrono::hours(hour) + std::chrono::minutes(minute)} +
           more;
}

template <class T>
T parsed(std::string_view body) {
    auto request = parse_request(body, zone);
    if (const auto* bad = std::get_if<BadRequest>(&request)) {
        if constexpr (!std::is_same_v<T, BadRequest>) ADD_FAILURE() << bad->reason;
    }
    EXPECT_TRUE(std::holds_alternative<T>(request));
    return std::holds_alternative<T>(request) ? std::get<T>(request) : T{};
}

std::string create(const std::string& data) {
    return R"({"event_type":"appointment.video.create","data":)" + data + "}";
}

TEST(Requests, CreateAsTheAppointmentsServiceSendsIt) {
    const std::string body =
        create(R"({"appointment_id":"789e1552-abfa-42ab-a7a9-b033e8b745f9","doctor_id":"12","patient_id":"34",)"
               R"("scheduled_time":"2026-01-25T14:00:00","timestamp":"2026-01-24T10:30:00.123456789"})");
    const auto request = parsed<service::RequestedSession>(body);
    EXPECT_EQ(request.appointment_id, "789e1552-abfa-42ab-a7a9-b033e8b745f9");
    EXPECT_EQ(request.doctor_id, "12");
    EXPECT_EQ(request.patient_id, "34");
    EXPECT_EQ(request.scheduled_start_time, utc(8, 30));
    EXPECT_EQ(request.request_id.size(), 64U);
    EXPECT_EQ(parsed<service::RequestedSession>(body).request_id, request.request_id);
    EXPECT_EQ(event_type_of(parse_request(body, zone)), "appointment.video.create");
}

TEST(Requests, RequestIdIsTheHashOfTheBody) {
    // sha256sum of "abc" (FIPS 180-2, appendix B.1).
    EXPECT_EQ(request_id_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Requests, NumbersAreIdsToo) {
    const auto request = parsed<service::RequestedSession>(
        create(R"({"appointment_id":7,"doctor_id":12,"patient_id":18446744073709551615,)"
               R"("scheduled_time":"2026-01-25T14:00:00.5"})"));
    EXPECT_EQ(request.appointment_id, "7");
    EXPECT_EQ(request.doctor_id, "12");
    EXPECT_EQ(request.patient_id, "18446744073709551615");
    EXPECT_EQ(request.scheduled_start_time, utc(8, 30, 500ms));
}

TEST(Requests, FractionsOfEveryLength) {
    const auto time = [](const std::string& text) {
        return parsed<service::RequestedSession>(
                   create(R"({"appointment_id":"a","doctor_id":"1","patient_id":"2","scheduled_time":")" + text +
                          "\"}"))
            .scheduled_start_time;
    };
    EXPECT_EQ(time("2026-01-25T14:00:00.1"), utc(8, 30, 100ms));
    EXPECT_EQ(time("2026-01-25T14:00:00.123456789"), utc(8, 30, 123456us));
    EXPECT_EQ(time("2026-01-25T14:00:00Z"), utc(14, 0));
    EXPECT_EQ(time("2026-01-25T14:00:00+02:00"), utc(12, 0));
}

TEST(Requests, StartAndEnd) {
    const auto start = parsed<service::RequestedStart>(
        R"({"data":{"doctor_id":12,"session_id":"meeting-1","timestamp":"2026-01-25T14:00:03.52"},)"
        R"("event_type":"appointment.video.start"})");
    EXPECT_EQ(start.session, "meeting-1");
    EXPECT_EQ(start.doctor_id, "12");
    const auto end = parsed<service::RequestedEnd>(
        R"({"event_type":"appointment.video.end","data":{"session_id":"meeting-1","ended_by":"34",)"
        R"("ended_by_role":"patient"}})");
    EXPECT_EQ(end.session, "meeting-1");
    EXPECT_EQ(end.ended_by, "34");
    EXPECT_EQ(end.ended_by_role, "patient");
}

TEST(Requests, MismatchM6AnEmptyOrNullIdIsAnError) {
    for (const auto* id : {R"("")", R"("null")", "null", "true", "1.5", "{}", R"("a\u0000b")"}) {
        const auto bad = parsed<BadRequest>(
            std::string(R"({"event_type":"appointment.video.start","data":{"doctor_id":"12","session_id":)") + id +
            "}}");
        EXPECT_EQ(bad.event_type, "appointment.video.start");
        EXPECT_TRUE(bad.reason.starts_with("session_id ")) << bad.reason;
        EXPECT_FALSE(bad.appointment_id);
    }
}

TEST(Requests, AFailedCreateKnowsItsAppointment) {
    const auto bad = [](const std::string& data) { return parsed<BadRequest>(create(data)); };
    EXPECT_EQ(bad(R"({"appointment_id":"a","doctor_id":"1","patient_id":"2"})").appointment_id, "a");
    EXPECT_EQ(bad(R"({"appointment_id":"a","doctor_id":"1","patient_id":"2"})").reason, "scheduled_time is missing");
    for (const auto* time :
         {R"("soon")", R"("2026-01-25")", R"("2026-02-30T14:00:00")", "1769349600", "[2026,1,25]", R"("")"}) {
        const auto refused = bad(
            std::string(R"({"appointment_id":"a","doctor_id":"1","patient_id":"2","scheduled_time":)") + time + "}");
        EXPECT_EQ(refused.appointment_id, "a");
        EXPECT_TRUE(refused.reason.starts_with("scheduled_time ")) << refused.reason;
    }
    EXPECT_EQ(bad(R"({"appointment_id":"a","patient_id":"2","scheduled_time":"2026-01-25T14:00:00"})").appointment_id,
              "a");
    EXPECT_FALSE(bad(R"({"doctor_id":"1","patient_id":"2","scheduled_time":"2026-01-25T14:00:00"})").appointment_id);
    EXPECT_FALSE(bad(R"({"appointment_id":")" + std::string(37, 'a') + R"("})").appointment_id);
}

TEST(Requests, WhatIsNoMessageAtAll) {
    for (const auto* body : {"", "x", "[]", "17", "{", R"({"data":{}})", R"({"event_type":1})", "\xff\xfe"}) {
        EXPECT_EQ(parsed<BadRequest>(body).event_type, "?") << body;
    }
    EXPECT_EQ(parsed<BadRequest>(std::string(kMostRequestBytes + 1, ' ')).reason, "the message is too long");
    EXPECT_EQ(parsed<BadRequest>(R"({"event_type":"appointment.video.end"})").reason, "the message has no data");
    EXPECT_EQ(parsed<BadRequest>(R"({"event_type":"appointment.video.end","data":{"session_id":"a","ended_by":"1",)"
                                 R"("ended_by_role":"admin"}})")
                  .reason,
              "ended_by_role is neither doctor nor patient");
}

TEST(Requests, UnknownKindsAreNamedOnlyWhenTheyLookLikeOne) {
    EXPECT_EQ(parsed<UnknownRequest>(R"({"event_type":"appointment.video.moved"})").event_type,
              "appointment.video.moved");
    EXPECT_EQ(parsed<UnknownRequest>(R"({"event_type":"Jane Doe, 12 Main St"})").event_type, "?");
    EXPECT_EQ(parsed<UnknownRequest>(R"({"event_type":""})").event_type, "?");
}

}  // namespace
}  // namespace events
