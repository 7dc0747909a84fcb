#include "app/environment.hpp"

#include <gtest/gtest.h>

namespace app {
namespace {

std::string value(std::string_view line) {
    const auto values = parse_env_file(line, ".env");
    if (!values) return "error: " + values.error().detail;
    return values->contains("A") ? values->at("A") : "(none)";
}

TEST(Environment, EarlierLayersWinAndEmptyMeansUnset) {
    Environment environment;
    environment.layer({{"A", "line"}, {"B", ""}});
    environment.layer({{"A", "process"}, {"B", "process"}, {"C", ""}});
    environment.layer({{"A", "file"}, {"C", "file"}});
    EXPECT_EQ(environment.find("A"), "line");
    EXPECT_EQ(environment.find("B"), "process");
    EXPECT_EQ(environment.find("C"), "file");
    EXPECT_EQ(environment.find("D"), std::nullopt);
}

TEST(Environment, ReadsEnvFiles) {
    const auto values = parse_env_file(
        "# a comment\n\nA=1\r\n  B = two words \nexport C='single # \\n'\nD=\"double \\\"x\\\" \\\\ \\n.\" # why\nE=\n"
        "F=pass#word # comment\nG=a=b\nA=2",
        ".env");
    ASSERT_TRUE(values.has_value());
    const Environment::Values expected{
        {"A", "2"}, {"B", "two words"}, {"C", "single # \\n"}, {"D", "double \"x\" \\ \n."},
        {"E", ""},  {"F", "pass#word"}, {"G", "a=b"}};
    EXPECT_EQ(*values, expected);
    EXPECT_EQ(value(""), "(none)");
    EXPECT_EQ(value("A=# all comment"), "");
}

TEST(Environment, NamesTheLineItCannotRead) {
    EXPECT_EQ(value("A=1\nnonsense"), "error: .env line 2: expected NAME=value");
    EXPECT_EQ(value("1A=1"), "error: .env line 1: expected NAME=value");
    EXPECT_EQ(value("=1"), "error: .env line 1: expected NAME=value");
    EXPECT_EQ(value("A='open"), "error: .env line 1: expected NAME=value");
    EXPECT_EQ(value("A='x' y"), "error: .env line 1: expected NAME=value");
}

TEST(Environment, AMissingFileIsNoFile) {
    const auto values = read_env_file("/nonexistent/.env");
    ASSERT_TRUE(values.has_value());
    EXPECT_TRUE(values->empty());
}

}  // namespace
}  // namespace app
