// What one participant receives, and what a receiver answers: receiver reports, transport-wide feedback where packets
// carry numbers for it (REMB where not), NACKs for gaps. Measures loss and delay of each stream. Owned by a
// participant; a beat of 5 ms drives it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "measure.hpp"
#include "media/wire/rtcp.hpp"
#include "media/wire/rtcp_writer.hpp"
#include "media/wire/rtp.hpp"
#include "peer_connection.hpp"

namespace bench {

struct ReceivedStream {
    std::uint32_t ssrc = 0;
    std::uint32_t rtx_ssrc = 0;  ///< 0: none.
    bool video = false;
};

class MediaReceiver {
  public:
    /// Of every `sampling`-th packet the payload is decrypted and looked at.
    explicit MediaReceiver(unsigned sampling) : sampling_(sampling) {}

    /// Streams that were there before keep their state. `own_ssrc` stands in reports as their sender.
    void set_streams(const std::vector<ReceivedStream>& streams, std::uint32_t own_ssrc, std::uint8_t transport_cc_id);
    void take(std::span<std::uint8_t> packet, Nanos arrived, PeerConnection& from);
    void on_sender_report(std::uint32_t ssrc, std::uint64_t ntp, Nanos now);
    void beat(Nanos now, PeerConnection& to);
    /// Receiver report with a block for each stream, once a second.
    void report(media::wire::RtcpWriter& writer, Nanos now);

    void begin_window(Nanos now);
    void end_window(Window& window, Nanos now);
    /// Whether something of every stream has arrived.
    bool flowing() const;

  private:
    struct Missing {
        std::int64_t sequence = 0;
        Nanos asked_at = 0;
        unsigned times = 0;
    };
    /// A place in a stream: how many packets its sender had sent, and how many had arrived here.
    struct Mark {
        std::uint32_t counter = 0;
        std::uint64_t received = 0;
    };
    struct Stream {
        ReceivedStream of;
        media::wire::SequenceUnwrapper sequence;
        std::uint64_t received = 0;  ///< Each packet once, repaired ones included.
        std::vector<Missing> missing;
        bool marked = false;
        Mark first;
        Mark last;
        std::int64_t window_sequence = 0;  ///< Where the window began.
        std::uint64_t window_received = 0;
        std::uint64_t window_repaired = 0;
        std::uint64_t reported_received = 0;
        std::int64_t reported_sequence = 0;
        std::uint32_t last_sr = 0;
        Nanos last_sr_at = 0;
    };
    Stream* find(std::uint32_t ssrc, bool& repair);
    bool note(Stream& stream, std::uint16_t sequence);
    void look_inside(Stream& stream, std::span<const std::uint8_t> plain, Nanos arrived, Window& window);
    void take_repair(Stream& stream, std::span<std::uint8_t> packet, PeerConnection& from);
    void send_nacks(Nanos now, PeerConnection& to);
    void send_transport_feedback(PeerConnection& to);

    unsigned sampling_;
    std::vector<Stream> streams_;
    std::size_t hint_ = 0;
    std::uint32_t own_ssrc_ = 0;
    std::uint8_t transport_cc_id_ = 0;
    media::wire::SequenceUnwrapper transport_sequence_;
    std::vector<media::wire::PacketArrival> arrivals_;
    std::int64_t feedback_begin_ = -1;
    std::uint8_t feedback_count_ = 0;
    unsigned beats_ = 0;
    Nanos window_began_ = 0;
};

}  // namespace bench
