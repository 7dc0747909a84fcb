#include "store/postgres/url.hpp"

#include <gtest/gtest.h>

#include <map>

namespace store::postgres {
namespace {

std::map<std::string, std::string> parsed(const std::string& url) {
    const auto parameters = parse_url(url);
    EXPECT_TRUE(parameters.has_value()) << url;
    if (!parameters) return {};
    return {parameters->begin(), parameters->end()};
}

TEST(Url, TakesEveryFormOfTheScheme) {
    for (const std::string scheme : {"postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg2"}) {
        auto found = parsed(scheme + "://user:p%40ss@host:5433/db");
        EXPECT_EQ(found["user"], "user");
        EXPECT_EQ(found["password"], "p@ss");
        EXPECT_EQ(found["host"], "host");
        EXPECT_EQ(found["port"], "5433");
        EXPECT_EQ(found["dbname"], "db");
    }
}

TEST(Url, TakesSeveralHostsAndParameters) {
    auto found = parsed("postgresql://user@a:1,b:2/db?target_session_attrs=read-write&connect_timeout=3");
    EXPECT_EQ(found["host"], "a,b");
    EXPECT_EQ(found["port"], "1,2");
    EXPECT_EQ(found["target_session_attrs"], "read-write");
}

TEST(Url, ReadsTheDriversNameForTls) {
    EXPECT_EQ(parsed("postgresql+asyncpg://u@h/db?ssl=require")["sslmode"], "require");
    EXPECT_EQ(parsed("postgresql+asyncpg://u@h/db?ssl=true&application_name=x")["sslmode"], "require");
    EXPECT_EQ(parsed("postgresql+asyncpg://u@h/db?application_name=x&ssl=verify-full")["sslmode"], "verify-full");
    EXPECT_EQ(parsed("postgresql+asyncpg://u@h/db?application_name=x&ssl=verify-full")["application_name"], "x");
}

TEST(Url, RefusesOthersWithoutRepeatingThem) {
    for (const char* url :
         {"", "secret", "mysql://u:secret@h/db", "postgresqlsecret://h", "postgresql://h:secret:1/db?x=secret",
          "postgresql://u:%00secret@h/db", "postgresql://h/db?nonsense=secret"}) {
        const auto found = parse_url(url);
        ASSERT_FALSE(found.has_value()) << url;
        EXPECT_EQ(found.error().kind, core::ErrorKind::invalid);
        EXPECT_EQ(found.error().detail.find("secret"), std::string::npos);
        EXPECT_NE(found.error().detail.find("DATABASE_URL"), std::string::npos);
    }
}

}  // namespace
}  // namespace store::postgres
