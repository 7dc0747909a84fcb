#include "meetings/chime/credential_documents.hpp"

#include <gtest/gtest.h>

namespace meetings::chime {
namespace {

constexpr std::string_view kCredentials = R"(
# who we are
[default]
aws_access_key_id = AKIDDEFAULT
AWS_SECRET_ACCESS_KEY=se=cr/et+
; a comment
[ clinic ]
aws_access_key_id=AKIDCLINIC
aws_secret_access_key=clinic
aws_session_token = token==
[half]
aws_access_key_id=AKIDHALF
[odd]
aws_access_key_id=AK ID
aws_secret_access_key=x
[empty]
region = eu-west-2
)";

constexpr std::string_view kConfig = R"([default]
region = us-east-1
s3 =
  aws_access_key_id = NESTED
aws_access_key_id = AKIDCONFIG
aws_secret_access_key = config
[profile clinic]
aws_access_key_id = AKIDOTHER
aws_secret_access_key = other
[profile  "night shift"]
aws_access_key_id = AKIDNIGHT
aws_secret_access_key = night
[services]
)";

std::string id_in(const core::Result<std::optional<AwsKeys>>& keys) {
    if (!keys) return "error";
    return *keys ? (*keys)->access_key_id : "none";
}

TEST(CredentialsFile, HasKeysByProfile) {
    const auto found = keys_in_credentials_file(kCredentials, "default");
    ASSERT_TRUE(found && *found);
    EXPECT_EQ(**found, (AwsKeys{.access_key_id = "AKIDDEFAULT", .secret_access_key = "se=cr/et+"}));
    const auto temporary = keys_in_credentials_file(kCredentials, "clinic");
    ASSERT_TRUE(temporary && *temporary);
    EXPECT_EQ((*temporary)->session_token, "token==");
    EXPECT_EQ(id_in(keys_in_credentials_file(kCredentials, "nobody")), "none");
    EXPECT_EQ(id_in(keys_in_credentials_file(kCredentials, "empty")), "none");
    EXPECT_EQ(id_in(keys_in_credentials_file(kCredentials, "half")), "error");
    EXPECT_EQ(id_in(keys_in_credentials_file(kCredentials, "odd")), "error");
    EXPECT_EQ(id_in(keys_in_credentials_file("", "default")), "none");
}

TEST(ConfigFile, HasKeysByProfile) {
    EXPECT_EQ(id_in(keys_in_config_file(kConfig, "default")), "AKIDCONFIG");
    EXPECT_EQ(id_in(keys_in_config_file(kConfig, "clinic")), "AKIDOTHER");
    EXPECT_EQ(id_in(keys_in_config_file(kConfig, "night shift")), "AKIDNIGHT");
    EXPECT_EQ(id_in(keys_in_config_file(kConfig, "services")), "none");
    EXPECT_EQ(id_in(keys_in_config_file("[profile default]\naws_access_key_id=AKIDA\naws_secret_access_key=s\r\n"
                                        "[default]\naws_access_key_id=AKIDB\naws_secret_access_key=s",
                                        "default")),
              "AKIDA");
}

TEST(CredentialsFile, TakesOddLinesForNothing) {
    const auto sections = parse_ini("a=1\n[open\nb=2\n[x]y\n=3\nc\nd==\n\n e=5\n[]\nf=6");
    EXPECT_EQ(sections.at("x").at("d"), "=");
    EXPECT_EQ(sections.at("x").count("e"), 0u);
    EXPECT_EQ(sections.at("").at("f"), "6");
    EXPECT_EQ(sections.count("open"), 0u);
}

TEST(CredentialsJson, IsReadWithItsExpiry) {
    const auto keys = keys_in_json(
        R"({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIA1","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-25T14:00:00Z"})");
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->access_key_id, "ASIA1");
    EXPECT_EQ(keys->session_token, "t");
    EXPECT_EQ(keys->expires_at, core::Time{std::chrono::seconds{1'769'349'600}});
}

TEST(CredentialsJson, RefusesWhatIsNoKeys) {
    for (const auto* odd :
         {"", "[]", "{}", "null", R"({"AccessKeyId":"A"})", R"({"AccessKeyId":1,"SecretAccessKey":"s"})",
          R"({"Code":"AssumeRoleUnauthorizedAccess","AccessKeyId":"A","SecretAccessKey":"s"})",
          R"({"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"tomorrow"})",
          R"({"AccessKeyId":"A\r\nX: 1","SecretAccessKey":"s"})", R"({"AccessKeyId":"A/B","SecretAccessKey":"s"})"}) {
        const auto keys = keys_in_json(odd);
        ASSERT_FALSE(keys) << odd;
        EXPECT_EQ(keys.error().kind, core::ErrorKind::unavailable);
    }
}

}  // namespace
}  // namespace meetings::chime
