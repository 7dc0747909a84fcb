// What one participant sends: 50 Opus packets a second and a camera, spread over time as a browser's pacer does, with
// sender reports. Owned by a participant; a beat of 5 ms drives it.
#pragma once

#include <array>
#include <cstdint>

#include "measure.hpp"
#include "media/wire/rtcp.hpp"
#include "media/wire/rtcp_writer.hpp"
#include "payloads.hpp"
#include "peer_connection.hpp"

namespace bench {

/// How often `MediaSender::beat` and `MediaReceiver::beat` are called.
inline constexpr Nanos kBeat = 5 * kMillisecond;

struct SendPlan {
    std::uint32_t audio_ssrc = 0;
    std::uint32_t video_ssrc = 0;
    std::uint8_t audio_payload_type = 0;
    std::uint8_t video_payload_type = 0;
    std::uint8_t audio_level_id = 0;  ///< Header extensions; 0: not accepted.
    std::uint8_t transport_cc_id = 0;
};

class MediaSender {
  public:
    /// The payloads must outlive this. `seed`: where in them it begins, and its first numbers.
    MediaSender(const Payloads& audio, const Payloads& video, std::uint32_t seed);

    void set_plan(const SendPlan& plan) { plan_ = plan; }
    const SendPlan& plan() const { return plan_; }
    void beat(Nanos now, PeerConnection& to);
    /// Feedback for what is sent here: key frame requests and NACKs.
    void on_feedback(const media::wire::RtcpView& view, Window& window);
    /// Sender reports of both streams.
    void report(media::wire::RtcpWriter& writer, Nanos now) const;

  private:
    struct Frame {
        std::uint32_t next_packet = 0;
        std::uint32_t end = 0;
        std::uint32_t timestamp = 0;
        std::uint16_t picture_id = 0;
    };
    struct Stream {
        std::uint32_t index = 0;  ///< Sequence number, and above it how often that has wrapped.
        std::uint32_t timestamp = 0;
        std::uint32_t packets = 0;
        std::uint32_t octets = 0;
    };
    void send_audio(PeerConnection& to);
    void begin_frame(Nanos now);
    void send_video(Nanos now, PeerConnection& to);

    const Payloads& audio_;
    const Payloads& video_;
    SendPlan plan_;
    unsigned beats_;
    Stream audio_stream_;
    Stream video_stream_;
    std::uint16_t transport_sequence_ = 1;
    std::size_t audio_at_;

    Nanos next_frame_at_ = 0;
    std::size_t frame_at_ = 0;
    bool key_frame_wanted_ = true;
    std::uint16_t picture_id_ = 0;
    std::uint32_t counter_ = 0;
    std::array<Frame, 16> waiting_{};  ///< A ring.
    std::size_t waiting_first_ = 0;
    std::size_t waiting_count_ = 0;
};

}  // namespace bench
