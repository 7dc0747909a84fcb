#include "media/wire/rtcp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>

#include "media/wire/rtcp_feedback.hpp"
#include "media/wire/rtcp_writer.hpp"
#include "media/wire/testdata.hpp"
#include "media/wire/transport_feedback.hpp"

namespace media::wire {
namespace {

using testdata::from_hex;
using testing::ElementsAre;

RtcpView only(core::BytesView bytes) {
    RtcpReader reader(bytes);
    const auto view = reader.next();
    EXPECT_TRUE(view);
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(reader.malformed());
    return view.value_or(RtcpView{});
}

TEST(Rtcp, ReadsWhatBrowsersSend) {
    std::map<int, int> seen;
    for (const auto& bytes : testdata::hex_lines("rtcp.txt")) {
        RtcpReader reader(bytes);
        while (const auto view = reader.next()) {
            ++seen[view->type];
            if (view->type <= rtcp_type::kReceiverReport) EXPECT_TRUE(RtcpReport::parse(*view));
            if (view->type == rtcp_type::kDescription) EXPECT_EQ(find_cname(*view).value().cname.size(), 16U);
            if (view->type == rtcp_type::kPayloadFeedback) {
                const auto remb = RtcpRemb::parse(*view);
                ASSERT_TRUE(remb);
                EXPECT_GT(remb->bitrate_bps(), 50'000U);
                EXPECT_LT(remb->bitrate_bps(), 100'000'000U);
                EXPECT_EQ(remb->ssrc_count(), 1U);
            }
        }
        EXPECT_FALSE(reader.malformed());
    }
    EXPECT_GT(seen[rtcp_type::kSenderReport], 10);
    EXPECT_GT(seen[rtcp_type::kReceiverReport], 5);
    EXPECT_GT(seen[rtcp_type::kDescription], 10);
    EXPECT_GT(seen[rtcp_type::kPayloadFeedback], 5);
}

TEST(Rtcp, TruncatedAtEveryLengthIsMalformedWithoutHarm) {
    for (const auto& bytes : testdata::hex_lines("rtcp.txt")) {
        for (std::size_t size = 1; size < bytes.size(); ++size) {
            const auto cut = testdata::first(bytes, size);
            RtcpReader reader(cut);
            std::size_t whole = 0;
            while (const auto view = reader.next()) whole += 4 + view->body.size();
            EXPECT_EQ(reader.malformed(), whole != size);
        }
    }
}

TEST(Rtcp, BodiesTooShortForTheirCountAreRefused) {
    for (std::uint8_t type = 200; type <= 207; ++type) {
        for (unsigned count = 0; count < 32; ++count) {
            for (std::size_t size = 0; size <= 48; ++size) {
                const core::Bytes body(size, 0xFF);
                const RtcpView view{.type = type, .count = static_cast<std::uint8_t>(count), .body = body};
                if (const auto report = RtcpReport::parse(view)) {
                    for (std::size_t i = 0; i < report->block_count(); ++i) report->block(i);
                    report->sender_info();
                }
                if (const auto bye = RtcpBye::parse(view)) {
                    for (std::size_t i = 0; i < bye->count(); ++i) EXPECT_EQ(bye->ssrc(i), 0xFFFFFFFFU);
                }
                find_cname(view);
                parse_pli(view);
                if (const auto nack = RtcpNack::parse(view)) nack->for_each_lost([](std::uint16_t) {});
                if (const auto fir = RtcpFir::parse(view)) {
                    for (std::size_t i = 0; i < fir->entry_count(); ++i) fir->entry(i);
                }
                RtcpRemb::parse(view);
                TransportFeedback::parse(view);
            }
        }
    }
}

TEST(Rtcp, PaddingIsNotPartOfTheBody) {
    EXPECT_EQ(only(from_hex("a1cb0002 00000007 00000004")).body.size(), 4U);
    for (const auto* text : {"a1cb0001 00000000", "a1cb0001 00000005", "a1cb0000"}) {
        const auto bytes = from_hex(text);
        RtcpReader reader(bytes);
        EXPECT_FALSE(reader.next()) << text;
        EXPECT_TRUE(reader.malformed()) << text;
    }
}

TEST(Rtcp, ReportsRoundTrip) {
    const std::array<ReportBlock, 2> blocks{ReportBlock{.ssrc = 1,
                                                        .fraction_lost = 200,
                                                        .cumulative_lost = -5,
                                                        .highest_sequence = 0x00020003,
                                                        .jitter = 4,
                                                        .last_sr = 5,
                                                        .delay_since_last_sr = 6},
                                            ReportBlock{.ssrc = 7, .cumulative_lost = 0x7FFFFF}};
    const SenderInfo info{.ntp = 0x0123456789ABCDEF, .rtp_timestamp = 9, .packets = 10, .octets = 11};
    core::Bytes out(512);
    RtcpWriter writer(out);
    ASSERT_TRUE(writer.sender_report(42, info, blocks));
    ASSERT_TRUE(writer.receiver_report(43, blocks));
    ASSERT_TRUE(writer.description(42, "server"));
    ASSERT_TRUE(writer.bye(44));
    RtcpReader reader(writer.written());

    const auto sr = RtcpReport::parse(reader.next().value());
    ASSERT_TRUE(sr);
    EXPECT_EQ(sr->sender_ssrc(), 42U);
    EXPECT_EQ(sr->sender_info(), info);
    ASSERT_EQ(sr->block_count(), 2U);
    EXPECT_EQ(sr->block(0), blocks[0]);
    EXPECT_EQ(sr->block(1), blocks[1]);
    const auto rr = RtcpReport::parse(reader.next().value());
    ASSERT_TRUE(rr);
    EXPECT_EQ(rr->sender_ssrc(), 43U);
    EXPECT_FALSE(rr->sender_info());
    EXPECT_EQ(rr->block(1), blocks[1]);
    const auto cname = find_cname(reader.next().value());
    ASSERT_TRUE(cname);
    EXPECT_EQ(cname->ssrc, 42U);
    EXPECT_EQ(cname->cname, "server");
    const auto bye = RtcpBye::parse(reader.next().value());
    ASSERT_TRUE(bye);
    EXPECT_EQ(bye->count(), 1U);
    EXPECT_EQ(bye->ssrc(0), 44U);
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(reader.malformed());
}

TEST(Rtcp, CumulativeLossIsClampedTo24Bits) {
    const std::array<ReportBlock, 1> block{ReportBlock{.cumulative_lost = 0x1000000}};
    core::Bytes out(64);
    RtcpWriter writer(out);
    ASSERT_TRUE(writer.receiver_report(1, block));
    EXPECT_EQ(RtcpReport::parse(only(writer.written()))->block(0).cumulative_lost, 0x7FFFFF);
}

TEST(Rtcp, DescriptionsOfEverySizeAreWholeWords) {
    for (std::size_t size = 0; size <= 255; ++size) {
        core::Bytes out(300);
        RtcpWriter writer(out);
        const std::string name(size, 'n');
        ASSERT_TRUE(writer.description(1, name));
        EXPECT_EQ(find_cname(only(writer.written()))->cname, name);
    }
    core::Bytes out(400);
    EXPECT_FALSE(RtcpWriter(out).description(1, std::string(256, 'n')));
}

TEST(Rtcp, FindsACnameBehindOtherItemsAndChunks) {
    // A chunk with a NOTE (7), then a chunk with a TOOL (6) and the CNAME (1).
    const auto bytes = from_hex("82ca0007 00000001 07026869 00000000 00000002 06027465 01026e6e 00000000");
    const auto cname = find_cname(only(bytes));
    ASSERT_TRUE(cname);
    EXPECT_EQ(cname->ssrc, 2U);
    EXPECT_EQ(cname->cname, "nn");
}

TEST(Rtcp, NackRoundTripPacksAndWraps) {
    const std::array<std::uint16_t, 6> lost{65530, 65531, 2, 10, 11, 400};
    core::Bytes out(128);
    RtcpWriter writer(out);
    ASSERT_TRUE(writer.nack(1, 2, lost));
    const auto nack = RtcpNack::parse(only(writer.written()));
    ASSERT_TRUE(nack);
    EXPECT_EQ(nack->sender_ssrc(), 1U);
    EXPECT_EQ(nack->media_ssrc(), 2U);
    EXPECT_EQ(nack->entry_count(), 3U);  // 65530…2 in one, 10 and 11, 400
    std::vector<std::uint16_t> read;
    nack->for_each_lost([&](std::uint16_t sequence) { read.push_back(sequence); });
    EXPECT_THAT(read, ElementsAre(65530, 65531, 2, 10, 11, 400));
    EXPECT_FALSE(writer.nack(1, 2, {}));
}

TEST(Rtcp, NackOfAllBitsNamesSeventeenPackets) {
    const auto bytes = from_hex("81cd0003 00000001 00000002 fff0ffff");
    std::vector<std::uint16_t> read;
    RtcpNack::parse(only(bytes))->for_each_lost([&](std::uint16_t sequence) { read.push_back(sequence); });
    ASSERT_EQ(read.size(), 17U);
    EXPECT_EQ(read.front(), 0xFFF0);
    EXPECT_EQ(read.back(), 0);
}

TEST(Rtcp, PliFirAndRembRoundTrip) {
    core::Bytes out(128);
    RtcpWriter writer(out);
    const std::array<std::uint32_t, 2> ssrcs{8, 9};
    ASSERT_TRUE(writer.pli(1, 2));
    ASSERT_TRUE(writer.fir(3, 4, 5));
    ASSERT_TRUE(writer.remb(6, 2'500'000, ssrcs));
    RtcpReader reader(writer.written());
    const auto pli = parse_pli(reader.next().value());
    ASSERT_TRUE(pli);
    EXPECT_EQ(pli->sender_ssrc, 1U);
    EXPECT_EQ(pli->media_ssrc, 2U);
    const auto fir = RtcpFir::parse(reader.next().value());
    ASSERT_TRUE(fir);
    ASSERT_EQ(fir->entry_count(), 1U);
    EXPECT_EQ(fir->entry(0).ssrc, 4U);
    EXPECT_EQ(fir->entry(0).sequence, 5);
    const auto remb = RtcpRemb::parse(reader.next().value());
    ASSERT_TRUE(remb);
    EXPECT_EQ(remb->sender_ssrc(), 6U);
    EXPECT_EQ(remb->bitrate_bps(), 2'500'000U);
    ASSERT_EQ(remb->ssrc_count(), 2U);
    EXPECT_EQ(remb->ssrc(1), 9U);
}

TEST(Rtcp, RembKeepsEighteenBitsOfAnyRate) {
    for (const std::uint64_t rate : {std::uint64_t{0}, std::uint64_t{0x3FFFF}, std::uint64_t{0x40001},
                                     std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
        core::Bytes out(64);
        RtcpWriter writer(out);
        ASSERT_TRUE(writer.remb(1, rate, {}));
        const auto read = RtcpRemb::parse(only(writer.written()))->bitrate_bps();
        EXPECT_LE(read, rate);
        EXPECT_LE(rate - read, rate >> 17);
    }
    // An exponent nobody can mean.
    EXPECT_EQ(RtcpRemb::parse(only(from_hex("8fce0004 00000001 00000000 52454d42 00ffffff")))->bitrate_bps(),
              ~std::uint64_t{0});
}

TEST(Rtcp, WritersLeaveTheCompoundAloneWhenThereIsNoRoom) {
    core::Bytes out(20);
    RtcpWriter writer(out);
    ASSERT_TRUE(writer.pli(1, 2));
    const auto before = testdata::first(writer.written(), writer.size());
    const std::array<ReportBlock, 32> blocks{};
    const std::array<std::uint16_t, 1> lost{1};
    const std::array<PacketArrival, 1> arrivals{PacketArrival{.sequence = 1, .arrival_us = 1}};
    EXPECT_FALSE(writer.pli(1, 2));
    EXPECT_FALSE(writer.fir(1, 2, 3));
    EXPECT_FALSE(writer.nack(1, 2, lost));
    EXPECT_FALSE(writer.remb(1, 2, {}));
    EXPECT_FALSE(writer.description(1, ""));
    EXPECT_FALSE(writer.sender_report(1, {}));
    EXPECT_FALSE(writer.receiver_report(1, std::span(blocks).first(1)));
    EXPECT_EQ(writer.transport_feedback(1, 2, 3, 1, arrivals), 0U);
    EXPECT_TRUE(writer.bye(1));
    EXPECT_FALSE(writer.bye(1));
    EXPECT_EQ(testdata::first(writer.written(), before.size()), before);
    core::Bytes large(2000);
    EXPECT_FALSE(RtcpWriter(large).receiver_report(1, blocks));
}

TEST(Rtcp, NtpTime) {
    EXPECT_EQ(ntp_from_unix_us(0), std::uint64_t{2'208'988'800} << 32);
    EXPECT_EQ(ntp_from_unix_us(1'500'000), (std::uint64_t{2'208'988'801} << 32) + 0x80000000U);
    EXPECT_EQ(middle_of_ntp(0x1122334455667788), 0x33445566U);
}

}  // namespace
}  // namespace media::wire
