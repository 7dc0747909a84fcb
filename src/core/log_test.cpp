#include "core/log.hpp"

#include <gtest/gtest.h>

#include "core/json_string.hpp"

namespace core::log {
namespace {

constexpr std::string_view kTime = "2026-01-25T14:00:00.123456Z";

TEST(Log, TextIsKeysAndValues) {
    EXPECT_EQ(line_of(Format::text, Level::info, {}, "task fails", {{"task", "sweep"}, {"why", "no \"disk\"\nat all"}}),
              R"(task fails task=sweep why="no \"disk\" at all")");
}

TEST(Log, JsonIsOneObjectALine) {
    EXPECT_EQ(line_of(Format::json, Level::warning, kTime, "slow request",
                      {{"route", "/x/{}"}, {"request_id", "r-1"}, {"trace_id", "4bf9"}, {"why", "a\nb"}}),
              R"({"time":"2026-01-25T14:00:00.123456Z","level":"warning","message":"slow request",)"
              R"("request_id":"r-1","trace_id":"4bf9","fields":{"route":"/x/{}","why":"a\nb"}})");
}

TEST(Log, JsonWithoutFieldsHasNone) {
    EXPECT_EQ(line_of(Format::json, Level::error, kTime, "event loop hangs", {}),
              R"({"time":"2026-01-25T14:00:00.123456Z","level":"error","message":"event loop hangs"})");
    EXPECT_EQ(line_of(Format::json, Level::info, kTime, "x", {{"request_id", "r"}}),
              R"({"time":"2026-01-25T14:00:00.123456Z","level":"info","message":"x","request_id":"r"})");
}

TEST(JsonString, EscapesWhatJsonDemandsAndReplacesWhatIsNotText) {
    const auto json = [](std::string_view text) {
        std::string out;
        append_json_text(out, text);
        return out;
    };
    EXPECT_EQ(json("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(json(std::string_view{"\0\x1f\x7f", 3}), R"("\u0000\u001f\u007f")");
    EXPECT_EQ(json("größer €\xF0\x9F\x98\x80"), "\"größer €\xF0\x9F\x98\x80\"");
    EXPECT_EQ(json("a\xC3"), "\"a\xEF\xBF\xBD\"");
    EXPECT_EQ(json("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"") << "half a surrogate pair";
    EXPECT_EQ(json("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"") << "too long a form";
}

}  // namespace
}  // namespace core::log
