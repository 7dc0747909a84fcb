#include "media/transport/peer_transport.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "media/transport/test_client.hpp"

namespace media::transport {
namespace {

using test::Check;
using test::DtlsClient;
using test::kStart;
using test::rtcp;
using test::rtp;
using test::udp;
using namespace std::chrono_literals;

/// Keeps what a transport gave out.
struct Kept {
    std::vector<std::pair<Path, core::Bytes>> sent;
    std::vector<core::Bytes> media;
    std::vector<core::Bytes> control;
    std::vector<Path> added;
    std::vector<Path> removed;
    std::vector<Path> selected;
    std::vector<PeerState> states;

    void send(const Path& to, core::BytesView d) { sent.emplace_back(to, core::Bytes(d.begin(), d.end())); }
    void rtp(std::span<std::uint8_t> p) { media.emplace_back(p.begin(), p.end()); }
    void rtcp(std::span<std::uint8_t> p) { control.emplace_back(p.begin(), p.end()); }
    void path_added(const Path& path) { added.push_back(path); }
    void path_removed(const Path& path) { removed.push_back(path); }
    void path_selected(const Path& path) { selected.push_back(path); }
    void state_changed(PeerState state) { states.push_back(state); }

    bool nothing() const {
        return sent.empty() && media.empty() && control.empty() && added.empty() && removed.empty() &&
               selected.empty() && states.empty();
    }
};

class Peer : public testing::Test {
  protected:
    Kept give(core::Bytes datagram, const Path& from, Instant now = kStart) {
        Kept kept;
        peer_.handle(datagram, from, now, kept);
        return kept;
    }
    Kept check(const Path& from, bool use_candidate = true, Instant now = kStart) {
        return give(Check{.to = local_, .from = remote_, .use_candidate = use_candidate}.bytes(), from, now);
    }
    /// Everything the client wants to say, from there; what comes back goes to the client.
    Kept talk(const Path& from, Instant now = kStart) {
        Kept all;
        for (int round = 0; round < 10 && !client_.out.empty(); ++round) {
            std::vector<core::Bytes> answers;
            while (!client_.out.empty()) {
                core::Bytes datagram = std::move(client_.out.front());
                client_.out.pop_front();
                Kept kept = give(std::move(datagram), from, now);
                for (auto& [to, bytes] : kept.sent) {
                    EXPECT_EQ(to, from);
                    answers.push_back(std::move(bytes));
                }
                all.states.insert(all.states.end(), kept.states.begin(), kept.states.end());
            }
            for (const core::Bytes& answer : answers) client_.receive(answer);
        }
        return all;
    }
    /// From nothing to media.
    void connect(const Path& from = udp(1)) {
        check(from);
        client_.start();
        talk(from);
        ASSERT_TRUE(peer_.connected());
        const SrtpKeys keys = client_.keys();
        client_srtp_.emplace(keys.profile, keys.server, keys.client);
    }
    core::Bytes from_client(const core::Bytes& plain, bool control = false) {
        core::Bytes buffer = plain;
        buffer.resize(plain.size() + SrtpSession::kMaxOverhead);
        const auto packet = control ? client_srtp_->protect_rtcp(buffer, plain.size())
                                    : client_srtp_->protect_rtp(buffer, plain.size());
        EXPECT_TRUE(packet);
        return packet ? core::Bytes(packet->begin(), packet->end()) : core::Bytes{};
    }
    core::Bytes protect(const core::Bytes& plain, bool control = false) {
        core::Bytes buffer = plain;
        buffer.resize(plain.size() + SrtpSession::kMaxOverhead);
        const auto packet =
            control ? peer_.protect_rtcp(buffer, plain.size()) : peer_.protect_rtp(buffer, plain.size());
        return {packet.begin(), packet.end()};
    }

    Certificate server_certificate_;
    Certificate client_certificate_;
    DtlsContext context_{server_certificate_};
    IceCredentials local_ = IceCredentials::make();
    IceCredentials remote_ = IceCredentials::make();
    PeerTransport peer_{context_, {local_, remote_, client_certificate_.fingerprint()}, kStart};
    DtlsClient client_{client_certificate_};
    std::optional<SrtpSession> client_srtp_;
};

TEST_F(Peer, GoesFromTheFirstCheckToMediaBothWays) {
    const Kept checked = check(udp(1));
    EXPECT_EQ(checked.added, std::vector{udp(1)});
    EXPECT_EQ(checked.selected, std::vector{udp(1)});
    ASSERT_EQ(checked.sent.size(), 1U);
    EXPECT_EQ(checked.sent[0].first, udp(1));
    EXPECT_TRUE(wire::StunMessage::parse(checked.sent[0].second)->is_binding_success());
    EXPECT_EQ(peer_.state(), PeerState::connecting);

    client_.start();
    EXPECT_EQ(talk(udp(1)).states, std::vector{PeerState::connected});
    ASSERT_TRUE(client_.connected());
    const SrtpKeys keys = client_.keys();
    client_srtp_.emplace(keys.profile, keys.server, keys.client);

    const Kept up = give(from_client(rtp(0xAA, 1, 1000)), udp(1));
    EXPECT_EQ(up.media, std::vector<core::Bytes>{rtp(0xAA, 1, 1000)});
    EXPECT_EQ(give(from_client(rtcp(0xAA), true), udp(1)).control, std::vector<core::Bytes>{rtcp(0xAA)});

    core::Bytes down = protect(rtp(0xBB, 7));
    const auto plain = client_srtp_->unprotect_rtp(down);
    ASSERT_TRUE(plain);
    EXPECT_TRUE(std::ranges::equal(*plain, rtp(0xBB, 7)));
    core::Bytes report = protect(rtcp(0xBB), true);
    const auto plain_report = client_srtp_->unprotect_rtcp(report);
    ASSERT_TRUE(plain_report);
    EXPECT_TRUE(std::ranges::equal(*plain_report, rtcp(0xBB)));
    EXPECT_EQ(peer_.destination(), udp(1));
}

TEST_F(Peer, StrangersLeaveNoTrace) {
    connect();
    const std::size_t paths = peer_.ice().paths();
    const core::Bytes replayed = from_client(rtp(0xAA, 1));
    Check bad_check{.to = local_, .from = remote_, .use_candidate = true};
    bad_check.password = "wrong";
    DtlsClient other_client(client_certificate_);
    other_client.start();
    for (std::uint8_t host = 100; host < 200; ++host) {
        EXPECT_TRUE(give(replayed, udp(host)).nothing());
        EXPECT_TRUE(give(other_client.out.front(), udp(host)).nothing());
        EXPECT_TRUE(give(bad_check.bytes(), udp(host)).nothing());
        EXPECT_TRUE(give(core::Bytes(50, 80), udp(host)).nothing());
        EXPECT_TRUE(give({}, udp(host)).nothing());
    }
    EXPECT_EQ(peer_.ice().paths(), paths);
    EXPECT_EQ(peer_.destination(), udp(1));
    EXPECT_EQ(peer_.counters().stranger, 200U);
    EXPECT_EQ(peer_.counters().unknown, 200U);
    EXPECT_EQ(peer_.ice().counters().unauthentic, 100U);
    // The packet the strangers had is still new to us when its owner sends it.
    EXPECT_EQ(give(replayed, udp(1)).media.size(), 1U);
}

TEST_F(Peer, TheHandshakeMayRunBeforeANomination) {
    check(udp(1), false);
    EXPECT_FALSE(peer_.destination());
    client_.start();
    talk(udp(1));
    EXPECT_TRUE(peer_.connected());
    EXPECT_EQ(peer_.destination(), udp(1));
}

TEST_F(Peer, ALostFlightIsSentAgainToWhereTheHandshakeRuns) {
    check(udp(1), false);
    client_.start();
    const Kept lost = give(client_.out.front(), udp(1));
    client_.out.clear();
    ASSERT_FALSE(lost.sent.empty());
    ASSERT_TRUE(peer_.next_timeout());
    const Instant at = *peer_.next_timeout();
    Kept early;
    peer_.poll(at - 1ns, early);
    EXPECT_TRUE(early.nothing());
    Kept again;
    peer_.poll(at, again);
    EXPECT_EQ(again.sent, lost.sent);
    for (const auto& [to, bytes] : again.sent) client_.receive(bytes);
    talk(udp(1), at);
    EXPECT_TRUE(peer_.connected());
}

TEST_F(Peer, AnotherCertificateThanOfferedFailsThePeer) {
    const Certificate impostor;
    DtlsClient client(impostor);
    check(udp(1));
    client.start();
    Kept kept;
    for (int round = 0; round < 5 && !client.out.empty(); ++round) {
        core::Bytes datagram = client.out.front();
        client.out.pop_front();
        const std::size_t known = kept.sent.size();
        peer_.handle(datagram, udp(1), kStart, kept);
        for (std::size_t i = known; i < kept.sent.size(); ++i) client.receive(kept.sent[i].second);
    }
    EXPECT_EQ(kept.states, std::vector{PeerState::failed});
    EXPECT_TRUE(protect(rtp(1, 1)).empty());
    EXPECT_EQ(peer_.srtp(), nullptr);
}

TEST_F(Peer, AReplayReachesNobody) {
    connect();
    const core::Bytes packet = from_client(rtp(0xAA, 1));
    EXPECT_EQ(give(packet, udp(1)).media.size(), 1U);
    EXPECT_TRUE(give(packet, udp(1)).nothing());
    EXPECT_EQ(peer_.srtp()->inbound().replayed, 1U);
}

TEST_F(Peer, MediaBeforeTheKeysIsDropped) {
    check(udp(1));
    EXPECT_TRUE(give(rtp(1, 1), udp(1)).nothing());
    EXPECT_TRUE(give(rtcp(1), udp(1)).nothing());
    EXPECT_EQ(peer_.counters().too_early, 2U);
    EXPECT_TRUE(protect(rtp(1, 1)).empty());
    EXPECT_TRUE(protect(rtcp(1), true).empty());
}

TEST_F(Peer, ANewAddressOfTheSamePeerIsFollowed) {
    connect();
    // Before its first check the new address is a stranger's.
    EXPECT_TRUE(give(from_client(rtp(0xAA, 1)), udp(1, 50001)).nothing());
    const Kept moved = check(udp(1, 50001));
    EXPECT_EQ(moved.added, std::vector{udp(1, 50001)});
    EXPECT_EQ(moved.selected, std::vector{udp(1, 50001)});
    EXPECT_EQ(peer_.destination(), udp(1, 50001));
    EXPECT_EQ(give(from_client(rtp(0xAA, 2)), udp(1, 50001)).media.size(), 1U);
    EXPECT_EQ(give(from_client(rtp(0xAA, 3)), udp(1)).media.size(), 1U);
    EXPECT_TRUE(peer_.connected());
}

TEST_F(Peer, AClosedTcpConnectionIsNoLongerADestination) {
    Path tcp = udp(1);
    tcp.connection = 3;
    connect(tcp);
    EXPECT_EQ(peer_.destination(), tcp);
    Kept kept;
    peer_.forget(tcp, kept);
    EXPECT_EQ(kept.removed, std::vector{tcp});
    EXPECT_FALSE(peer_.destination());
    EXPECT_TRUE(give(from_client(rtp(0xAA, 2)), tcp).nothing());
    EXPECT_EQ(check(udp(2)).selected, std::vector{udp(2)});
    EXPECT_EQ(give(from_client(rtp(0xAA, 3)), udp(2)).media.size(), 1U);
}

TEST_F(Peer, WithoutChecksThePeerIsLost) {
    connect();
    check(udp(1), true, kStart + 5s);
    Kept kept;
    const Instant end = kStart + 5s + IceLite::kConsent;
    while (peer_.next_timeout() && *peer_.next_timeout() < end) peer_.poll(*peer_.next_timeout(), kept);
    peer_.poll(end - 1ns, kept);
    EXPECT_TRUE(kept.nothing());
    EXPECT_EQ(peer_.next_timeout(), end);
    peer_.poll(end, kept);
    EXPECT_EQ(kept.states, std::vector{PeerState::lost});
    EXPECT_EQ(kept.removed, std::vector{udp(1)});
    EXPECT_FALSE(peer_.destination());
    EXPECT_TRUE(protect(rtp(1, 1)).empty());
    EXPECT_FALSE(peer_.next_timeout());
    Kept later;
    peer_.poll(end + 1h, later);
    EXPECT_TRUE(later.nothing());
}

TEST_F(Peer, WhoeverNeverShowsUpIsLost) {
    Kept kept;
    ASSERT_EQ(peer_.next_timeout(), kStart + IceLite::kConsent);
    peer_.poll(kStart + IceLite::kConsent, kept);
    ASSERT_EQ(kept.states.size(), 1U);
    EXPECT_FALSE(peer_.next_timeout());
}

TEST_F(Peer, AnAbandonedPathExpiresWhileTheOtherLives) {
    connect();
    check(udp(2), true, kStart + 20s);
    Kept kept;
    peer_.poll(kStart + 31s, kept);
    EXPECT_EQ(kept.removed, std::vector{udp(1)});
    EXPECT_TRUE(kept.states.empty());
    EXPECT_EQ(peer_.destination(), udp(2));
}

TEST_F(Peer, TheClientsGoodbyeClosesThePeer) {
    connect();
    client_.say_goodbye();
    EXPECT_EQ(talk(udp(1)).states, std::vector{PeerState::closed});
    EXPECT_TRUE(protect(rtp(1, 1)).empty());
}

TEST_F(Peer, OurGoodbyeReachesTheClient) {
    connect();
    Kept kept;
    peer_.close(kept);
    EXPECT_EQ(kept.states, std::vector{PeerState::closed});
    ASSERT_EQ(kept.sent.size(), 1U);
    EXPECT_EQ(kept.sent[0].first, udp(1));
    client_.receive(kept.sent[0].second);
    EXPECT_TRUE(client_.heard_goodbye());
    Kept again;
    peer_.close(again);
    EXPECT_TRUE(again.nothing());
    EXPECT_TRUE(give(from_client(rtp(1, 1)), udp(1)).media.empty());
}

TEST_F(Peer, DatagramsOfAbsurdLengthAreDropped) {
    connect();
    EXPECT_TRUE(give(core::Bytes(PeerTransport::kMaxDatagram + 1, 0x80), udp(1)).nothing());
    EXPECT_EQ(peer_.counters().unknown, 1U);
}

}  // namespace
}  // namespace media::transport
