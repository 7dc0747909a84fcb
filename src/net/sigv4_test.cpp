#include "net/sigv4.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "core/bytes.hpp"

namespace net {
namespace {

namespace json = boost::json;

constexpr core::Time kNow{std::chrono::seconds{1'769'349'600}};  // 2026-01-25T14:00:00Z

struct Case {
    SignableRequest request;
    AwsKeys keys;
    std::string region = "us-east-1";
    std::string scheme = "https";
};

AwsKeys long_term() {
    return {.access_key_id = "AKIDEXAMPLE", .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
}

AwsKeys temporary() {
    return {.access_key_id = "ASIAEXAMPLE",
            .secret_access_key = "a+b/c=d",
            .session_token = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQ+/=="};
}

std::string meeting_path(std::string_view id) {
    return "/meetings/" + percent_encoded(id);
}

std::string attendee_path(std::string_view meeting, std::string_view attendee) {
    return meeting_path(meeting) + "/attendees/" + percent_encoded(attendee);
}

constexpr std::string_view kId = "e3338f73-c769-4d65-b8ce-bf4314b488ef";
constexpr std::string_view kHost = "meetings-chime.us-east-1.amazonaws.com";

Case make(std::string method, std::string path, const Pairs& query = {}, std::string body = {}) {
    Case out;
    out.request.method = std::move(method);
    out.request.host = kHost;
    out.request.path = std::move(path);
    out.request.query = canonical_query(query);
    if (!body.empty()) out.request.headers.emplace_back("Content-Type", "application/json");
    out.request.body = std::move(body);
    out.keys = long_term();
    return out;
}

Case with(Case base, AwsKeys keys) {
    base.keys = std::move(keys);
    return base;
}

Case in(Case base, std::string region) {
    base.request.host = "meetings-chime." + region + ".amazonaws.com";
    base.region = std::move(region);
    return base;
}

Case at(Case base, std::string scheme, std::string host) {
    base.scheme = std::move(scheme);
    base.request.host = std::move(host);
    return base;
}

Case also(Case base, std::string header, std::string value) {
    base.request.headers.emplace_back(std::move(header), std::move(value));
    return base;
}

std::vector<Case> meeting_cases() {
    const Pairs with_attendees{{"operation", "create-attendees"}};
    const std::string create = R"({"ClientRequestToken":"s-1","MediaRegion":"us-east-1"})";
    return {
        make("POST", "/meetings", {}, create),
        make("POST", "/meetings", with_attendees, create),
        with(make("POST", "/meetings", with_attendees, create), temporary()),
        make("POST", "/meetings", with_attendees,
             "{\"Tags\":[{\"Key\":\"Doctor\",\"Value\":\"Źółć 医生 \\ud83d\\ude00\"}]}"),
        make("POST", "/meetings", with_attendees, "{\"x\":\"\xf0\x9f\x98\x80 \xc3\xa9\"}"),
        make("GET", meeting_path(kId)),
        with(make("GET", meeting_path(kId)), temporary()),
        make("DELETE", meeting_path(kId)),
        in(make("GET", meeting_path(kId)), "eu-central-1"),
        in(with(make("POST", "/meetings", with_attendees, create), temporary()), "ap-southeast-1"),
        in(make("DELETE", meeting_path(kId)), "us-gov-west-1"),
        make("GET", meeting_path("with a space")),
        make("GET", meeting_path("łódź/a+b%20c~d")),
        make("GET", meeting_path("100% of & = ? # ; : @ $ , ! ' ( ) *")),
        make("GET", meeting_path("~")),
    };
}

std::vector<Case> attendee_cases() {
    const std::string attend = R"({"ExternalUserId":"doctor-12"})";
    const auto attendees = meeting_path(kId) + "/attendees";
    return {
        make("POST", attendees, {}, attend),
        make("POST", attendees, {{"operation", "batch-create"}}, attend),
        make("GET", attendees, {{"max-results", "100"}}),
        make("GET", attendees, {{"next-token", "a+b/c==&d e~f%"}, {"max-results", "5"}}),
        with(make("GET", attendees, {{"max-results", "99"}, {"next-token", "żółw 医 \xf0\x9f\x98\x80"}}), temporary()),
        make("GET", attendees, {{"b", "2"}, {"a", ""}, {"a", "1"}, {"A", "3"}, {"a b", "*'()!"}}),
        make("DELETE", attendee_path(kId, "de49d06d-3911-486a-aebc-68365af015b2")),
        make("DELETE", attendee_path("a/b", "c/d")),
        make("DELETE", attendee_path("", "no meeting")),
        make("POST", meeting_path(kId) + "/transcription", {{"operation", "start"}},
             R"({"TranscriptionConfiguration":{}})"),
        make("POST", meeting_path(kId) + "/transcription", {{"operation", "stop"}}),
        at(make("POST", attendees, {}, attend), "http", "127.0.0.1:4567"),
        at(make("GET", "/base//path/./x/../meetings/"), "http", "localhost"),
        also(make("POST", attendees, {}, attend), "X-Odd", "  many   spaces\tand tabs  "),
        also(also(make("GET", attendees), "User-Agent", "not signed"), "X-Amz-Content-Sha256",
             core::hex(core::sha256({}))),
    };
}

std::string header(const Pairs& headers, std::string_view name) {
    for (const auto& [key, value] : headers) {
        if (key == name) return value;
    }
    return {};
}

/// A file that goes with this.
class Scratch {
  public:
    Scratch() {
        const int fd = mkstemp(path_.data());
        if (fd >= 0) close(fd);
    }
    ~Scratch() { std::remove(path_.c_str()); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_ = testing::TempDir() + "sigv4-XXXXXX";
};

std::vector<json::object> signed_by_botocore(const std::vector<Case>& cases) {
    const Scratch input;
    {
        std::ofstream file(input.path());
        for (const auto& one : cases) {
            json::object headers;
            for (const auto& [name, value] : one.request.headers) headers[name] = value;
            const auto query = one.request.query.empty() ? std::string{} : "?" + one.request.query;
            file << json::serialize(
                        json::object{{"method", one.request.method},
                                     {"url", one.scheme + "://" + one.request.host + one.request.path + query},
                                     {"headers", headers},
                                     {"body", one.request.body},
                                     {"key", one.keys.access_key_id},
                                     {"secret", one.keys.secret_access_key},
                                     {"token", one.keys.session_token},
                                     {"service", "chime"},
                                     {"region", one.region},
                                     {"time", "20260125T140000Z"}})
                 << "\n";
        }
    }
    // Debian's Python, since Debian's botocore is the one that counts.
    const auto command = "/usr/bin/python3 -B '" SOURCE_ROOT "/net/sigv4_peer.py' < '" + input.path() + "'";
    const std::unique_ptr<FILE, int (*)(FILE*)> peer(popen(command.c_str(), "r"), pclose);
    std::string text;
    std::array<char, 4096> buffer;
    while (const auto got = std::fread(buffer.data(), 1, buffer.size(), peer.get())) text.append(buffer.data(), got);
    std::vector<json::object> out;
    for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
        out.push_back(json::parse(std::string_view{text}.substr(at, end - at)).as_object());
    return out;
}

TEST(SigV4, ThirtyRequestsSignLikeBotocore) {
    auto cases = meeting_cases();
    const auto more = attendee_cases();
    cases.insert(cases.end(), more.begin(), more.end());
    ASSERT_EQ(cases.size(), 30u);
    const auto theirs = signed_by_botocore(cases);
    ASSERT_EQ(theirs.size(), cases.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const auto& one = cases[i];
        const auto ours = signature_headers(one.request, one.keys, one.region, "chime", kNow);
        const auto canonical = json::value_to<std::string>(theirs[i].at("canonical"));
        EXPECT_EQ(header(ours, "Authorization"), json::value_to<std::string>(theirs[i].at("authorization")))
            << canonical;
        EXPECT_EQ(header(ours, "X-Amz-Date"), json::value_to<std::string>(theirs[i].at("date")));
        EXPECT_EQ(header(ours, "X-Amz-Security-Token"), json::value_to<std::string>(theirs[i].at("token")));
    }
}

TEST(SigV4, EncodesAllButTheUnreserved) {
    EXPECT_EQ(percent_encoded("aZ09-_.~"), "aZ09-_.~");
    EXPECT_EQ(percent_encoded(" /+%é"), "%20%2F%2B%25%C3%A9");
    EXPECT_EQ(canonical_query({{"b", "1 2"}, {"a", "="}}), "a=%3D&b=1%202");
    EXPECT_EQ(canonical_query({}), "");
}

TEST(SigV4, ReadsTimesOfTheCalendarOnly) {
    EXPECT_EQ(parse_basic_time(basic_time(kNow)), kNow);
    EXPECT_EQ(parse_basic_time("20240229T235959Z"), std::chrono::sys_days{std::chrono::year{2024} / 2 / 29} +
                                                        std::chrono::hours{23} + std::chrono::minutes{59} +
                                                        std::chrono::seconds{59});
    for (const std::string_view wrong : {"", "20260229T000000Z", "20260125T240000Z", "20260125T140060Z",
                                         "20260125T140000", "2026-01-25T14:00:00Z", "20260125T14000xZ"}) {
        EXPECT_EQ(parse_basic_time(wrong), std::nullopt) << wrong;
    }
}

TEST(SigV4, AQueryIsSignedInItsOwnOrder) {
    EXPECT_EQ(canonical_query_of("b=2&a=1%202&a=%7e&c"), "a=1%202&a=~&b=2&c=");
    EXPECT_EQ(canonical_query_of("a=%zz&b=+&&"), "a=%25zz&b=%2B");
    EXPECT_EQ(canonical_query_of(""), "");
}

TEST(SigV4, AnAuthorizationIsTakenApart) {
    const std::string signature(64, 'a');
    const std::string good =
        "AWS4-HMAC-SHA256 Credential=AKID/20260125/eu-central-1/chime/aws4_request,"
        "SignedHeaders=host;x-amz-date,Signature=" +
        signature;
    std::string_view why;
    const auto read = parse_authorization(good, why);
    ASSERT_TRUE(read.has_value()) << why;
    EXPECT_EQ(read->access_key_id, "AKID");
    EXPECT_EQ(read->date, "20260125");
    EXPECT_EQ(read->region, "eu-central-1");
    EXPECT_EQ(read->service, "chime");
    EXPECT_EQ(read->signed_headers, (std::vector<std::string_view>{"host", "x-amz-date"}));
    EXPECT_EQ(read->signature, signature);
    for (const auto& [from, to] :
         std::vector<std::pair<std::string, std::string>>{{"AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256"},
                                                          {"aws4_request", "aws5_request"},
                                                          {"AKID/", "/"},
                                                          {"/chime", ""},
                                                          {"host;", "Host;"},
                                                          {"host;", "host;host;"},
                                                          {"host;x-amz-date", ""},
                                                          {"Signature=a", "Signature="},
                                                          {"Signature=a", "Signature=A"},
                                                          {",Signature", ",Odd=1,Signature"},
                                                          {",Signature", ",Credential=x,Signature"}}) {
        auto wrong = good;
        wrong.replace(wrong.find(from), from.size(), to);
        EXPECT_FALSE(parse_authorization(wrong, why).has_value()) << wrong;
        EXPECT_FALSE(why.empty());
    }
}

TEST(SigV4, AChangedRequestHasAnotherSignature) {
    const auto base = make("POST", "/meetings", {{"operation", "create-attendees"}}, "{}");
    const auto signature =
        header(signature_headers(base.request, base.keys, "us-east-1", "chime", kNow), "Authorization");
    auto changed = base;
    changed.request.body = "{ }";
    EXPECT_NE(signature,
              header(signature_headers(changed.request, base.keys, "us-east-1", "chime", kNow), "Authorization"));
    EXPECT_NE(signature,
              header(signature_headers(base.request, base.keys, "eu-west-2", "chime", kNow), "Authorization"));
    EXPECT_NE(signature,
              header(signature_headers(base.request, base.keys, "us-east-1", "chime", kNow + std::chrono::seconds{1}),
                     "Authorization"));
}

}  // namespace
}  // namespace net
