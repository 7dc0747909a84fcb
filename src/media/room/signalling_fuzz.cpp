// Arbitrary sequences of frames, losses, rights, reports and time from four connections into one meeting. Beside the
// sanitizers, the outputs are watched: nothing for connections that are closed, one transport an attendee, attendance
// and cameras that add up, nothing sent or shown that rights forbid.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "media/room/meeting.hpp"
#include "media/room/signalling_test_client.hpp"

namespace media::room {
namespace {

namespace proto = wire::proto;

void require(bool condition) {
    if (!condition) std::abort();
}

class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
    bool empty() const { return left_ == 0; }
    std::uint8_t byte() {
        if (left_ == 0) return 0;
        --left_;
        return *data_++;
    }
    std::string bytes(std::size_t count) {
        count = std::min(count, left_);
        std::string text(reinterpret_cast<const char*>(data_), count);
        data_ += count;
        left_ -= count;
        return text;
    }

  private:
    const std::uint8_t* data_;
    std::size_t left_;
};

proto::VideoSubscriptionConfiguration wish(std::uint8_t choice, StreamId known) {
    proto::VideoSubscriptionConfiguration configuration;
    configuration.set_mid((choice & 32) != 0 ? "2" : "4");
    if ((choice & 64) != 0) configuration.set_stream_id(known + (choice & 1));
    configuration.set_group_id(known - 1);
    if ((choice & 128) != 0) configuration.set_priority(choice);
    return configuration;
}

/// A frame as a client might send it, out of one byte, so that the fuzzer gets beyond the door.
std::string canned(std::uint8_t choice, StreamId known) {
    proto::Frame frame;
    switch ((choice & 31) < 26 ? choice & 31 : choice & 15) {
        case 16:
            return test::adaptive_join(1);
        case 17:
            return test::adaptive_join(2, proto::ADAPTION_BANDWIDTH_PROBING, {proto::ADAPTION_BANDWIDTH_PROBING});
        case 18:
            return test::subscribe(test::simulcast(300, 0, 1200));
        case 19:
            return test::subscribe(test::simulcast(0, choice, 0));
        case 20: {
            test::OfferText offer = test::simulcast(300, 600, 1200);
            offer.receive = {{"2", known}, {"4", known + 2}};
            frame = test::subscribe_frame(offer);
            *frame.mutable_sub()->add_video_subscription_configuration() = wish(choice, known);
            return test::message(frame, proto::Frame::SUBSCRIBE);
        }
        case 21:
        case 22:
            *frame.mutable_remote_video_update()->add_added_or_updated_video_subscriptions() = wish(choice, known);
            if ((choice & 1) != 0) frame.mutable_remote_video_update()->add_removed_video_subscription_mids("4");
            return test::message(frame, proto::Frame::REMOTE_VIDEO_UPDATE);
        case 23: {
            // The descriptors of layers, but an offer of one stream.
            frame = test::subscribe_frame(test::simulcast(300, 0, 1200));
            frame.mutable_sub()->set_sdp_offer(test::camera_on(5000).text());
            return test::message(frame, proto::Frame::SUBSCRIBE);
        }
        case 24: {
            frame = test::subscribe_frame({});
            frame.mutable_sub()->clear_sdp_offer();
            // One stored block: raw DEFLATE without compression.
            const std::string text = test::OfferText{}.text();
            const auto size = static_cast<std::uint16_t>(text.size());
            std::string block = {1, static_cast<char>(size), static_cast<char>(size >> 8), static_cast<char>(~size),
                                 static_cast<char>(~size >> 8)};
            frame.mutable_sub()->set_compressed_sdp_offer(block + text);
            return test::message(frame, proto::Frame::SUBSCRIBE);
        }
        case 25: {
            frame = test::join_frame(3);
            frame.mutable_join()->set_disable_periodic_keyframe_request_on_content_sender(true);
            return test::message(frame, proto::Frame::JOIN);
        }
        case 0:
            return test::join(1);
        case 1:
            return test::join(2);
        case 2:
            return test::subscribe({});
        case 3:
            return test::subscribe(test::camera_on(5000));
        case 4: {
            test::OfferText offer = test::camera_on(5000);
            offer.receive = {{"2", known}, {"3", known + 1}};
            return test::subscribe(offer, true);
        }
        case 5: {
            test::OfferText offer;
            offer.receive = {{"2", 0, true}, {"4", known}};
            return test::subscribe(offer);
        }
        case 6:
            return test::leave();
        case 7:
            return test::ping(choice);
        case 8:
            frame.mutable_audio_control()->set_muted((choice & 16) != 0);
            return test::message(frame, proto::Frame::AUDIO_CONTROL);
        case 9:
        case 10:
            frame.mutable_pause()->add_stream_ids(known);
            return test::message(frame, (choice & 1) != 0 ? proto::Frame::PAUSE : proto::Frame::RESUME);
        case 11:
        case 12: {
            auto& message = *frame.mutable_data_message()->add_messages();
            message.set_topic("chat");
            message.set_data("x");
            message.set_lifetime_ms((choice & 1) != 0 ? 60'000 : 0);
            return test::message(frame, proto::Frame::DATA_MESSAGE);
        }
        case 13: {
            auto& wish = *frame.mutable_remote_video_update()->add_added_or_updated_video_subscriptions();
            wish.set_mid("2");
            wish.set_stream_id(known);
            return test::message(frame, proto::Frame::REMOTE_VIDEO_UPDATE);
        }
        case 14:
            return test::message(frame, proto::Frame::PRIMARY_MEETING_JOIN);
        default: {
            test::OfferText offer;
            offer.ufrag = "other";
            return test::subscribe(offer);
        }
    }
}

class Watched {
  public:
    Watched() : meeting_(settings()) {}

    void step(Input& input) {
        const std::uint8_t op = input.byte();
        const std::size_t slot = op & 3;
        const PeerId peer = slots_[slot];
        switch (op >> 2 & 15) {
            case 0: {
                if (open_.contains(peer)) lose(peer);
                slots_[slot] = ++last_;
                open_.insert(last_);
                // Two connections of one attendee, the share of another, and a third.
                static const std::array<Identity, 4> kPeople = {
                    {{"a", "ua", false}, {"a", "ua", false}, {"b", "ub", true}, {"b", "ub", false}}};
                TurnCredentials turn{{"turn:192.0.2.1"}, "user", "password", std::chrono::hours(1), (op & 64) != 0};
                meeting_.connect(last_, kPeople[slot], {"u" + std::to_string(last_), "password"}, std::move(turn), now_,
                                 out_);
                break;
            }
            case 1:
            case 2: {
                const std::size_t size = input.byte() << 8;
                meeting_.receive(peer, input.bytes(size | input.byte()), now_, out_);
                break;
            }
            case 3:
                meeting_.receive(peer, canned(input.byte(), known_), now_, out_);
                break;
            case 4:
                if (open_.contains(peer)) lose(peer);
                break;
            case 5: {
                const std::chrono::milliseconds time(input.byte() * 100);
                now_.steady += time;
                now_.wall += time;
                report(peer, input.byte());
                break;
            }
            case 6:
                meeting_.media_lost(peer, now_, out_);
                break;
            case 7:
                if (input.byte() > 250) {
                    meeting_.end(now_, out_);
                } else {
                    meeting_.remove_attendee((op & 1) != 0 ? "a" : "b", now_, out_);
                }
                break;
            case 8: {
                const std::uint8_t rights = input.byte();
                const auto flow = [&](int shift) { return static_cast<core::Flow>(rights >> shift & 3); };
                meeting_.set_capabilities((op & 1) != 0 ? "a" : "b", {flow(0), flow(2), flow(4)}, now_, out_);
                break;
            }
            case 9:
                meeting_.media_reached(peer);
                break;
            case 10:
                meeting_.send_transcript("words", now_, out_);
                break;
            default:
                meeting_.receive(peer, canned(input.byte(), known_), now_, out_);
        }
        watch();
    }

    /// Everybody hangs up and time passes: nothing may remain.
    void finish() {
        for (const PeerId peer : std::set<PeerId>(open_)) lose(peer);
        for (int i = 0; i < 3; ++i) {
            now_.steady += std::chrono::minutes(5);
            now_.wall += std::chrono::minutes(5);
            meeting_.tick(now_, {}, out_);
            watch();
        }
        require(meeting_.idle(now_));
        require(present_.empty());
        require(cameras_.empty());
        require(media_.empty());
    }

  private:
    /// What the packet plane might say, out of one byte: who is heard, what flows, which links are bad.
    void report(PeerId peer, std::uint8_t choice) {
        const std::array<AudioLevel, 2> levels = {{{peer, 30}, {peer + 1, 127}}};
        const auto strength = static_cast<std::uint8_t>(choice & 3);
        const std::array<LinkReport, 2> links = {{{peer, choice * 10U, strength}, {peer - 1, 0, 1}}};
        std::array<StreamReport, 4> streams;
        for (std::uint32_t i = 0; i < streams.size(); ++i) {
            streams[i] = {known_ - 2 + i, 1000, (choice >> (4 + i) & 1) != 0};
        }
        const std::array<GroupPause, 2> pauses = {{{peer, known_ - 1, (choice & 4) != 0}, {peer, 7, true}}};
        meeting_.tick(now_, {levels, links, streams, pauses}, out_);
    }
    static MeetingSettings settings() {
        MeetingSettings settings;
        settings.max_attendees = 2;
        settings.fingerprint_sha256.assign(32, 1);
        settings.udp_candidates = {wire::TransportAddress::v4(192, 0, 2, 1, 8087)};
        return settings;
    }
    void lose(PeerId peer) {
        meeting_.lost(peer, now_);
        open_.erase(peer);
    }
    void watch() {
        for (const Output& output : out_) {
            std::visit([this](const auto& what) { see(what); }, output);
        }
        out_.clear();
        require(meeting_.connections() <= open_.size());
        require(meeting_.roster().size() <= 3);
    }
    void see(const output::Send& what) {
        require(open_.contains(what.to));
        require(what.message.size() < 200'000);
        const auto frame = wire::unwrap_frame(what.message);
        require(frame.has_value() && frame->has_type());
        if (frame->has_index()) see_index(what.to, frame->index());
        require(frame->bitrates().bitrates_size() <= 9);
    }
    void see_index(PeerId to, const proto::Index& index) {
        require(index.sources_size() <= 9 && index.num_participants() <= 3);
        std::set<std::uint32_t> ids;
        for (const auto& source : index.sources()) {
            known_ = source.stream_id();
            require(source.stream_id() != 0 && ids.insert(source.stream_id()).second);
            const bool content = source.attendee_id().ends_with("#content");
            require(cameras_.contains(source.attendee_id()));
            const auto rights = rights_.find(to);
            if (rights == rights_.end()) continue;
            require(core::receives(content ? rights->second.content : rights->second.video));
        }
        for (const std::uint32_t paused : index.paused_at_source_ids()) require(ids.contains(paused));
    }
    void see(const output::Close& what) { require(open_.erase(what.peer) == 1); }
    void see(const output::OpenMedia& what) {
        require(open_.contains(what.peer) && media_.insert(what.peer).second);
        require(what.remote.fingerprint_sha256.size() == 32);
    }
    void see(const output::CloseMedia& what) { require(media_.erase(what.peer) == 1); }
    void see(const output::Negotiated& what) {
        require(media_.contains(what.peer));
        const core::Capabilities& rights = rights_.at(what.peer);
        require(what.uplink.videos.empty() || core::sends(rights.video) || core::sends(rights.content));
        require(what.downlink.subscriptions.empty() || core::receives(rights.video) || core::receives(rights.content));
        std::set<StreamId> streams;
        for (const VideoUplink& video : what.uplink.videos) {
            require(video.stream_id != 0 && streams.insert(video.stream_id).second);
            require(video.group_id == what.uplink.videos.front().group_id);
            require(video.rid.empty() || video.ssrc == 0);
        }
        std::set<std::string> mids;
        for (const Subscription& line : what.downlink.subscriptions) {
            require(mids.insert(line.mid).second && !streams.contains(line.stream_id));
            require(!line.wish || what.downlink.adaptation == Adaptation::server);
        }
        std::set<std::uint32_t> ssrcs = {what.downlink.audio.ssrc};
        for (const Subscription& line : what.downlink.subscriptions) {
            require(line.ssrc != 0 && ssrcs.insert(line.ssrc).second);
            require(line.rtx_ssrc == 0 || ssrcs.insert(line.rtx_ssrc).second);
        }
    }
    void see(const output::Mute& what) { require(media_.contains(what.peer)); }
    void see(const output::Pause& what) { require(media_.contains(what.peer)); }
    void see(const output::Allow& what) {
        require(media_.contains(what.peer));
        rights_[what.peer] = what.capabilities;
    }
    void see(const output::Connected& what) { require(present_.insert(named(what)).second); }
    void see(const output::Gone& what) {
        require(present_.erase(named(what)) == 1);
        require(!cameras_.contains(named(what)));
    }
    void see(const output::Video& what) {
        require(what.started ? cameras_.insert(named(what)).second : cameras_.erase(named(what)) == 1);
        require(present_.contains(named(what)));
    }
    template <class What>
    static std::string named(const What& what) {
        return what.attendee_id + (what.content ? "#content" : "");
    }

    Meeting meeting_;
    Moment now_{Time(std::chrono::hours(1)), core::Time(std::chrono::sys_days(std::chrono::year{2026} / 3 / 1))};
    Outputs out_;
    std::array<PeerId, 4> slots_{};
    PeerId last_ = 0;
    StreamId known_ = 1;
    std::set<PeerId> open_;
    std::set<PeerId> media_;
    std::set<std::string> present_;
    std::set<std::string> cameras_;
    std::map<PeerId, core::Capabilities> rights_;  ///< As the packet plane was told.
};

}  // namespace
}  // namespace media::room

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    media::room::Input input(data, size);
    media::room::Watched meeting;
    for (int i = 0; i < 256 && !input.empty(); ++i) meeting.step(input);
    meeting.finish();
    return 0;
}
