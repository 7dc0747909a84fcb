#include "net/http_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace net {
namespace {

using State = RequestReader::State;

// Feeds `bytes` in pieces of `step` and stops at the first decision.
State feed(RequestReader& reader, std::string_view bytes, std::size_t step = 4096) {
    auto state = reader.advance();
    while (state == State::need_more && !bytes.empty()) {
        const auto room = reader.prepare();
        EXPECT_FALSE(room.empty());
        const auto count = std::min({room.size(), bytes.size(), step});
        std::ranges::copy(bytes.substr(0, count), room.begin());
        reader.commit(count);
        bytes.remove_prefix(count);
        state = reader.advance();
    }
    return state;
}

unsigned status_of(std::string_view bytes, RequestReader::Limits limits = {}) {
    unsigned first = 0;
    // However the bytes are cut, the verdict is the same.
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
        RequestReader reader(limits);
        const auto state = feed(reader, bytes, step);
        const unsigned status = state == State::ready ? 200 : (state == State::refused ? reader.refusal().status : 100);
        if (step == 1) first = status;
        EXPECT_EQ(status, first) << "in steps of " << step;
    }
    return first;
}

TEST(RequestReader, ReadsARequestInAnyPieces) {
    const std::string_view text =
        "POST /a/b?c=d HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello";
    for (std::size_t step = 1; step <= text.size(); ++step) {
        RequestReader reader({});
        ASSERT_EQ(feed(reader, text, step), State::ready);
        const auto& request = reader.request();
        EXPECT_EQ(request.method, "POST");
        EXPECT_EQ(request.path(), "/a/b");
        EXPECT_EQ(request.query(), "c=d");
        EXPECT_EQ(request.body, "hello");
        EXPECT_EQ(request.header("content-TYPE"), "application/json");
        EXPECT_TRUE(reader.keep_alive());
    }
}

TEST(RequestReader, ReadsOneRequestAfterTheOther) {
    RequestReader reader({});
    const std::string_view two =
        "POST /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        "\r\nHEAD /2 HTTP/1.0\r\n\r\n";
    ASSERT_EQ(feed(reader, two), State::ready);
    EXPECT_EQ(reader.request().body, "abcde");
    EXPECT_FALSE(reader.is_head());
    reader.next();
    ASSERT_EQ(reader.advance(), State::ready);
    EXPECT_EQ(reader.request().method, "GET");
    EXPECT_EQ(reader.request().target, "/2");
    EXPECT_EQ(reader.request().body, "");
    EXPECT_TRUE(reader.is_head());
    EXPECT_FALSE(reader.keep_alive());
    reader.next();
    EXPECT_TRUE(reader.idle());
    EXPECT_EQ(reader.advance(), State::need_more);
}

TEST(RequestReader, TakesTheAbsoluteForm) {
    RequestReader reader({});
    ASSERT_EQ(feed(reader, "GET HTTP://h:1/p?q HTTP/1.1\r\nHost: x\r\n\r\n"), State::ready);
    EXPECT_EQ(reader.request().target, "/p?q");
    RequestReader bare({});
    ASSERT_EQ(feed(bare, "GET http://h HTTP/1.1\r\nHost: x\r\n\r\n"), State::ready);
    EXPECT_EQ(bare.request().target, "/");
    RequestReader query({});
    ASSERT_EQ(feed(query, "GET http://h?q HTTP/1.1\r\nHost: x\r\n\r\n"), State::ready);
    EXPECT_EQ(query.request().target, "/?q");
}

TEST(RequestReader, TrailersAreNoHeaders) {
    RequestReader reader({});
    ASSERT_EQ(
        feed(reader,
             "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: Bearer x\r\n\r\n"),
        State::ready);
    EXPECT_FALSE(reader.request().has_header("Authorization"));
}

TEST(RequestReader, RefusesWhatSmugglesRequests) {
    const auto with = [](std::string_view fields) {
        return status_of("POST / HTTP/1.1\r\nHost: x\r\n" + std::string{fields} + "\r\n0\r\n\r\n");
    };
    EXPECT_EQ(with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400u);
    EXPECT_EQ(with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400u);
    EXPECT_EQ(with("Content-Length: 5\r\nContent-Length: 6\r\n"), 400u);
    EXPECT_EQ(with("Content-Length: 5\r\nContent-Length: 5\r\n"), 400u);
    EXPECT_EQ(with("Content-Length: 5, 5\r\n"), 400u);
    EXPECT_EQ(with("Content-Length: +5\r\n"), 400u);
    EXPECT_EQ(with("Content-Length: -1\r\n"), 400u);
    EXPECT_EQ(with("Content-Length: 99999999999999999999999\r\n"), 400u);
    EXPECT_EQ(with("Content-Length:\r\n"), 400u);
    EXPECT_EQ(with("Content-Length : 5\r\n"), 400u);
    EXPECT_EQ(with("Transfer-Encoding: gzip, chunked\r\n"), 501u);
    EXPECT_EQ(with("Transfer-Encoding: identity\r\n"), 501u);
    EXPECT_EQ(with("Transfer-Encoding: xchunked\r\n"), 501u);
    EXPECT_EQ(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400u);
    EXPECT_EQ(with("Host: y\r\n"), 400u);
    EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400u);
    EXPECT_EQ(with("Transfer-Encoding: Chunked\r\n"), 200u);
}

TEST(RequestReader, RefusesWhatIsMalformed) {
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400u);  // no Host
    EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 200u);
    EXPECT_EQ(status_of("GET / HTTP/2.0\r\n\r\n"), 400u);
    EXPECT_EQ(status_of("GET / HTTP/0.9\r\n\r\n"), 400u);
    EXPECT_EQ(status_of("GET /\r\n\r\n"), 400u);
    EXPECT_EQ(status_of("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"), 400u);
    EXPECT_EQ(status_of("GET x HTTP/1.1\r\nHost: x\r\n\r\n"), 400u);
    EXPECT_EQ(status_of("G(T / HTTP/1.1\r\nHost: x\r\n\r\n"), 400u);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\nA B: c\r\n\r\n"), 400u);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\nA: b\x01\r\n\r\n"), 400u);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n\r\n"), 417u);
    EXPECT_EQ(status_of("\x16\x03\x01\x02"), 400u);  // TLS
    EXPECT_EQ(status_of("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), 200u);
    EXPECT_EQ(status_of("BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n"), 200u);
}

TEST(RequestReader, RefusesBadChunks) {
    const auto with = [](std::string_view body) {
        return status_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string{body});
    };
    EXPECT_EQ(with("3\r\nabc\r\n0\r\n\r\n"), 200u);
    EXPECT_EQ(with("x\r\nabc\r\n"), 400u);
    EXPECT_EQ(with("-3\r\nabc\r\n"), 400u);
    EXPECT_EQ(with("3\r\nabcd\r\n0\r\n\r\n"), 400u);
    EXPECT_EQ(with("fffffffffffffffff\r\nabc"), 400u);
    EXPECT_EQ(with("ffffffff\r\nabc"), 413u);
    EXPECT_EQ(with("0\r\nno field\r\n\r\n"), 400u);
    EXPECT_EQ(with("0\r\n: x\r\n\r\n"), 400u);
    EXPECT_EQ(with("3\nabc\r\n0\r\n\r\n"), 400u);
    EXPECT_EQ(with("3 ;\tx\r\nabc\r\n00\r\n\r\n"), 200u);
    EXPECT_EQ(with("000000003\r\nabc\r\n0\r\n\r\n"), 400u);
    EXPECT_EQ(with("3;" + std::string(20'000, 'a')), 400u);
    EXPECT_EQ(with("0\r\nA: " + std::string(20'000, 'a')), 400u);
}

TEST(RequestReader, LimitsTheBody) {
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\n";
    const RequestReader::Limits limits{.body = 10};
    EXPECT_EQ(status_of(head + "Content-Length: 10\r\n\r\n0123456789", limits), 200u);
    EXPECT_EQ(status_of(head + "Content-Length: 11\r\n\r\n", limits), 413u);
    EXPECT_EQ(status_of(head + "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", limits),
              200u);
    EXPECT_EQ(status_of(head + "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n6\r\n567890\r\n", limits), 413u);
}

TEST(RequestReader, LimitsTheHeader) {
    const std::string line = "GET / HTTP/1.1\r\nHost: x\r\n";
    EXPECT_EQ(status_of("GET /" + std::string(17'000, 'a')), 414u);
    EXPECT_EQ(status_of("GET /" + std::string(17'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"), 414u);
    EXPECT_EQ(status_of(line + "A: " + std::string(17'000, 'a')), 431u);
    EXPECT_EQ(status_of(line + "A: " + std::string(17'000, 'a') + "\r\n\r\n"), 431u);
    // Each part within the limit, but not together.
    EXPECT_EQ(status_of("GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\nHost: x\r\nA: " + std::string(9'000, 'a') +
                        "\r\n\r\n"),
              431u);
    std::string many = line;
    for (int i = 0; i < 101; ++i) many += "A: b\r\n";
    EXPECT_EQ(status_of(many + "\r\n"), 431u);
    EXPECT_EQ(status_of(line + "A: " + std::string(16'000, 'a') + "\r\n\r\n"), 200u);
}

TEST(RequestReader, KnowsWhoWaitsForContinue) {
    RequestReader reader({});
    EXPECT_EQ(feed(reader, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
              State::need_more);
    EXPECT_TRUE(reader.take_wants_continue());
    EXPECT_FALSE(reader.take_wants_continue());
    EXPECT_EQ(feed(reader, "ok"), State::ready);

    RequestReader eager({});
    EXPECT_EQ(feed(eager, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\no"),
              State::need_more);
    EXPECT_FALSE(eager.take_wants_continue());
}

TEST(RequestReader, RecognisesAnUpgrade) {
    const auto is_upgrade = [](std::string_view text) {
        RequestReader reader({});
        EXPECT_EQ(feed(reader, text), State::ready);
        return reader.is_websocket_upgrade();
    };
    EXPECT_TRUE(
        is_upgrade("GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"));
    EXPECT_FALSE(is_upgrade("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"));
    EXPECT_FALSE(is_upgrade("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n"));
    EXPECT_FALSE(is_upgrade("POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
    EXPECT_FALSE(is_upgrade("GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
}

}  // namespace
}  // namespace net
