#include "api/chime/request_signature.hpp"

#include <gtest/gtest.h>

#include "api/chime/test_request.hpp"
#include "core/bytes.hpp"

namespace api::chime {
namespace {

using namespace std::chrono_literals;
using test::TestRequest;

constexpr core::Time kNow{std::chrono::seconds{1'769'349'600}};  // 2026-01-25T14:00:00Z

const ApiKeys kKeys{{"AKIDONE", "0123456789abcdef"}, {"AKIDTWO", "fedcba9876543210"}};

/// `ok` and the region, or the refusal's type.
std::string verdict(const TestRequest& request, core::Time now = kNow) {
    const auto checked = check_signature(request.request(), kKeys, now);
    if (const auto* refused = std::get_if<Refusal>(&checked)) {
        EXPECT_EQ(refused->status, 403U);
        return std::string(refused->type);
    }
    return "ok " + std::get<Signer>(checked).region;
}

TestRequest signed_request() {
    TestRequest request;
    request.method = "POST";
    request.target = "/chime/meetings?operation=create-attendees";
    request.body = R"({"a":"b"})";
    request.sign("AKIDONE", "0123456789abcdef", "eu-central-1", "chime", kNow);
    return request;
}

TEST(RequestSignature, WhoSignsWithAKnownKeyPasses) {
    EXPECT_EQ(verdict(signed_request()), "ok eu-central-1");
    TestRequest other;
    other.target = "/chime/meetings/a%20b/attendees?next-token=a%2Bb%3D&max-results=5";
    other.sign("AKIDTWO", "fedcba9876543210", "us-gov-west-1", "chime", kNow);
    EXPECT_EQ(verdict(other), "ok us-gov-west-1");
}

TEST(RequestSignature, TheOrderOfParametersDoesNotMatter) {
    TestRequest request;
    request.target = "/chime/meetings/x/attendees?max-results=5&next-token=a";
    request.sign("AKIDONE", "0123456789abcdef", "r", "chime", kNow);
    request.target = "/chime/meetings/x/attendees?next-token=a&max-results=5";
    EXPECT_EQ(verdict(request), "ok r");
    request.target = "/chime/meetings/x/attendees?next-token=a&max-results=6";
    EXPECT_EQ(verdict(request), "InvalidSignatureException");
}

TEST(RequestSignature, EveryChangeIsNoticed) {
    const auto good = signed_request();
    const auto changed = [&good](auto change) {
        auto request = good;
        change(request);
        return verdict(request);
    };
    EXPECT_EQ(changed([](auto& r) { r.method = "PUT"; }), "InvalidSignatureException");
    EXPECT_EQ(changed([](auto& r) { r.target = "/chime/meetings"; }), "InvalidSignatureException");
    EXPECT_EQ(changed([](auto& r) { r.body += " "; }), "InvalidSignatureException");
    EXPECT_EQ(changed([](auto& r) { r.fields.set("Host", "other"); }), "InvalidSignatureException");
    EXPECT_EQ(changed([](auto& r) { r.fields.insert("Host", "other"); }), "InvalidSignatureException");
    EXPECT_EQ(changed([](auto& r) { r.fields.erase("Host"); }), "InvalidSignatureException");
    EXPECT_EQ(changed([](auto& r) { r.fields.set("X-Unsigned", "is fine"); }), "ok eu-central-1");
    // Not covered by the signature, so it must not be there.
    EXPECT_EQ(changed([](auto& r) { r.fields.set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"); }),
              "InvalidSignatureException");
    EXPECT_EQ(changed([](auto& r) { r.fields.set("X-Amz-Security-Token", "t"); }), "InvalidSignatureException");
    EXPECT_EQ(changed([](auto& r) { r.fields.set("X-Amz-Date", "20260125T140001Z"); }), "InvalidSignatureException");
    EXPECT_EQ(changed([](auto& r) { r.fields.set("X-Amz-Date", "2026-01-25T14:00:00Z"); }),
              "IncompleteSignatureException");
    EXPECT_EQ(changed([](auto& r) { r.fields.erase("Authorization"); }), "MissingAuthenticationTokenException");
}

TEST(RequestSignature, KeysAndScopeMustBeOurs) {
    TestRequest request;
    request.target = "/chime/tags";
    request.sign("AKIDTHREE", "0123456789abcdef", "r", "chime", kNow);
    EXPECT_EQ(verdict(request), "UnrecognizedClientException");
    request.sign("AKIDONE", "fedcba9876543210", "r", "chime", kNow);
    EXPECT_EQ(verdict(request), "InvalidSignatureException");
    request.sign("AKIDONE", "0123456789abcdef", "r", "s3", kNow);
    EXPECT_EQ(verdict(request), "InvalidSignatureException");
}

TEST(RequestSignature, ClocksMayDifferByFiveMinutes) {
    const auto request = signed_request();
    EXPECT_EQ(verdict(request, kNow + 5min), "ok eu-central-1");
    EXPECT_EQ(verdict(request, kNow - 5min), "ok eu-central-1");
    EXPECT_EQ(verdict(request, kNow + 5min + 1s), "InvalidSignatureException");
    EXPECT_EQ(verdict(request, kNow - 5min - 1s), "InvalidSignatureException");
    const auto checked = check_signature(request.request(), kKeys, kNow + 1h);
    EXPECT_EQ(std::get<Refusal>(checked).message,
              "Signature expired: 20260125T140000Z is now earlier than 20260125T145500Z (20260125T150000Z - 5 min.)");
}

TEST(RequestSignature, TheScopesDayIsTheSignaturesDay) {
    TestRequest request;
    request.target = "/chime/tags";
    request.sign("AKIDONE", "0123456789abcdef", "r", "chime", kNow);
    auto authorization = std::string(request.fields["Authorization"]);
    authorization.replace(authorization.find("20260125"), 8, "20260124");
    request.fields.set("Authorization", authorization);
    EXPECT_EQ(verdict(request), "InvalidSignatureException");
}

}  // namespace
}  // namespace api::chime
