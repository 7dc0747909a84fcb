#include "media/transport/dtls.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "media/transport/captured_client_hello.hpp"
#include "media/transport/test_client.hpp"

namespace media::transport {
namespace {

using test::DtlsClient;
using test::kStart;
using namespace std::chrono_literals;

core::Bytes from_hex(std::string_view text) {
    core::Bytes bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(std::string(text.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
}

class Dtls : public testing::Test {
  protected:
    using Datagrams = std::vector<core::Bytes>;

    static Datagrams give(DtlsServer& server, core::BytesView datagram, Instant now = kStart) {
        Datagrams out;
        server.handle(datagram, now, [&](core::BytesView d) { out.emplace_back(d.begin(), d.end()); });
        return out;
    }
    static Datagrams poll(DtlsServer& server, Instant now) {
        Datagrams out;
        server.poll(now, [&](core::BytesView d) { out.emplace_back(d.begin(), d.end()); });
        return out;
    }
    /// Hands over what the client has to say; gives back what the server answered.
    static Datagrams to_server(DtlsClient& client, DtlsServer& server, Instant now = kStart) {
        Datagrams all;
        while (!client.out.empty()) {
            const core::Bytes datagram = std::move(client.out.front());
            client.out.pop_front();
            std::ranges::move(give(server, datagram, now), std::back_inserter(all));
        }
        return all;
    }
    static void to_client(const Datagrams& datagrams, DtlsClient& client) {
        for (const core::Bytes& datagram : datagrams) client.receive(datagram);
    }
    static void shake_hands(DtlsClient& client, DtlsServer& server, Instant now = kStart) {
        client.start();
        for (int round = 0; round < 10 && !client.out.empty(); ++round) {
            to_client(to_server(client, server, now), client);
        }
    }

    Certificate server_certificate_;
    Certificate client_certificate_;
    DtlsContext context_{server_certificate_};
    DtlsServer server_{context_, client_certificate_.fingerprint(), kStart};
};

bool same(const SrtpKeys& a, const SrtpKeys& b) {
    return a.profile == b.profile && a.client.bytes == b.client.bytes && a.server.bytes == b.server.bytes;
}

TEST_F(Dtls, BothEndsAgreeOnKeysAndGcmComesFirst) {
    DtlsClient client(client_certificate_);  // prefers the other profile; the server decides
    shake_hands(client, server_);
    ASSERT_TRUE(client.connected());
    ASSERT_EQ(server_.state(), DtlsState::connected);
    EXPECT_EQ(client.version(), DTLS1_2_VERSION);
    EXPECT_EQ(client.cipher(), "ECDHE-ECDSA-AES128-GCM-SHA256");
    EXPECT_EQ(client.server(), server_certificate_.fingerprint());
    EXPECT_EQ(server_.keys()->profile, SrtpProfile::aead_aes_128_gcm);
    EXPECT_TRUE(same(*server_.keys(), client.keys()));
    EXPECT_NE(server_.keys()->client.bytes, server_.keys()->server.bytes);
    EXPECT_FALSE(server_.next_timeout());
    EXPECT_EQ(server_.retransmissions(), 0U);
}

TEST_F(Dtls, CounterModeIsTheFallback) {
    DtlsClient client(client_certificate_, "SRTP_AES128_CM_SHA1_80");
    shake_hands(client, server_);
    ASSERT_EQ(server_.state(), DtlsState::connected);
    EXPECT_EQ(server_.keys()->profile, SrtpProfile::aes128_cm_sha1_80);
    EXPECT_TRUE(same(*server_.keys(), client.keys()));
}

TEST_F(Dtls, AClientWithoutSrtpFails) {
    DtlsClient client(client_certificate_, nullptr);
    shake_hands(client, server_);
    EXPECT_EQ(server_.state(), DtlsState::failed);
    EXPECT_FALSE(server_.keys());
}

TEST_F(Dtls, TheCapturedHelloInTwoDatagramsIsAnswered) {
    EXPECT_TRUE(give(server_, from_hex(test::kCapturedClientHello[0])).empty());
    const Datagrams flight = give(server_, from_hex(test::kCapturedClientHello[1]), kStart + 1ms);
    ASSERT_FALSE(flight.empty());
    for (const core::Bytes& datagram : flight) EXPECT_LE(datagram.size(), DtlsServer::kMtu);
    ASSERT_GT(flight[0].size(), 14U);
    EXPECT_EQ(flight[0][0], 22);  // handshake
    EXPECT_EQ(flight[0][1] << 8 | flight[0][2], DTLS1_2_VERSION);
    EXPECT_EQ(flight[0][13], 2);  // ServerHello: no cookie exchange
    EXPECT_EQ(server_.state(), DtlsState::handshaking);
    EXPECT_EQ(server_.next_timeout(), kStart + 1ms + DtlsServer::kFirstRetransmission);
}

TEST_F(Dtls, TheCapturedHelloMayComeInTheWrongOrder) {
    EXPECT_TRUE(give(server_, from_hex(test::kCapturedClientHello[1])).empty());
    EXPECT_FALSE(give(server_, from_hex(test::kCapturedClientHello[0])).empty());
}

TEST_F(Dtls, AClientThatCutsEverythingIntoPiecesGetsThrough) {
    DtlsClient client(client_certificate_, "SRTP_AEAD_AES_128_GCM", 260);
    client.start();
    EXPECT_GE(client.out.size(), 1U);
    std::size_t datagrams = client.out.size();
    while (!client.out.empty()) {
        to_client(to_server(client, server_), client);
        datagrams += client.out.size();
    }
    EXPECT_GE(datagrams, 4U);
    EXPECT_EQ(server_.state(), DtlsState::connected);
}

TEST_F(Dtls, AnotherCertificateThanThatOfTheOfferIsRefused) {
    const Certificate impostor;
    DtlsClient client(impostor);
    shake_hands(client, server_);
    EXPECT_EQ(server_.state(), DtlsState::failed);
    EXPECT_TRUE(client.failed());
    EXPECT_FALSE(server_.keys());
    EXPECT_FALSE(server_.next_timeout());
    EXPECT_TRUE(give(server_, core::Bytes(100, 22)).empty());
}

TEST_F(Dtls, TheServersLostFlightComesAgain) {
    DtlsClient client(client_certificate_);
    client.start();
    const Datagrams lost = to_server(client, server_);
    ASSERT_FALSE(lost.empty());

    Instant now = *server_.next_timeout();
    EXPECT_EQ(now, kStart + 250ms);
    EXPECT_TRUE(poll(server_, now - 1ns).empty());
    EXPECT_EQ(poll(server_, now), lost);
    EXPECT_TRUE(poll(server_, now).empty());
    EXPECT_EQ(*server_.next_timeout(), now + 500ms);

    now = *server_.next_timeout();
    to_client(poll(server_, now), client);
    EXPECT_EQ(server_.retransmissions(), 2U);
    to_client(to_server(client, server_, now), client);
    EXPECT_TRUE(client.connected());
    EXPECT_EQ(server_.state(), DtlsState::connected);
}

TEST_F(Dtls, APartlyLostFlightIsMadeGoodByItsRepeat) {
    const Certificate certificate;
    DtlsServer server(context_, certificate.fingerprint(), kStart);
    DtlsClient client(certificate);
    client.start();
    const core::Bytes hello = client.out.front();
    client.out.clear();
    Datagrams flight = give(server, hello);
    ASSERT_FALSE(flight.empty());
    flight.pop_back();
    to_client(flight, client);
    to_client(poll(server, kStart + 250ms), client);
    to_client(to_server(client, server), client);
    EXPECT_TRUE(client.connected());
}

TEST_F(Dtls, TheClientsLostFlightIsAwaited) {
    DtlsClient client(client_certificate_);
    client.start();
    to_client(to_server(client, server_), client);
    ASSERT_FALSE(client.out.empty());
    client.out.clear();  // Certificate … Finished are lost
    // Repeats of our flight do no harm to a client that has it.
    to_client(poll(server_, kStart + 250ms), client);
    EXPECT_FALSE(client.failed());
    client.time_out();
    to_client(to_server(client, server_), client);
    EXPECT_TRUE(client.connected());
    EXPECT_EQ(server_.state(), DtlsState::connected);
}

TEST_F(Dtls, TheLostEndOfTheHandshakeComesAgainWhenTheClientAsks) {
    DtlsClient client(client_certificate_);
    client.start();
    to_client(to_server(client, server_), client);
    const Datagrams lost = to_server(client, server_);
    ASSERT_FALSE(lost.empty());
    ASSERT_EQ(server_.state(), DtlsState::connected);
    ASSERT_FALSE(client.connected());
    client.time_out();
    to_client(to_server(client, server_), client);
    EXPECT_TRUE(client.connected());
    EXPECT_TRUE(same(*server_.keys(), client.keys()));
}

TEST_F(Dtls, ASilentClientIsGivenUp) {
    DtlsClient client(client_certificate_);
    client.start();
    to_server(client, server_);
    std::size_t flights = 0;
    Instant now = kStart;
    while (server_.next_timeout()) {
        ASSERT_GT(*server_.next_timeout(), now);
        now = *server_.next_timeout();
        flights += poll(server_, now).empty() ? 0 : 1;
        ASSERT_LT(flights, 50U);
    }
    EXPECT_EQ(now, kStart + DtlsServer::kHandshakeTime);
    EXPECT_EQ(server_.state(), DtlsState::failed);
    EXPECT_EQ(flights, server_.retransmissions());
    EXPECT_LE(flights, 12U);
}

TEST_F(Dtls, TheNumberOfHandshakeDatagramsIsBounded) {
    const core::Bytes first = from_hex(test::kCapturedClientHello[0]);
    for (unsigned i = 0; i < DtlsServer::kHandshakeDatagrams; ++i) {
        give(server_, first);
        ASSERT_EQ(server_.state(), DtlsState::handshaking) << i;
    }
    give(server_, first);
    EXPECT_EQ(server_.state(), DtlsState::failed);
}

TEST_F(Dtls, NonsenseIsIgnored) {
    for (std::size_t size = 0; size < 100; ++size) {
        EXPECT_TRUE(give(server_, core::Bytes(size, static_cast<std::uint8_t>(20 + size % 44))).empty());
    }
    DtlsClient client(client_certificate_);
    shake_hands(client, server_);
    ASSERT_EQ(server_.state(), DtlsState::connected);
    for (std::size_t size = 0; size < 100; ++size) {
        give(server_, core::Bytes(size, static_cast<std::uint8_t>(20 + size % 44)));
    }
    EXPECT_EQ(server_.state(), DtlsState::connected);
}

TEST_F(Dtls, TheClientsGoodbyeIsHeardAndReturned) {
    DtlsClient client(client_certificate_);
    shake_hands(client, server_);
    client.say_goodbye();
    to_client(to_server(client, server_), client);
    EXPECT_EQ(server_.state(), DtlsState::closed);
    EXPECT_TRUE(client.heard_goodbye());
}

TEST_F(Dtls, OurGoodbyeReachesTheClient) {
    DtlsClient client(client_certificate_);
    shake_hands(client, server_);
    Datagrams out;
    server_.close([&](core::BytesView d) { out.emplace_back(d.begin(), d.end()); });
    EXPECT_EQ(server_.state(), DtlsState::closed);
    to_client(out, client);
    EXPECT_TRUE(client.heard_goodbye());
    out.clear();
    server_.close([&](core::BytesView d) { out.emplace_back(d.begin(), d.end()); });
    EXPECT_TRUE(out.empty());
}

TEST_F(Dtls, ClosingInMidHandshakeSaysNothing) {
    DtlsClient client(client_certificate_);
    client.start();
    to_server(client, server_);
    server_.close([](core::BytesView) { FAIL(); });
    EXPECT_EQ(server_.state(), DtlsState::closed);
    EXPECT_FALSE(server_.next_timeout());
}

}  // namespace
}  // namespace media::transport
