#include "api/request_origin.hpp"

#include <gtest/gtest.h>

#include <string>

namespace api {
namespace {

consultation::Caller noted(const std::string& reason) {
    boost::beast::http::fields fields;
    fields.set("X-Break-Glass-Reason", reason);
    net::Request request;
    request.remote_address = "2001:db8::7";
    request.request_id = "r-1";
    request.fields = &fields;
    consultation::Caller caller;
    note_origin(caller, request);
    EXPECT_EQ(caller.address, "2001:db8::7");
    EXPECT_EQ(caller.request_id, "r-1");
    return caller;
}

TEST(RequestOrigin, AReasonHasTenToFiveHundredCharacters) {
    EXPECT_EQ(noted(" ten chars! ").break_glass_reason, "ten chars!");
    EXPECT_FALSE(noted("nine char").break_glass_reason);
    EXPECT_TRUE(noted(std::string(500, 'x')).break_glass_reason);
    EXPECT_FALSE(noted(std::string(501, 'x')).break_glass_reason);
    EXPECT_EQ(noted("ÄÖÜäöüßÄÖÜ").break_glass_reason, "ÄÖÜäöüßÄÖÜ");
    EXPECT_FALSE(noted("ÄÖÜäöüßÄÖ").break_glass_reason);
    EXPECT_FALSE(noted("bytes that are no \xff text").break_glass_reason);
    EXPECT_FALSE(noted("with a\tcontrol character").break_glass_reason);
    EXPECT_FALSE(noted("").break_glass_reason);
}

}  // namespace
}  // namespace api
