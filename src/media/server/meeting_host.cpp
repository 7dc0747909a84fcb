#include "media/server/meeting_host.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/bytes.hpp"
#include "core/log.hpp"

namespace media::server {

using room::Moment;
using room::PeerId;
using transport::Path;
using transport::PeerState;

namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(50);

room::RouterSettings router_settings() {
    room::RouterSettings settings;
    settings.seed = std::uint64_t{core::random_u32()} << 32 | core::random_u32();
    return settings;
}

}  // namespace

/// The transport of one peer, between the port and the router. Also the sink of its own PeerTransport.
class MeetingHost::Peer final : public PortUser {
  public:
    Peer(MeetingHost& host, PeerId id, const transport::DtlsContext& dtls, transport::PeerSettings settings,
         room::Time now)
        : host_(host), id_(id), ufrag_(settings.local.ufrag), transport_(dtls, std::move(settings), now) {
        host_.port_.add_user(ufrag_, *this);
    }
    ~Peer() override { host_.port_.remove_user(ufrag_, *this, paths_); }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    void on_datagram(std::span<std::uint8_t> datagram, const Path& from, transport::Instant arrived) override {
        arrived_ = host_.onward(arrived);
        transport_.handle(datagram, from, arrived_, *this);
    }
    void on_path_closed(const Path& path) override { transport_.forget(path, *this); }
    void poll(room::Time now) {
        arrived_ = now;
        transport_.poll(now, *this);
    }

    template <bool kRtcp>
    void send_protected(std::span<std::uint8_t> packet) {
        const auto& to = transport_.destination();
        if (!to) return;
        // The router leaves room for the trailer behind each packet.
        const std::span<std::uint8_t> buffer(packet.data(), packet.size() + room::kTrailerRoom);
        const auto secured =
            kRtcp ? transport_.protect_rtcp(buffer, packet.size()) : transport_.protect_rtp(buffer, packet.size());
        if (!secured.empty()) host_.port_.send(route_, *to, secured);
    }

    // What the transport gives out.
    void send(const Path& path, core::BytesView datagram) { host_.port_.send(path, datagram); }
    void rtp(std::span<std::uint8_t> packet) { host_.router_.on_rtp(id_, packet, arrived_); }
    void rtcp(std::span<std::uint8_t> compound) { host_.router_.on_rtcp(id_, compound, arrived_); }
    void path_added(const Path& path) {
        paths_.push_back(path);
        host_.port_.add_path(path, *this);
        host_.meeting_.media_reached(id_);
    }
    void path_removed(const Path& path) {
        std::erase(paths_, path);
        host_.port_.remove_path(path, *this);
    }
    void path_selected(const Path&) {}
    void state_changed(PeerState state) { host_.media_state(id_, state); }

  private:
    MeetingHost& host_;
    PeerId id_;
    std::string ufrag_;
    std::vector<Path> paths_;
    MediaPort::Route route_;  ///< Of what the router sends.
    room::Time arrived_{};
    transport::PeerTransport transport_;
};

MeetingHost::MeetingHost(std::string meeting_id, room::MeetingSettings settings, MediaPort& port,
                         const transport::DtlsContext& dtls, Chronicle& chronicle)
    : meeting_id_(std::move(meeting_id)),
      port_(port),
      dtls_(dtls),
      chronicle_(chronicle),
      meeting_(std::move(settings)),
      router_(*this, router_settings()) {}

MeetingHost::~MeetingHost() = default;

void MeetingHost::connect(PeerId peer, std::shared_ptr<net::WebSocket> socket, room::Identity identity,
                          room::TurnCredentials turn, Moment now) {
    const Client& client =
        clients_.insert_or_assign(peer, Client{std::move(socket), transport::IceCredentials::make()}).first->second;
    meeting_.connect(peer, std::move(identity), {client.ice.ufrag, client.ice.password}, std::move(turn), now,
                     outputs_);
    apply(now);
}

void MeetingHost::receive(PeerId peer, std::string_view message, Moment now) {
    meeting_.receive(peer, message, now, outputs_);
    apply(now);
}

void MeetingHost::lost(PeerId peer, Moment now) {
    clients_.erase(peer);
    meeting_.lost(peer, now);
}

void MeetingHost::end(Moment now) {
    meeting_.end(now, outputs_);
    apply(now);
}

void MeetingHost::remove_attendee(const std::string& attendee_id, Moment now) {
    meeting_.remove_attendee(attendee_id, now, outputs_);
    apply(now);
}

void MeetingHost::set_capabilities(const std::string& attendee_id, core::Capabilities capabilities, Moment now) {
    meeting_.set_capabilities(attendee_id, capabilities, now, outputs_);
    apply(now);
}

void MeetingHost::send_transcript(std::string_view frame, Moment now) {
    meeting_.send_transcript(frame, now, outputs_);
    apply(now);
}

void MeetingHost::tick(Moment now) {
    const room::Time time = onward(now.steady);
    if (!peers_.empty()) {
        router_.set_hurried(port_.in_haste());
        router_.tick(time);
    }
    if (now.steady >= poll_at_) {
        poll_at_ = now.steady + kPollInterval;
        poll_transports(time);
    }
    for (const PeerId peer : std::exchange(failed_, {})) meeting_.media_lost(peer, now, outputs_);
    const bool reports = meeting_.wants_report(now);
    const auto report = reports ? router_.report(time) : room::MediaReport{};
    if (reports) note(report);
    meeting_.tick(now, report, outputs_);
    apply(now);
}

void MeetingHost::note(const room::MediaReport& report) {
    links_ = {};
    for (const auto& link : report.links) {
        ++(link.signal_strength == 0 ? links_.dead : link.signal_strength == 1 ? links_.poor : links_.good);
        links_.measured += link.available_kbps > 0 ? 1 : 0;
        links_.estimated_kbps += link.available_kbps;
    }
    for (const auto& stream : report.streams) {
        links_.streams += stream.flowing ? 1 : 0;
        links_.incoming_bps += stream.bitrate_bps;
    }
}

std::size_t MeetingHost::people() const {
    std::size_t count = 0;
    for (const auto& [id, member] : meeting_.roster().members()) count += member.identity.content ? 0 : 1;
    return count;
}

void MeetingHost::close_all(std::uint16_t code) {
    for (const auto& [id, client] : clients_) client.socket->close(code);
}

std::vector<std::string> MeetingHost::attendees() const {
    std::vector<std::string> list;
    for (const auto& [id, member] : meeting_.roster().members()) {
        if (!member.identity.content) list.push_back(member.identity.attendee_id);
    }
    return list;
}

void MeetingHost::poll_transports(room::Time now) {
    for (const auto& [id, peer] : peers_) peer->poll(now);
}

void MeetingHost::media_state(PeerId peer, PeerState state) {
    if (state == PeerState::connected) return router_.set_connected(peer, true, router_time_);
    router_.set_connected(peer, false, router_time_);
    if (state == PeerState::failed || state == PeerState::lost) failed_.push_back(peer);
}

void MeetingHost::send_rtp(PeerId to, std::span<std::uint8_t> packet) {
    if (Peer* peer = find(to)) peer->send_protected<false>(packet);
}

void MeetingHost::send_rtcp(PeerId to, std::span<std::uint8_t> compound) {
    if (Peer* peer = find(to)) peer->send_protected<true>(compound);
}

MeetingHost::Peer* MeetingHost::find(PeerId peer) {
    const auto found = peers_.find(peer);
    return found == peers_.end() ? nullptr : found->second.get();
}

void MeetingHost::apply(Moment now) {
    // Nothing that is performed adds outputs.
    for (const room::Output& output : outputs_) {
        std::visit([&](const auto& what) { perform(what, now); }, output);
    }
    outputs_.clear();
}

void MeetingHost::perform(const room::output::Send& output, Moment) {
    const auto client = clients_.find(output.to);
    if (client != clients_.end()) client->second.socket->send(output.message);
}

void MeetingHost::perform(const room::output::Close& output, Moment) {
    const auto client = clients_.find(output.peer);
    if (client == clients_.end()) return;
    if (output.code == 0) {
        client->second.socket->abort();
    } else {
        client->second.socket->close(output.code);
    }
    clients_.erase(client);
}

void MeetingHost::perform(const room::output::OpenMedia& output, Moment now) {
    const auto client = clients_.find(output.peer);
    if (client == clients_.end()) return;
    transport::PeerSettings settings;
    settings.local = client->second.ice;
    settings.remote = {output.remote.ice_ufrag, output.remote.ice_pwd};
    const auto fingerprint = transport::Fingerprint::from_digest(output.remote.fingerprint_sha256);
    if (!fingerprint) return;
    settings.remote_fingerprint = *fingerprint;
    const room::Time time = onward(now.steady);
    if (!router_.add_peer(output.peer, {output.person, output.content}, time)) {
        core::log::warning("meeting full", {{"meeting", meeting_id_}});
        return;
    }
    peers_.insert_or_assign(output.peer, std::make_unique<Peer>(*this, output.peer, dtls_, std::move(settings), time));
}

void MeetingHost::perform(const room::output::CloseMedia& output, Moment now) {
    router_.remove_peer(output.peer, onward(now.steady));
    peers_.erase(output.peer);
}

void MeetingHost::perform(const room::output::Negotiated& output, Moment now) {
    const room::Time time = onward(now.steady);
    router_.set_uplink(output.peer, output.uplink, time);
    router_.set_downlink(output.peer, output.downlink, time);
}

void MeetingHost::perform(const room::output::Mute& output, Moment now) {
    router_.set_muted(output.peer, output.muted, onward(now.steady));
}

void MeetingHost::perform(const room::output::Pause& output, Moment now) {
    router_.set_paused(output.peer, output.stream, output.paused, onward(now.steady));
}

void MeetingHost::perform(const room::output::Allow& output, Moment now) {
    router_.set_capabilities(output.peer, output.capabilities, onward(now.steady));
}

void MeetingHost::perform(const room::output::Connected& output, Moment) {
    tell(output.content ? core::MeetingEvent::Kind::content_joined : core::MeetingEvent::Kind::attendee_joined,
         output.attendee_id, output.at);
}

void MeetingHost::perform(const room::output::Gone& output, Moment) {
    using Kind = core::MeetingEvent::Kind;
    const Kind kind = output.content ? (output.dropped ? Kind::content_dropped : Kind::content_left)
                                     : (output.dropped ? Kind::attendee_dropped : Kind::attendee_left);
    tell(kind, output.attendee_id, output.at);
}

void MeetingHost::perform(const room::output::Video& output, Moment) {
    using Kind = core::MeetingEvent::Kind;
    const Kind kind = output.content ? (output.started ? Kind::content_video_started : Kind::content_video_stopped)
                                     : (output.started ? Kind::video_started : Kind::video_stopped);
    tell(kind, output.attendee_id, output.at);
}

void MeetingHost::tell(core::MeetingEvent::Kind kind, const std::string& attendee_id, core::Time at) {
    chronicle_.happened({kind, meeting_id_, attendee_id, at});
}

}  // namespace media::server
