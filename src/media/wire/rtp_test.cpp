#include "media/wire/rtp.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "media/wire/rtp_extensions.hpp"
#include "media/wire/rtx.hpp"
#include "media/wire/testdata.hpp"

namespace media::wire {
namespace {

using testdata::from_hex;

core::Bytes copy(core::BytesView bytes) {
    return {bytes.begin(), bytes.end()};
}

TEST(Rtp, ReadsHeaderSourcesAndPayload) {
    const auto bytes = from_hex("82e30102 01020304 0a0b0c0d 00000011 00000022 aabbcc");
    const auto view = RtpView::parse(bytes);
    ASSERT_TRUE(view);
    EXPECT_TRUE(view->marker());
    EXPECT_EQ(view->payload_type(), 0x63);
    EXPECT_EQ(view->sequence(), 0x0102);
    EXPECT_EQ(view->timestamp(), 0x01020304U);
    EXPECT_EQ(view->ssrc(), 0x0A0B0C0DU);
    ASSERT_EQ(view->csrc_count(), 2U);
    EXPECT_EQ(view->csrc(1), 0x22U);
    EXPECT_EQ(view->extension_form(), RtpExtensionForm::none);
    EXPECT_FALSE(view->extension(1));
    EXPECT_EQ(copy(view->payload()), from_hex("aabbcc"));
    EXPECT_EQ(peek_rtp(bytes)->ssrc, 0x0A0B0C0DU);
}

TEST(Rtp, ReadsOneByteExtensions) {
    // id 1 of one byte, padding, id 3 of three bytes, the stop id 15 and behind it something that must not be read.
    const auto bytes = from_hex("90600001 00000000 00000001 bede0003 10850032 010203f0 20ff0000 99");
    const auto view = RtpView::parse(bytes);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->extension_form(), RtpExtensionForm::one_byte);
    EXPECT_EQ(copy(*view->extension(1)), from_hex("85"));
    EXPECT_EQ(copy(*view->extension(3)), from_hex("010203"));
    EXPECT_FALSE(view->extension(2));
    EXPECT_FALSE(view->extension(0));
    EXPECT_FALSE(view->extension(15));
    EXPECT_EQ(copy(view->payload()), from_hex("99"));
}

TEST(Rtp, ReadsTwoByteExtensionsWithApplicationBits) {
    const auto bytes = from_hex("90600001 00000000 00000001 10050003 0100 00 c803aabbcc 0101 85 00 99");
    const auto view = RtpView::parse(bytes);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->extension_form(), RtpExtensionForm::two_byte);
    EXPECT_EQ(view->extension(1)->size(), 0U);  // Of a repeated id the first counts.
    EXPECT_EQ(copy(*view->extension(200)), from_hex("aabbcc"));
    EXPECT_EQ(copy(view->payload()), from_hex("99"));
}

TEST(Rtp, SkipsUnknownExtensionForms) {
    const auto bytes = from_hex("90600001 00000000 00000001 12340001 10000000 99");
    const auto view = RtpView::parse(bytes);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->extension_form(), RtpExtensionForm::unknown);
    EXPECT_FALSE(view->extension(1));
    EXPECT_EQ(view->payload().size(), 1U);
}

TEST(Rtp, KnowsPadding) {
    const auto padded = from_hex("a0600001 00000000 00000001 aabb 000003");
    EXPECT_EQ(RtpView::parse(padded)->padding_size(), 3U);
    EXPECT_EQ(copy(RtpView::parse(padded)->payload()), from_hex("aabb"));
    EXPECT_FALSE(RtpView::parse(padded)->padding_only());
    const auto only = from_hex("a0600001 00000000 00000001 0002");
    EXPECT_TRUE(RtpView::parse(only)->padding_only());
    EXPECT_FALSE(RtpView::parse(from_hex("a0600001 00000000 00000001 aa00")));
    EXPECT_FALSE(RtpView::parse(from_hex("a0600001 00000000 00000001 aa04")));
    EXPECT_FALSE(RtpView::parse(from_hex("a0600001 00000000 00000001")));
}

TEST(Rtp, RefusesWhatDoesNotFit) {
    EXPECT_FALSE(RtpView::parse(from_hex("40600001 00000000 00000001")));           // version 1
    EXPECT_FALSE(RtpView::parse(from_hex("82600001 00000000 00000001 00000002")));  // a CSRC is missing
    EXPECT_FALSE(RtpView::parse(from_hex("90600001 00000000 00000001 bede")));
    EXPECT_FALSE(RtpView::parse(from_hex("90600001 00000000 00000001 bede0002 10000000")));
    const auto overlong = from_hex("90600001 00000000 00000001 bede0001 00000017");
    ASSERT_TRUE(RtpView::parse(overlong));
    EXPECT_FALSE(RtpView::parse(overlong)->extension(1));  // the element reaches beyond its block
}

TEST(Rtp, ReadsWhatBrowsersSend) {
    std::size_t padding_only = 0;
    for (const auto* name : {"rtp-vp9.bin", "rtp-av1.bin"}) {
        std::set<std::uint32_t> ssrcs;
        for (const auto& bytes : testdata::packet_records(name)) {
            const auto view = RtpView::parse(bytes);
            ASSERT_TRUE(view);
            EXPECT_EQ(view->extension_form(), RtpExtensionForm::one_byte);
            ASSERT_TRUE(view->extension(2));
            EXPECT_TRUE(parse_abs_send_time(*view->extension(2)));
            if (const auto mid = view->extension(4)) EXPECT_TRUE(parse_mid(*mid) == "0" || parse_mid(*mid) == "1");
            if (view->payload_type() == 111 && !view->padding_only()) {
                EXPECT_TRUE(parse_audio_level(view->extension(1).value()));
            }
            padding_only += view->padding_only() ? 1 : 0;
            ssrcs.insert(view->ssrc());
        }
        EXPECT_EQ(ssrcs.size(), 2U) << name;
    }
    EXPECT_GT(padding_only, 10U);
}

TEST(Rtp, TruncatedAtEveryLengthDoesNoHarm) {
    for (const auto& bytes : testdata::packet_records("rtp-vp9.bin")) {
        for (std::size_t size = 0; size < std::min<std::size_t>(bytes.size(), 64); ++size) {
            const auto cut = testdata::first(bytes, size);
            const auto view = RtpView::parse(cut);
            EXPECT_TRUE(size >= kRtpHeaderSize || !view);
            if (!view) continue;
            for (unsigned id = 0; id < 256; ++id) view->extension(static_cast<std::uint8_t>(id));
            EXPECT_LE(view->header_size() + view->payload().size() + view->padding_size(), size);
        }
    }
}

TEST(Rtp, ChangesFieldsInPlaceAndNothingElse) {
    const auto original = from_hex("90e30102 01020304 0a0b0c0d bede0001 22010203 aabbcc");
    auto bytes = original;
    set_rtp_payload_type(bytes, 0xFF);
    set_rtp_marker(bytes, false);
    set_rtp_sequence(bytes, 0xFFFE);
    set_rtp_timestamp(bytes, 0x11223344);
    set_rtp_ssrc(bytes, 0x55667788);
    const auto place = rtp_extension_in_place(bytes, 2);
    ASSERT_EQ(place.size(), 3U);
    place[0] = 0x77;
    EXPECT_TRUE(rtp_extension_in_place(bytes, 3).empty());
    EXPECT_EQ(bytes, from_hex("907ffffe 11223344 55667788 bede0001 22770203 aabbcc"));
    set_rtp_marker(bytes, true);
    EXPECT_EQ(bytes[1], 0xFF);
}

TEST(Rtp, WriterDropsExtensionsSourcesAndPaddingOfTheSource) {
    const auto source = from_hex("b1e30102 01020304 0a0b0c0d 00000011 bede0001 22010203 aabbcc 0002");
    const auto view = RtpView::parse(source);
    ASSERT_TRUE(view);
    std::array<std::uint8_t, 64> out{};
    const RtpHeader header{.payload_type = 96, .marker = true, .sequence = 7, .timestamp = 8, .ssrc = 9};
    const std::size_t plain = write_rtp_from(out, *view, header);
    EXPECT_EQ(testdata::first(out, plain), from_hex("80e00007 00000008 00000009 aabbcc"));

    const auto time = from_hex("010203");
    const auto sequence = from_hex("0405");
    const std::array<RtpExtension, 2> extensions{RtpExtension{.id = 3, .value = time}, {.id = 5, .value = sequence}};
    const std::size_t size = write_rtp_from(out, *view, header, extensions);
    EXPECT_EQ(testdata::first(out, size), from_hex("90e00007 00000008 00000009 bede0002 32010203 51040500 aabbcc"));
}

TEST(Rtp, WriterTakesTheTwoByteFormWhenItMust) {
    const core::Bytes long_value(17, 0xEE);
    const core::Bytes payload{1, 2, 3};
    std::array<std::uint8_t, 128> out{};
    for (const RtpExtension& odd : {RtpExtension{.id = 1, .value = long_value},
                                    RtpExtension{.id = 15, .value = payload}, RtpExtension{.id = 1, .value = {}}}) {
        const std::array<RtpExtension, 2> extensions{odd, {.id = 2, .value = payload}};
        const std::size_t size = write_rtp(out, {.sequence = 1}, extensions, payload);
        ASSERT_NE(size, 0U);
        const auto view = RtpView::parse(core::BytesView(out).first(size));
        ASSERT_TRUE(view);
        EXPECT_EQ(view->extension_form(), RtpExtensionForm::two_byte);
        EXPECT_EQ(copy(view->extension(odd.id).value()), copy(odd.value));
        EXPECT_EQ(copy(view->extension(2).value()), payload);
        EXPECT_EQ(copy(view->payload()), payload);
    }
}

TEST(Rtp, WriterRefusesImpossibleExtensionsAndSmallBuffers) {
    const core::Bytes payload{1, 2, 3};
    const core::Bytes huge(256, 1);
    core::Bytes out(600);
    const std::array<RtpExtension, 1> zero{RtpExtension{.id = 0, .value = payload}};
    const std::array<RtpExtension, 1> too_long{RtpExtension{.id = 1, .value = huge}};
    EXPECT_EQ(write_rtp(out, {}, zero, payload), 0U);
    EXPECT_EQ(write_rtp(out, {}, too_long, payload), 0U);
    const std::array<RtpExtension, 1> good{RtpExtension{.id = 1, .value = payload}};
    const std::size_t size = write_rtp(out, {}, good, payload);
    for (std::size_t room = 0; room <= size; ++room) {
        core::Bytes exact(room);
        EXPECT_EQ(write_rtp(exact, {}, good, payload), room < size ? 0 : size);
    }
}

TEST(Rtp, OrdersAndUnwrapsNumbers) {
    EXPECT_TRUE(newer_sequence(1, 0));
    EXPECT_TRUE(newer_sequence(0, 0xFFFF));
    EXPECT_FALSE(newer_sequence(0xFFFF, 0));
    EXPECT_FALSE(newer_sequence(5, 5));
    EXPECT_TRUE(newer_timestamp(10, 0xFFFFFFF0));

    SequenceUnwrapper unwrapper;
    EXPECT_EQ(unwrapper.unwrap(65534), 65534);
    EXPECT_EQ(unwrapper.unwrap(1), 65537);
    EXPECT_EQ(unwrapper.unwrap(65535), 65535);
    EXPECT_EQ(unwrapper.highest(), 65537);
    EXPECT_EQ(unwrapper.peek(2), 65538);
    EXPECT_EQ(unwrapper.highest(), 65537);
    std::int64_t last = 65537;
    for (int step = 0; step < 100; ++step) {
        last += 30000;
        EXPECT_EQ(unwrapper.unwrap(static_cast<std::uint16_t>(last)), last);
    }
    TimestampUnwrapper timestamps;
    EXPECT_EQ(timestamps.unwrap(0xFFFFFFFF), 0xFFFFFFFF);
    EXPECT_EQ(timestamps.unwrap(5), 0x100000005);
}

TEST(RtpExtensions, AudioLevel) {
    EXPECT_EQ(parse_audio_level(from_hex("85")), (AudioLevel{.level = 5, .voice = true}));
    EXPECT_EQ(parse_audio_level(from_hex("7f")), (AudioLevel{.level = 127, .voice = false}));
    EXPECT_FALSE(parse_audio_level({}));
    EXPECT_EQ(audio_level_byte({.level = 5, .voice = true}), 0x85);
    EXPECT_EQ(audio_level_byte({.level = 200, .voice = false}), 0x7F);
}

TEST(RtpExtensions, SendTime) {
    EXPECT_EQ(abs_send_time_from_us(1'000'000), 1U << 18);
    EXPECT_EQ(abs_send_time_from_us(64'000'000 + 500'000), 1U << 17);
    EXPECT_EQ(abs_send_time_from_us(-500'000), 63U * (1U << 18) + (1U << 17));
    for (const std::int64_t us : {0, 1, 777'777, 63'999'999}) {
        EXPECT_NEAR(static_cast<double>(abs_send_time_to_us(abs_send_time_from_us(us))), static_cast<double>(us), 4.0);
    }
    EXPECT_EQ(parse_abs_send_time(abs_send_time_bytes(0xABCDEF)), 0xABCDEFU);
    EXPECT_FALSE(parse_abs_send_time(from_hex("0102")));
}

TEST(RtpExtensions, TransportSequenceAndText) {
    EXPECT_EQ(parse_transport_sequence(transport_sequence_bytes(0xABCD)), 0xABCD);
    EXPECT_FALSE(parse_transport_sequence(from_hex("01")));
    EXPECT_EQ(parse_mid(core::as_bytes("a.1")), "a.1");
    EXPECT_EQ(parse_rid(core::as_bytes("low")), "low");
    EXPECT_FALSE(parse_rid(core::as_bytes("a.1")));
    EXPECT_FALSE(parse_mid({}));
    EXPECT_FALSE(parse_mid(core::as_bytes("a b")));
    EXPECT_FALSE(parse_mid(core::as_bytes("12345678901234567")));
}

TEST(Rtx, WrapAndUnwrapGiveTheOriginalBack) {
    const auto original = from_hex("80e3fffe 01020304 0a0b0c0d aabbcc");
    const auto view = RtpView::parse(original);
    ASSERT_TRUE(view);
    const auto rid = core::as_bytes("low");
    const std::array<RtpExtension, 1> extensions{RtpExtension{.id = 11, .value = rid}};
    core::Bytes buffer(64);
    const std::size_t size = write_rtx(buffer, *view, {.payload_type = 97, .sequence = 3, .ssrc = 44}, extensions);
    ASSERT_EQ(size, original.size() + 2 + 8);
    const auto rtx = RtpView::parse(core::BytesView(buffer).first(size));
    ASSERT_TRUE(rtx);
    EXPECT_EQ(rtx->payload_type(), 97);
    EXPECT_EQ(rtx->sequence(), 3);
    EXPECT_EQ(rtx->ssrc(), 44U);
    EXPECT_EQ(rtx->timestamp(), 0x01020304U);
    EXPECT_TRUE(rtx->marker());
    EXPECT_EQ(rtx_original_sequence(*rtx), 0xFFFE);

    const auto repaired = RtpView::parse(unwrap_rtx(std::span(buffer).first(size), 0x0A0B0C0D, 0x63));
    ASSERT_TRUE(repaired);
    EXPECT_EQ(repaired->extension(11).value().size(), 3U);
    std::array<std::uint8_t, 64> plain{};
    const std::size_t plain_size = write_rtp_from(plain, *repaired,
                                                  {.payload_type = repaired->payload_type(),
                                                   .marker = repaired->marker(),
                                                   .sequence = repaired->sequence(),
                                                   .timestamp = repaired->timestamp(),
                                                   .ssrc = repaired->ssrc()});
    EXPECT_EQ(testdata::first(plain, plain_size), original);
    for (std::size_t room = 0; room < size; ++room) {
        core::Bytes small(room);
        EXPECT_EQ(write_rtx(small, *view, {.payload_type = 97}, extensions), 0U);
    }
}

TEST(Rtx, PaddingOnTheRtxStreamRepeatsNothing) {
    auto padding = from_hex("a0610001 00000000 00000001 00000003");
    EXPECT_FALSE(rtx_original_sequence(*RtpView::parse(padding)));
    EXPECT_TRUE(unwrap_rtx(padding, 1, 2).empty());
    core::Bytes noise{1, 2, 3};
    EXPECT_TRUE(unwrap_rtx(noise, 1, 2).empty());
}

}  // namespace
}  // namespace media::wire
