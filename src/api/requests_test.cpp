#include "api/requests.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace api {
namespace {

namespace json = boost::json;
using consultation::BookingType;
using core::parse_utc;

const json::object kBooking = json::parse(R"({"booking_type":"CLINIC_BASED","appointment_id":"a-1","doctor_id":"12",
    "patient_id":"34","scheduled_start_time":"2026-01-25T14:00:00"})")
                                  .as_object();

std::string with(std::string_view field, std::string_view value) {
    auto body = kBooking;
    body[{field.data(), field.size()}] = json::parse({value.data(), value.size()});
    return json::serialize(body);
}

std::string without(std::string_view field) {
    auto body = kBooking;
    body.erase({field.data(), field.size()});
    return json::serialize(body);
}

std::optional<service::CreateRequest> created(const std::string& body, Faults& faults) {
    return read_create({body, "application/json"}, core::utc_zone(), {}, faults);
}

service::CreateRequest accepted(const std::string& body) {
    Faults faults;
    auto request = created(body, faults);
    EXPECT_TRUE(request) << faults.body();
    return request.value_or(service::CreateRequest{});
}

/// The faults without their inputs, one a line: `type place msg ctx`.
std::string told(const Faults& faults) {
    if (!faults.any()) return "";
    std::string out;
    for (const auto& each : json::parse(faults.body()).at("detail").as_array()) {
        const auto& fault = each.as_object();
        EXPECT_TRUE(fault.contains("input"));
        if (!out.empty()) out += '\n';
        out += fault.at("type").as_string();
        out += ' ' + json::serialize(fault.at("loc")) + ' ';
        out += fault.at("msg").as_string();
        if (const auto* ctx = fault.if_contains("ctx")) out += ' ' + json::serialize(*ctx);
    }
    return out;
}

std::string refused(const std::string& body, std::string_view content_type = "application/json") {
    Faults faults;
    EXPECT_FALSE(read_create({body, content_type}, core::utc_zone(), {}, faults)) << body;
    return told(faults);
}

TEST(CreateSession, IsReadInFull) {
    const auto request =
        accepted(R"({"booking_type":"CLINIC_BASED","appointment_id":"789e1552-abfa-42ab-a7a9-b033e8b745f9",
        "doctor_id":"12","patient_id":"34","clinic_id":4,"scheduled_start_time":"2026-01-25T14:00:00+05:30",
        "consultation_duration_minutes":45,"chief_complaint":"Follow-up \u00e9\ud83d\ude00","unknown":[1]})");
    EXPECT_EQ(request.booking_type, BookingType::clinic_based);
    EXPECT_EQ(request.appointment_id, "789e1552-abfa-42ab-a7a9-b033e8b745f9");
    EXPECT_EQ(request.doctor_id, "12");
    EXPECT_EQ(request.patient_id, "34");
    EXPECT_EQ(request.clinic_id, 4);
    EXPECT_EQ(request.scheduled_start_time, parse_utc("2026-01-25T08:30:00"));
    EXPECT_EQ(request.duration_minutes, 45);
    EXPECT_EQ(request.chief_complaint, "Follow-up \xc3\xa9\xf0\x9f\x98\x80");
}

TEST(CreateSession, DefaultsAndNulls) {
    const auto request = accepted(R"({"booking_type":"DIRECT_DOCTOR","appointment_id":null,"doctor_id":"12",
        "patient_id":"34","clinic_id":null,"scheduled_start_time":1769349600,"chief_complaint":null})");
    EXPECT_FALSE(request.appointment_id);
    EXPECT_FALSE(request.clinic_id);
    EXPECT_EQ(request.duration_minutes, 30);
    EXPECT_EQ(request.scheduled_start_time, parse_utc("2026-01-25T14:00:00"));
    // Else the second direct booking would be taken for a repetition of the first.
    EXPECT_FALSE(accepted(R"({"booking_type":"DIRECT_DOCTOR","appointment_id":"","doctor_id":"12","patient_id":"34",
        "scheduled_start_time":"2026-01-25"})")
                     .appointment_id);
}

TEST(CreateSession, NumbersMayComeAsTextAndWithoutFraction) {
    EXPECT_EQ(accepted(with("clinic_id", R"("4")")).clinic_id, 4);
    EXPECT_EQ(accepted(with("clinic_id", "-2147483648")).clinic_id, std::numeric_limits<std::int32_t>::min());
    for (const auto* thirty : {"30", R"("30")", "30.0", R"(" 30 ")", R"("30.0")", "3e1"}) {
        EXPECT_EQ(accepted(with("consultation_duration_minutes", thirty)).duration_minutes, 30) << thirty;
    }
}

TEST(CreateSession, LengthsAreTheColumns) {
    const auto text = [](std::size_t length) { return '"' + std::string(length, 'x') + '"'; };
    accepted(with("appointment_id", text(36)));
    accepted(with("doctor_id", text(57)));
    accepted(with("patient_id", text(56)));
    accepted(with("chief_complaint", text(5000)));
    EXPECT_EQ(
        refused(with("appointment_id", text(37))),
        R"(string_too_long ["body","appointment_id"] String should have at most 36 characters {"max_length":36})");
    EXPECT_EQ(refused(with("doctor_id", text(58))),
              R"(string_too_long ["body","doctor_id"] String should have at most 57 characters {"max_length":57})");
    EXPECT_EQ(refused(with("patient_id", text(57))),
              R"(string_too_long ["body","patient_id"] String should have at most 56 characters {"max_length":56})");
    EXPECT_EQ(
        refused(with("chief_complaint", text(5001))),
        R"(string_too_long ["body","chief_complaint"] String should have at most 5000 characters {"max_length":5000})");
    EXPECT_EQ(refused(with("doctor_id", R"("")")),
              R"(string_too_short ["body","doctor_id"] String should have at least 1 character {"min_length":1})");
}

TEST(CreateSession, EveryFaultInTheContractsWords) {
    const std::vector<std::pair<std::string, std::string>> table{
        {without("doctor_id"), R"(missing ["body","doctor_id"] Field required)"},
        {without("booking_type"), R"(missing ["body","booking_type"] Field required)"},
        {without("scheduled_start_time"), R"(missing ["body","scheduled_start_time"] Field required)"},
        {with("booking_type", R"("clinic_based")"),
         R"(enum ["body","booking_type"] Input should be 'CLINIC_BASED' or 'DIRECT_DOCTOR' {"expected":"'CLINIC_BASED' or 'DIRECT_DOCTOR'"})"},
        {with("booking_type", "null"),
         R"(enum ["body","booking_type"] Input should be 'CLINIC_BASED' or 'DIRECT_DOCTOR' {"expected":"'CLINIC_BASED' or 'DIRECT_DOCTOR'"})"},
        {with("doctor_id", "12"), R"(string_type ["body","doctor_id"] Input should be a valid string)"},
        {with("doctor_id", "null"), R"(string_type ["body","doctor_id"] Input should be a valid string)"},
        {with("patient_id", "[]"), R"(string_type ["body","patient_id"] Input should be a valid string)"},
        {with("chief_complaint", "{}"), R"(string_type ["body","chief_complaint"] Input should be a valid string)"},
        {with("appointment_id", "7"), R"(string_type ["body","appointment_id"] Input should be a valid string)"},
        {without("appointment_id"),
         R"(value_error ["body","appointment_id"] Value error, appointment_id is required for clinic-based bookings {"error":{}})"},
        {with("appointment_id", "null"),
         R"(value_error ["body","appointment_id"] Value error, appointment_id is required for clinic-based bookings {"error":{}})"},
        {with("appointment_id", R"("")"),
         R"(value_error ["body","appointment_id"] Value error, appointment_id is required for clinic-based bookings {"error":{}})"},
        {with("patient_id", R"("12")"),
         R"(value_error ["body","patient_id"] Value error, doctor and patient must be two people {"error":{}})"},
        {with("chief_complaint", R"("a\u0000b")"),
         R"(value_error ["body","chief_complaint"] Value error, the character U+0000 is not allowed {"error":{}})"},
        {with("clinic_id", R"("four")"),
         R"(int_parsing ["body","clinic_id"] Input should be a valid integer, unable to parse string as an integer)"},
        {with("clinic_id", "4.5"),
         R"(int_from_float ["body","clinic_id"] Input should be a valid integer, got a number with a fractional part)"},
        {with("clinic_id", "[4]"), R"(int_type ["body","clinic_id"] Input should be a valid integer)"},
        {with("clinic_id", "2147483648"),
         R"(less_than_equal ["body","clinic_id"] Input should be less than or equal to 2147483647 {"le":2147483647})"},
        {with("clinic_id", "-2147483649"),
         R"(greater_than_equal ["body","clinic_id"] Input should be greater than or equal to -2147483648 {"ge":-2147483648})"},
        {with("clinic_id", "99999999999999999999999"),
         R"(less_than_equal ["body","clinic_id"] Input should be less than or equal to 2147483647 {"le":2147483647})"},
        {with("clinic_id", R"("-99999999999999999999999")"),
         R"(greater_than_equal ["body","clinic_id"] Input should be greater than or equal to -2147483648 {"ge":-2147483648})"},
        {with("consultation_duration_minutes", "14"),
         R"(greater_than_equal ["body","consultation_duration_minutes"] Input should be greater than or equal to 15 {"ge":15})"},
        {with("consultation_duration_minutes", "121"),
         R"(less_than_equal ["body","consultation_duration_minutes"] Input should be less than or equal to 120 {"le":120})"},
        {with("consultation_duration_minutes", "30.5"),
         R"(int_from_float ["body","consultation_duration_minutes"] Input should be a valid integer, got a number with a fractional part)"},
        {with("consultation_duration_minutes", "null"),
         R"(int_type ["body","consultation_duration_minutes"] Input should be a valid integer)"},
        {with("consultation_duration_minutes", "true"),
         R"(int_type ["body","consultation_duration_minutes"] Input should be a valid integer)"},
        {with("scheduled_start_time", R"("")"),
         R"(datetime_from_date_parsing ["body","scheduled_start_time"] Input should be a valid datetime or date, input is too short {"error":"input is too short"})"},
        {with("scheduled_start_time", R"("2026-13-25T14:00:00")"),
         R"(datetime_from_date_parsing ["body","scheduled_start_time"] Input should be a valid datetime or date, month value is outside expected range of 1-12 {"error":"month value is outside expected range of 1-12"})"},
        {with("scheduled_start_time", "null"),
         R"(datetime_type ["body","scheduled_start_time"] Input should be a valid datetime)"},
        {with("scheduled_start_time", "1e300"),
         R"(datetime_parsing ["body","scheduled_start_time"] Input should be a valid datetime, dates after 9999 are not supported as unix timestamps {"error":"dates after 9999 are not supported as unix timestamps"})"},
        {with("scheduled_start_time", R"("9999-12-31T23:45:00Z")"),
         R"(datetime_from_date_parsing ["body","scheduled_start_time"] Input should be a valid datetime or date, year is outside expected range of 1-9999 {"error":"year is outside expected range of 1-9999"})"},
    };
    for (const auto& [body, expected] : table) EXPECT_EQ(refused(body), expected) << body;
}

TEST(CreateSession, AllFaultsAtOnceInFieldOrder) {
    EXPECT_EQ(
        refused(R"({"clinic_id":"x","booking_type":"CLINIC_BASED","doctor_id":1})"),
        "value_error [\"body\",\"appointment_id\"] Value error, appointment_id is required for clinic-based "
        "bookings {\"error\":{}}\n"
        "string_type [\"body\",\"doctor_id\"] Input should be a valid string\n"
        "missing [\"body\",\"patient_id\"] Field required\n"
        "int_parsing [\"body\",\"clinic_id\"] Input should be a valid integer, unable to parse string as an integer\n"
        "missing [\"body\",\"scheduled_start_time\"] Field required");
}

TEST(CreateSession, FaultsShowTheirInput) {
    Faults faults;
    created(R"({"booking_type":"X","doctor_id":5,"patient_id":"34","scheduled_start_time":"2026-01-25"})", faults);
    const auto detail = json::parse(faults.body()).at("detail").as_array();
    EXPECT_EQ(detail.at(0).at("input"), "X");
    EXPECT_EQ(detail.at(1).at("input"), 5);
    Faults missing;
    created(R"({"booking_type":"DIRECT_DOCTOR","doctor_id":"1","patient_id":"34"})", missing);
    EXPECT_EQ(json::parse(missing.body()).at("detail").at(0).at("input").at("patient_id"), "34");
}

TEST(Bodies, ThatAreNoObject) {
    EXPECT_EQ(refused(""), R"(missing ["body"] Field required)");
    EXPECT_EQ(refused("null"), R"(missing ["body"] Field required)");
    constexpr auto kNoObject =
        R"(model_attributes_type ["body"] Input should be a valid dictionary or object to extract fields from)";
    for (const auto* other : {"[]", "1", "\"text\"", "true"}) EXPECT_EQ(refused(other), kNoObject) << other;
    const auto good = json::serialize(kBooking);
    for (const auto* type : {"text/plain", "application/x-www-form-urlencoded", "application/octet-stream"}) {
        EXPECT_EQ(refused(good, type), kNoObject) << type;
        EXPECT_EQ(refused("\xff", type), kNoObject) << type;
    }
    for (const auto* type : {"", "application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "text/json",
                             "application/fhir+json"}) {
        Faults faults;
        EXPECT_TRUE(read_create({good, type}, core::utc_zone(), {}, faults)) << type << faults.body();
    }
}

TEST(Bodies, ThatAreNoJson) {
    Faults faults;
    const std::string body = R"({"booking_type": nope})";
    created(body, faults);
    const auto fault = json::parse(faults.body()).at("detail").at(0);
    EXPECT_EQ(fault.at("type"), "json_invalid");
    EXPECT_EQ(fault.at("msg"), "JSON decode error");
    EXPECT_EQ(fault.at("loc").at(0), "body");
    EXPECT_GE(fault.at("loc").at(1).as_int64(), 17);
    EXPECT_LE(fault.at("loc").at(1).as_int64(), 19);
    EXPECT_EQ(fault.at("input"), json::object{});
    EXPECT_FALSE(fault.at("ctx").at("error").as_string().empty());

    const std::string deep = std::string(100, '[') + std::string(100, ']');
    for (const std::string& bad :
         {std::string{"{"}, std::string{"{} {}"}, std::string{"{\"a\":\"\xff\"}"}, std::string{R"({"a":"\ud800"})"},
          std::string{R"({"a":[1e400]})"}, std::string{"{\"a\":NaN}"}, std::string{"{'a':1}"},
          std::string{"{\"a\":\"\x01\"}"}, std::string("{\0}", 3), std::string{" "}, deep}) {
        EXPECT_EQ(refused(bad).substr(0, 12), "json_invalid") << bad;
    }
}

TEST(JoinSession, CutsWhatIsTooLongBecauseNobodyMustBeLockedOut) {
    Faults faults;
    const std::string agent = "\\u00e9" + std::string(5000, 'x');
    const auto join =
        read_join({R"({"device_type":")" + std::string(60, 'd') + R"(","browser_info":")" + agent + "\"}", ""}, faults);
    ASSERT_TRUE(join) << faults.body();
    EXPECT_EQ(join->device_type, std::string(50, 'd'));
    EXPECT_EQ(characters(*join->browser_info), 200u);
    EXPECT_TRUE(join->browser_info->starts_with("\xc3\xa9xx"));
}

TEST(JoinSession, BodyMayBeEmptyObjectButMustBeThere) {
    Faults none;
    const auto join = read_join({"{}", ""}, none);
    ASSERT_TRUE(join);
    EXPECT_FALSE(join->device_type);
    Faults faults;
    EXPECT_FALSE(read_join({"", ""}, faults));
    EXPECT_EQ(told(faults), R"(missing ["body"] Field required)");
    Faults wrong;
    EXPECT_FALSE(read_join({R"({"device_type":1})", ""}, wrong));
    EXPECT_EQ(told(wrong), R"(string_type ["body","device_type"] Input should be a valid string)");
}

TEST(JoinSession, MayAskForARelay) {
    const auto asks = [](std::string_view text) {
        Faults faults;
        const auto join = read_join({text, ""}, faults);
        return join && join->relay;
    };
    EXPECT_TRUE(asks(R"({"relay":true})"));
    EXPECT_FALSE(asks(R"({"relay":false})"));
    EXPECT_FALSE(asks(R"({"relay":null})"));
    EXPECT_FALSE(asks("{}"));
    Faults wrong;
    EXPECT_FALSE(read_join({R"({"relay":"yes"})", ""}, wrong));
    EXPECT_EQ(told(wrong), R"(bool_type ["body","relay"] Input should be a valid boolean)");
}

TEST(StartSession, NoBodyIsWrongAndOneMayAskForARelay) {
    EXPECT_TRUE(read_start({R"({"relay":true})", ""}).relay);
    for (const auto* body : {"", "{", "[]", "7", R"({"relay":"yes"})", R"({"relay":null})", R"({"x":1})"}) {
        EXPECT_FALSE(read_start({body, ""}).relay) << body;
    }
}

TEST(EndSession, EmptyNotesAreNoNotes) {
    for (const auto* body : {"{}", R"({"session_notes":null})", R"({"session_notes":""})"}) {
        Faults faults;
        const auto end = read_end({body, ""}, faults);
        ASSERT_TRUE(end) << faults.body();
        EXPECT_FALSE(end->session_notes) << body;
        EXPECT_FALSE(end->connection_quality_rating);
    }
    Faults faults;
    const auto end = read_end({R"({"session_notes":"Well.","connection_quality_rating":"5"})", ""}, faults);
    ASSERT_TRUE(end) << faults.body();
    EXPECT_EQ(end->session_notes, "Well.");
    EXPECT_EQ(end->connection_quality_rating, 5);
}

TEST(EndSession, Limits) {
    Faults faults;
    EXPECT_FALSE(read_end(
        {R"({"session_notes":")" + std::string(5001, 'x') + R"(","connection_quality_rating":6})", ""}, faults));
    EXPECT_EQ(
        told(faults),
        "string_too_long [\"body\",\"session_notes\"] String should have at most 5000 characters "
        "{\"max_length\":5000}\n"
        "less_than_equal [\"body\",\"connection_quality_rating\"] Input should be less than or equal to 5 {\"le\":5}");
    Faults zero;
    EXPECT_FALSE(read_end({R"({"connection_quality_rating":0})", ""}, zero));
    EXPECT_EQ(
        told(zero),
        R"(greater_than_equal ["body","connection_quality_rating"] Input should be greater than or equal to 1 {"ge":1})");
}

TEST(CancelSession, WantsAReasonOf10To500Characters) {
    const auto told_for = [](const std::string& body) {
        Faults faults;
        read_cancel({body, ""}, faults);
        return told(faults);
    };
    // Ten characters, twenty bytes.
    EXPECT_EQ(told_for("{\"cancellation_reason\":"
                       "\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}"),
              "");
    EXPECT_EQ(
        told_for(R"({"cancellation_reason":"too short"})"),
        R"(string_too_short ["body","cancellation_reason"] String should have at least 10 characters {"min_length":10})");
    EXPECT_EQ(
        told_for(R"({"cancellation_reason":")" + std::string(501, 'x') + "\"}"),
        R"(string_too_long ["body","cancellation_reason"] String should have at most 500 characters {"max_length":500})");
    EXPECT_EQ(told_for("{}"), R"(missing ["body","cancellation_reason"] Field required)");
    EXPECT_EQ(told_for(R"({"cancellation_reason":null})"),
              R"(string_type ["body","cancellation_reason"] Input should be a valid string)");
}

TEST(UpdateNotes, WantsNotesOf1To5000Characters) {
    Faults faults;
    EXPECT_EQ(read_notes({R"({"session_notes":"x"})", ""}, faults), "x");
    EXPECT_FALSE(read_notes({R"({"session_notes":""})", ""}, faults));
    EXPECT_EQ(told(faults),
              R"(string_too_short ["body","session_notes"] String should have at least 1 character {"min_length":1})");
}

TEST(IdempotencyKey, IsVisibleAsciiOf1To255) {
    Faults faults;
    EXPECT_EQ(read_idempotency_key("a-1~!", faults), "a-1~!");
    EXPECT_TRUE(read_idempotency_key(std::string(255, 'k'), faults));
    EXPECT_FALSE(faults.any());
    for (const std::string& bad :
         {std::string{}, std::string(256, 'k'), std::string{"a b"}, std::string{"\xc3\xa9"}, std::string{"\xff"}}) {
        Faults each;
        EXPECT_FALSE(read_idempotency_key(bad, each)) << bad;
        EXPECT_NE(told(each).find(R"(["header","Idempotency-Key"])"), std::string::npos);
    }
}

std::string list_refused(std::string_view text) {
    Faults faults;
    EXPECT_FALSE(read_list(QueryString{text}, core::utc_zone(), faults)) << text;
    return told(faults);
}

ListRequest list_of(std::string_view text) {
    Faults faults;
    auto list = read_list(QueryString{text}, core::utc_zone(), faults);
    EXPECT_TRUE(list) << faults.body();
    return list.value_or(ListRequest{});
}

TEST(Lists, PagesAndDefaults) {
    const auto first = list_of("");
    EXPECT_EQ(first.page, 1);
    EXPECT_EQ(first.query.limit, 20);
    EXPECT_EQ(first.query.offset, 0);
    EXPECT_FALSE(first.query.oldest_first);
    const auto third = list_of("page=3&page_size=100&other=x");
    EXPECT_EQ(third.query.offset, 200);
    EXPECT_EQ(third.query.limit, 100);
    const auto far = list_of("page=9223372036854775807&page_size=100");
    EXPECT_EQ(far.page, 9223372036854775807);
    EXPECT_EQ(far.query.offset, 2'000'000'000);
}

TEST(Lists, Filters) {
    const auto list = list_of(
        "status=NO_SHOW&booking_type=DIRECT_DOCTOR&start_date=2026-01-01&end_date=2026-01-31&sort=scheduled_start_"
        "time");
    EXPECT_EQ(list.query.status, consultation::Status::no_show);
    EXPECT_EQ(list.query.booking_type, BookingType::direct_doctor);
    EXPECT_EQ(list.query.start_from, parse_utc("2026-01-01"));
    EXPECT_EQ(list.query.start_before, parse_utc("2026-02-01"));
    EXPECT_TRUE(list.query.oldest_first);
    const auto moments = list_of("start_date=2026-01-01T10:00:00%2B05:30&end_date=2026-01-01T10:00:00+05:30");
    EXPECT_EQ(moments.query.start_from, parse_utc("2026-01-01T04:30"));
    EXPECT_EQ(moments.query.start_before, *parse_utc("2026-01-01T04:30") + std::chrono::microseconds{1});
    const auto empty = list_of("status=&booking_type=&start_date=&end_date=&sort=");
    EXPECT_FALSE(empty.query.status || empty.query.booking_type || empty.query.start_from || empty.query.start_before);
}

TEST(Lists, NonsenseIsRefusedInTheContractsWords) {
    constexpr auto kStatus =
        R"(enum ["query","status"] Input should be 'SCHEDULED', 'WAITING', 'ACTIVE', 'COMPLETED', 'CANCELLED' or 'NO_SHOW' {"expected":"'SCHEDULED', 'WAITING', 'ACTIVE', 'COMPLETED', 'CANCELLED' or 'NO_SHOW'"})";
    for (const auto* status : {"status=IN_PROGRESS", "status=scheduled", "status=%00"})
        EXPECT_EQ(list_refused(status), kStatus);
    EXPECT_EQ(list_refused("page=0"),
              R"(greater_than_equal ["query","page"] Input should be greater than or equal to 1 {"ge":1})");
    EXPECT_EQ(list_refused("page_size=101"),
              R"(less_than_equal ["query","page_size"] Input should be less than or equal to 100 {"le":100})");
    EXPECT_EQ(list_refused("page=-99999999999999999999"),
              R"(greater_than_equal ["query","page"] Input should be greater than or equal to 1 {"ge":1})");
    for (const auto* page : {"page=", "page=abc", "page=1.5"}) {
        EXPECT_EQ(
            list_refused(page),
            R"(int_parsing ["query","page"] Input should be a valid integer, unable to parse string as an integer)");
    }
    EXPECT_EQ(
        list_refused("end_date=soon"),
        R"(datetime_from_date_parsing ["query","end_date"] Input should be a valid datetime or date, input is too short {"error":"input is too short"})");
    EXPECT_EQ(
        list_refused("sort=name"),
        R"(enum ["query","sort"] Input should be 'scheduled_start_time' or '-scheduled_start_time' {"expected":"'scheduled_start_time' or '-scheduled_start_time'"})");
    // Query values come back as texts.
    Faults faults;
    read_list(QueryString{"page=0"}, core::utc_zone(), faults);
    EXPECT_EQ(json::parse(faults.body()).at("detail").at(0).at("input"), "0");
}

TEST(UsageMonths, FollowTheContract) {
    const auto now = *parse_utc("2026-02-15T12:00:00");
    const auto month = [&](std::string_view text) {
        Faults faults;
        const auto read = read_usage_month(QueryString{text}, now, faults);
        return read
                   ? core::format_rfc3339(read->from).substr(0, 10) + ' ' + core::format_rfc3339(read->to).substr(0, 10)
                   : told(faults).substr(0, told(faults).find(" Input"));
    };
    EXPECT_EQ(month(""), "2026-02-01 2026-03-01");
    EXPECT_EQ(month("month=2025-12"), "2025-12-01 2026-01-01");
    EXPECT_EQ(month("month=2025-12&year=1999"), "2025-12-01 2026-01-01");
    EXPECT_EQ(month("month=2025-3"), "2025-03-01 2025-04-01");
    EXPECT_EQ(month("year=2025&month=12"), "2025-12-01 2026-01-01");
    EXPECT_EQ(month("year=2025"), "2026-02-01 2026-03-01");
    EXPECT_EQ(month("month=5"), "2026-02-01 2026-03-01");
    EXPECT_EQ(month("month="), "2026-02-01 2026-03-01");
    EXPECT_EQ(month("year=abc"), R"(int_parsing ["query","year"])");
    EXPECT_EQ(month("year=0"), R"(greater_than_equal ["query","year"])");
    for (const auto* bad : {"month=abc", "month=13", "month=0", "month=2025-13", "month=2025-12-01", "month=2025-",
                            "month=0000-01", "year=2025&month=x", "month=-1"}) {
        EXPECT_TRUE(month(bad).starts_with(R"(string_pattern_mismatch ["query","month"])")) << bad << month(bad);
    }
}

}  // namespace
}  // namespace api
