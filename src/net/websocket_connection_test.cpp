#include "net/websocket_connection.hpp"

#include <boost/asio/connect.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <future>

#include "net/loopback.hpp"

namespace net {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using std::chrono::milliseconds;
using testing::Loopback;
using testing::RawClient;
using Decision = std::variant<Response, Upgrade>;

asio::awaitable<Response> not_found(const Request&) {
    Response response;
    response.status = 404;
    co_return response;
}

// Sends every message back.
asio::awaitable<void> echo(std::shared_ptr<WebSocket> socket) {
    while (auto message = co_await socket->read()) socket->send(std::move(*message));
}

UpgradeHandler upgrade_to(std::function<asio::awaitable<void>(std::shared_ptr<WebSocket>)> serve) {
    return [serve = std::move(serve)](const Request& request) -> asio::awaitable<Decision> {
        if (request.path() == "/no") {
            Response response;
            response.status = 403;
            response.body = R"({"detail":"no"})";
            co_return response;
        }
        if (request.path() == "/throw") throw std::runtime_error("x");
        Upgrade upgrade;
        upgrade.max_message = 1000;
        if (request.has_header("Sec-WebSocket-Protocol")) upgrade.subprotocol = "_aws_wt_session";
        upgrade.serve = serve;
        co_return upgrade;
    };
}

// A blocking client on Beast's own implementation.
class Client {
  public:
    explicit Client(std::uint16_t port) : stream_(context_) {
        stream_.next_layer().connect({asio::ip::address_v4::loopback(), port});
        timeval patience{testing::kPatienceMs / 1000, 0};
        setsockopt(stream_.next_layer().native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        stream_.binary(true);
    }

    websocket::response_type open(const std::string& path, const std::string& subprotocol = {}) {
        if (!subprotocol.empty()) {
            stream_.set_option(websocket::stream_base::decorator([subprotocol](websocket::request_type& request) {
                request.set(boost::beast::http::field::sec_websocket_protocol, subprotocol);
            }));
        }
        websocket::response_type response;
        stream_.handshake(response, "localhost", path, error_);
        return response;
    }
    void send(const std::string& message) { stream_.write(asio::buffer(message), error_); }
    std::string read() {
        boost::beast::flat_buffer buffer;
        stream_.read(buffer, error_);
        return boost::beast::buffers_to_string(buffer.data());
    }
    /// The code of the server's close frame; 0 when the connection ended without one.
    unsigned closed_with() {
        while (!error_) read();
        return error_ == websocket::error::closed ? unsigned{stream_.reason().code} : 0;
    }
    const boost::system::error_code& error() const { return error_; }
    websocket::stream<asio::ip::tcp::socket>& stream() { return stream_; }

  private:
    asio::io_context context_;
    websocket::stream<asio::ip::tcp::socket> stream_;
    boost::system::error_code error_;
};

TEST(WebSocket, CarriesWholeMessagesBothWays) {
    Loopback loopback(not_found, upgrade_to(echo));
    Client client(loopback.port());
    const auto response = client.open("/control/m", "_aws_wt_session");
    ASSERT_FALSE(client.error()) << client.error().message();
    EXPECT_EQ(response["Sec-WebSocket-Protocol"], "_aws_wt_session");
    EXPECT_EQ(response["Server"], "video-consultation");
    for (const auto& message : {std::string("a"), std::string(1000, 'b'), std::string("\0\xff", 2), std::string()}) {
        client.send(message);
        EXPECT_EQ(client.read(), message);
    }
    client.stream().ping({});
    client.send("still there");
    EXPECT_EQ(client.read(), "still there");
    client.stream().close(websocket::close_code::normal);
}

TEST(WebSocket, NoSubprotocolUnlessAgreed) {
    Loopback loopback(not_found, upgrade_to(echo));
    Client client(loopback.port());
    const auto response = client.open("/control/m");
    EXPECT_FALSE(client.error());
    EXPECT_EQ(response.count("Sec-WebSocket-Protocol"), 0u);
}

TEST(WebSocket, HandlerMayAnswerPlainly) {
    Loopback loopback(not_found, upgrade_to(echo));
    const auto status_of = [&](const std::string& path) {
        Client client(loopback.port());
        const auto response = client.open(path);
        EXPECT_EQ(client.error(), websocket::error::upgrade_declined);
        return response.result_int();
    };
    EXPECT_EQ(status_of("/no"), 403u);
    EXPECT_EQ(status_of("/throw"), 500u);
}

TEST(WebSocket, ConnectionGoesOnAfterAPlainAnswer) {
    Loopback loopback(not_found, upgrade_to(echo));
    RawClient client(loopback.port());
    const std::string upgrade =
        " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    client.send("GET /no" + upgrade + "Sec-WebSocket-Version: 13\r\n\r\n");
    EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 403 "));
    client.send("GET /a" + upgrade + "Sec-WebSocket-Version: 8\r\n\r\n");
    EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 426 "));
    client.send(
        "GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n");
    EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 400 "));
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 404 "));
}

TEST(WebSocket, UpgradesGoToTheHandlerWhenNobodyTakesThem) {
    Loopback loopback(not_found);
    Client client(loopback.port());
    EXPECT_EQ(client.open("/control/m").result_int(), 404u);
}

TEST(WebSocket, ClosesWithTheCodeGiven) {
    for (const std::uint16_t code : {std::uint16_t{4410}, std::uint16_t{4500}, std::uint16_t{1000}}) {
        Loopback loopback(not_found, upgrade_to([code](std::shared_ptr<WebSocket> socket) -> asio::awaitable<void> {
                              socket->send("last words");
                              socket->close(code);
                              EXPECT_EQ(co_await socket->read(), std::nullopt);
                          }));
        Client client(loopback.port());
        client.open("/control/m");
        EXPECT_EQ(client.read(), "last words");
        EXPECT_EQ(client.closed_with(), code);
    }
}

TEST(WebSocket, ClosesNormallyWhenTheConversationReturns) {
    Loopback loopback(not_found, upgrade_to([](std::shared_ptr<WebSocket> socket) -> asio::awaitable<void> {
                          co_await socket->read();
                      }));
    Client client(loopback.port());
    client.open("/control/m");
    client.send("x");
    EXPECT_EQ(client.closed_with(), 1000u);
}

TEST(WebSocket, ClosesWith1011WhenTheConversationThrows) {
    Loopback loopback(not_found, upgrade_to([](std::shared_ptr<WebSocket> socket) -> asio::awaitable<void> {
                          co_await socket->read();
                          throw std::runtime_error("x");
                      }));
    Client client(loopback.port());
    client.open("/control/m");
    client.send("x");
    EXPECT_EQ(client.closed_with(), 1011u);
}

TEST(WebSocket, AbortDropsTheConnectionWithoutAClose) {
    Loopback loopback(not_found, upgrade_to([](std::shared_ptr<WebSocket> socket) -> asio::awaitable<void> {
                          co_await socket->read();
                          socket->abort();
                      }));
    Client client(loopback.port());
    client.open("/control/m");
    client.send("x");
    EXPECT_EQ(client.closed_with(), 0u);
}

TEST(WebSocket, TextAndTooLargeMessagesEndTheConnection) {
    Loopback loopback(not_found, upgrade_to(echo));
    Client text(loopback.port());
    text.open("/control/m");
    text.stream().text(true);
    text.send("text");
    EXPECT_EQ(text.closed_with(), 1003u);
    Client large(loopback.port());
    large.open("/control/m");
    large.send(std::string(1001, 'x'));
    EXPECT_EQ(large.closed_with(), 1009u);
}

TEST(WebSocket, EndsWhenThePeerGoesSilent) {
    HttpServerSettings settings;
    settings.websocket_idle = milliseconds{100};
    std::promise<void> ended;
    Loopback loopback(not_found, upgrade_to([&](std::shared_ptr<WebSocket> socket) -> asio::awaitable<void> {
                          EXPECT_EQ(co_await socket->read(), std::nullopt);
                          ended.set_value();
                      }),
                      settings);
    Client client(loopback.port());
    client.open("/control/m");
    EXPECT_EQ(ended.get_future().wait_for(milliseconds{testing::kPatienceMs}), std::future_status::ready);
}

TEST(WebSocket, ReadsEndWhenThePeerVanishes) {
    std::promise<void> ended;
    Loopback loopback(not_found, upgrade_to([&](std::shared_ptr<WebSocket> socket) -> asio::awaitable<void> {
                          while (co_await socket->read()) {
                          }
                          ended.set_value();
                      }));
    {
        Client client(loopback.port());
        client.open("/control/m");
        client.send("x");
    }
    EXPECT_EQ(ended.get_future().wait_for(milliseconds{testing::kPatienceMs}), std::future_status::ready);
}

// A peer that never reads costs at most the queue, then its connection.
TEST(WebSocket, AbortsOnASlowReader) {
    std::promise<std::size_t> sent;
    Loopback loopback(not_found, upgrade_to([&](std::shared_ptr<WebSocket> socket) -> asio::awaitable<void> {
                          // From a thread of its own, as the meeting server does.
                          std::thread sender([&] {
                              // Kernel buffers take some megabytes first; far more than that cannot fit.
                              for (int i = 0; i < 64 * 1024; ++i) socket->send(std::string(1024, 'x'));
                          });
                          std::size_t reads = 0;
                          while (co_await socket->read()) ++reads;
                          sender.join();
                          sent.set_value(reads);
                      }));
    Client client(loopback.port());
    client.open("/control/m");
    auto future = sent.get_future();
    ASSERT_EQ(future.wait_for(milliseconds{testing::kPatienceMs}), std::future_status::ready);
    EXPECT_EQ(future.get(), 0u);
    EXPECT_EQ(client.closed_with(), 0u);
}

TEST(WebSocket, KeepsTheOrderOfMessagesFromAnotherThread) {
    Loopback loopback(not_found, upgrade_to([](std::shared_ptr<WebSocket> socket) -> asio::awaitable<void> {
                          std::thread sender([socket] {
                              for (int i = 0; i < 500; ++i) socket->send(std::to_string(i));
                              socket->close(4410);
                          });
                          sender.join();
                          while (co_await socket->read()) {
                          }
                      }));
    Client client(loopback.port());
    client.open("/control/m");
    for (int i = 0; i < 500; ++i) ASSERT_EQ(client.read(), std::to_string(i));
    EXPECT_EQ(client.closed_with(), 4410u);
}

TEST(WebSocket, ServerStopCutsConversationsThatGoOn) {
    Loopback loopback(not_found, upgrade_to(echo));
    Client client(loopback.port());
    client.open("/control/m");
    client.send("x");
    EXPECT_EQ(client.read(), "x");
    EXPECT_FALSE(loopback.server().stop(milliseconds{1}));
    EXPECT_EQ(loopback.server().connections(), 0u);
    EXPECT_EQ(client.closed_with(), 0u);
}

TEST(WebSocket, NothingMayFollowTheUpgradeRequest) {
    Loopback loopback(not_found, upgrade_to(echo));
    RawClient client(loopback.port());
    client.send(
        "GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\nGET / HTTP/1.1\r\n");
    EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 400 "));
    EXPECT_EQ(client.rest(), "");
}

}  // namespace
}  // namespace net
