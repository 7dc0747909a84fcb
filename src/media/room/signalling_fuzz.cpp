// Arbitrary sequences of frames, losses and time from four connections into one meeting. Beside the sanitizers, the
// outputs are watched: nothing for connections that are closed, one transport an attendee, attendance that adds up.
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

/// A frame as a client might send it, out of one byte, so that the fuzzer gets beyond the door.
std::string canned(std::uint8_t choice, StreamId known) {
    proto::Frame frame;
    switch (choice & 15) {
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
        switch (op >> 2 & 7) {
            case 0: {
                if (open_.contains(peer)) lose(peer);
                slots_[slot] = ++last_;
                open_.insert(last_);
                // Two connections of one attendee, the share of another, and a third.
                static const std::array<Identity, 4> kPeople = {
                    {{"a", "ua", false}, {"a", "ua", false}, {"b", "ub", true}, {"b", "ub", false}}};
                meeting_.connect(last_, kPeople[slot], {"u" + std::to_string(last_), "password"}, {}, now_, out_);
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
                const std::array<AudioLevel, 2> levels = {{{peer, 30}, {peer + 1, 127}}};
                meeting_.tick(now_, {.levels = levels}, out_);
                break;
            }
            case 6:
                meeting_.media_lost(peer, now_, out_);
                break;
            default:
                if (input.byte() > 250) {
                    meeting_.end(now_, out_);
                } else {
                    meeting_.remove_attendee((op & 1) != 0 ? "a" : "b", now_, out_);
                }
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
        require(media_.empty());
    }

  private:
    static MeetingSettings settings() {
        MeetingSettings settings;
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
        for (const auto& source : frame->index().sources()) known_ = source.stream_id();
    }
    void see(const output::Close& what) { require(open_.erase(what.peer) == 1); }
    void see(const output::OpenMedia& what) {
        require(open_.contains(what.peer) && media_.insert(what.peer).second);
        require(what.remote.fingerprint_sha256.size() == 32);
    }
    void see(const output::CloseMedia& what) { require(media_.erase(what.peer) == 1); }
    void see(const output::Negotiated& what) {
        require(media_.contains(what.peer));
        std::set<std::uint32_t> ssrcs = {what.downlink.audio.ssrc};
        for (const Subscription& line : what.downlink.subscriptions) {
            require(line.ssrc != 0 && ssrcs.insert(line.ssrc).second);
            require(line.rtx_ssrc == 0 || ssrcs.insert(line.rtx_ssrc).second);
        }
    }
    void see(const output::Mute& what) { require(media_.contains(what.peer)); }
    void see(const output::Pause& what) { require(media_.contains(what.peer)); }
    void see(const output::Allow& what) { require(media_.contains(what.peer)); }
    void see(const output::Connected& what) { require(present_.insert(named(what)).second); }
    void see(const output::Gone& what) { require(present_.erase(named(what)) == 1); }
    void see(const output::Video&) {}
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
