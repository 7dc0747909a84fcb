// The meeting server.
#include "api/metrics_text.hpp"

namespace api {
namespace {

void add_counts(Families& out, const char* label, const std::vector<service::Vitals::Count>& counts) {
    for (const auto& [reason, count] : counts) out({{label, std::string{reason}}}, count);
}

}  // namespace

void add_media(Families& out, const service::Vitals::Media& media) {
    if (!media.here) return;
    out.gauge("media_meetings", "Meetings with somebody in them.")({}, media.meetings);
    out.gauge("media_attendees", "People in them, content shares left out.")({}, media.attendees);
    out.gauge("media_peers", "Transports for audio and video, content shares included.")({}, media.peers);
    out.gauge("media_streams", "Published streams whose packets come.")({}, media.streams);
    out.gauge("media_links", "Links to people by their strength, as people see it.");
    out({{"strength", "none"}}, media.links_dead);
    out({{"strength", "poor"}}, media.links_poor);
    out({{"strength", "good"}}, media.links_good);
    out.gauge("media_estimated_bandwidth_bytes_per_second", "What all links down that were measured carry, estimated.")(
        {}, media.estimated_bits / 8);
    out.gauge("media_published_bytes_per_second", "Of all published streams together.")({}, media.incoming_bits / 8);
    out.counter("media_packets_total", "Datagrams over UDP.");
    out({{"direction", "in"}}, media.packets_in);
    out({{"direction", "out"}}, media.packets_out);
    out.counter("media_bytes_total", "Bytes over UDP, without headers of IP and UDP.");
    out({{"direction", "in"}}, media.bytes_in);
    out({{"direction", "out"}}, media.bytes_out);
    out.counter("media_drops_total", "Packets thrown away, by reason.");
    add_counts(out, "reason", media.drops);
    out.counter("media_repairs_total", "What lost packets have led to: packets asked for, repeated, found, given up.");
    add_counts(out, "event", media.repairs);
    out.counter("media_mixer_total", "What mixers did with the voices of meetings of three and more.");
    add_counts(out, "event", media.audio);
    out.gauge("media_lateness_seconds", "The longest that a packet has waited for a media thread in the last minute.")(
        {}, media.lateness_seconds);
    out.counter("media_hurried_total",
                "Looks at a socket that found a media thread behind; repeats are left out then.")({}, media.hurried);
}

}  // namespace api
