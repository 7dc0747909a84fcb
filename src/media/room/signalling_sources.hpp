// The video sources of a meeting, as its INDEX lists them. Plain values without I/O; owned by a Meeting.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "media/room/media_report.hpp"
#include "media/room/signalling.hpp"
#include "media/room/signalling_ids.hpp"
#include "media/wire/signalling.pb.h"

namespace media::room {

/// One stream that a client offers to send. More than one in a publication are layers of one camera (simulcast).
struct PublishedStream {
    StreamId stream_id = 0;
    std::string track_label;
    std::string rid;                     ///< Of a simulcast layer; empty: plain.
    std::uint32_t max_bitrate_kbps = 0;  ///< 0: allocated, but not sent and not listed.
    std::uint32_t framerate = 0;
    bool announced = false;  ///< The client says that it sends this now.
    bool listed = false;     ///< In the INDEX.
    bool paused = false;     ///< Listed, but the sender's link does not carry it.
    bool flowing = false;    ///< Packets came lately.
    Time flowed{};           ///< When packets of it were last seen, or since when it is announced.
    std::uint32_t bitrate_bps = 0;
};

/// What one connection publishes.
struct Publication {
    PeerId peer = 0;
    Identity identity;
    GroupId group_id = 0;
    std::vector<PublishedStream> streams;  ///< The lowest layer first.
};

class Sources {
  public:
    static constexpr std::size_t kMaxLayers = 3;
    /// A listed layer that is silent for so long, while another of its group is not, leaves the INDEX.
    static constexpr std::chrono::seconds kLayerSilence{3};
    /// A source that is silent for so long, over a poor link, is shown as paused.
    static constexpr std::chrono::seconds kPausedAfter{2};

    /// Begins a publication, or carries on with the one the connection has: streams keep their ids by their place. What
    /// an earlier connection of the attendee published is replaced.
    /// `descriptors` are the video descriptors of its SUBSCRIBE, `rids` the layers that its offer names, both the
    /// lowest first. Without rids there is one stream, whatever the descriptors say.
    const Publication& publish(PeerId peer, const Identity& identity,
                               const std::vector<wire::proto::StreamDescriptor>& descriptors,
                               const std::vector<std::string>& rids, Moment now);
    /// False when there was nothing.
    bool unpublish(const std::string& full_id) { return publications_.erase(full_id) > 0; }

    /// Takes in what flows: layers enter and leave the INDEX by it. `link_is_poor` says so of a connected sender. True
    /// when the INDEX has changed.
    bool follow(std::span<const StreamReport> reports, const std::function<bool(PeerId)>& link_is_poor, Time now);

    const Publication* of(const std::string& full_id) const;
    /// Who publishes this stream, if the INDEX lists it.
    const Publication* find_listed(StreamId stream) const;
    /// The same, listed or not.
    const Publication* find_stream(StreamId stream) const;
    /// Who publishes this group, if the INDEX lists anything of it.
    const Publication* find_group(GroupId group) const;

    std::size_t size() const { return publications_.size(); }
    /// Publications that are no content shares.
    std::size_t cameras() const;
    const std::map<std::string, Publication>& all() const { return publications_; }

  private:
    std::map<std::string, Publication> publications_;  ///< By the attendee's full id.
    IdSource ids_;
};

}  // namespace media::room
