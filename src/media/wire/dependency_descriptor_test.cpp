#include "media/wire/dependency_descriptor.hpp"

#include <gtest/gtest.h>

#include "media/wire/dependency_descriptor_samples.hpp"
#include "media/wire/testdata.hpp"

namespace media::wire {
namespace {

using samples::key_descriptor;
using samples::short_descriptor;

class Dependencies : public ::testing::Test {
  protected:
    std::optional<DependencyDescriptor> parse(const core::Bytes& bytes) {
        // A copy of exactly that size, so that a read beyond is seen.
        return parse_dependency_descriptor(core::Bytes(bytes), structure);
    }
    std::optional<DependencyStructure> structure;
};

TEST_F(Dependencies, KeyFrameBringsTheTemplatesThatLaterPacketsName) {
    const auto key = parse(key_descriptor({.end = false, .template_id = 60, .frame = 370}, 60, samples::l1t3()));
    ASSERT_TRUE(key);
    EXPECT_TRUE(key->has_structure && key->start_of_frame && !key->end_of_frame && key->switching);
    EXPECT_EQ(key->frame_number, 370);
    EXPECT_EQ(key->spatial_id, 0);
    EXPECT_EQ(key->temporal_id, 0);
    ASSERT_TRUE(structure);
    EXPECT_EQ(structure->template_count, 5);
    EXPECT_EQ(structure->decode_targets, 3);
    EXPECT_EQ(structure->chains, 1);
    EXPECT_EQ(structure->spatial_layers, 1);
    EXPECT_EQ(structure->temporal_layers, 3);

    const std::uint8_t expected[] = {0, 0, 1, 2, 2};
    for (std::uint8_t i = 0; i < 5; ++i) {
        // The ids wrap at 64.
        const auto later = parse(short_descriptor({.template_id = static_cast<std::uint8_t>((60 + i) % 64)}));
        ASSERT_TRUE(later) << int{i};
        EXPECT_EQ(later->temporal_id, expected[i]);
        EXPECT_EQ(later->switching, i < 3);
        EXPECT_FALSE(later->has_structure);
    }
    EXPECT_FALSE(parse(short_descriptor({.template_id = 1}))) << "no such template";
    EXPECT_FALSE(parse(short_descriptor({.template_id = 59})));
}

TEST_F(Dependencies, SpatialLayersAndActiveTargets) {
    const auto key = parse(key_descriptor({.template_id = 7}, 7, samples::l2t2(), true));
    ASSERT_TRUE(key);
    EXPECT_EQ(key->active_targets, 0xFU);
    EXPECT_EQ(structure->spatial_layers, 2);
    EXPECT_EQ(structure->temporal_layers, 2);
    const auto upper = parse(short_descriptor({.template_id = 12}));
    ASSERT_TRUE(upper);
    EXPECT_EQ(upper->spatial_id, 1);
    EXPECT_EQ(upper->temporal_id, 1);
}

TEST_F(Dependencies, FramesMaySayThemselvesWhatTheyAre) {
    ASSERT_TRUE(parse(key_descriptor({}, 0, samples::l1t3())));
    samples::BitWriter out;
    samples::put_mandatory(out, {.template_id = 3});
    // No structure, no targets, own indications: none, none, switch.
    out.put(0b00100, 5).put(0b000010, 6);
    EXPECT_TRUE(parse(out.bytes())->switching);
    samples::BitWriter targets;
    samples::put_mandatory(targets, {.template_id = 1});
    targets.put(0b01000, 5).put(0b011, 3);
    EXPECT_EQ(parse(targets.bytes())->active_targets, 3U);
    EXPECT_TRUE(parse(targets.bytes())->switching);
}

TEST_F(Dependencies, NothingIsKnownBeforeAKeyFrame) {
    EXPECT_FALSE(parse(short_descriptor({})));
    EXPECT_FALSE(parse({}));
    EXPECT_FALSE(parse({0x80, 0}));
    EXPECT_FALSE(structure);
}

TEST_F(Dependencies, CutOffStructuresAreRefusedAndChangeNothing) {
    const core::Bytes whole = key_descriptor({.template_id = 2}, 2, samples::l2t2(), true);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(parse(testdata::first(whole, size))) << size;
        EXPECT_FALSE(structure) << size;
    }
    ASSERT_TRUE(parse(key_descriptor({.template_id = 9}, 9, samples::l1t3())));
    EXPECT_FALSE(parse(testdata::first(whole, whole.size() - 3)));
    EXPECT_EQ(structure->template_count, 5) << "the old one holds";
}

TEST_F(Dependencies, EndlessTemplatesAndLayersAreRefused) {
    for (const std::uint32_t next : {0U, 1U, 2U}) {
        samples::BitWriter out;
        samples::put_mandatory(out, {});
        out.put(0b10000, 5).put(0, 6).put(0, 5);
        for (int i = 0; i < 500; ++i) out.put(next, 2);
        EXPECT_FALSE(parse(out.bytes())) << next;
    }
}

}  // namespace
}  // namespace media::wire
