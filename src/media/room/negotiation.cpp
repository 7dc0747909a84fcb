#include "media/room/negotiation.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "media/room/packet_router.hpp"
#include "media/wire/rtp_extensions.hpp"

namespace media::room {

namespace {

using wire::AnswerMedia;
using wire::Codec;
using wire::CodecKind;
using wire::Direction;
using wire::MediaDescription;
using wire::MediaKind;

/// Accepted in every line from the first answer on: what a first answer leaves out, later offers do not contain.
constexpr std::array kExtensions = {
    wire::extension_uri::kAudioLevel,
    wire::extension_uri::kAbsSendTime,
    wire::extension_uri::kTransportSequence,
    wire::extension_uri::kMid,
    wire::extension_uri::kRid,
    wire::extension_uri::kRepairedRid,
    wire::extension_uri::kDependencyDescriptor,
};
/// Without REMB: transport-wide feedback is what steers the sender. A codec that does not offer it gets REMB.
constexpr std::array<std::string_view, 4> kFeedback = {"transport-cc", "ccm fir", "nack", "nack pli"};

/// What can be forwarded; null for everything that is no video codec of its own.
std::optional<CodecIdentity> identity_of(const Codec& codec) {
    const CodecIdentity identity = wire::codec_identity(codec);
    switch (identity.kind) {
        case CodecKind::vp8:
        case CodecKind::vp9:
        case CodecKind::h264:
        case CodecKind::av1:
            return identity;
        default:
            return std::nullopt;
    }
}

Codec with_our_feedback(const Codec& offered) {
    Codec codec = offered;
    codec.feedback.clear();
    for (const std::string_view what : kFeedback) {
        if (offered.has_feedback(what)) codec.feedback.emplace_back(what);
    }
    if (!offered.has_feedback("transport-cc") && offered.has_feedback("goog-remb")) {
        codec.feedback.emplace_back("goog-remb");
    }
    return codec;
}

/// The video codecs that can be forwarded, and their RTX.
std::vector<Codec> forwardable(const std::vector<Codec>& offered) {
    std::vector<Codec> kept;
    for (const Codec& codec : offered) {
        const auto apt = wire::rtx_apt(codec);
        if (apt) {
            const auto original = std::ranges::find(offered, *apt, &Codec::payload_type);
            if (original != offered.end() && identity_of(*original)) kept.push_back(codec);
        } else if (identity_of(codec)) {
            kept.push_back(with_our_feedback(codec));
        }
    }
    return kept;
}

std::vector<CodecPayload> payloads(const std::vector<Codec>& codecs) {
    std::vector<CodecPayload> list;
    for (const Codec& codec : codecs) {
        const auto identity = identity_of(codec);
        if (!identity) continue;
        const Codec* rtx = wire::find_rtx(codecs, codec.payload_type);
        list.push_back({*identity, codec.payload_type, rtx ? rtx->payload_type : std::uint8_t{0}});
    }
    return list;
}

bool has_rtx(const std::vector<CodecPayload>& codecs) {
    return std::ranges::any_of(codecs, [](const CodecPayload& codec) { return codec.rtx_payload_type != 0; });
}

std::vector<wire::HeaderExtension> accepted_extensions(const MediaDescription& offered) {
    std::vector<wire::HeaderExtension> kept;
    for (const wire::HeaderExtension& extension : offered.extensions) {
        if (std::ranges::find(kExtensions, extension.uri) == kExtensions.end()) continue;
        kept.push_back({extension.id, extension.uri, wire::reversed(extension.direction)});
    }
    return kept;
}

ExtensionIds extension_ids(const MediaDescription& offered) {
    const auto id = [&](std::string_view uri) { return offered.extension_id(uri).value_or(0); };
    return {.audio_level = id(wire::extension_uri::kAudioLevel),
            .transport_cc = id(wire::extension_uri::kTransportSequence),
            .abs_send_time = id(wire::extension_uri::kAbsSendTime),
            .mid = id(wire::extension_uri::kMid),
            .rid = id(wire::extension_uri::kRid),
            .repaired_rid = id(wire::extension_uri::kRepairedRid),
            .dependency_descriptor = id(wire::extension_uri::kDependencyDescriptor)};
}

AnswerMedia rejected_line(const MediaDescription& offered) {
    AnswerMedia line;
    line.kind = offered.kind;
    line.type = offered.type;
    line.mid = offered.mid;
    line.rejected = true;
    line.protocol = offered.protocol;
    if (!offered.formats.empty()) line.rejected_formats = offered.formats;
    return line;
}

AnswerMedia live_line(const MediaDescription& offered) {
    AnswerMedia line;
    line.kind = offered.kind;
    line.mid = offered.mid;
    line.protocol = offered.protocol;
    line.extensions = accepted_extensions(offered);
    return line;
}

core::Result<RemoteTransport> transport_of(const wire::SdpOffer& offer) {
    const auto live = std::ranges::find_if(offer.media, [](const MediaDescription& m) { return !m.rejected(); });
    if (live == offer.media.end()) return core::fail(core::ErrorKind::invalid, "the offer has no usable media line");
    if (live->ice_ufrag.empty() || live->ice_pwd.empty()) {
        return core::fail(core::ErrorKind::invalid, "the offer has no ICE credentials");
    }
    if (live->setup == "passive") {
        return core::fail(core::ErrorKind::invalid,
                          "the offer wants to be the DTLS server, but that is this side's part");
    }
    for (const wire::Fingerprint& fingerprint : live->fingerprints) {
        if (fingerprint.algorithm == "sha-256" && fingerprint.digest.size() == 32) {
            return RemoteTransport{live->ice_ufrag, live->ice_pwd, fingerprint.digest};
        }
    }
    return core::fail(core::ErrorKind::invalid, "the offer has no SHA-256 fingerprint");
}

/// RED (RFC 2198) around this payload type and no other: its fmtp lists what may be in it, as `111/111`.
bool wraps(const Codec& codec, std::uint8_t payload_type) {
    if (wire::codec_identity(codec).kind != CodecKind::red || codec.clock_rate != 48'000) return false;
    const std::string wanted = std::to_string(payload_type);
    std::string_view rest = codec.fmtp;
    do {
        const std::size_t end = std::min(rest.find('/'), rest.size());
        if (rest.substr(0, end) != wanted) return false;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    } while (!rest.empty());
    return true;
}

/// Our side of RFC 7587 section 6.1: in-band FEC is of use here, and shares may come in stereo.
void ask_of_opus(Codec& opus, bool content) {
    const auto ask = [&](std::string_view parameter) {
        if (wire::fmtp_parameter(opus.fmtp, parameter)) return;
        if (!opus.fmtp.empty()) opus.fmtp += ';';
        opus.fmtp += std::string(parameter) + "=1";
    };
    ask("useinbandfec");
    if (content) ask("stereo");
}

bool mids_are_sound(const wire::SdpOffer& offer) {
    std::set<std::string_view> mids;
    return std::ranges::all_of(offer.media,
                               [&](const MediaDescription& m) { return !m.mid.empty() && mids.insert(m.mid).second; });
}

}  // namespace

Negotiation::Negotiation(LocalTransport local, SsrcSource& ssrcs)
    : local_(std::move(local)), ssrcs_(ssrcs), audio_ssrc_(ssrcs.next()), session_id_(ssrcs.next()) {}

core::Result<Answer> Negotiation::answer(const wire::SdpOffer& offer, const Demand& demand,
                                         const MeetingSettings& settings) {
    if (offer.media.empty()) return core::fail(core::ErrorKind::invalid, "the offer has no media line");
    if (!mids_are_sound(offer)) return core::fail(core::ErrorKind::invalid, "a media line has no mid of its own");
    auto remote = transport_of(offer);
    if (!remote) return std::unexpected(std::move(remote.error()));

    Answer answer;
    answer.remote = std::move(*remote);
    wire::SdpAnswer sdp;
    std::map<std::string, LineSsrcs> lines;
    bool audio_seen = false;
    std::size_t video_lines = 0;
    std::set<std::uint32_t> decodable;
    for (const MediaDescription& offered : offer.media) {
        const std::size_t place = offered.kind == MediaKind::video ? video_lines++ : 0;
        if (offered.rejected() || offered.kind == MediaKind::other ||
            (offered.kind == MediaKind::audio && audio_seen)) {
            sdp.media.push_back(rejected_line(offered));
            continue;
        }
        if (offered.kind == MediaKind::audio) {
            audio_seen = true;
            sdp.media.push_back(audio_line(offered, demand.content, answer));
            continue;
        }
        for (const Codec& codec : offered.codecs) {
            if (const auto capability = wire::codec_capability(wire::codec_identity(codec)))
                decodable.insert(*capability);
        }
        if (place == 0) {
            sdp.media.push_back(camera_line(offered, demand, answer));
            continue;
        }
        const StreamId wanted = place < demand.receive.size() ? demand.receive[place] : 0;
        const bool subscribed = wanted != 0 && wire::receives(offered.direction) && demand.listed(wanted) &&
                                answer.downlink.subscriptions.size() < kMaxSubscriptionsPerPeer;
        const auto known = lines_.find(offered.mid);
        LineSsrcs ssrcs = known == lines_.end() ? LineSsrcs{} : known->second;
        if (subscribed && ssrcs.media == 0) ssrcs = {ssrcs_.next(), ssrcs_.next()};
        if (ssrcs.media != 0) lines[offered.mid] = ssrcs;
        sdp.media.push_back(receive_line(offered, subscribed ? wanted : 0, ssrcs, answer));
    }
    answer.decodable.assign(decodable.begin(), decodable.end());
    lines_ = std::move(lines);

    sdp.session_id = session_id_;
    sdp.session_version = ++version_;
    // A key frame's dependency descriptor is longer than a one-byte header extension can be.
    sdp.extmap_allow_mixed = std::ranges::any_of(offer.media, [](const MediaDescription& m) {
        return m.extmap_allow_mixed && m.extension_id(wire::extension_uri::kDependencyDescriptor);
    });
    sdp.ice_ufrag = local_.ice_ufrag;
    sdp.ice_pwd = local_.ice_pwd;
    sdp.fingerprint_sha256 = settings.fingerprint_sha256;
    sdp.udp_candidates = settings.udp_candidates;
    sdp.tcp_candidates = settings.tcp_candidates;
    answer.sdp = wire::write_answer(sdp);
    return answer;
}

wire::AnswerMedia Negotiation::audio_line(const MediaDescription& offered, bool content, Answer& answer) const {
    const auto opus = std::ranges::find_if(
        offered.codecs, [](const Codec& codec) { return wire::codec_identity(codec).kind == CodecKind::opus; });
    if (opus == offered.codecs.end()) return rejected_line(offered);
    AnswerMedia line = live_line(offered);
    const auto red =
        std::ranges::find_if(offered.codecs, [&](const Codec& codec) { return wraps(codec, opus->payload_type); });
    // In the client's own order: with RED in front it sends everything as RED, and adds copies when packets get lost.
    for (auto codec = offered.codecs.begin(); codec != offered.codecs.end(); ++codec) {
        if (codec != opus && codec != red) continue;
        line.codecs.push_back(*codec);
        std::erase_if(line.codecs.back().feedback, [](const std::string& what) { return what != "transport-cc"; });
        if (codec == opus) ask_of_opus(line.codecs.back(), content);
    }
    line.direction = wire::reversed(offered.direction);
    if (wire::sends(offered.direction)) {
        answer.audio = {offered.ssrcs.empty() ? 0 : offered.ssrcs.front(), opus->payload_type, extension_ids(offered),
                        red == offered.codecs.end() ? std::uint8_t{0} : red->payload_type};
    }
    if (wire::receives(offered.direction)) {
        line.msid_stream = "a_" + offered.mid;  // A track without a stream is not played.
        line.msid_track = "audio" + offered.mid;
        line.ssrc = audio_ssrc_;
        answer.downlink.audio = {audio_ssrc_, opus->payload_type, extension_ids(offered)};
    }
    return line;
}

wire::AnswerMedia Negotiation::camera_line(const MediaDescription& offered, const Demand& demand,
                                           Answer& answer) const {
    AnswerMedia line = live_line(offered);
    line.codecs = forwardable(offered.codecs);
    if (line.codecs.empty()) return rejected_line(offered);
    if (!wire::sends(offered.direction) || !demand.camera_allowed) return line;
    // Not recvonly: the client could not tell then which codec it sends.
    line.direction = wire::receives(offered.direction) ? Direction::sendrecv : Direction::recvonly;
    if (!offered.simulcast_send.empty()) line.receive_rids = offered.send_rids;
    if (!demand.camera_wanted) return line;
    answer.rids = line.receive_rids;
    VideoUplink camera;
    camera.codecs = payloads(line.codecs);
    camera.extensions = extension_ids(offered);
    if (!offered.ssrcs.empty()) {
        camera.ssrc = offered.ssrcs.front();
        camera.rtx_ssrc = offered.rtx_ssrc(camera.ssrc).value_or(0);
    }
    answer.camera = std::move(camera);
    return line;
}

wire::AnswerMedia Negotiation::receive_line(const MediaDescription& offered, StreamId stream, LineSsrcs ssrcs,
                                            Answer& answer) const {
    AnswerMedia line = live_line(offered);
    line.codecs = forwardable(offered.codecs);
    if (line.codecs.empty()) return rejected_line(offered);
    if (stream == 0) return line;
    Subscription subscription{offered.mid, stream, ssrcs.media, 0, payloads(line.codecs), extension_ids(offered), {}};
    if (has_rtx(subscription.codecs)) subscription.rtx_ssrc = ssrcs.rtx;
    line.direction = Direction::sendonly;
    line.msid_stream = "v_" + offered.mid;  // The client finds the attendee of a track by exactly this.
    line.msid_track = "video" + offered.mid;
    line.ssrc = subscription.ssrc;
    if (subscription.rtx_ssrc != 0) line.rtx_ssrc = subscription.rtx_ssrc;
    answer.downlink.subscriptions.push_back(std::move(subscription));
    return line;
}

}  // namespace media::room
