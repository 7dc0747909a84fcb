#include "app/program.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "app/config.hpp"
#include "app/data_folder.hpp"
#include "app/service_process.hpp"
#include "net/loopback.hpp"

namespace app {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A port that is taken as long as this lives, for UDP as well if asked.
class Taken {
  public:
    Taken() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_ANY);
        EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(listen(fd_, 1), 0);
        socklen_t size = sizeof address;
        getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
    }
    ~Taken() { close(fd_); }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    std::uint16_t port() const { return port_; }

  private:
    int fd_;
    std::uint16_t port_ = 0;
};

std::uint16_t free_port() {
    return Taken{}.port();
}

/// Each test works in an empty folder, without settings from outside.
class ProgramTest : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/program_test_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder_ = name;
        home_ = std::filesystem::current_path();
        std::filesystem::current_path(folder_);
        for (const auto* variable : {"DATABASE_URL", "JWT_SECRET_KEY", "JWT_ALGORITHM", "DATA_DIR", "PORT", "HOST",
                                     "MEDIA_PORT", "PUBLIC_HOST", "API_URL", "DEFAULT_TIME_ZONE", "LOG_LEVEL"}) {
            unsetenv(variable);
        }
    }
    void TearDown() override {
        std::filesystem::current_path(home_);
        std::filesystem::remove_all(folder_);
        core::log::set_level(core::log::Level::info);
    }

    struct Outcome {
        int code;
        std::string out;
        std::string err;
    };
    static Outcome run(std::vector<const char*> arguments) {
        ::testing::internal::CaptureStdout();
        ::testing::internal::CaptureStderr();
        const int code = run_program(arguments);
        auto out = ::testing::internal::GetCapturedStdout();
        return {code, std::move(out), ::testing::internal::GetCapturedStderr()};
    }
    static unsigned mode(const std::string& path) {
        struct stat status{};
        EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
        return status.st_mode & 0777;
    }

    std::string folder_;
    std::filesystem::path home_;
};

TEST_F(ProgramTest, ShowsHelpAndVersion) {
    const auto help = run({"--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, StartsWith("Usage: video-consultation"));
    const auto version = run({"--version"});
    EXPECT_EQ(version.code, 0);
    EXPECT_THAT(version.out, StartsWith("video-consultation "));
    EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(ProgramTest, AWrongSettingIsOneLineAndCode2) {
    const auto port = run({"--port", "x"});
    EXPECT_EQ(port.code, 2);
    EXPECT_EQ(port.err, "video-consultation: PORT: expected a whole number from 1 to 65535\n");
    std::ofstream(".env") << "MEDIA_PORT=no\n";
    EXPECT_EQ(run({}).err, "video-consultation: MEDIA_PORT: expected a whole number from 1 to 65535\n");
    std::ofstream(".env") << "DEFAULT_TIME_ZONE=Mars/Olympus\n";
    const auto zone = run({});
    EXPECT_EQ(zone.code, 2);
    EXPECT_THAT(zone.err, StartsWith("video-consultation: DEFAULT_TIME_ZONE: "));
    std::ofstream(".env") << "nonsense\n";
    EXPECT_EQ(run({}).err, "video-consultation: .env line 1: expected NAME=value\n");
    EXPECT_FALSE(std::filesystem::exists("data"));
}

TEST_F(ProgramTest, TheEnvironmentWinsOverTheFileAndOptionsOverBoth) {
    std::ofstream(".env") << "JWT_ALGORITHM=file\n";
    setenv("JWT_ALGORITHM", "HS256", 1);
    setenv("DATA_DIR", "/nonexistent/\x01", 1);
    const auto token = run({"token", "--role", "DOCTOR", "--user", "12", "--data", "mine"});
    EXPECT_EQ(token.code, 0) << token.err;
    EXPECT_TRUE(std::filesystem::exists("mine/jwt-secret"));
    unsetenv("DATA_DIR");
    unsetenv("JWT_ALGORITHM");
    EXPECT_EQ(run({"token", "--role", "DOCTOR", "--user", "12"}).code, 2);
}

TEST_F(ProgramTest, MintsATokenWithTheKeptSecret) {
    const auto first = run({"token", "--role", "DOCTOR", "--user", "12"});
    EXPECT_EQ(first.code, 0);
    EXPECT_THAT(first.err, StartsWith("For trial only:"));
    EXPECT_EQ(mode("data"), 0700u);
    EXPECT_EQ(mode("data/jwt-secret"), 0600u);
    const auto secret = kept_secret("data/jwt-secret");
    ASSERT_TRUE(secret.has_value());
    EXPECT_EQ(secret->size(), 64u);
    const core::SystemClock clock;
    const directory::JwtVerifier tokens({.secret = *secret}, clock);
    const auto caller = tokens.verify(first.out.substr(0, first.out.size() - 1));
    ASSERT_TRUE(caller.has_value());
    EXPECT_EQ(caller->role, "DOCTOR");
    EXPECT_EQ(caller->user_id, "12");

    setenv("JWT_SECRET_KEY", "another", 1);
    const auto other = run({"token", "--role", "DOCTOR", "--user", "12"});
    unsetenv("JWT_SECRET_KEY");
    EXPECT_FALSE(tokens.verify(other.out.substr(0, other.out.size() - 1)).has_value());
    EXPECT_EQ(run({"token", "--role", "DOCTOR", "--user", std::string(101, 'x').c_str()}).code, 2);
}

TEST_F(ProgramTest, AFolderThatIsNoneIsOneLineThatSaysWhatToDo) {
    std::ofstream("data") << "a file";
    const auto outcome = run({});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.err,
              "video-consultation: data folder ./data is not a folder; make it writable for this user, or choose "
              "another with --data or DATA_DIR\n");
    EXPECT_EQ(run({"--data", "/proc/none"}).code, 1);
}

TEST_F(ProgramTest, ADamagedSecretIsNotUsed) {
    std::filesystem::create_directory("data");
    std::ofstream("data/jwt-secret") << "short\n";
    const auto outcome = run({"token", "--role", "DOCTOR", "--user", "12"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("data/jwt-secret cannot be read or is damaged"));
}

TEST_F(ProgramTest, TakenPortsAreOneLineThatSaysWhatToDo) {
    const Taken taken;
    const auto port = std::to_string(taken.port());
    const auto media = std::to_string(free_port());
    const auto http = run({"--port", port.c_str(), "--media-port", media.c_str()});
    EXPECT_EQ(http.code, 1);
    EXPECT_THAT(http.err, EndsWith("video-consultation: cannot listen on 0.0.0.0:" + port +
                                   ": the port is in use by another program; free it, or choose another with --port "
                                   "or --host\n"));
    const auto free = std::to_string(free_port());
    const auto udp = run({"--port", free.c_str(), "--media-port", port.c_str()});
    EXPECT_EQ(udp.code, 1);
    EXPECT_THAT(udp.err, HasSubstr(port));
    EXPECT_THAT(udp.err, HasSubstr("video-consultation: "));
    EXPECT_THAT(udp.err, HasSubstr("--media-port"));
}

TEST_F(ProgramTest, AnUnreachableDatabaseIsOneLine) {
    const auto nobody = std::to_string(free_port());
    setenv("DATABASE_URL", ("postgresql://user:hunter2@127.0.0.1:" + nobody + "/db").c_str(), 1);
    setenv("DATABASE_WAIT_SECONDS", "0", 1);
    const auto outcome = run({});
    unsetenv("DATABASE_WAIT_SECONDS");
    unsetenv("DATABASE_URL");
    EXPECT_EQ(outcome.code, 1);
    const auto line = outcome.err.substr(outcome.err.find("video-consultation: "));
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    EXPECT_THAT(line, HasSubstr("DATABASE_URL"));
    EXPECT_EQ(outcome.err.find("hunter2"), std::string::npos);
}

Config trial(const std::string& folder) {
    Config config;
    config.hosts = {"127.0.0.1"};
    config.port = free_port();
    config.media_port = free_port();
    config.threads = 2;
    config.data_dir = folder;
    config.api_url = "http://localhost:" + std::to_string(config.port);
    return config;
}

std::string session_in(const std::string& text) {
    const auto begin = text.find("/room/") + 6;
    return text.substr(begin, text.find('#') - begin);
}

TEST_F(ProgramTest, StartsServesBooksADemoAndStops) {
    auto config = trial("data");
    auto process = ServiceProcess::start(config);
    ASSERT_TRUE(process.has_value()) << process.error().detail;
    EXPECT_EQ(mode("data"), 0700u);
    net::testing::RawClient client(config.port);
    client.send("GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 200 "));

    const auto first = (*process)->demo();
    ASSERT_TRUE(first.has_value()) << first.error().detail;
    EXPECT_THAT(*first, HasSubstr("For trial only"));
    const auto begin = first->find("http://localhost:" + std::to_string(config.port) + "/room/");
    ASSERT_NE(begin, std::string::npos);
    const auto token_at = first->find("#token=") + 7;
    const auto token = first->substr(token_at, first->find('\n', token_at) - token_at);
    client.send("GET /api/video/sessions/" + session_in(*first) +
                " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n\r\n");
    EXPECT_THAT(client.answer(), HasSubstr("doctor-demo"));
    (*process)->stop(std::chrono::steady_clock::now() + std::chrono::milliseconds{net::testing::kPatienceMs});
    process->reset();

    // The next start uses the same consultation, and the tokens stay good.
    config = trial("data");
    auto again = ServiceProcess::start(config);
    ASSERT_TRUE(again.has_value()) << again.error().detail;
    const auto second = (*again)->demo();
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ(session_in(*second), session_in(*first));
}

}  // namespace
}  // namespace app
