#include "janus_participant.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <exception>

#include "core/bytes.hpp"
#include "media/wire/rtp_extensions.hpp"

namespace bench {

namespace json = boost::json;
namespace wire = media::wire;

namespace {

constexpr Nanos kKeepAlive = 20 * kSecond;

std::uint32_t ssrc_of(std::uint32_t client) {
    return 0x10000000 + client * 16;
}

std::uint64_t number(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value ? value->to_number<std::uint64_t>() : 0;
}

}  // namespace

JanusParticipant::JanusParticipant(const Stage& stage, std::uint32_t client, const std::string& url,
                                   const std::string& room, std::size_t others)
    : up_(stage.port, stage.identity, client, stage.window, up_events_),
      down_(stage.port, stage.identity, client + 1, stage.window, down_events_),
      sender_(stage.audio, stage.video, core::random_u32()),
      receiver_(stage.sampling),
      room_(std::stoull(room)),
      others_(others),
      down_candidate_(stage.port.name_of(client + 1)),
      socket_(WebSocketUrl::parse(url), "janus-protocol",
              {.opened = [this] { say({{"janus", "create"}}, "create", 0); },
               .message = [this](std::string_view message) { on_message(message); },
               .closed = [this] { trouble_ = "the connection to Janus is over"; }}) {
    offer_.local = {up_.ice().ufrag(), up_.ice().password(), stage.identity.fingerprint(), stage.video.codec,
                    stage.port.name_of(client)};
    offer_.audio_ssrc = ssrc_of(client);
    offer_.video_ssrc = ssrc_of(client) + 1;
    offer_.send_only = true;
}

void JanusParticipant::say(json::object message, std::string_view transaction, std::uint64_t handle) {
    message["transaction"] = transaction;
    if (session_ != 0) message["session_id"] = session_;
    if (handle != 0) message["handle_id"] = handle;
    socket_.send_text(json::serialize(message));
}

void JanusParticipant::on_message(std::string_view text) {
    try {
        const json::object message = json::parse(text).as_object();
        const std::string_view kind = message.at("janus").as_string();
        if (kind == "success") {
            const json::value* transaction = message.if_contains("transaction");
            on_success(transaction ? std::string_view(transaction->as_string()) : "",
                       number(message.at("data").as_object(), "id"));
        } else if (kind == "error" || kind == "hangup" || kind == "timeout") {
            trouble_ = "Janus says " + std::string(text.substr(0, 200));
        } else if (kind == "event") {
            const json::value* jsep = message.if_contains("jsep");
            on_event(message.at("plugindata").at("data").as_object(),
                     jsep ? std::string(jsep->at("sdp").as_string()) : std::string());
        }
    } catch (const std::exception& e) {
        trouble_ = e.what();
    }
}

void JanusParticipant::on_success(std::string_view transaction, std::uint64_t id) {
    const json::object attach = {{"janus", "attach"}, {"plugin", "janus.plugin.videoroom"}};
    if (transaction == "create") {
        session_ = id;
        next_keep_alive_ = now() + kKeepAlive;
        say(attach, "publisher", 0);
    } else if (transaction == "publisher") {
        publisher_ = id;
        publish();
    } else if (transaction == "subscriber") {
        subscriber_ = id;
        json::array streams;
        for (const std::uint64_t feed : feeds_) streams.push_back(json::object{{"feed", feed}});
        say({{"janus", "message"},
             {"body", json::object{{"request", "join"},
                                   {"ptype", "subscriber"},
                                   {"room", room_},
                                   {"private_id", private_id_},
                                   {"streams", streams}}}},
            "join", subscriber_);
    }
}

void JanusParticipant::publish() {
    say({{"janus", "message"},
         {"body",
          json::object{{"request", "joinandconfigure"}, {"ptype", "publisher"}, {"room", room_}, {"display", "bench"}}},
         {"jsep", json::object{{"type", "offer"}, {"sdp", write_offer(offer_)}}}},
        "publish", publisher_);
}

void JanusParticipant::on_event(const json::object& data, const std::string& sdp) {
    if (const json::value* error = data.if_contains("error")) {
        trouble_ = "Janus says " + json::serialize(*error);
        return;
    }
    const std::string_view what = data.at("videoroom").as_string();
    if (what == "joined") private_id_ = number(data, "private_id");
    if (what == "joined" || what == "event") {
        add_publishers(data);
        if (!sdp.empty()) on_publisher_answer(sdp);
        subscribe();
    } else if ((what == "attached" || what == "updated") && !sdp.empty()) {
        on_subscriber_offer(sdp);
    }
}

void JanusParticipant::add_publishers(const json::object& data) {
    const json::value* publishers = data.if_contains("publishers");
    if (!publishers) return;
    for (const json::value& each : publishers->as_array()) {
        const std::uint64_t id = number(each.as_object(), "id");
        if (std::ranges::find(feeds_, id) == feeds_.end()) feeds_.push_back(id);
    }
}

void JanusParticipant::subscribe() {
    if (subscribing_ || feeds_.size() < others_ || others_ == 0) return;
    subscribing_ = true;
    say({{"janus", "attach"}, {"plugin", "janus.plugin.videoroom"}}, "subscriber", 0);
}

void JanusParticipant::on_publisher_answer(const std::string& sdp) {
    const auto answer = wire::parse_sdp(sdp);
    if (!answer || answer->media.size() < 2) {
        trouble_ = "Janus's answer cannot be read";
        return;
    }
    const wire::MediaDescription& audio = answer->media[0];
    sender_.set_plan(
        {.audio_ssrc = offer_.audio_ssrc,
         .video_ssrc = offer_.video_ssrc,
         .audio_payload_type = payload_type_of(audio, "opus"),
         .video_payload_type = payload_type_of(answer->media[1], offer_.local.codec),
         .audio_level_id = audio.extension_id(wire::extension_uri::kAudioLevel).value_or(0),
         .transport_cc_id = answer->media[1].extension_id(wire::extension_uri::kTransportSequence).value_or(0)});
    if (sender_.plan().video_payload_type == 0) trouble_ = "Janus does not take the video codec";
    const Candidate candidate = find_candidate(sdp);
    up_.start(audio.ice_ufrag, audio.ice_pwd, candidate.address, candidate.port);
}

void JanusParticipant::on_subscriber_offer(const std::string& sdp) {
    const auto offer = wire::parse_sdp(sdp);
    if (!offer || offer->media.empty()) {
        trouble_ = "Janus's offer cannot be read";
        return;
    }
    std::vector<ReceivedStream> streams;
    std::uint8_t transport_cc = 0;
    for (const wire::MediaDescription& line : offer->media) {
        if (!wire::sends(line.direction) || line.ssrcs.empty()) continue;
        const bool video = line.kind == wire::MediaKind::video;
        streams.push_back({line.ssrcs.front(), line.rtx_ssrc(line.ssrcs.front()).value_or(0), video});
        if (video) transport_cc = line.extension_id(wire::extension_uri::kTransportSequence).value_or(0);
    }
    receiver_.set_streams(streams, ssrc_of(down_.client()), transport_cc);
    const LocalSide local{down_.ice().ufrag(), down_.ice().password(), offer_.local.fingerprint, offer_.local.codec,
                          down_candidate_};
    say({{"janus", "message"},
         {"body", json::object{{"request", "start"}, {"room", room_}}},
         {"jsep", json::object{{"type", "answer"}, {"sdp", write_answer(local, *offer)}}}},
        "start", subscriber_);
    const Candidate candidate = find_candidate(sdp);
    down_.start(offer->media[0].ice_ufrag, offer->media[0].ice_pwd, candidate.address, candidate.port);
    subscribed_ = true;
}

void JanusParticipant::Up::on_rtcp(core::BytesView compound, Nanos) {
    wire::RtcpReader reader(compound);
    while (const auto view = reader.next()) of.sender_.on_feedback(*view, of.up_.window());
}

void JanusParticipant::Down::on_rtcp(core::BytesView compound, Nanos arrived) {
    wire::RtcpReader reader(compound);
    while (const auto view = reader.next()) {
        const auto report =
            view->type == wire::rtcp_type::kSenderReport ? wire::RtcpReport::parse(*view) : std::nullopt;
        const auto info = report ? report->sender_info() : std::nullopt;
        if (info) of.receiver_.on_sender_report(report->sender_ssrc(), info->ntp, arrived);
    }
}

void JanusParticipant::beat(Nanos now) {
    up_.tick(now);
    down_.tick(now);
    if (socket_.open() && session_ != 0 && now >= next_keep_alive_) {
        next_keep_alive_ = now + kKeepAlive;
        say({{"janus", "keepalive"}}, "alive", 0);
    }
    if (up_.media_ready()) sender_.beat(now, up_);
    if (down_.media_ready()) receiver_.beat(now, down_);
    if (now >= next_report_) report(now);
}

void JanusParticipant::report(Nanos now) {
    next_report_ = now + (next_report_ == 0 ? kSecond * (up_.client() % 16) / 16 : kSecond);
    std::array<std::uint8_t, 1200> room;
    wire::RtcpWriter sent(room);
    sender_.report(sent, now);
    up_.send_rtcp(sent.written());
    if (!down_.media_ready()) return;
    wire::RtcpWriter received(room);
    receiver_.report(received, now);
    down_.send_rtcp(received.written());
}

void JanusParticipant::leave() {
    up_.close();
    down_.close();
    if (session_ != 0) say({{"janus", "destroy"}}, "destroy", 0);
    socket_.close();
}

}  // namespace bench
