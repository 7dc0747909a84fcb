// Meeting: how videos are fitted to links. What receivers ask for without a negotiation, and what clients are told of
// the packet plane's measurements.
#include <algorithm>
#include <map>
#include <utility>

#include "media/room/meeting.hpp"
#include "media/room/meeting_connection.hpp"

namespace media::room {

namespace proto = wire::proto;

namespace {

constexpr int kMaxUpdates = 64;  // Lines looked at in one frame.

QualityPreference preference_of(proto::QualityAdaptationPreference preference) {
    switch (preference) {
        case proto::MAINTAIN_FRAMERATE:
            return QualityPreference::maintain_framerate;
        case proto::MAINTAIN_RESOLUTION:
            return QualityPreference::maintain_resolution;
        default:
            return QualityPreference::balanced;
    }
}

bool has_wish(const proto::VideoSubscriptionConfiguration& configuration) {
    return configuration.has_priority() || configuration.has_target_bitrate_kbps() ||
           configuration.has_quality_adaptation_preference();
}

}  // namespace

/// The server takes over as much as a client that wants its help says it can leave to it.
void Meeting::agree_on_adaptation(Connection& connection, const proto::Join& join) {
    const auto wanted = join.server_side_network_adaption();
    const bool asks =
        join.has_server_side_network_adaption() &&
        (wanted == proto::ADAPTION_BANDWIDTH_PROBING || wanted == proto::ADAPTION_BANDWIDTH_PROBING_AND_VIDEO_QUALITY);
    if (!asks || connection.identity.content) return;
    const auto& list = join.supported_server_side_network_adaptions();
    const auto supports = [&](proto::NetworkAdaption what) {
        return list.empty() ? what == wanted : std::ranges::find(list, static_cast<int>(what)) != list.end();
    };
    if (supports(proto::ADAPTION_BANDWIDTH_PROBING_AND_VIDEO_QUALITY)) {
        connection.adaptation = Adaptation::server;
    } else if (supports(proto::ADAPTION_BANDWIDTH_PROBING)) {
        connection.adaptation = Adaptation::probing;
    }
}

void Meeting::on_pause(Connection& connection, const Frame& frame, bool paused, Outputs& out) {
    for (const StreamId id : frame.pause().stream_ids()) {
        const auto& lines = connection.downlink.subscriptions;
        const auto line = std::ranges::find(lines, id, &Subscription::stream_id);
        if (line == lines.end()) continue;
        const bool changed =
            paused ? connection.paused.insert(line->mid).second : connection.paused.erase(line->mid) > 0;
        if (changed) out.push_back(output::Pause{connection.peer, id, paused});
    }
}

void Meeting::on_remote_video_update(Connection& connection, const Frame& frame, Outputs& out) {
    const proto::RemoteVideoUpdate& update = frame.remote_video_update();
    auto& lines = connection.downlink.subscriptions;
    bool changed = false;
    // The client stops these lines with the SUBSCRIBE that follows.
    const auto& removed = update.removed_video_subscription_mids();
    for (int i = 0; i < std::min(removed.size(), kMaxUpdates); ++i) {
        changed |= std::erase_if(lines, [&](const Subscription& line) { return line.mid == removed[i]; }) > 0;
    }
    const auto& updated = update.added_or_updated_video_subscriptions();
    for (int i = 0; i < std::min(updated.size(), kMaxUpdates); ++i) {
        const auto line = std::ranges::find(lines, updated[i].mid(), &Subscription::mid);
        if (line == lines.end()) continue;
        changed |= switch_stream(connection, *line, updated[i]);
        take_wish(connection, updated[i]);
    }
    const std::vector<Subscription> before = lines;
    apply_wishes(connection);
    changed |= !std::ranges::equal(before, lines, {}, &Subscription::wish, &Subscription::wish);
    if (changed) out.push_back(output::Negotiated{connection.peer, connection.uplink, connection.downlink});
}

/// The stream or, when only a group is named, the best one of it; kept when that is what the line shows already.
bool Meeting::switch_stream(const Connection& connection, Subscription& line,
                            const proto::VideoSubscriptionConfiguration& configuration) const {
    StreamId wanted = configuration.stream_id();
    const Publication* publication = sources_.find_listed(wanted);
    if (wanted == 0 && configuration.group_id() != 0) {
        publication = sources_.find_group(configuration.group_id());
        if (publication && publication == sources_.find_listed(line.stream_id)) return false;
        if (publication) {
            const auto best = std::ranges::max_element(publication->streams, {}, [](const PublishedStream& stream) {
                return std::pair(stream.listed, stream.max_bitrate_kbps);
            });
            wanted = best->stream_id;
        }
    }
    if (wanted == line.stream_id || !may_see(connection, publication)) return false;
    line.stream_id = wanted;
    return true;
}

/// Clients that choose for themselves say such things too; then they have an effect with the client only.
void Meeting::take_wish(Connection& connection, const proto::VideoSubscriptionConfiguration& configuration) {
    if (connection.adaptation != Adaptation::server || !has_wish(configuration)) return;
    const auto& lines = connection.downlink.subscriptions;
    if (std::ranges::find(lines, configuration.mid(), &Subscription::mid) == lines.end()) return;
    connection.wishes[configuration.mid()] = {configuration.priority(), configuration.target_bitrate_kbps(),
                                              preference_of(configuration.quality_adaptation_preference())};
}

/// Writes what is known by mid into the lines, and forgets it where the line is gone.
void Meeting::apply_wishes(Connection& connection) {
    auto& lines = connection.downlink.subscriptions;
    const auto is_gone = [&](const std::string& mid) {
        return std::ranges::find(lines, mid, &Subscription::mid) == lines.end();
    };
    std::erase_if(connection.wishes, [&](const auto& entry) { return is_gone(entry.first); });
    std::erase_if(connection.paused, is_gone);
    for (Subscription& line : lines) {
        const auto wish = connection.wishes.find(line.mid);
        line.wish = wish == connection.wishes.end() ? std::nullopt : std::optional(wish->second);
    }
}

void Meeting::follow_streams(const MediaReport& report, Moment now, Outputs& out) {
    const auto is_poor = [&](PeerId peer) {
        const auto link = std::ranges::find(report.links, peer, &LinkReport::peer);
        return link != report.links.end() && link->signal_strength < 2;
    };
    if (sources_.follow(report.streams, is_poor, now.steady)) refresh_indexes(now, out);
    send_pauses(report.pauses, now, out);
    if (now.steady < bitrates_at_) return;
    bitrates_at_ = now.steady + kBitratesInterval;
    send_bitrates(report.links, now, out);
}

void Meeting::send_pauses(std::span<const GroupPause> pauses, Moment now, Outputs& out) {
    std::map<std::pair<PeerId, bool>, Frame> frames;
    for (const GroupPause& pause : pauses) {
        const Connection* connection = find(pause.peer);
        if (!connection || connection->phase != Phase::subscribed) continue;
        auto [entry, fresh] = frames.try_emplace({pause.peer, pause.paused});
        if (fresh) entry->second = wire::make_frame(pause.paused ? Frame::PAUSE : Frame::RESUME, now.wall);
        entry->second.mutable_pause()->add_group_ids(pause.group);
    }
    for (const auto& [key, frame] : frames) send(key.first, frame, out);
}

void Meeting::send_bitrates(std::span<const LinkReport> links, Moment now, Outputs& out) const {
    Frame frame = wire::make_frame(Frame::BITRATES, now.wall);
    proto::Bitrates& body = *frame.mutable_bitrates();
    for (const auto& [id, publication] : sources_.all()) {
        for (const PublishedStream& stream : publication.streams) {
            if (!stream.listed) continue;
            proto::Bitrate& bitrate = *body.add_bitrates();
            bitrate.set_source_stream_id(stream.stream_id);
            bitrate.set_avg_bitrate_bps(stream.bitrate_bps);
        }
    }
    if (body.bitrates().empty()) return;
    std::map<PeerId, std::uint32_t> available;
    for (const LinkReport& link : links) available[link.peer] = link.available_kbps;
    const std::string plain = wire::wrap_frame(frame);
    for (const auto& [id, connection] : connections_) {
        if (connection.phase != Phase::subscribed || connection.identity.content) continue;
        const auto link = available.find(id);
        // The figure takes the place of the client's own estimate, so those that adapt on their own are not given it.
        if (connection.adaptation == Adaptation::client || link == available.end() || link->second == 0) {
            out.push_back(output::Send{id, plain});
            continue;
        }
        body.set_server_available_outgoing_bitrate(link->second);
        send(id, frame, out);
    }
}

}  // namespace media::room
