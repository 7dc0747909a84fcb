#include "directory/jwks.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "directory/test_keys.hpp"
#include "net/raw_server.hpp"

namespace directory {
namespace {

using net::testing::Loopback;
using std::chrono::milliseconds;
using testing::set_of;
using testing::SigningKey;

std::string jwk(const std::string& name) {
    static const auto key = SigningKey::ec();
    return key.jwk(",\"kid\":\"" + name + "\"");
}

class KeyFileTest : public ::testing::Test {
  protected:
    KeyFileTest() {
        std::string pattern = ::testing::TempDir() + "keys-XXXXXX";
        folder = mkdtemp(pattern.data());
    }
    ~KeyFileTest() override { std::filesystem::remove_all(folder); }

    std::string file(const std::string& text) {
        const auto path = folder / "keys.json";
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }

    std::filesystem::path folder;
};

TEST_F(KeyFileTest, IsReadAtStart) {
    const auto keys = KeyFile::read(file(set_of({jwk("a")})));
    ASSERT_TRUE(keys.has_value()) << keys.error().detail;
    const auto current = (*keys)->current();
    EXPECT_NE(current.set->find("a", KeyType::p256, "ES256"), nullptr);
    EXPECT_EQ(current.generation, (*keys)->generation());
    (*keys)->missed();
}

TEST_F(KeyFileTest, SaysWhatIsWrongWithIt) {
    const auto why = [](const std::string& path) {
        const auto keys = KeyFile::read(path);
        return keys ? "nothing" : keys.error().detail.substr(keys.error().detail.rfind("json: ") + 6);
    };
    EXPECT_EQ(why((folder / "absent.json").string()), "cannot be read");
    EXPECT_EQ(why(file("")), "cannot be read");
    EXPECT_EQ(why(file("{}")), "the key set is refused: it has no list of keys");
    EXPECT_EQ(why(file(R"({"keys":[{"kty":"oct","k":"AAAA"}]})")), "holds no RSA or P-256 key for signatures");
    EXPECT_EQ(why(file(set_of({jwk("a")}) + std::string(70'000, ' '))), "the key set is refused: it is too long");
}

/// The auth service's key set, as it is just now.
class KeyServer {
  public:
    KeyServer() : loopback_([this](const net::Request&) { return answer(); }) {}

    void show(unsigned status, std::string text) {
        const std::scoped_lock lock(mutex_);
        status_ = status;
        text_ = std::move(text);
    }
    int asked() const { return asked_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(loopback_.port()) + "/keys"; }

  private:
    boost::asio::awaitable<net::Response> answer() {
        net::Response response;
        {
            const std::scoped_lock lock(mutex_);
            response.status = status_;
            response.body = text_;
        }
        ++asked_;
        co_return response;
    }

    std::mutex mutex_;
    unsigned status_ = 200;
    std::string text_;
    std::atomic<int> asked_{0};
    Loopback loopback_;
};

class KeyUrlTest : public ::testing::Test {
  protected:
    ~KeyUrlTest() override { loops.stop(); }

    void open() {
        settings.url = server.url();
        keys = std::make_unique<KeyUrl>(settings, client, loops.executor(0));
        loops.start();
    }
    template <class Condition>
    static void wait_until(Condition condition) {
        const auto until = std::chrono::steady_clock::now() + milliseconds{net::testing::kPatienceMs};
        while (!condition()) {
            ASSERT_LT(std::chrono::steady_clock::now(), until) << "it did not happen in time";
            std::this_thread::sleep_for(milliseconds{1});
        }
    }
    bool has(const std::string& name) const {
        return keys->current().set->find(name, KeyType::p256, "ES256") != nullptr;
    }

    KeyServer server;
    net::HttpClient client;
    KeyUrlSettings settings;
    net::Executors loops{1, "keys"};
    std::unique_ptr<KeyUrl> keys;
};

TEST_F(KeyUrlTest, IsReadAtStartAndAgainAfterAWhile) {
    server.show(200, set_of({jwk("a")}));
    settings.refresh = milliseconds{20};
    open();
    wait_until([&] { return has("a"); });
    const auto generation = keys->generation();
    wait_until([&, asked = server.asked()] { return server.asked() > asked + 2; });
    EXPECT_EQ(keys->generation(), generation);  // Nothing has changed.
    server.show(200, set_of({jwk("b")}));
    wait_until([&] { return has("b"); });
    EXPECT_FALSE(has("a"));
    EXPECT_NE(keys->generation(), generation);
}

TEST_F(KeyUrlTest, AMissingKeyIsLookedForButNotTooOften) {
    server.show(200, set_of({jwk("a")}));
    settings.shortest_pause = milliseconds{500};
    const auto begin = std::chrono::steady_clock::now();
    open();
    wait_until([&] { return has("a"); });
    server.show(200, set_of({jwk("a"), jwk("b")}));
    for (int i = 0; i < 1000; ++i) keys->missed();
    wait_until([&] { return has("b"); });
    EXPECT_GE(std::chrono::steady_clock::now() - begin, settings.shortest_pause);
    EXPECT_EQ(server.asked(), 2);
}

TEST_F(KeyUrlTest, WithoutASetThereIsNoKeyUntilThereIsOne) {
    server.show(500, "");
    settings.shortest_pause = milliseconds{20};
    open();
    wait_until([&] { return server.asked() > 1; });
    EXPECT_EQ(keys->current().set->size(), 0U);
    server.show(200, "<html>");
    wait_until([&, asked = server.asked()] { return server.asked() > asked + 1; });
    EXPECT_EQ(keys->current().set->size(), 0U);
    server.show(200, set_of({jwk("a")}));
    wait_until([&] { return has("a"); });
}

TEST_F(KeyUrlTest, AFailureKeepsTheLastSetAndAnEmptySetDoesNot) {
    server.show(200, set_of({jwk("a")}));
    settings.refresh = settings.shortest_pause = milliseconds{20};
    open();
    wait_until([&] { return has("a"); });
    server.show(503, "");
    wait_until([&, asked = server.asked()] { return server.asked() > asked + 1; });
    EXPECT_TRUE(has("a"));
    server.show(200, set_of({}));
    wait_until([&] { return !has("a"); });
}

TEST_F(KeyUrlTest, EndsWithItsLoop) {
    server.show(200, set_of({jwk("a")}));
    open();
    wait_until([&] { return has("a"); });
    loops.stop();
    loops.drop();
    keys->missed();
    keys.reset();
}

}  // namespace
}  // namespace directory
