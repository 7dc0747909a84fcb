// What a receiver report says about one incoming stream (RFC 3550 sections 6.4.1 and appendix A.3, A.8).
//
// Owned by one incoming stream; the meeting's thread only. Allocates nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "media/room/media_settings.hpp"
#include "media/wire/rtcp.hpp"

namespace media::room {

class ReceptionStats {
  public:
    explicit ReceptionStats(std::uint32_t clock_rate) : clock_rate_(clock_rate) {}

    /// A packet seen for the first time; `sequence` as `SequenceWindow` gives it. `repaired`: its lateness is no
    /// jitter.
    void on_packet(std::int64_t sequence, std::uint32_t timestamp, bool repaired, Time arrival);
    void on_sender_report(std::uint64_t ntp, Time arrival);
    /// The numbers began anew: so does the count of losses.
    void restart();

    /// The block since the last call; null when nothing has come yet.
    std::optional<wire::ReportBlock> report(std::uint32_t ssrc, Time now);

  private:
    std::uint32_t clock_rate_;
    bool started_ = false;
    std::int64_t first_ = 0;
    std::int64_t highest_ = 0;
    std::int64_t received_ = 0;
    std::int64_t expected_before_ = 0;
    std::int64_t received_before_ = 0;
    std::int64_t jitter_ = 0;  ///< In sixteenths of a timestamp unit.
    std::uint32_t last_transit_ = 0;
    bool transit_known_ = false;
    std::uint32_t last_sr_ = 0;
    Time last_sr_time_{};
};

}  // namespace media::room
