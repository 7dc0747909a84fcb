#include "app/media_vitals.hpp"

namespace app {
namespace {

using Counts = std::vector<service::Vitals::Count>;

Counts drops_of(const media::server::MediaVitals& seen) {
    const auto& port = seen.port;
    const auto& router = seen.router;
    return {{"unknown_kind", port.unknown_kind},
            {"malformed_stun", port.malformed_stun},
            {"unknown_user", port.unknown_user},
            {"stranger", port.stranger},
            {"hasty", port.hasty},
            {"truncated", seen.udp.truncated},
            {"not_sent", seen.udp.not_sent},
            {"tcp_not_sent", seen.streams.not_sent},
            {"unknown_peer", router.dropped_unknown_peer},
            {"malformed", router.dropped_malformed},
            {"unknown_stream", router.dropped_unknown_stream},
            {"duplicate", router.dropped_duplicate},
            {"too_old", router.dropped_too_old},
            {"rtx_padding", router.dropped_rtx_padding},
            {"padding", router.dropped_padding},
            {"stale", router.dropped_stale},
            {"audio_late", router.dropped_audio_late},
            {"audio_too_fast", router.dropped_audio_too_fast},
            {"audio_muted", router.dropped_audio_muted},
            {"before_key_frame", router.dropped_before_key_frame},
            {"paused", router.dropped_paused},
            {"held", router.dropped_held},
            {"layer", router.dropped_layer},
            {"no_payload_type", router.dropped_no_payload_type},
            {"video_late", router.dropped_video_late},
            {"pacer_full", router.dropped_pacer_full},
            {"pacer_late", router.dropped_pacer_late},
            {"repair_queue", router.dropped_repair_queue},
            {"rtcp_malformed", router.rtcp_malformed}};
}

Counts repairs_of(const media::room::RouterCounters& router) {
    return {{"nack_sent", router.nacks_sent},
            {"nack_received", router.nacks_received},
            {"repaired", router.repaired},
            {"given_up", router.given_up},
            {"repeated", router.repeats_sent},
            {"repeat_unknown", router.repeats_unknown},
            {"repeat_limited", router.repeats_limited},
            {"repeat_over_budget", router.repeats_over_budget},
            {"pli_sent", router.key_frame_requests_sent},
            {"pli_received", router.key_frame_requests_received},
            {"audio_recovered", router.audio_recovered}};
}

Counts audio_of(const media::room::RouterCounters& router) {
    const auto& mixing = router.mixing;
    return {{"mixed", router.audio_mixed},   {"decoded", mixing.decoded},        {"encoded", mixing.encoded},
            {"redundant", mixing.redundant}, {"restored", mixing.restored},      {"concealed", mixing.concealed},
            {"silenced", mixing.silenced},   {"shortened", mixing.shortened},    {"lengthened", mixing.lengthened},
            {"late", mixing.late},           {"out_of_room", mixing.out_of_room}};
}

}  // namespace

service::Vitals::Media media_vitals(const media::server::MediaVitals& seen) {
    service::Vitals::Media media;
    media.here = true;
    media.meetings = seen.meetings;
    media.attendees = seen.attendees;
    media.peers = seen.peers;
    media.streams = seen.links.streams;
    media.links_dead = seen.links.dead;
    media.links_poor = seen.links.poor;
    media.links_good = seen.links.good;
    media.estimated_bits = 1000.0 * static_cast<double>(seen.links.estimated_kbps);
    media.incoming_bits = static_cast<double>(seen.links.incoming_bps);
    media.lateness_seconds = static_cast<double>(seen.behind_micros) / 1e6;
    media.hurried = seen.hurried;
    media.packets_in = seen.udp.received;
    media.packets_out = seen.udp.sent;
    media.bytes_in = seen.udp.bytes_received;
    media.bytes_out = seen.udp.bytes_queued;
    media.drops = drops_of(seen);
    media.repairs = repairs_of(seen.router);
    media.audio = audio_of(seen.router);
    return media;
}

}  // namespace app
