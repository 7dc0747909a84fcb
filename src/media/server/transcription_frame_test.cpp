#include <gtest/gtest.h>

#include "media/server/meeting_server.hpp"
#include "media/wire/signalling.pb.h"

namespace media::server {
namespace {

TEST(TranscriptionFrame, SaysHowTheTranscriptionIsDoing) {
    using Type = TranscriptionNews::Type;
    const core::Time at{std::chrono::milliseconds{1'769'349'600'123}};
    // The numbers that clients know.
    const std::pair<Type, int> known[] = {
        {Type::started, 1}, {Type::interrupted, 2}, {Type::resumed, 3}, {Type::stopped, 4}, {Type::failed, 5}};
    for (const auto& [type, number] : known) {
        wire::proto::TranscriptFrame frame;
        ASSERT_TRUE(frame.ParseFromString(transcription_frame({type, at, "eu-central-1", "{}", "why"})));
        ASSERT_EQ(frame.events_size(), 1);
        const auto& status = frame.events(0).status();
        EXPECT_EQ(status.type(), number);
        EXPECT_EQ(status.event_time(), 1'769'349'600'123);
        EXPECT_EQ(status.transcription_region(), "eu-central-1");
        EXPECT_EQ(status.transcription_configuration(), "{}");
        EXPECT_EQ(status.message(), "why");
    }
}

}  // namespace
}  // namespace media::server
