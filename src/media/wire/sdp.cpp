#include "media/wire/sdp.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

#include "media/wire/sdp_text.hpp"

namespace media::wire {

namespace {

using detail::is_ice_char;
using detail::is_token_char;
using detail::take_until;
using detail::take_word;
using detail::to_number;

constexpr std::size_t kMaxFeedbackPerCodec = 12;
constexpr std::size_t kMaxFeedbackText = 64;
constexpr std::size_t kMaxFmtp = 1024;
constexpr std::size_t kMaxGroups = 16;
constexpr std::size_t kMaxSsrcsInGroup = 8;
constexpr std::size_t kMaxFingerprints = 4;
constexpr std::size_t kMaxDigest = 64;
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxMsid = 256;

/// What a line did: null when all is well, else what was wrong with it.
using Complaint = std::optional<std::string_view>;
constexpr Complaint kFine = std::nullopt;

std::optional<Direction> to_direction(std::string_view text) {
    for (const Direction d : {Direction::sendrecv, Direction::sendonly, Direction::recvonly, Direction::inactive}) {
        if (direction_name(d) == text) return d;
    }
    return std::nullopt;
}

/// RFC 3551 table 4: payload types that need no rtpmap.
void name_static_codec(Codec& codec) {
    if (!codec.name.empty()) return;
    switch (codec.payload_type) {
        case 0:
            codec.name = "PCMU";
            break;
        case 8:
            codec.name = "PCMA";
            break;
        case 9:
            codec.name = "G722";
            break;
        case 13:
            codec.name = "CN";
            break;
        default:
            return;
    }
    codec.clock_rate = 8000;
}

std::optional<core::Bytes> to_digest(std::string_view text) {
    core::Bytes digest;
    while (!text.empty()) {
        const auto pair = take_until(text, ':');
        std::uint8_t byte = 0;
        const auto [end, error] = std::from_chars(pair.data(), pair.data() + pair.size(), byte, 16);
        if (pair.size() != 2 || error != std::errc{} || end != pair.data() + 2 || digest.size() == kMaxDigest)
            return std::nullopt;
        digest.push_back(byte);
    }
    return digest;
}

template <class Range, class Value, class Projection = std::identity>
bool contains(const Range& range, const Value& value, Projection projection = {}) {
    return std::ranges::find(range, value, projection) != std::ranges::end(range);
}

class Parser {
  public:
    core::Result<SdpOffer> run(std::string_view text) {
        if (text.size() > kMaxSdpSize) return core::fail(core::ErrorKind::invalid, "SDP is too large");
        while (!text.empty()) {
            ++line_;
            auto line = take_until(text, '\n');
            if (line.ends_with('\r')) line.remove_suffix(1);
            if (const Complaint complaint = read_line(line)) return refuse(*complaint);
        }
        if (offer_.media.empty()) return core::fail(core::ErrorKind::invalid, "SDP has no media line");
        if (const Complaint complaint = complete())
            return core::fail(core::ErrorKind::invalid, std::string(*complaint));
        return std::move(offer_);
    }

  private:
    std::unexpected<core::Error> refuse(std::string_view complaint) const {
        return core::fail(core::ErrorKind::invalid,
                          "SDP line " + std::to_string(line_) + ": " + std::string(complaint));
    }

    Complaint read_line(std::string_view line) {
        if (line_ > kMaxSdpLines) return "too many lines";
        if (line.size() > kMaxSdpLine) return "line is too long";
        if (std::ranges::any_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
            return "control character";
        if (line_ == 1) return line == "v=0" ? kFine : Complaint("not version 0");
        if (line.empty()) return kFine;
        if (line.size() < 2 || line[1] != '=') return "not of the form x=value";
        const auto value = line.substr(2);
        switch (line[0]) {
            case 'o':
                return read_origin(value);
            case 'c':
                return read_connection(value);
            case 'm':
                return read_media(value);
            case 'a':
                return read_attribute(value);
            default:
                return kFine;
        }
    }

    Complaint read_origin(std::string_view value) {
        take_word(value);
        const auto id = to_number<std::uint64_t>(take_word(value));
        const auto version = to_number<std::uint64_t>(take_word(value));
        if (!id || !version) return "origin without numbers";
        offer_.session_id = *id;
        offer_.session_version = *version;
        return kFine;
    }

    Complaint read_connection(std::string_view value) {
        take_word(value);
        take_word(value);
        const auto address = take_word(value);
        if (address.empty() || address.size() > kMaxMsid) return "connection without address";
        here().connection_address = address;
        return kFine;
    }

    Complaint read_media(std::string_view value) {
        if (offer_.media.size() == kMaxMediaLines) return "too many media lines";
        MediaDescription media;
        media.type = take_word(value);
        media.kind = media.type == "audio"   ? MediaKind::audio
                     : media.type == "video" ? MediaKind::video
                                             : MediaKind::other;
        auto ports = take_word(value);
        const auto port = to_number<std::uint16_t>(take_until(ports, '/'));
        media.protocol = take_word(value);
        media.formats = value;
        if (media.type.empty() || media.type.size() > kMaxName || !port || media.protocol.empty() ||
            media.protocol.size() > kMaxName || media.formats.empty())
            return "incomplete media line";
        media.port = *port;
        media.direction = session_.direction;
        if (media.protocol.find("RTP/") != std::string::npos) {
            for (auto format = take_word(value); !format.empty(); format = take_word(value)) {
                const auto type = to_number<std::uint8_t>(format);
                if (!type || *type > 127) return "payload type is no number up to 127";
                if (media.codecs.size() == kMaxCodecsPerLine) return "too many payload types";
                if (contains(media.codecs, *type, &Codec::payload_type)) return "repeated payload type";
                media.codecs.push_back({.payload_type = *type});
            }
        }
        offer_.media.push_back(std::move(media));
        in_session_ = false;
        return kFine;
    }

    Complaint read_attribute(std::string_view value) {
        const auto name = take_until(value, ':');
        if (const auto direction = to_direction(name)) {
            here().direction = *direction;
            return kFine;
        }
        using Reader = Complaint (Parser::*)(std::string_view);
        struct Attribute {
            std::string_view name;
            Reader read;
        };
        static constexpr Attribute kAttributes[] = {
            {"group", &Parser::read_group},
            {"mid", &Parser::read_mid},
            {"msid", &Parser::read_msid},
            {"rtpmap", &Parser::read_rtpmap},
            {"fmtp", &Parser::read_fmtp},
            {"rtcp-fb", &Parser::read_feedback},
            {"extmap", &Parser::read_extmap},
            {"extmap-allow-mixed", &Parser::read_allow_mixed},
            {"ssrc", &Parser::read_ssrc},
            {"ssrc-group", &Parser::read_ssrc_group},
            {"rid", &Parser::read_rid},
            {"simulcast", &Parser::read_simulcast},
            {"ice-ufrag", &Parser::read_ice_ufrag},
            {"ice-pwd", &Parser::read_ice_pwd},
            {"ice-lite", &Parser::read_ice_lite},
            {"fingerprint", &Parser::read_fingerprint},
            {"setup", &Parser::read_setup},
            {"bundle-only", &Parser::read_bundle_only},
            {"rtcp-mux", &Parser::read_rtcp_mux},
            {"rtcp-rsize", &Parser::read_rtcp_rsize},
        };
        const auto found = std::ranges::find(kAttributes, name, &Attribute::name);
        return found == std::end(kAttributes) ? kFine : (this->*found->read)(value);
    }

    Complaint read_group(std::string_view value) {
        if (take_word(value) != "BUNDLE" || !offer_.bundle.empty()) return kFine;
        for (auto mid = take_word(value); !mid.empty(); mid = take_word(value)) {
            if (offer_.bundle.size() == kMaxMediaLines) return "too many mids in the bundle";
            offer_.bundle.emplace_back(mid);
        }
        return kFine;
    }

    Complaint read_mid(std::string_view value) {
        if (value.empty() || value.size() > kMaxName || !std::ranges::all_of(value, is_token_char))
            return "mid is no token";
        if (in_session_) return "mid outside a media line";
        if (contains(offer_.media, value, &MediaDescription::mid)) return "repeated mid";
        here().mid = value;
        return kFine;
    }

    Complaint read_msid(std::string_view value) {
        if (value.size() > kMaxMsid) return "msid is too long";
        if (in_session_ || !here().msid_stream.empty()) return kFine;
        here().msid_stream = take_word(value);
        here().msid_track = take_word(value);
        return kFine;
    }

    /// The codec of a payload type at the front of `value`, which is taken off; null for one the line does not list.
    Codec* take_codec(std::string_view& value) {
        const auto type = to_number<std::uint8_t>(take_word(value));
        if (!type) return nullptr;
        const auto found = std::ranges::find(here().codecs, *type, &Codec::payload_type);
        return found == here().codecs.end() ? nullptr : &*found;
    }

    Complaint read_rtpmap(std::string_view value) {
        Codec* const codec = take_codec(value);
        if (codec == nullptr) return kFine;
        const auto name = take_until(value, '/');
        const auto rate = to_number<std::uint32_t>(take_until(value, '/'));
        if (name.empty() || name.size() > kMaxName || !std::ranges::all_of(name, is_token_char) || !rate || *rate == 0)
            return "rtpmap without codec or clock rate";
        codec->name = name;
        codec->clock_rate = *rate;
        if (!value.empty()) {
            const auto channels = to_number<std::uint8_t>(value);
            if (!channels || *channels == 0) return "rtpmap with a wrong channel count";
            codec->channels = *channels;
        }
        return kFine;
    }

    Complaint read_fmtp(std::string_view value) {
        Codec* const codec = take_codec(value);
        if (codec == nullptr) return kFine;
        if (value.size() > kMaxFmtp) return "fmtp is too long";
        codec->fmtp = value;
        return kFine;
    }

    Complaint read_feedback(std::string_view value) {
        const auto add = [](Codec& codec, std::string_view what) {
            if (what.size() <= kMaxFeedbackText && codec.feedback.size() < kMaxFeedbackPerCodec &&
                !codec.has_feedback(what))
                codec.feedback.emplace_back(what);
        };
        if (value.starts_with("* ")) {
            for (Codec& codec : here().codecs) add(codec, value.substr(2));
        } else if (Codec* const codec = take_codec(value)) {
            add(*codec, value);
        }
        return kFine;
    }

    Complaint read_extmap(std::string_view value) {
        auto head = take_word(value);
        const auto id = to_number<std::uint16_t>(take_until(head, '/'));
        const auto uri = take_word(value);
        const auto direction = head.empty() ? Direction::sendrecv : to_direction(head);
        if (!id || *id == 0 || uri.empty() || uri.size() > kMaxMsid || !direction) return "extmap cannot be read";
        if (*id > 255) return kFine;  // RFC 8285 section 6: only a placeholder while there are too few ids.
        auto& extensions = here().extensions;
        if (extensions.size() == kMaxExtensionsPerLine) return "too many header extensions";
        if (contains(extensions, static_cast<std::uint8_t>(*id), &HeaderExtension::id))
            return "repeated header extension id";
        extensions.push_back({.id = static_cast<std::uint8_t>(*id), .uri = std::string(uri), .direction = *direction});
        return kFine;
    }

    Complaint read_allow_mixed(std::string_view) {
        here().extmap_allow_mixed = true;
        return kFine;
    }

    Complaint read_ssrc(std::string_view value) {
        const auto ssrc = to_number<std::uint32_t>(take_word(value));
        if (!ssrc) return "ssrc is no number";
        auto& media = here();
        if (!contains(media.ssrcs, *ssrc)) {
            if (media.ssrcs.size() == kMaxSsrcsPerLine) return "too many ssrcs";
            media.ssrcs.push_back(*ssrc);
        }
        if (media.cname.empty() && take_until(value, ':') == "cname" && value.size() <= 255) media.cname = value;
        return kFine;
    }

    Complaint read_ssrc_group(std::string_view value) {
        auto& groups = here().ssrc_groups;
        if (groups.size() == kMaxGroups) return "too many ssrc groups";
        SsrcGroup group{.semantics = std::string(take_word(value)), .ssrcs = {}};
        for (auto word = take_word(value); !word.empty(); word = take_word(value)) {
            const auto ssrc = to_number<std::uint32_t>(word);
            if (!ssrc || group.ssrcs.size() == kMaxSsrcsInGroup) return "ssrc group cannot be read";
            group.ssrcs.push_back(*ssrc);
        }
        groups.push_back(std::move(group));
        return kFine;
    }

    Complaint read_rid(std::string_view value) {
        const auto rid = take_word(value);
        const auto direction = take_word(value);
        if (rid.empty() || rid.size() > kMaxName || !std::ranges::all_of(rid, is_token_char)) return "rid is no token";
        if (direction != "send" && direction != "recv") return "rid without direction";
        auto& rids = direction == "send" ? here().send_rids : here().receive_rids;
        if (rids.size() == kMaxRidsPerLine) return "too many rids";
        rids.emplace_back(rid);
        return kFine;
    }

    Complaint read_simulcast(std::string_view value) {
        auto& streams = here().simulcast_send;
        for (auto direction = take_word(value); !direction.empty(); direction = take_word(value)) {
            auto list = take_word(value);
            if (direction != "send") continue;
            while (!list.empty()) {
                auto alternatives = take_until(list, ';');
                auto rid = take_until(alternatives, ',');
                const bool paused = rid.starts_with('~');
                if (paused) rid.remove_prefix(1);
                if (rid.empty() || streams.size() == kMaxRidsPerLine) return "simulcast cannot be read";
                streams.push_back({.rid = std::string(rid), .paused = paused});
            }
        }
        return kFine;
    }

    Complaint read_ice_ufrag(std::string_view value) {
        if (value.size() < 4 || value.size() > 256 || !std::ranges::all_of(value, is_ice_char))
            return "ice-ufrag is not 4 to 256 ice characters";
        here().ice_ufrag = value;
        return kFine;
    }

    Complaint read_ice_pwd(std::string_view value) {
        if (value.size() < 22 || value.size() > 256 || !std::ranges::all_of(value, is_ice_char))
            return "ice-pwd is not 22 to 256 ice characters";
        here().ice_pwd = value;
        return kFine;
    }

    Complaint read_ice_lite(std::string_view) {
        offer_.ice_lite = true;
        return kFine;
    }

    Complaint read_fingerprint(std::string_view value) {
        auto& fingerprints = here().fingerprints;
        if (fingerprints.size() == kMaxFingerprints) return "too many fingerprints";
        std::string algorithm(take_word(value));
        std::ranges::transform(algorithm, algorithm.begin(),
                               [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        auto digest = to_digest(take_word(value));
        if (algorithm.empty() || algorithm.size() > kMaxName || !digest || digest->empty())
            return "fingerprint cannot be read";
        fingerprints.push_back({.algorithm = std::move(algorithm), .digest = std::move(*digest)});
        return kFine;
    }

    Complaint read_setup(std::string_view value) {
        if (value != "actpass" && value != "active" && value != "passive" && value != "holdconn")
            return "unknown setup role";
        here().setup = value;
        return kFine;
    }

    Complaint read_bundle_only(std::string_view) {
        here().bundle_only = true;
        return kFine;
    }
    Complaint read_rtcp_mux(std::string_view) {
        here().rtcp_mux = true;
        return kFine;
    }
    Complaint read_rtcp_rsize(std::string_view) {
        here().rtcp_rsize = true;
        return kFine;
    }

    /// What the lines leave to the session, and what must not be missing.
    Complaint complete() {
        offer_.extmap_allow_mixed = session_.extmap_allow_mixed;
        for (MediaDescription& media : offer_.media) {
            if (media.mid.empty() && !media.rejected()) return "SDP has a media line without mid";
            if (media.connection_address.empty()) media.connection_address = session_.connection_address;
            if (media.ice_ufrag.empty() && media.ice_pwd.empty()) {
                media.ice_ufrag = session_.ice_ufrag;
                media.ice_pwd = session_.ice_pwd;
            }
            if (media.fingerprints.empty()) media.fingerprints = session_.fingerprints;
            if (media.setup.empty()) media.setup = session_.setup;
            media.extmap_allow_mixed = media.extmap_allow_mixed || session_.extmap_allow_mixed;
            std::ranges::for_each(media.codecs, name_static_codec);
        }
        return kFine;
    }

    /// Where an attribute belongs: the current media line, or the session before the first one.
    MediaDescription& here() { return in_session_ ? session_ : offer_.media.back(); }

    SdpOffer offer_;
    MediaDescription session_;
    bool in_session_ = true;
    std::size_t line_ = 0;
};

}  // namespace

std::string_view direction_name(Direction direction) {
    switch (direction) {
        case Direction::sendrecv:
            return "sendrecv";
        case Direction::sendonly:
            return "sendonly";
        case Direction::recvonly:
            return "recvonly";
        case Direction::inactive:
            break;
    }
    return "inactive";
}

Direction reversed(Direction direction) {
    if (direction == Direction::sendonly) return Direction::recvonly;
    if (direction == Direction::recvonly) return Direction::sendonly;
    return direction;
}

std::optional<std::uint8_t> MediaDescription::extension_id(std::string_view uri) const {
    const auto found = std::ranges::find(extensions, uri, &HeaderExtension::uri);
    return found == extensions.end() ? std::nullopt : std::optional(found->id);
}

std::optional<std::uint32_t> MediaDescription::rtx_ssrc(std::uint32_t media_ssrc) const {
    for (const SsrcGroup& group : ssrc_groups) {
        if (group.semantics == "FID" && group.ssrcs.size() == 2 && group.ssrcs[0] == media_ssrc) return group.ssrcs[1];
    }
    return std::nullopt;
}

core::Result<SdpOffer> parse_sdp(std::string_view text) {
    return Parser().run(text);
}

}  // namespace media::wire
