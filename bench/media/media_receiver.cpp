#include "media_receiver.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "media/wire/byte_io.hpp"
#include "media/wire/rtx.hpp"
#include "media_sender.hpp"
#include "payloads.hpp"

namespace bench {

namespace wire = media::wire;

namespace {
constexpr unsigned kFeedbackBeats = 65 * kMillisecond / kBeat;  ///< About 15 times a second.
constexpr unsigned kRembBeats = 250 * kMillisecond / kBeat;
constexpr std::uint64_t kRembBitrate = 5'000'000;
constexpr Nanos kNackAgain = 100 * kMillisecond;
constexpr unsigned kNackTimes = 8;
constexpr std::size_t kMostMissing = 256;
/// Further ahead than that a stream began anew.
constexpr std::int64_t kRestart = 2000;

/// The value of a one-byte-form extension of a packet that is still protected, or null (RFC 8285 section 4.2).
const std::uint8_t* extension_of(std::span<const std::uint8_t> packet, std::uint8_t id) {
    if (id == 0 || packet.size() < 16 || (packet[0] & 0x10) == 0) return nullptr;
    std::size_t at = 12 + 4 * (packet[0] & 0x0FU);
    if (at + 4 > packet.size() || wire::load_u16(&packet[at]) != 0xBEDE) return nullptr;
    const std::size_t end = at + 4 + 4 * std::size_t{wire::load_u16(&packet[at + 2])};
    if (end > packet.size()) return nullptr;
    for (at += 4; at < end;) {
        if (packet[at] == 0) {
            ++at;
            continue;
        }
        const std::size_t size = (packet[at] & 0x0FU) + 1;
        if (at + 1 + size > end) return nullptr;
        if (packet[at] >> 4 == id) return &packet[at + 1];
        at += 1 + size;
    }
    return nullptr;
}
}  // namespace

void MediaReceiver::set_streams(const std::vector<ReceivedStream>& streams, std::uint32_t own_ssrc,
                                std::uint8_t transport_cc_id) {
    std::vector<Stream> next;
    for (const ReceivedStream& wanted : streams) {
        const auto known = std::ranges::find(streams_, wanted.ssrc, [](const Stream& s) { return s.of.ssrc; });
        next.push_back(known == streams_.end() ? Stream{} : std::move(*known));
        next.back().of = wanted;
    }
    streams_ = std::move(next);
    own_ssrc_ = own_ssrc;
    transport_cc_id_ = transport_cc_id;
}

MediaReceiver::Stream* MediaReceiver::find(std::uint32_t ssrc, bool& repair) {
    for (std::size_t i = 0; i < streams_.size(); ++i) {
        Stream& stream = streams_[(hint_ + i) % streams_.size()];
        repair = ssrc == stream.of.rtx_ssrc;
        if (!repair && ssrc != stream.of.ssrc) continue;
        hint_ = (hint_ + i) % streams_.size();
        return &stream;
    }
    return nullptr;
}

void MediaReceiver::take(std::span<std::uint8_t> packet, Nanos arrived, PeerConnection& from) {
    const auto peek = wire::peek_rtp(packet);
    if (!peek) return;
    if (const std::uint8_t* number = extension_of(packet, transport_cc_id_)) {
        arrivals_.push_back({transport_sequence_.unwrap(wire::load_u16(number)), arrived / kMicrosecond});
    }
    bool repair = false;
    Stream* stream = find(peek->ssrc, repair);
    if (!stream) return;
    if (repair) return take_repair(*stream, packet, from);
    if ((packet[0] & 0x20) != 0) {
        // With padding: a probe has nothing else, and is no packet of the sender's.
        const auto plain = from.unprotect(packet);
        const auto view = plain ? wire::RtpView::parse(*plain) : std::nullopt;
        if (!view) return;
        const bool fresh = note(*stream, peek->sequence);
        if (fresh && view->padding_only()) --stream->received;
        return;
    }
    if (!note(*stream, peek->sequence) || peek->sequence % sampling_ != 0) return;
    if (const auto plain = from.unprotect(packet); plain && stream->of.video) {
        look_inside(*stream, *plain, arrived, from.window());
    }
}

/// False: it was here before, or is of no use any more.
bool MediaReceiver::note(Stream& stream, std::uint16_t sequence) {
    const bool first = !stream.sequence.started();
    const std::int64_t before = stream.sequence.highest();
    const std::int64_t number = stream.sequence.unwrap(sequence);
    if (first) {
        stream.window_sequence = number - 1;
        stream.reported_sequence = number - 1;
    } else if (number <= before) {
        const auto gap = std::ranges::find(stream.missing, number, &Missing::sequence);
        if (gap == stream.missing.end()) return false;
        stream.missing.erase(gap);
    } else if (number - before < kRestart && stream.of.video) {
        for (std::int64_t i = before + 1; i < number && stream.missing.size() < kMostMissing; ++i)
            stream.missing.push_back({i});
    }
    ++stream.received;
    return true;
}

void MediaReceiver::look_inside(Stream& stream, std::span<const std::uint8_t> plain, Nanos arrived, Window& window) {
    if (plain.size() < wire::kRtpHeaderSize + kStampSize) return;
    const std::uint8_t* stamp = plain.data() + plain.size() - kStampSize;
    window.latency.add(arrived - static_cast<Nanos>(wire::load_u64(stamp + 4)));
    stream.last = {wire::load_u32(stamp), stream.received};
    if (!stream.marked) stream.first = stream.last;
    stream.marked = true;
}

void MediaReceiver::take_repair(Stream& stream, std::span<std::uint8_t> packet, PeerConnection& from) {
    const auto plain = from.unprotect(packet);
    const auto view = plain ? wire::RtpView::parse(*plain) : std::nullopt;
    const auto sequence = view ? wire::rtx_original_sequence(*view) : std::nullopt;
    if (sequence && stream.sequence.started() && stream.sequence.peek(*sequence) <= stream.sequence.highest() &&
        note(stream, *sequence)) {
        ++stream.window_repaired;
    }
}

void MediaReceiver::on_sender_report(std::uint32_t ssrc, std::uint64_t ntp, Nanos now) {
    for (Stream& stream : streams_) {
        if (stream.of.ssrc != ssrc) continue;
        stream.last_sr = wire::middle_of_ntp(ntp);
        stream.last_sr_at = now;
    }
}

void MediaReceiver::beat(Nanos now, PeerConnection& to) {
    ++beats_;
    send_nacks(now, to);
    if (beats_ % kFeedbackBeats == 0 && !arrivals_.empty()) send_transport_feedback(to);
    if (beats_ % kRembBeats == 0 && !transport_sequence_.started() && !streams_.empty()) {
        std::array<std::uint8_t, 1024> room;
        wire::RtcpWriter writer(room);
        std::vector<std::uint32_t> ssrcs;
        ssrcs.reserve(streams_.size());
        for (const Stream& stream : streams_) ssrcs.push_back(stream.of.ssrc);
        writer.remb(own_ssrc_, kRembBitrate, ssrcs);
        to.send_rtcp(writer.written());
    }
}

void MediaReceiver::send_nacks(Nanos now, PeerConnection& to) {
    for (Stream& stream : streams_) {
        if (stream.missing.empty()) continue;
        std::array<std::uint16_t, kMostMissing> lost;
        std::size_t count = 0;
        for (Missing& missing : stream.missing) {
            if (now - missing.asked_at < kNackAgain) continue;
            missing.asked_at = now;
            ++missing.times;
            lost[count++] = static_cast<std::uint16_t>(missing.sequence);
        }
        std::erase_if(stream.missing, [](const Missing& missing) { return missing.times > kNackTimes; });
        if (count == 0) continue;
        std::array<std::uint8_t, 1200> room;
        wire::RtcpWriter writer(room);
        writer.nack(own_ssrc_, stream.of.ssrc, std::span(lost).first(count));
        to.send_rtcp(writer.written());
        to.window().nacks_sent += count;
    }
}

void MediaReceiver::send_transport_feedback(PeerConnection& to) {
    std::ranges::sort(arrivals_, {}, &wire::PacketArrival::sequence);
    const auto same = std::ranges::unique(arrivals_, {}, &wire::PacketArrival::sequence);
    arrivals_.erase(same.begin(), same.end());
    if (feedback_begin_ >= 0) {
        std::erase_if(arrivals_, [this](const wire::PacketArrival& a) { return a.sequence < feedback_begin_; });
    }
    const std::uint32_t media = streams_.empty() ? 0 : streams_.front().of.ssrc;
    std::span<const wire::PacketArrival> rest = arrivals_;
    while (!rest.empty()) {
        std::array<std::uint8_t, 1200> room;
        wire::RtcpWriter writer(room);
        const std::int64_t begin = feedback_begin_ >= 0 ? feedback_begin_ : rest.front().sequence;
        const std::size_t taken = writer.transport_feedback(own_ssrc_, media, feedback_count_, begin, rest);
        if (taken == 0) {
            feedback_begin_ = -1;
            break;
        }
        ++feedback_count_;
        to.send_rtcp(writer.written());
        feedback_begin_ = rest[taken - 1].sequence + 1;
        rest = rest.subspan(taken);
    }
    arrivals_.clear();
}

void MediaReceiver::report(wire::RtcpWriter& writer, Nanos now) {
    std::array<wire::ReportBlock, 31> blocks;
    std::size_t count = 0;
    for (Stream& stream : streams_) {
        if (!stream.sequence.started() || count == blocks.size()) continue;
        const std::int64_t expected = stream.sequence.highest() - stream.reported_sequence;
        const auto got = static_cast<std::int64_t>(stream.received - stream.reported_received);
        stream.reported_sequence = stream.sequence.highest();
        stream.reported_received = stream.received;
        const std::int64_t lost = std::clamp<std::int64_t>(expected - got, 0, expected);
        blocks[count++] = {
            .ssrc = stream.of.ssrc,
            .fraction_lost =
                static_cast<std::uint8_t>(expected > 0 ? std::min<std::int64_t>(255, 256 * lost / expected) : 0),
            .highest_sequence = static_cast<std::uint32_t>(stream.sequence.highest()),
            .last_sr = stream.last_sr,
            .delay_since_last_sr =
                stream.last_sr == 0 ? 0 : static_cast<std::uint32_t>((now - stream.last_sr_at) * 65536 / kSecond)};
    }
    writer.receiver_report(own_ssrc_, std::span(blocks).first(count));
}

void MediaReceiver::begin_window(Nanos now) {
    window_began_ = now;
    for (Stream& stream : streams_) {
        stream.marked = false;
        stream.window_sequence = stream.sequence.highest();
        stream.window_received = stream.received;
        stream.window_repaired = 0;
    }
}

void MediaReceiver::end_window(Window& window, Nanos now) {
    double audio = 0;
    bool has_audio = false;
    for (const Stream& stream : streams_) {
        ++window.streams;
        const std::uint64_t received = stream.received - stream.window_received;
        if (received == 0) ++window.silent_streams;
        if (!stream.of.video) {
            const std::int64_t expected = stream.sequence.highest() - stream.window_sequence;
            window.audio_expected += static_cast<std::uint64_t>(expected);
            window.audio_lost +=
                static_cast<std::uint64_t>(std::max<std::int64_t>(0, expected - static_cast<std::int64_t>(received)));
            audio += static_cast<double>(received);
            has_audio = true;
        } else if (stream.marked) {
            const std::uint64_t expected = stream.last.counter - stream.first.counter;
            const std::uint64_t got = stream.last.received - stream.first.received;
            window.video_expected += expected;
            window.video_lost += expected > got ? expected - got : 0;
            window.video_repaired += stream.window_repaired;
        }
    }
    if (!has_audio) return;
    const double rate = audio / (static_cast<double>(now - window_began_) / static_cast<double>(kSecond));
    window.audio_least = std::min(window.audio_least, rate);
    window.audio_most = std::max(window.audio_most, rate);
}

bool MediaReceiver::flowing() const {
    return std::ranges::all_of(streams_, [](const Stream& stream) { return stream.received > 0; });
}

}  // namespace bench
