#include "meetings/chime/aws_credentials.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "meetings/chime/chime_standin.hpp"

namespace meetings::chime {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Endpoint;
using testing::eventually;
using testing::reply;

constexpr milliseconds kLimit{20'000};
constexpr core::Time kNow{seconds{1'769'349'600}};

class TestClock final : public core::Clock {
  public:
    core::Time now() const override { return now_.load(); }
    void advance(std::chrono::microseconds by) { now_ = now_.load() + by; }

  private:
    std::atomic<core::Time> now_{kNow};
};

/// A folder that goes with this.
class Folder {
  public:
    Folder() : path_(std::filesystem::path(::testing::TempDir()) / core_name()) {
        std::filesystem::create_directories(path_);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string write(const std::string& name, std::string_view text) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name) << text;
        return path_ / name;
    }
    std::string path() const { return path_; }

  private:
    static std::string core_name() {
        return "aws-" + std::to_string(getpid()) + "-" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name();
    }
    std::filesystem::path path_;
};

std::string keys_json(const std::string& id, core::Time expires) {
    return R"({"Code":"Success","AccessKeyId":")" + id + R"(","SecretAccessKey":"secret","Token":"token-)" + id +
           R"(","Expiration":")" + core::format_rfc3339(expires) + "\"}";
}

CredentialSettings nowhere() {
    CredentialSettings settings;
    settings.home = "/nonexistent";
    settings.metadata_disabled = true;
    settings.timeout = milliseconds{5'000};
    return settings;
}

class AwsCredentialsTest : public ::testing::Test {
  protected:
    /// The id of the present key, or what is wrong.
    static std::string id_of(AwsCredentials& credentials) {
        const auto keys = credentials.current();
        return keys ? keys->access_key_id : "error: " + keys.error().detail;
    }

    TestClock clock_;
    net::HttpClient client_;
};

TEST_F(AwsCredentialsTest, EnvironmentComesFirst) {
    const Folder home;
    home.write(".aws/credentials", "[default]\naws_access_key_id=AKIDFILE\naws_secret_access_key=s\n");
    auto settings = nowhere();
    settings.home = home.path();
    settings.access_key_id = "AKIDENV";
    settings.secret_access_key = "secret";
    settings.session_token = "token";
    AwsCredentials credentials(settings, client_, clock_);
    EXPECT_EQ(credentials.discover(kLimit), true);
    const auto keys = credentials.current();
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->access_key_id, "AKIDENV");
    EXPECT_EQ(keys->session_token, "token");
}

TEST_F(AwsCredentialsTest, HalfAPairIsSaidAndNotPassedOver) {
    auto settings = nowhere();
    settings.access_key_id = "AKIDENV";
    AwsCredentials credentials(settings, client_, clock_);
    const auto found = credentials.discover(kLimit);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().detail.find("AKIDENV"), std::string::npos);
    EXPECT_NE(found.error().detail.find("AWS_SECRET_ACCESS_KEY"), std::string::npos);
    EXPECT_FALSE(credentials.current());
}

TEST_F(AwsCredentialsTest, FilesAndProfiles) {
    const Folder home;
    home.write(".aws/credentials", "[default]\naws_access_key_id=AKIDFILE\naws_secret_access_key=s\n");
    home.write(".aws/config", "[profile night]\naws_access_key_id=AKIDNIGHT\naws_secret_access_key=s\n");
    const auto elsewhere = home.write("elsewhere", "[default]\naws_access_key_id=AKIDELSE\naws_secret_access_key=s\n");
    auto settings = nowhere();
    settings.home = home.path();
    const auto id_with = [&](const CredentialSettings& with) {
        AwsCredentials credentials(with, client_, clock_);
        return credentials.discover(kLimit) == true ? id_of(credentials) : "none";
    };
    EXPECT_EQ(id_with(settings), "AKIDFILE");
    auto night = settings;
    night.profile = "night";
    EXPECT_EQ(id_with(night), "AKIDNIGHT");
    auto other = settings;
    other.credentials_file = elsewhere;
    EXPECT_EQ(id_with(other), "AKIDELSE");
    other.credentials_file = "~/elsewhere";
    EXPECT_EQ(id_with(other), "AKIDELSE");
    auto nobody = settings;
    nobody.profile = "nobody";
    EXPECT_EQ(id_with(nobody), "none");
}

TEST_F(AwsCredentialsTest, NothingAnywhere) {
    AwsCredentials credentials(nowhere(), client_, clock_);
    EXPECT_EQ(credentials.discover(kLimit), false);
    const auto keys = credentials.current();
    ASSERT_FALSE(keys);
    EXPECT_EQ(keys.error().kind, core::ErrorKind::unavailable);
}

TEST_F(AwsCredentialsTest, ContainerWithAuthorizationToken) {
    const Folder folder;
    const Endpoint endpoint([](const net::Request& request) {
        if (request.path() != "/v2/credentials/7" || request.header("Authorization") != "Bearer x")
            return reply(403, "{}");
        return reply(200, keys_json("ASIACONTAINER", kNow + minutes{60}));
    });
    auto settings = nowhere();
    settings.container_full_uri = endpoint.url() + "/v2/credentials/7";
    settings.container_authorization_token_file = folder.write("token", "Bearer x\n");
    {
        AwsCredentials credentials(settings, client_, clock_);
        EXPECT_EQ(credentials.discover(kLimit), true);
        EXPECT_EQ(credentials.current()->session_token, "token-ASIACONTAINER");
    }
    settings.container_authorization_token_file.clear();
    {
        AwsCredentials credentials(settings, client_, clock_);
        EXPECT_FALSE(credentials.discover(kLimit));
    }
    settings.container_host = endpoint.url();
    settings.container_relative_uri = "/v2/credentials/7";
    settings.container_authorization_token = "Bearer x";
    AwsCredentials credentials(settings, client_, clock_);
    EXPECT_EQ(credentials.discover(kLimit), true);
}

TEST_F(AwsCredentialsTest, ContainerUriMustBeTrustworthy) {
    for (const auto* good :
         {"https://keys.example.org/x", "http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:9/x",
          "http://169.254.170.2/x", "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials"})
        EXPECT_TRUE(CredentialSources::is_trusted_container_uri(good)) << good;
    for (const auto* bad :
         {"http://keys.example.org/x", "http://169.254.169.254/x", "ftp://127.0.0.1/x", "/x", "",
          "http://127.0.0.1.example.org/", "http://127.0.0.1\\@example.org/", "https://", "http://[::1].example.org/",
          "http://127.0.0.1 /", "http://2130706433/", "http://127.0.0.1@example.org/", "http://localhost.evil/"})
        EXPECT_FALSE(CredentialSources::is_trusted_container_uri(bad)) << bad;
}

/// Instance metadata, version 2.
class Metadata {
  public:
    explicit Metadata(const TestClock& clock)
        : endpoint_([this, &clock](const net::Request& request) { return answer(request, clock.now()); }) {}
    std::string url() const { return endpoint_.url(); }

    std::atomic<int> asked{0};  ///< For keys.
    std::atomic<bool> fails{false};
    std::atomic<bool> roleless{false};
    std::atomic<bool> same{false};  ///< Gives the first keys again.

  private:
    net::Response answer(const net::Request& request, core::Time now) {
        if (request.path() == "/latest/api/token") {
            const bool asks_well =
                request.method == "PUT" && !request.header("X-aws-ec2-metadata-token-ttl-seconds").empty();
            return asks_well ? reply(200, "imds-token") : reply(400, "");
        }
        if (request.header("X-aws-ec2-metadata-token") != "imds-token") return reply(401, "");
        if (request.path() == "/latest/meta-data/iam/security-credentials/")
            return roleless ? reply(404, "") : reply(200, "clinic-role\n");
        if (request.path() != "/latest/meta-data/iam/security-credentials/clinic-role") return reply(404, "");
        const int number = ++asked;
        if (fails) return reply(500, "");
        if (same) return reply(200, keys_json("ASIA1", kNow + minutes{60}));
        return reply(200, keys_json("ASIA" + std::to_string(number), now + minutes{60}));
    }
    Endpoint endpoint_;
};

TEST_F(AwsCredentialsTest, MachineMetadata) {
    Metadata metadata(clock_);
    auto settings = nowhere();
    settings.metadata_disabled = false;
    settings.metadata_endpoint = metadata.url() + "/";
    {
        AwsCredentials credentials(settings, client_, clock_);
        EXPECT_EQ(credentials.discover(kLimit), true);
        EXPECT_EQ(id_of(credentials), "ASIA1");
    }
    metadata.roleless = true;
    AwsCredentials credentials(settings, client_, clock_);
    EXPECT_EQ(credentials.discover(kLimit), false);
}

TEST_F(AwsCredentialsTest, AMachineThatIsNoneOfAwssHasNone) {
    auto settings = nowhere();
    settings.metadata_disabled = false;
    {
        const Endpoint gone([](const net::Request&) { return reply(404, ""); });
        settings.metadata_endpoint = gone.url();
        AwsCredentials credentials(settings, client_, clock_);
        EXPECT_EQ(credentials.discover(kLimit), false);
    }
    // And now nobody listens there at all.
    AwsCredentials credentials(settings, client_, clock_);
    EXPECT_EQ(credentials.discover(kLimit), false);
}

TEST_F(AwsCredentialsTest, AreRenewedBeforeTheyRunOut) {
    Metadata metadata(clock_);
    auto settings = nowhere();
    settings.metadata_disabled = false;
    settings.metadata_endpoint = metadata.url();
    // With 5 minutes and half a second to go they are renewed half a second later.
    metadata.same = true;
    clock_.advance(minutes{55} - milliseconds{500});
    AwsCredentials credentials(settings, client_, clock_);
    EXPECT_EQ(credentials.discover(kLimit), true);
    EXPECT_EQ(id_of(credentials), "ASIA1");
    metadata.same = false;
    EXPECT_TRUE(eventually([&] { return id_of(credentials) == "ASIA2"; }));
}

TEST_F(AwsCredentialsTest, AreUsedUntilTheyReallyRunOutAndRenewalIsTriedAgain) {
    Metadata metadata(clock_);
    auto settings = nowhere();
    settings.metadata_disabled = false;
    settings.metadata_endpoint = metadata.url();
    metadata.same = true;
    clock_.advance(minutes{55});
    AwsCredentials credentials(settings, client_, clock_);
    EXPECT_EQ(credentials.discover(kLimit), true);
    metadata.fails = true;
    EXPECT_TRUE(eventually([&] { return metadata.asked >= 2; }));
    EXPECT_EQ(id_of(credentials), "ASIA1");
    clock_.advance(minutes{5});
    EXPECT_FALSE(credentials.current());
    metadata.fails = metadata.same = false;
    EXPECT_TRUE(eventually([&] { return credentials.current().has_value(); }));
}

TEST(RenewalPause, IsFiveMinutesBeforeTheEnd) {
    const AwsKeys forever{.access_key_id = "A", .secret_access_key = "s"};
    auto hour = forever;
    hour.expires_at = kNow + minutes{60};
    EXPECT_EQ(pause_before_renewal(forever, 0, kNow), std::nullopt);
    EXPECT_EQ(pause_before_renewal(hour, 0, kNow), minutes{55});
    EXPECT_EQ(pause_before_renewal(hour, 0, kNow + minutes{56}), seconds{1});
    EXPECT_EQ(pause_before_renewal(hour, 3, kNow + minutes{56}), seconds{4});
    EXPECT_EQ(pause_before_renewal(hour, 40, kNow + minutes{80}), seconds{60});
    EXPECT_EQ(pause_before_renewal({}, 2, kNow), seconds{2});
    EXPECT_EQ(pause_before_renewal(forever, 1, kNow), seconds{1});
}

}  // namespace
}  // namespace meetings::chime
