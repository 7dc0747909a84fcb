// The packet plane of one meeting: takes the decrypted RTP and RTCP of its peers, decides who gets what, and hands out
// rewritten packets. Owned by the meeting; every call on the meeting's one thread; the sink must not call back.
//
// No sockets, threads or clocks: time is an argument. An arrival time may lie a little before the last tick (the kernel
// takes it, the thread comes later); otherwise time must not run backwards. Nothing is allocated per packet, only
// in the calls that set up or change peers, while a video's cache grows with its rate, and for a mixer at the first
// packet that has to be decoded. Everything kept is bounded.
//
// Life of a peer:  add_peer → set_uplink + set_downlink (after each negotiation) → set_connected(true) when its DTLS is
// up → on_rtp/on_rtcp … → remove_peer. A peer is sent nothing before set_connected(true).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/capabilities.hpp"
#include "media/room/drop_counters.hpp"
#include "media/room/media_report.hpp"
#include "media/room/media_settings.hpp"

namespace media::room {

/// Bytes that may be written behind the end of every packet given to a sink: room for the SRTP or SRTCP trailer
/// (libsrtp's own bound is 148).
inline constexpr std::size_t kTrailerRoom = 160;
/// Longest RTP or RTCP packet taken or given, without the trailer.
inline constexpr std::size_t kMaxPacketSize = 1500;

/// Takes what the router sends, one call a packet. The bytes belong to the router and are valid during the call only;
/// the sink may change them, and `kTrailerRoom` bytes behind them, to encrypt in place.
class Sink {
  public:
    virtual ~Sink() = default;
    virtual void send_rtp(PeerId to, std::span<std::uint8_t> packet) = 0;
    virtual void send_rtcp(PeerId to, std::span<std::uint8_t> compound) = 0;
};

struct RouterSettings {
    /// Upper limit told to every video sender with REMB, in bit/s. 0: only what its receivers say.
    std::uint64_t uplink_ceiling_bps = 2'500'000;
    /// What receivers say never pushes a source below this: one hopeless link must not blind everybody.
    std::uint64_t uplink_floor_bps = 150'000;
    /// Where first sequence numbers and timestamps come from (RFC 3550 section 5.1): give each meeting another one. Not
    /// a secret.
    std::uint64_t seed = 1;
};

struct PeerSettings {
    PersonId person = 0;   ///< Differs between people: who shares it does not hear each other.
    bool content = false;  ///< A content share's connection: receives no audio.
};

class PacketRouter {
  public:
    explicit PacketRouter(Sink& sink, RouterSettings settings = {});
    ~PacketRouter();
    PacketRouter(const PacketRouter&) = delete;
    PacketRouter& operator=(const PacketRouter&) = delete;

    /// False when the peer exists already or the meeting is full (kMaxPeers).
    bool add_peer(PeerId peer, PeerSettings settings, Time now);
    void remove_peer(PeerId peer, Time now);

    /// Replaces what the peer sends. A video with an unchanged stream id keeps its state; one that is no longer listed
    /// is unpublished: its subscribers get nothing more. Lists longer than the limits are cut. Unknown peers are
    /// ignored, here and below.
    void set_uplink(PeerId peer, const Uplink& uplink, Time now);

    /// Replaces what the peer receives. A subscription may name a stream that is not published yet: it starts when it
    /// is. A `mid` whose stream id changes goes on with continuous numbers and starts at the new source's next key
    /// frame; until then the old one goes on if both are layers of one group. A layer that does not flow is served from
    /// the next lower one, or else the next higher one.
    void set_downlink(PeerId peer, const Downlink& downlink, Time now);

    /// True: DTLS is up, sending may begin (key frames are asked for). False: the path is lost; the peer counts as
    /// silent.
    void set_connected(PeerId peer, bool connected, Time now);

    /// Stops or restarts forwarding of what the peer subscribed to (by the source's stream id, as PAUSE/RESUME name
    /// it).
    void set_paused(PeerId peer, StreamId stream, bool paused, Time now);

    /// A muted peer is not forwarded and has no level, whatever it sends.
    void set_muted(PeerId peer, bool muted, Time now);

    /// What the peer may send and receive as audio; a microphone that may not be heard counts as muted, a listener who
    /// may not hear gets silence. Videos are kept back by the signalling, which does not offer them.
    void set_capabilities(PeerId peer, core::Capabilities capabilities, Time now);

    /// While the thread is behind with its work, nothing is repeated or asked for again; what is still missing when it
    /// is over is asked for then.
    void set_hurried(bool hurried);

    /// One decrypted RTP packet. The bytes may be changed.
    void on_rtp(PeerId from, std::span<std::uint8_t> packet, Time arrival);
    /// One decrypted compound RTCP packet.
    void on_rtcp(PeerId from, std::span<const std::uint8_t> compound, Time now);

    /// Audio pacing, repairs, feedback and reports. Call every 5 to 10 ms.
    void tick(Time now);

    /// What the signalling wants to know, every 200 ms or so. Valid until the next call of any kind.
    MediaReport report(Time now);

    /// Of the whole meeting since it began.
    const RouterCounters& counters() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace media::room
