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

}  // namespace

const Publication& Sources::publish(PeerId peer, const Identity& identity,
                                    const std::vector<wire::proto::StreamDescriptor>& descriptors, core::Time wall) {
    Publication& publication = publications_[identity.full_id()];
    if (publication.peer != peer) {
        publication = {peer, identity.full_id(), identity.external_user_id, ids_.next(wall), {}};
    }
    publication.streams.resize(std::min(descriptors.size(), kMaxLayers));
    for (std::size_t i = 0; i < publication.streams.size(); ++i) {
        PublishedStream& stream = publication.streams[i];
        if (stream.stream_id == 0) stream.stream_id = ids_.next(wall);
        stream.track_label = safe_label(descriptors[i].track_label());
        stream.max_bitrate_kbps = descriptors[i].max_bitrate_kbps();
        stream.framerate = descriptors[i].framerate();
        stream.listed = false;
    }
    // Of several layers only the lowest one is certain to flow: browsers announce higher ones and do not send them when
    // the camera is small.
    const auto lowest =
        std::ranges::find_if(publication.streams, [](const PublishedStream& s) { return s.max_bitrate_kbps > 0; });
    if (lowest != publication.streams.end()) {
        lowest->listed = true;
    } else if (publication.streams.size() == 1) {
        publication.streams.front().listed = true;
    }
    return publication;
}

const Publication* Sources::of(const std::string& full_id) const {
    const auto found = publications_.find(full_id);
    return found == publications_.end() ? nullptr : &found->second;
}

bool Sources::lists(StreamId stream) const {
    return stream != 0 && std::ranges::any_of(publications_, [&](const auto& entry) {
               return std::ranges::any_of(entry.second.streams,
                                          [&](const PublishedStream& s) { return s.listed && s.stream_id == stream; });
           });
}

bool Sources::belongs(StreamId stream, const std::string& full_id) const {
    const Publication* publication = of(full_id);
    return publication &&
           std::ranges::find(publication->streams, stream, &PublishedStream::stream_id) != publication->streams.end();
}

}  // namespace media::room
