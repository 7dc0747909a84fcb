#include "media/wire/stun.hpp"

#include <gtest/gtest.h>

#include <array>

#include "media/wire/testdata.hpp"

namespace media::wire {
namespace {

using testdata::from_hex;

// RFC 5769 sections 2.1 to 2.3.
constexpr std::string_view kPassword = "VOkJxbRl1RmTxUk/WvJxBt";
core::Bytes rfc5769_request() {
    return from_hex(
        "00010058 2112a442 b7e7a701 bc34d686 fa87dfae"
        "80220010 5354554e 20746573 7420636c 69656e74"
        "00240004 6e0001ff 80290008 932ff9b1 51263b36"
        "00060009 6576746a 3a683676 59202020"
        "00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2"
        "80280004 e57a3bcf");
}
core::Bytes rfc5769_response_v4() {
    return from_hex(
        "0101003c 2112a442 b7e7a701 bc34d686 fa87dfae"
        "8022000b 74657374 20766563 746f7220"
        "00200008 0001a147 e112a643"
        "00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7"
        "80280004 c07d4c96");
}
core::Bytes rfc5769_response_v6() {
    return from_hex(
        "01010048 2112a442 b7e7a701 bc34d686 fa87dfae"
        "8022000b 74657374 20766563 746f7220"
        "00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9"
        "00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41"
        "80280004 c8fb0b4c");
}

constexpr StunTransactionId kId{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

TEST(Stun, ReadsTheSampleRequestOfRfc5769) {
    const auto bytes = rfc5769_request();
    const auto message = StunMessage::parse(bytes);
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->is_binding_request());
    EXPECT_EQ(message->username(), "evtj:h6vY");
    EXPECT_EQ(message->priority(), 0x6E0001FFU);
    EXPECT_EQ(message->ice_controlled(), 0x932FF9B151263B36U);
    EXPECT_FALSE(message->ice_controlling());
    EXPECT_FALSE(message->use_candidate());
    EXPECT_FALSE(message->unknown_required_attribute());
    EXPECT_TRUE(message->check_integrity(kPassword));
    EXPECT_TRUE(message->check_fingerprint());
}

TEST(Stun, ReadsTheSampleResponsesOfRfc5769) {
    const auto v4 = rfc5769_response_v4();
    const auto first = StunMessage::parse(v4);
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->is_binding_success());
    EXPECT_EQ(first->mapped_address(), TransportAddress::v4(192, 0, 2, 1, 32853));
    EXPECT_TRUE(first->check_integrity(kPassword));
    EXPECT_TRUE(first->check_fingerprint());

    const auto v6 = rfc5769_response_v6();
    const auto second = StunMessage::parse(v6);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->mapped_address(), TransportAddress::parse("2001:db8:1234:5678:11:2233:4455:6677", 32853));
    EXPECT_TRUE(second->check_integrity(kPassword));
    EXPECT_TRUE(second->check_fingerprint());
}

TEST(Stun, RefusesAWrongPasswordAndEveryChangedBit) {
    auto bytes = rfc5769_request();
    EXPECT_FALSE(StunMessage::parse(bytes)->check_integrity("VOkJxbRl1RmTxUk/WvJxBu"));
    EXPECT_FALSE(StunMessage::parse(bytes)->check_integrity(""));
    const std::size_t signed_size = bytes.size() - 8;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        if (const auto message = StunMessage::parse(bytes)) {
            EXPECT_FALSE(message->check_integrity(kPassword) && message->check_fingerprint()) << bit;
            if (bit / 8 < signed_size) EXPECT_FALSE(message->check_integrity(kPassword)) << bit;
        }
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
}

TEST(Stun, ReadsWhatBrowsersSend) {
    bool nominated = false;
    for (const auto& bytes : testdata::hex_lines("stun.txt")) {
        const auto message = StunMessage::parse(bytes);
        ASSERT_TRUE(message);
        EXPECT_TRUE(message->is_binding_request());
        EXPECT_TRUE(message->has_integrity());
        EXPECT_TRUE(message->check_fingerprint());
        EXPECT_TRUE(message->ice_controlling());
        EXPECT_TRUE(message->priority());
        ASSERT_TRUE(message->username());
        const auto names = split_username(*message->username());
        ASSERT_TRUE(names);
        EXPECT_EQ(names->receiver.size(), 8U);
        EXPECT_EQ(names->sender.size(), 4U);
        EXPECT_FALSE(message->check_integrity("not the password"));
        nominated = nominated || message->use_candidate();
    }
    EXPECT_TRUE(nominated);
}

TEST(Stun, RequestRoundTrip) {
    std::array<std::uint8_t, 256> out{};
    const std::size_t size = write_binding_request(out, {.transaction_id = kId,
                                                         .username = "server:client",
                                                         .password = "secretsecretsecretsecret",
                                                         .priority = 77,
                                                         .use_candidate = true,
                                                         .controlling = 0x0123456789ABCDEF});
    ASSERT_NE(size, 0U);
    const auto message = StunMessage::parse(core::BytesView(out).first(size));
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->is_binding_request());
    EXPECT_EQ(message->transaction_id(), kId);
    EXPECT_EQ(message->username(), "server:client");
    EXPECT_EQ(message->priority(), 77U);
    EXPECT_TRUE(message->use_candidate());
    EXPECT_EQ(message->ice_controlling(), 0x0123456789ABCDEFU);
    EXPECT_TRUE(message->check_integrity("secretsecretsecretsecret"));
    EXPECT_TRUE(message->check_fingerprint());
}

TEST(Stun, SuccessRoundTripForBothFamilies) {
    for (const auto& address :
         {TransportAddress::v4(203, 0, 113, 9, 51234), *TransportAddress::parse("2001:db8::7", 1)}) {
        std::array<std::uint8_t, kMaxStunResponse> out{};
        const std::size_t size = write_binding_success(out, kId, address, kPassword);
        ASSERT_NE(size, 0U);
        const auto message = StunMessage::parse(core::BytesView(out).first(size));
        ASSERT_TRUE(message);
        EXPECT_TRUE(message->is_binding_success());
        EXPECT_EQ(message->mapped_address(), address);
        EXPECT_TRUE(message->check_integrity(kPassword));
        EXPECT_TRUE(message->check_fingerprint());
    }
}

TEST(Stun, ErrorsCarryTheirCodeAndOnlyThenIntegrity) {
    for (const std::uint16_t code : {stun_error::kBadRequest, stun_error::kUnauthenticated,
                                     stun_error::kUnknownAttribute, stun_error::kRoleConflict}) {
        for (const std::string_view password : {std::string_view(), kPassword}) {
            std::array<std::uint8_t, kMaxStunResponse> out{};
            const std::size_t size = write_binding_error(out, kId, code, password, std::uint16_t{0x0030});
            ASSERT_NE(size, 0U);
            const auto message = StunMessage::parse(core::BytesView(out).first(size));
            ASSERT_TRUE(message);
            EXPECT_EQ(message->message_class(), StunClass::error);
            EXPECT_EQ(message->error_code(), code);
            EXPECT_EQ(message->has_integrity(), !password.empty());
            EXPECT_EQ(message->check_integrity(kPassword), !password.empty());
            EXPECT_TRUE(message->check_fingerprint());
        }
    }
}

TEST(Stun, WritersRefuseSmallBuffers) {
    std::array<std::uint8_t, kMaxStunResponse> out{};
    const auto address = *TransportAddress::parse("2001:db8::7", 1);
    const std::size_t size = write_binding_success(out, kId, address, kPassword);
    const std::size_t error_size = write_binding_error(out, kId, 400, kPassword);
    for (std::size_t room = 0; room < out.size(); ++room) {
        core::Bytes exact(room);
        EXPECT_EQ(write_binding_success(exact, kId, address, kPassword), room < size ? 0 : size);
        EXPECT_EQ(write_binding_error(exact, kId, 400, kPassword), room < error_size ? 0 : error_size);
        EXPECT_EQ(write_binding_request(exact, {.username = std::string_view(kPassword), .password = "p"}) != 0,
                  room >= 20 + 28 + 8 + 24 + 8);
    }
}

TEST(Stun, TruncatedAndCorruptMessagesAreRefusedWithoutHarm) {
    const auto bytes = rfc5769_request();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(StunMessage::parse(testdata::first(bytes, size))) << size;
    }
    // Also with a header that claims the shorter size, so that the cut falls into the attributes.
    for (std::size_t size = 20; size < bytes.size(); size += 4) {
        auto cut = testdata::first(bytes, size);
        store_u16(&cut[2], static_cast<std::uint16_t>(size - 20));
        if (const auto message = StunMessage::parse(cut)) {
            EXPECT_FALSE(message->has_fingerprint());
            EXPECT_EQ(message->check_integrity(kPassword), size == bytes.size() - 8);
        }
    }
    auto wrong_cookie = bytes;
    wrong_cookie[4] ^= 1;
    EXPECT_FALSE(StunMessage::parse(wrong_cookie));
}

TEST(Stun, IgnoresWhatStandsBehindTheIntegrity) {
    // An attacker on the path may append attributes; only FINGERPRINT counts there.
    std::array<std::uint8_t, 256> out{};
    std::size_t size = write_binding_request(out, {.transaction_id = kId, .username = "a:b", .password = "pw"});
    size -= 8;
    store_u16(&out[size], 0x0025);  // USE-CANDIDATE
    store_u16(&out[size + 2], 0);
    size += 4;
    store_u16(&out[2], static_cast<std::uint16_t>(size - 20));
    const auto message = StunMessage::parse(core::BytesView(out).first(size));
    ASSERT_TRUE(message);
    EXPECT_FALSE(message->use_candidate());
    EXPECT_TRUE(message->check_integrity("pw"));
}

TEST(Stun, NamesAnUnknownRequiredAttribute) {
    auto bytes = from_hex("00010008 2112a442 00000000 00000000 00000000 7fff0002 aabb0000");
    const auto message = StunMessage::parse(bytes);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->unknown_required_attribute(), 0x7FFF);
    bytes[20] = 0xFF;
    EXPECT_FALSE(StunMessage::parse(bytes)->unknown_required_attribute());
}

TEST(Stun, BoundsTheNumberOfAttributes) {
    core::Bytes bytes = from_hex("00010000 2112a442 00000000 00000000 00000000");
    for (int i = 0; i < 32; ++i) bytes.insert(bytes.end(), {0x80, 0x22, 0, 0});
    store_u16(&bytes[2], 32 * 4);
    EXPECT_TRUE(StunMessage::parse(bytes));
    bytes.insert(bytes.end(), {0x80, 0x22, 0, 0});
    store_u16(&bytes[2], 33 * 4);
    EXPECT_FALSE(StunMessage::parse(bytes));
}

TEST(Stun, SplitsUsernames) {
    EXPECT_FALSE(split_username("nocolon"));
    const auto names = split_username("a:b:c");
    ASSERT_TRUE(names);
    EXPECT_EQ(names->receiver, "a");
    EXPECT_EQ(names->sender, "b:c");
}

}  // namespace
}  // namespace media::wire
