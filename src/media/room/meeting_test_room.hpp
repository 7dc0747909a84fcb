// For tests: a Meeting with a clock of its own, and what it said to whom. One test, one thread.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "media/room/meeting.hpp"
#include "media/room/signalling_test_client.hpp"

namespace media::room::test {

using namespace std::chrono_literals;

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    EXPECT_TRUE(in.good()) << path;
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Messages that a browser really sent, in their order; see the frames-*.hex files beside this one.
inline std::vector<std::string> captured(const std::string& name) {
    const auto folder = std::filesystem::path(SOURCE_ROOT) / "media/room/testdata";
    std::istringstream in(read_file(folder / ("frames-" + name + ".hex")));
    std::vector<std::string> messages;
    for (std::string line; std::getline(in, line);) {
        std::string bytes;
        for (std::size_t i = 0; i + 1 < line.size(); i += 2) {
            bytes.push_back(static_cast<char>(std::stoi(line.substr(i, 2), nullptr, 16)));
        }
        messages.push_back(std::move(bytes));
    }
    EXPECT_FALSE(messages.empty());
    return messages;
}

/// Only those of this type.
inline std::vector<std::string> captured(const std::string& name, proto::Frame::Type type) {
    std::vector<std::string> messages = captured(name);
    std::erase_if(messages, [&](const std::string& m) { return wire::unwrap_frame(m)->type() != type; });
    return messages;
}

/// An offer that a browser really made; see the wire room's test data.
inline std::string captured_offer(const std::string& name) {
    return read_file(std::filesystem::path(SOURCE_ROOT) / "media/wire/testdata" / (name + ".sdp"));
}

inline MeetingSettings test_settings() {
    MeetingSettings settings;
    settings.fingerprint_sha256.assign(32, 0xab);
    settings.udp_candidates = {wire::TransportAddress::v4(192, 0, 2, 9, 8087)};
    settings.tcp_candidates = settings.udp_candidates;
    return settings;
}

/// What the packet plane has to say, as a test makes it up.
struct PlaneReport {
    std::vector<AudioLevel> levels{};
    std::vector<LinkReport> links{};
    std::vector<StreamReport> streams{};
    std::vector<GroupPause> pauses{};  ///< Told once.
};

/// What a Meeting put out, sorted by who it is for.
class TestRoom {
  public:
    explicit TestRoom(MeetingSettings settings = test_settings()) : meeting(std::move(settings)) {}

    // Given to whoever connects next.
    TurnCredentials turn;
    core::Capabilities capabilities;

    /// A new connection of this attendee; `name#content` is its share.
    PeerId connect(const std::string& name) {
        const auto mark = name.find("#content");
        const Identity identity{name.substr(0, mark), "user-" + name.substr(0, mark), mark != std::string::npos,
                                capabilities};
        ++last_peer;
        meeting.connect(last_peer, identity, {"srv" + std::to_string(last_peer), "serverpassword0123456789"}, turn, now,
                        out_);
        collect();
        return last_peer;
    }
    void send(PeerId peer, const std::string& message) {
        meeting.receive(peer, message, now, out_);
        collect();
    }
    /// Connects, joins and subscribes; what came back is forgotten.
    PeerId enter(const std::string& name, const OfferText& offer = {}, std::uint64_t session = 7) {
        const PeerId peer = enter_heard(name, offer, session);
        forget();
        return peer;
    }
    /// The same, but nothing is forgotten.
    PeerId enter_heard(const std::string& name, const OfferText& offer = {}, std::uint64_t session = 7) {
        const PeerId peer = connect(name);
        send(peer, join(session));
        send(peer, subscribe(offer));
        EXPECT_EQ(count(peer, proto::Frame::SUBSCRIBE_ACK), 1U);
        return peer;
    }
    void lose(PeerId peer) { meeting.lost(peer, now); }
    void end() {
        meeting.end(now, out_);
        collect();
    }
    void remove(const std::string& attendee) {
        meeting.remove_attendee(attendee, now, out_);
        collect();
    }
    void allow(const std::string& attendee, core::Capabilities what) {
        meeting.set_capabilities(attendee, what, now, out_);
        collect();
    }
    void transcribe(const std::string& frame) {
        meeting.send_transcript(frame, now, out_);
        collect();
    }
    void media_lost(PeerId peer) {
        meeting.media_lost(peer, now, out_);
        collect();
    }
    /// Time goes on in steps, as the server's ticks make it.
    void pass(std::chrono::milliseconds time, PlaneReport report = {}) {
        for (std::chrono::milliseconds gone{0}; gone < time; gone += 50ms) {
            now.steady += 50ms;
            now.wall += 50ms;
            const bool wanted = meeting.wants_report(now);
            meeting.tick(
                now, wanted ? MediaReport{report.levels, report.links, report.streams, report.pauses} : MediaReport{},
                out_);
            if (wanted) report.pauses.clear();
            collect();
        }
    }
    /// Like `pass`, while these clients ping.
    void pass_alive(std::chrono::milliseconds time, const std::vector<PeerId>& alive, const PlaneReport& report = {}) {
        for (std::chrono::milliseconds gone{0}; gone < time; gone += 5000ms) {
            for (const PeerId peer : alive) send(peer, ping(1));
            pass(std::min<std::chrono::milliseconds>(5000ms, time - gone), report);
        }
    }

    std::vector<proto::Frame> frames(PeerId peer, proto::Frame::Type type) const {
        std::vector<proto::Frame> list;
        for (const auto& [to, frame] : sent) {
            if (to == peer && frame.type() == type) list.push_back(frame);
        }
        return list;
    }
    std::size_t count(PeerId peer, proto::Frame::Type type) const { return frames(peer, type).size(); }
    std::optional<proto::Frame> last(PeerId peer, proto::Frame::Type type) const {
        const auto list = frames(peer, type);
        return list.empty() ? std::nullopt : std::optional(list.back());
    }
    /// The types of the frames sent to this peer, in their order.
    std::vector<proto::Frame::Type> types(PeerId peer) const {
        std::vector<proto::Frame::Type> list;
        for (const auto& [to, frame] : sent) {
            if (to == peer) list.push_back(frame.type());
        }
        return list;
    }
    std::vector<proto::AudioStreamIdEntry> presence(PeerId peer) const {
        std::vector<proto::AudioStreamIdEntry> list;
        for (const proto::Frame& frame : frames(peer, proto::Frame::AUDIO_STREAM_ID_INFO)) {
            const auto& streams = frame.audio_stream_id_info().streams();
            list.insert(list.end(), streams.begin(), streams.end());
        }
        return list;
    }
    template <class T>
    std::vector<T> all() const {
        std::vector<T> list;
        for (const Output& output : others) {
            if (const T* found = std::get_if<T>(&output)) list.push_back(*found);
        }
        return list;
    }
    std::optional<std::uint16_t> closed(PeerId peer) const {
        for (const auto& close : all<output::Close>()) {
            if (close.peer == peer) return close.code;
        }
        return std::nullopt;
    }
    void forget() {
        sent.clear();
        others.clear();
    }

    Meeting meeting;
    Moment now{Time(1h), core::Time(std::chrono::sys_days(std::chrono::year{2026} / 3 / 1))};
    std::vector<std::pair<PeerId, proto::Frame>> sent;
    Outputs others;  ///< Everything but frames.
    PeerId last_peer = 0;

  private:
    void collect() {
        for (Output& output : out_) {
            if (const auto* send = std::get_if<output::Send>(&output)) {
                auto frame = wire::unwrap_frame(send->message);
                ASSERT_TRUE(frame);
                sent.emplace_back(send->to, std::move(*frame));
            } else {
                others.push_back(std::move(output));
            }
        }
        out_.clear();
    }
    Outputs out_;
};

inline proto::Index index_of(const TestRoom& room, PeerId peer) {
    const auto frame = room.last(peer, proto::Frame::INDEX);
    return frame ? frame->index() : proto::Index();
}

/// The streams that the last INDEX of this peer lists.
inline std::vector<StreamId> listed(const TestRoom& room, PeerId peer) {
    std::vector<StreamId> ids;
    const proto::Index index = index_of(room, peer);
    for (const auto& source : index.sources()) ids.push_back(source.stream_id());
    return ids;
}

/// The streams a peer publishes, as its last SUBSCRIBE_ACK says.
inline std::vector<StreamId> allocations(const TestRoom& room, PeerId peer) {
    std::vector<StreamId> ids;
    const auto ack = room.last(peer, proto::Frame::SUBSCRIBE_ACK);
    if (ack) {
        for (const auto& allocation : ack->suback().allocations()) ids.push_back(allocation.stream_id());
    }
    return ids;
}

inline OfferText receiving(std::vector<ReceiveLine> lines) {
    OfferText offer;
    offer.receive = std::move(lines);
    return offer;
}

/// What the packet plane was told of this peer last.
inline std::optional<output::Negotiated> negotiated(const TestRoom& room, PeerId peer) {
    std::optional<output::Negotiated> found;
    for (const auto& entry : room.all<output::Negotiated>()) {
        if (entry.peer == peer) found = entry;
    }
    return found;
}

}  // namespace media::room::test
