#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/config_test_reader.hpp"

namespace app {
namespace {

using test::complaint;
using test::read;

class ConsentFile {
  public:
    explicit ConsentFile(const std::string& content)
        : path_((std::filesystem::temp_directory_path() / ("consent-" + std::to_string(::getpid()))).string()) {
        std::ofstream(path_, std::ios::binary) << content;
    }
    ~ConsentFile() { std::filesystem::remove(path_); }
    ConsentFile(const ConsentFile&) = delete;
    ConsentFile& operator=(const ConsentFile&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

bool takes(const std::string& text) {
    const ConsentFile file(text);
    return read({{"CONSENT_VERSION", "1"}, {"CONSENT_TEXT_FILE", file.path()}}).has_value();
}

TEST(ConfigBooking, AsksForNothingByDefault) {
    const auto config = read({});
    ASSERT_TRUE(config);
    EXPECT_FALSE(config->booking.consent);
    EXPECT_FALSE(config->booking.prevent_overlap);
    EXPECT_EQ(config->booking.max_streams, 1000u);
}

TEST(ConfigBooking, ReadsTheConsentAndItsHash) {
    const ConsentFile file("I agree.\n");
    const auto config = read({{"CONSENT_VERSION", "2026-01"},
                              {"CONSENT_TEXT_FILE", file.path()},
                              {"PREVENT_OVERLAP", "true"},
                              {"MAX_STREAMS", "7"}});
    ASSERT_TRUE(config);
    ASSERT_TRUE(config->booking.consent);
    EXPECT_EQ(config->booking.consent->version, "2026-01");
    EXPECT_EQ(config->booking.consent->text, "I agree.\n");
    EXPECT_EQ(config->booking.consent->sha256, "032ed06f72820f02e8430f9922a9a82141a3a228ff64f355b6d0e32d547272b8");
    EXPECT_TRUE(config->booking.prevent_overlap);
    EXPECT_EQ(config->booking.max_streams, 7u);
}

TEST(ConfigBooking, WantsVersionAndTextOrNeither) {
    const ConsentFile file("I agree.");
    EXPECT_TRUE(complaint({{"CONSENT_VERSION", "1"}}).starts_with("CONSENT_TEXT_FILE: expected "));
    EXPECT_TRUE(complaint({{"CONSENT_TEXT_FILE", file.path()}}).starts_with("CONSENT_VERSION: expected "));
    EXPECT_TRUE(complaint({{"CONSENT_VERSION", "1"}, {"CONSENT_TEXT_FILE", "/nowhere/at/all"}})
                    .starts_with("CONSENT_TEXT_FILE: expected "));
    EXPECT_TRUE(complaint({{"CONSENT_VERSION", "1"}, {"CONSENT_TEXT_FILE", "/"}}).starts_with("CONSENT_TEXT_FILE: "));
    for (const auto& version : {std::string(65, '1'), std::string("a b"), std::string("\xc3\xa4")}) {
        EXPECT_TRUE(complaint({{"CONSENT_VERSION", version}, {"CONSENT_TEXT_FILE", file.path()}})
                        .starts_with("CONSENT_VERSION: expected "));
    }
}

TEST(ConfigBooking, TakesTextOnly) {
    EXPECT_TRUE(takes("# \xc3\x84rztliche Einwilligung \xf0\x9f\xa9\xba\r\n\tja"));
    EXPECT_TRUE(takes(std::string(64 * 1024, 'x')));
    EXPECT_FALSE(takes(std::string(64 * 1024 + 1, 'x')));
    EXPECT_FALSE(takes(""));
    EXPECT_FALSE(takes(std::string("a\0b", 3)));
    for (const auto* bad : {"\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xff", "\xe0\x80\x80"}) {
        EXPECT_FALSE(takes(bad)) << bad;
    }
}

}  // namespace
}  // namespace app
