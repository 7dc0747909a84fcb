#include "media/room/signalling_sources.hpp"

#include <algorithm>

namespace media::room {

namespace {

/// A label goes to all other clients: printable ASCII of a sensible length, or nothing.
std::string safe_label(const std::string& label) {
    constexpr std::size_t kMaxLabel = 64;
    const bool plain = std::ranges::all_of(label, [](char c) { return c >= ' ' && c <= '~'; });
    return plain && label.size() <= kMaxLabel ? label : std::string();
}

/// Which of the streams the client says it sends.
void announce(std::vector<PublishedStream>& streams, Time now) {
    const bool layers = !streams.empty() && !streams.front().rid.empty();
    bool plain = false;
    for (PublishedStream& stream : streams) {
        const bool before = stream.announced;
        const bool lone = streams.size() == 1;  // Sent, whatever its descriptor says of a bitrate.
        stream.announced = (lone || stream.max_bitrate_kbps > 0) && (layers ? !stream.rid.empty() : !plain);
        plain |= stream.announced;
        if (stream.announced && !before) stream.flowed = now;
    }
}

/// The lowest layer is listed at once; browsers announce higher ones and do not send them when the camera is small.
void list_announced(std::vector<PublishedStream>& streams) {
    bool lowest = true;
    for (PublishedStream& stream : streams) {
        stream.listed = stream.announced && (lowest || stream.listed);
        if (stream.announced) lowest = false;
        if (!stream.listed) stream.paused = false;
    }
}

}  // namespace

const Publication& Sources::publish(PeerId peer, const Identity& identity,
                                    const std::vector<wire::proto::StreamDescriptor>& descriptors,
                                    const std::vector<std::string>& rids, Moment now) {
    Publication& publication = publications_[identity.full_id()];
    if (publication.peer != peer) publication = {peer, identity, ids_.next(now.wall), {}};
    publication.streams.resize(std::min(descriptors.size(), kMaxLayers));
    const bool layers = rids.size() > 1 && publication.streams.size() > 1;
    for (std::size_t i = 0; i < publication.streams.size(); ++i) {
        PublishedStream& stream = publication.streams[i];
        if (stream.stream_id == 0) stream.stream_id = ids_.next(now.wall);
        stream.track_label = safe_label(descriptors[i].track_label());
        stream.rid = layers && i < rids.size() ? rids[i] : std::string();
        stream.max_bitrate_kbps = descriptors[i].max_bitrate_kbps();
        stream.framerate = descriptors[i].framerate();
    }
    announce(publication.streams, now.steady);
    list_announced(publication.streams);
    return publication;
}

bool Sources::follow(std::span<const StreamReport> reports, const std::function<bool(PeerId)>& link_is_poor, Time now) {
    bool changed = false;
    for (auto& [id, publication] : publications_) {
        for (PublishedStream& stream : publication.streams) {
            const auto report = std::ranges::find(reports, stream.stream_id, &StreamReport::stream);
            stream.bitrate_bps = report == reports.end() ? 0 : report->bitrate_bps;
            stream.flowing = report != reports.end() && report->flowing;
            if (stream.flowing) stream.flowed = now;
        }
        const bool alive = std::ranges::any_of(publication.streams, &PublishedStream::flowing);
        bool lowest = true;
        for (PublishedStream& stream : publication.streams) {
            if (!stream.announced) continue;
            const auto silence = now - stream.flowed;
            // All silent is no matter of layers: then the whole sender is away.
            const bool listed = lowest || stream.flowing || (stream.listed && (!alive || silence < kLayerSilence));
            const bool paused = listed && !stream.flowing && silence >= kPausedAfter && link_is_poor(publication.peer);
            lowest = false;
            changed |= listed != stream.listed || paused != stream.paused;
            stream.listed = listed;
            stream.paused = paused;
        }
    }
    return changed;
}

const Publication* Sources::of(const std::string& full_id) const {
    const auto found = publications_.find(full_id);
    return found == publications_.end() ? nullptr : &found->second;
}

const Publication* Sources::find_stream(StreamId stream) const {
    if (stream == 0) return nullptr;
    const auto found = std::ranges::find_if(publications_, [&](const auto& entry) {
        const auto& streams = entry.second.streams;
        return std::ranges::find(streams, stream, &PublishedStream::stream_id) != streams.end();
    });
    return found == publications_.end() ? nullptr : &found->second;
}

const Publication* Sources::find_listed(StreamId stream) const {
    const Publication* publication = find_stream(stream);
    if (!publication) return nullptr;
    const auto found = std::ranges::find(publication->streams, stream, &PublishedStream::stream_id);
    return found->listed ? publication : nullptr;
}

const Publication* Sources::find_group(GroupId group) const {
    const auto found = std::ranges::find_if(publications_, [&](const auto& entry) {
        return entry.second.group_id == group && std::ranges::any_of(entry.second.streams, &PublishedStream::listed);
    });
    return found == publications_.end() ? nullptr : &found->second;
}

std::size_t Sources::cameras() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(publications_, [](const auto& entry) { return !entry.second.identity.content; }));
}

}  // namespace media::room
