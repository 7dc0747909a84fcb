// One connection's offers and our answers to them (offer/answer as the amazon-chime-sdk-js client plays it): audio
// line, camera line, then one receive-only line for each subscribed stream; our stream ids are `v_` and the line's mid.
//
// Plain values without I/O; owned by one connection of a Meeting.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "media/room/media_settings.hpp"
#include "media/room/signalling.hpp"
#include "media/room/signalling_ids.hpp"
#include "media/wire/sdp.hpp"
#include "media/wire/sdp_write.hpp"
#include "media/wire/signalling.pb.h"

namespace media::room {

/// What came of an offer.
struct Answer {
    std::string sdp;
    RemoteTransport remote;
    AudioUplink audio;
    Downlink downlink;
    /// What the camera line says, when the client sends on it: stream ids are still to be filled in.
    std::optional<VideoUplink> camera;
    /// Its simulcast layers in the order of the offer; empty: one plain stream.
    std::vector<std::string> rids;
    /// Capability numbers of the video codecs that the client can decode, sorted; empty: it has no video line.
    std::vector<std::uint32_t> decodable;
};

class Negotiation {
  public:
    /// SSRCs come from `ssrcs`, which must outlive this.
    Negotiation(LocalTransport local, SsrcSource& ssrcs);

    struct Demand {
        const std::vector<StreamId>& receive;  ///< One for each video line of the offer, camera line included.
        std::function<bool(StreamId)> listed;  ///< Whether the receiver may be given this stream.
        bool camera_wanted = false;            ///< The client says that it sends.
        bool camera_allowed = true;            ///< False: its camera line is answered `inactive`.
        bool content = false;                  ///< A share, whose sound may be music and stereo.
    };

    /// Fails with `invalid` when the offer is none that a client of this protocol makes. State changes on success only.
    core::Result<Answer> answer(const wire::SdpOffer& offer, const Demand& demand, const MeetingSettings& settings);

    const LocalTransport& local() const { return local_; }

  private:
    struct LineSsrcs {
        std::uint32_t media = 0;
        std::uint32_t rtx = 0;
    };
    wire::AnswerMedia audio_line(const wire::MediaDescription& offered, bool content, Answer& answer) const;
    wire::AnswerMedia camera_line(const wire::MediaDescription& offered, const Demand& demand, Answer& answer) const;
    wire::AnswerMedia receive_line(const wire::MediaDescription& offered, StreamId stream, LineSsrcs ssrcs,
                                   Answer& answer) const;

    LocalTransport local_;
    SsrcSource& ssrcs_;
    std::uint32_t audio_ssrc_;
    std::map<std::string, LineSsrcs> lines_;  ///< By mid; of the lines of the last offer only.
    std::uint64_t session_id_;
    std::uint64_t version_ = 0;
};

}  // namespace media::room
