// Meeting: the INDEX, which shows each client whose videos there are. It is complete every time.
//
// A change concerns everybody, so with many in a meeting the cost is in here: one INDEX is made for all who see the
// same, and a storm of changes is gathered into few.
#include <compare>
#include <map>
#include <utility>

#include "media/room/meeting.hpp"
#include "media/room/meeting_connection.hpp"

namespace media::room {

namespace proto = wire::proto;

struct Meeting::IndexView {
    bool camera = false;   ///< Sees cameras …
    bool content = false;  ///< … and shares …
    std::string own;       ///< … but not those of this attendee, which publishes something.
    bool at_capacity = false;
    std::uint32_t participants = 0;
    auto operator<=>(const IndexView&) const = default;
};

struct Meeting::ReadyIndex {
    std::shared_ptr<const std::string> body;
    std::string message;
};

std::vector<std::uint32_t> Meeting::codec_intersection() const {
    std::size_t clients = 0;
    std::map<std::uint32_t, std::size_t> able;
    for (const auto& [id, connection] : connections_) {
        // A content share receives nothing, so it limits nobody.
        if (connection.phase != Phase::subscribed || connection.identity.content || connection.decodable.empty())
            continue;
        ++clients;
        for (const std::uint32_t codec : connection.decodable) ++able[codec];
    }
    std::vector<std::uint32_t> everybody;
    for (const auto& [codec, count] : able) {
        if (count == clients) everybody.push_back(codec);
    }
    return everybody;
}

Meeting::IndexView Meeting::view_of(const Connection& connection, std::size_t attendees, std::size_t cameras) const {
    const Identity& identity = connection.identity;
    IndexView view;
    const bool publishes = sources_.of(connection.full_id) != nullptr;
    const bool allowed = identity.content || core::sends(identity.capabilities.video);
    view.at_capacity = !publishes && (!allowed || cameras >= kMaxPublishers);
    // Somebody who joins is not in the roster before the subscribe that follows, but counts already.
    const std::size_t self = !identity.content && !roster_.find(connection.full_id) ? 1 : 0;
    view.participants = static_cast<std::uint32_t>(attendees + self);
    if (identity.content) return view;
    view.camera = core::receives(identity.capabilities.video);
    view.content = core::receives(identity.capabilities.content);
    if (publishes || sources_.of(identity.attendee_id + "#content")) view.own = identity.attendee_id;
    return view;
}

proto::Index Meeting::index_of(const IndexView& view, const std::vector<std::uint32_t>& codecs) const {
    proto::Index index;
    index.set_at_capacity(view.at_capacity);
    index.set_num_participants(view.participants);
    for (const auto& [full_id, publication] : sources_.all()) {
        const bool seen = publication.identity.content ? view.content : view.camera;
        if (!seen || publication.identity.attendee_id == view.own) continue;
        for (const PublishedStream& stream : publication.streams) {
            if (!stream.listed) continue;
            proto::StreamDescriptor& source = *index.add_sources();
            source.set_stream_id(stream.stream_id);
            source.set_group_id(publication.group_id);
            source.set_framerate(stream.framerate);
            source.set_max_bitrate_kbps(stream.max_bitrate_kbps);
            source.set_track_label(stream.track_label);
            source.set_attendee_id(full_id);
            source.set_external_user_id(publication.identity.external_user_id);
            source.set_media_type(proto::VIDEO);
            if (stream.paused) index.add_paused_at_source_ids(stream.stream_id);
        }
    }
    for (const std::uint32_t codec : codecs) {
        index.add_supported_receive_codec_intersection(static_cast<proto::CodecCapability>(codec));
    }
    return index;
}

void Meeting::send_index(Connection& connection, Moment now, Outputs& out) {
    proto::Index index = index_of(view_of(connection, roster_.attendees(), sources_.cameras()), codec_intersection());
    connection.last_index = std::make_shared<const std::string>(index.SerializeAsString());
    Frame frame = wire::make_frame(Frame::INDEX, now.wall);
    *frame.mutable_index() = std::move(index);
    send(connection.peer, frame, out);
}

void Meeting::refresh_indexes(Moment now, Outputs& out) {
    index_due_ = !index_rate_.take(now.steady);
    if (index_due_) return;
    const std::vector<std::uint32_t> codecs = codec_intersection();
    const std::size_t attendees = roster_.attendees();
    const std::size_t cameras = sources_.cameras();
    std::map<IndexView, ReadyIndex> ready;
    for (auto& [id, connection] : connections_) {
        if (!connection.active()) continue;
        auto [entry, fresh] = ready.try_emplace(view_of(connection, attendees, cameras));
        ReadyIndex& made = entry->second;
        if (fresh) {
            Frame frame = wire::make_frame(Frame::INDEX, now.wall);
            *frame.mutable_index() = index_of(entry->first, codecs);
            made.body = std::make_shared<const std::string>(frame.index().SerializeAsString());
            made.message = wire::wrap_frame(frame);
        }
        if (connection.last_index && *connection.last_index == *made.body) continue;
        connection.last_index = made.body;
        out.push_back(output::Send{id, made.message});
    }
}

}  // namespace media::room
