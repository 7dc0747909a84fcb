#include "media/transport/srtp.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/bytes.hpp"
#include "media/transport/test_client.hpp"

namespace media::transport {
namespace {

using test::rtcp;
using test::rtp;

SrtpKeys some_keys(SrtpProfile profile) {
    core::Bytes material(keying_material_size(profile));
    for (std::size_t i = 0; i < material.size(); ++i) material[i] = static_cast<std::uint8_t>(i * 7 + 1);
    return split_keying_material(profile, material);
}

std::optional<core::Bytes> copied(const std::optional<std::span<std::uint8_t>>& span) {
    if (!span) return std::nullopt;
    return core::Bytes(span->begin(), span->end());
}

/// Two ends of one association.
class Srtp : public testing::TestWithParam<SrtpProfile> {
  protected:
    std::optional<core::Bytes> protect(const core::Bytes& plain, bool control = false) {
        core::Bytes buffer = plain;
        buffer.resize(plain.size() + SrtpSession::kMaxOverhead);
        return copied(control ? server_.protect_rtcp(buffer, plain.size()) : server_.protect_rtp(buffer, plain.size()));
    }
    std::optional<core::Bytes> unprotect(core::Bytes packet, bool control = false) {
        return copied(control ? client_.unprotect_rtcp(packet) : client_.unprotect_rtp(packet));
    }

    SrtpKeys keys_ = some_keys(GetParam());
    SrtpSession server_{GetParam(), keys_.client, keys_.server};
    SrtpSession client_{GetParam(), keys_.server, keys_.client};
};

INSTANTIATE_TEST_SUITE_P(Profiles, Srtp, testing::Values(SrtpProfile::aead_aes_128_gcm, SrtpProfile::aes128_cm_sha1_80),
                         [](const auto& info) {
                             return info.param == SrtpProfile::aead_aes_128_gcm ? "Gcm" : "CounterMode";
                         });

TEST(SrtpKeys, AreCutAsTheExporterJoinsThem) {
    // RFC 5764 section 4.2: client key, server key, client salt, server salt.
    core::Bytes gcm(56);
    for (std::size_t i = 0; i < gcm.size(); ++i) gcm[i] = static_cast<std::uint8_t>(i);
    const SrtpKeys keys = split_keying_material(SrtpProfile::aead_aes_128_gcm, gcm);
    EXPECT_EQ(keys.client.bytes[0], 0);
    EXPECT_EQ(keys.client.bytes[15], 15);
    EXPECT_EQ(keys.server.bytes[0], 16);
    EXPECT_EQ(keys.server.bytes[15], 31);
    EXPECT_EQ(keys.client.bytes[16], 32);
    EXPECT_EQ(keys.client.bytes[27], 43);
    EXPECT_EQ(keys.server.bytes[16], 44);
    EXPECT_EQ(keys.server.bytes[27], 55);

    core::Bytes cm(60);
    for (std::size_t i = 0; i < cm.size(); ++i) cm[i] = static_cast<std::uint8_t>(i);
    const SrtpKeys other = split_keying_material(SrtpProfile::aes128_cm_sha1_80, cm);
    EXPECT_EQ(other.client.bytes[29], 45);
    EXPECT_EQ(other.server.bytes[16], 46);
    EXPECT_EQ(other.server.bytes[29], 59);
    EXPECT_THROW(split_keying_material(SrtpProfile::aes128_cm_sha1_80, gcm), std::logic_error);
}

TEST_P(Srtp, WhatGoesInComesOut) {
    const core::Bytes plain = rtp(0xABCD, 100, 1100);
    const auto packet = protect(plain);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->size(), plain.size() + (GetParam() == SrtpProfile::aead_aes_128_gcm ? 16 : 10));
    EXPECT_TRUE(std::equal(plain.begin(), plain.begin() + 12, packet->begin()));
    EXPECT_FALSE(std::equal(plain.begin() + 12, plain.end(), packet->begin() + 12));
    EXPECT_EQ(unprotect(*packet), plain);

    const core::Bytes report = rtcp(0xABCD);
    const auto control = protect(report, true);
    ASSERT_TRUE(control);
    EXPECT_LE(control->size(), report.size() + SrtpSession::kMaxOverhead);
    EXPECT_EQ(unprotect(*control, true), report);
}

TEST_P(Srtp, AReplayIsRefused) {
    const auto packet = protect(rtp(1, 5));
    const auto control = protect(rtcp(1), true);
    ASSERT_TRUE(packet && control);
    EXPECT_TRUE(unprotect(*packet));
    EXPECT_FALSE(unprotect(*packet));
    EXPECT_TRUE(unprotect(*control, true));
    EXPECT_FALSE(unprotect(*control, true));
    EXPECT_EQ(client_.inbound().replayed, 2U);
    EXPECT_EQ(client_.inbound().unauthentic, 0U);
}

TEST_P(Srtp, ADamagedPacketIsRefusedAndLeavesNoTrace) {
    const auto packet = protect(rtp(1, 5));
    ASSERT_TRUE(packet);
    for (const std::size_t at : {std::size_t{3}, std::size_t{9}, std::size_t{20}, packet->size() - 1}) {
        core::Bytes damaged = *packet;
        damaged[at] ^= 1;
        EXPECT_FALSE(unprotect(damaged)) << at;
    }
    EXPECT_EQ(client_.inbound().unauthentic, 4U);
    EXPECT_TRUE(unprotect(*packet));
}

TEST_P(Srtp, OwnPacketsSentBackAreRefused) {
    core::Bytes packet = *protect(rtp(1, 5));
    EXPECT_FALSE(server_.unprotect_rtp(packet));
    EXPECT_EQ(server_.inbound().unauthentic, 1U);
}

TEST_P(Srtp, WithoutRoomForTheTagNothingIsWritten) {
    core::Bytes buffer = rtp(1, 1);
    const std::size_t size = buffer.size();
    buffer.resize(size + SrtpSession::kMaxOverhead - 1);
    EXPECT_FALSE(server_.protect_rtp(buffer, size));
    EXPECT_FALSE(server_.protect_rtcp(buffer, size));
    EXPECT_FALSE(server_.protect_rtp(buffer, buffer.size() + 1));
    EXPECT_EQ(server_.outbound().malformed, 3U);
}

TEST_P(Srtp, WhatIsNoPacketIsRefused) {
    core::Bytes shorter(11, 0x80);
    EXPECT_FALSE(server_.unprotect_rtp(shorter));
    core::Bytes version(100, 0x40);
    EXPECT_FALSE(server_.unprotect_rtp(version));
    EXPECT_FALSE(server_.unprotect_rtcp(version));
    EXPECT_FALSE(server_.unprotect_rtcp(std::span(shorter).first(7)));
    EXPECT_FALSE(server_.unprotect_rtp({}));
    EXPECT_EQ(server_.inbound().malformed, 5U);
    // Fifteen contributing sources and an extension, all beyond the end.
    core::Bytes claims(40, 0x9F);
    EXPECT_FALSE(server_.unprotect_rtp(claims));
}

TEST_P(Srtp, ARepeatHasTheSameBytesAndIsARepeatForTheReceiver) {
    const core::Bytes plain = rtp(1, 7);
    const auto first = protect(plain);
    for (std::uint16_t s = 8; s < 1000; ++s) ASSERT_TRUE(protect(rtp(1, s)));
    const auto again = protect(plain);
    ASSERT_TRUE(first && again);
    EXPECT_EQ(*first, *again);
    EXPECT_TRUE(unprotect(*again));
    EXPECT_FALSE(unprotect(*first));
}

TEST_P(Srtp, ARepeatFromBeyondTheWindowIsRefused) {
    const core::Bytes plain = rtp(1, 7);
    ASSERT_TRUE(protect(plain));
    ASSERT_TRUE(protect(rtp(1, 7 + SrtpSession::kWindow)));
    EXPECT_FALSE(protect(plain));
    EXPECT_EQ(server_.outbound().replayed, 1U);
}

TEST_P(Srtp, LatePacketsAreTakenWithinTheWindow) {
    const auto late = protect(rtp(1, 2));
    const auto later = protect(rtp(1, 1));
    ASSERT_TRUE(unprotect(*protect(rtp(1, 1 + SrtpSession::kWindow))));
    EXPECT_TRUE(unprotect(*late));
    EXPECT_FALSE(unprotect(*later));
    EXPECT_EQ(client_.inbound().replayed, 1U);
}

TEST_P(Srtp, TheRollOverCounterGrowsOnBothSides) {
    // Four times around in steps; every packet has to arrive.
    constexpr std::uint32_t kStep = 61;
    for (std::uint32_t n = 30000; n < 30000 + 4 * 65536; n += kStep) {
        const core::Bytes plain = rtp(1, static_cast<std::uint16_t>(n), 8);
        const auto packet = protect(plain);
        ASSERT_TRUE(packet) << n;
        ASSERT_EQ(unprotect(*packet), plain) << n;
    }
    EXPECT_EQ(client_.inbound().unauthentic + client_.inbound().replayed, 0U);
}

TEST_P(Srtp, TheSameSequenceNumberIsAnotherPacketAfterTheWrap) {
    const core::Bytes plain = rtp(1, 65000);
    const auto before = protect(plain);
    for (std::uint32_t n = 65001; n < 65000 + 65536; n += 500) {
        ASSERT_TRUE(protect(rtp(1, static_cast<std::uint16_t>(n))));
    }
    const auto after = protect(plain);
    ASSERT_TRUE(before && after);
    EXPECT_NE(*before, *after);
}

TEST_P(Srtp, DisorderLossAndRepeatsAroundTheWrapAreUnderstood) {
    std::vector<core::Bytes> packets;  // 65526 … 65535, 0 … 9
    for (std::uint32_t n = 65526; n < 65546; ++n) packets.push_back(*protect(rtp(1, static_cast<std::uint16_t>(n))));
    // A repeat of one from before the wrap, made after it.
    EXPECT_EQ(protect(rtp(1, 65530)), packets[4]);
    // 65535 and 0 are lost; 65534 comes after 5.
    for (const std::size_t at : {0, 1, 2, 11, 15, 8, 14, 7, 19, 3, 18}) {
        const auto sequence = static_cast<std::uint16_t>(65526 + at);
        EXPECT_EQ(unprotect(packets[static_cast<std::size_t>(at)]), rtp(1, sequence)) << sequence;
    }
    EXPECT_FALSE(unprotect(packets[8]));
    EXPECT_EQ(client_.inbound().replayed, 1U);
}

TEST_P(Srtp, SourcesAreIndependent) {
    for (std::uint32_t ssrc = 1; ssrc <= 60; ++ssrc) {
        for (std::uint16_t s : {10, 11}) {
            const core::Bytes plain = rtp(ssrc, s);
            EXPECT_EQ(unprotect(*protect(plain)), plain);
        }
    }
}

TEST_P(Srtp, TheNumberOfSourcesIsBounded) {
    for (std::uint32_t ssrc = 0; ssrc < SrtpSession::kMaxSources; ++ssrc) {
        ASSERT_TRUE(unprotect(*protect(rtp(ssrc * 3, 1, 4)))) << ssrc;
    }
    EXPECT_FALSE(protect(rtp(1, 1)));
    EXPECT_EQ(server_.outbound().too_many_sources, 1U);
    EXPECT_TRUE(unprotect(*protect(rtp(3, 2))));

    SrtpSession another(GetParam(), keys_.client, keys_.server);
    core::Bytes packet = rtp(1, 1);
    const std::size_t size = packet.size();
    packet.resize(size + SrtpSession::kMaxOverhead);
    const auto made = another.protect_rtp(packet, size);
    ASSERT_TRUE(made);
    EXPECT_FALSE(client_.unprotect_rtp(*made));
    EXPECT_EQ(client_.inbound().too_many_sources, 1U);
}

TEST_P(Srtp, ForgedSourcesTakeNoPlace) {
    for (std::uint32_t ssrc = 0; ssrc < 2 * SrtpSession::kMaxSources; ++ssrc) {
        core::Bytes forged = rtp(ssrc, 1);
        ASSERT_FALSE(client_.unprotect_rtp(forged));
    }
    EXPECT_EQ(client_.inbound().too_many_sources, 0U);
    EXPECT_EQ(client_.inbound().unauthentic, 2 * SrtpSession::kMaxSources);
    EXPECT_TRUE(unprotect(*protect(rtp(5, 1))));
}

}  // namespace
}  // namespace media::transport
