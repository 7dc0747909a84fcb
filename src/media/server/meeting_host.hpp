// One meeting on its media thread: its signalling (room::Meeting), its packet plane (room::PacketRouter), and the
// transports of its peers, put together. Does what the signalling asks for, in its order.
//
// Owned by a MediaThread and used on it only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/time.hpp"
#include "media/room/meeting.hpp"
#include "media/room/packet_router.hpp"
#include "media/server/media_port.hpp"
#include "media/server/media_vitals.hpp"
#include "media/server/meeting_server.hpp"
#include "media/transport/dtls.hpp"
#include "media/transport/peer_transport.hpp"
#include "net/websocket.hpp"

namespace media::server {

/// Told what happens in the meetings; the observer and the list of those present stand behind it.
class Chronicle {
  public:
    virtual ~Chronicle() = default;
    virtual void happened(core::MeetingEvent event) = 0;
};

class MeetingHost final : private room::Sink {
  public:
    /// `port`, `dtls` and `chronicle` must outlive this.
    MeetingHost(std::string meeting_id, room::MeetingSettings settings, MediaPort& port,
                const transport::DtlsContext& dtls, Chronicle& chronicle);
    ~MeetingHost() override;
    MeetingHost(const MeetingHost&) = delete;
    MeetingHost& operator=(const MeetingHost&) = delete;

    void connect(room::PeerId peer, std::shared_ptr<net::WebSocket> socket, room::Identity identity,
                 room::TurnCredentials turn, room::Moment now);
    void receive(room::PeerId peer, std::string_view message, room::Moment now);
    void lost(room::PeerId peer, room::Moment now);
    void end(room::Moment now);
    void remove_attendee(const std::string& attendee_id, room::Moment now);
    void set_capabilities(const std::string& attendee_id, core::Capabilities capabilities, room::Moment now);
    void send_transcript(std::string_view frame, room::Moment now);
    void tick(room::Moment now);
    /// Closes every signalling connection with this code, without a word to anybody else.
    void close_all(std::uint16_t code);

    bool idle(room::Moment now) const { return clients_.empty() && peers_.empty() && meeting_.idle(now); }
    /// Somebody is connected or expected back.
    bool occupied() const { return !clients_.empty() || meeting_.roster().size() > 0; }
    /// Ids of those who are present, content shares left out.
    std::vector<std::string> attendees() const;
    bool has_peers() const { return !peers_.empty(); }
    const room::RouterCounters& counters() const { return router_.counters(); }
    /// As last reported.
    const LinkVitals& links() const { return links_; }
    std::size_t people() const;
    std::size_t peers() const { return peers_.size(); }

  private:
    struct Client {
        std::shared_ptr<net::WebSocket> socket;
        transport::IceCredentials ice;  ///< Our side of its transport.
    };
    class Peer;

    void send_rtp(room::PeerId to, std::span<std::uint8_t> packet) override;
    void send_rtcp(room::PeerId to, std::span<std::uint8_t> compound) override;

    void apply(room::Moment now);
    void tell(core::MeetingEvent::Kind kind, const std::string& attendee_id, core::Time at);
    void perform(const room::output::Send& output, room::Moment now);
    void perform(const room::output::Close& output, room::Moment now);
    void perform(const room::output::OpenMedia& output, room::Moment now);
    void perform(const room::output::CloseMedia& output, room::Moment now);
    void perform(const room::output::Negotiated& output, room::Moment now);
    void perform(const room::output::Mute& output, room::Moment now);
    void perform(const room::output::Pause& output, room::Moment now);
    void perform(const room::output::Allow& output, room::Moment now);
    void perform(const room::output::Connected& output, room::Moment now);
    void perform(const room::output::Gone& output, room::Moment now);
    void perform(const room::output::Video& output, room::Moment now);

    Peer* find(room::PeerId peer);
    /// The router's time never runs backwards, though a packet may have arrived before the last tick.
    room::Time onward(room::Time time) { return router_time_ = std::max(router_time_, time); }
    void poll_transports(room::Time now);
    void note(const room::MediaReport& report);
    void media_state(room::PeerId peer, transport::PeerState state);

    std::string meeting_id_;
    MediaPort& port_;
    const transport::DtlsContext& dtls_;
    Chronicle& chronicle_;
    room::Meeting meeting_;
    room::PacketRouter router_;
    std::map<room::PeerId, Client> clients_;
    std::unordered_map<room::PeerId, std::unique_ptr<Peer>> peers_;
    room::Outputs outputs_;
    std::vector<room::PeerId> failed_;  ///< Transports that ended since the last tick.
    room::Time router_time_{};
    room::Time poll_at_{};
    LinkVitals links_;
};

}  // namespace media::server
