// The video sources of a meeting, as its INDEX lists them. Plain values without I/O; owned by a Meeting.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "media/room/signalling.hpp"
#include "media/room/signalling_ids.hpp"
#include "media/wire/signalling.pb.h"

namespace media::room {

/// One stream that a client offers to send. More than one in a publication are layers of one camera (simulcast).
struct PublishedStream {
    StreamId stream_id = 0;
    std::string track_label;
    std::uint32_t max_bitrate_kbps = 0;  ///< 0: allocated, but not sent and not listed.
    std::uint32_t framerate = 0;
    bool listed = false;
};

/// What one connection publishes.
struct Publication {
    PeerId peer = 0;
    std::string attendee_id;  ///< Full.
    std::string external_user_id;
    std::uint32_t group_id = 0;
    std::vector<PublishedStream> streams;
};

class Sources {
  public:
    static constexpr std::size_t kMaxLayers = 3;

    /// Begins a publication, or carries on with the one the connection has: streams keep their ids by their place. What
    /// an earlier connection of the attendee published is replaced.
    /// `descriptors` are the video descriptors of its SUBSCRIBE.
    const Publication& publish(PeerId peer, const Identity& identity,
                               const std::vector<wire::proto::StreamDescriptor>& descriptors, core::Time wall);
    /// False when there was nothing.
    bool unpublish(const std::string& full_id) { return publications_.erase(full_id) > 0; }

    const Publication* of(const std::string& full_id) const;
    /// Whether the INDEX lists this stream.
    bool lists(StreamId stream) const;
    /// Whether it is a stream of this attendee (full id).
    bool belongs(StreamId stream, const std::string& full_id) const;
    std::size_t size() const { return publications_.size(); }
    const std::map<std::string, Publication>& all() const { return publications_; }

  private:
    std::map<std::string, Publication> publications_;  ///< By the attendee's full id.
    IdSource ids_;
};

}  // namespace media::room
