// What comes in: requests by route, and the connections they come over.
#include "api/metrics_text.hpp"

namespace api {

void add_requests(Families& out, const RequestWatch& requests) {
    const auto figures = requests.figures();
    const auto labels = [](const RequestWatch::Figures& route) {
        return Labels{{"method", std::string{route.method}}, {"route", std::string{route.route}}};
    };
    out.counter("http_requests_total", "Requests that were answered, by the pattern of their route.");
    for (const auto& route : figures) {
        for (const auto& [status, count] : route.by_status) {
            auto with_status = labels(route);
            with_status.push_back({"status", status});
            out(std::move(with_status), count);
        }
    }
    out.histogram("http_request_duration_seconds", "From the end of a request to the beginning of its answer.");
    for (const auto& route : figures) out(labels(route), route.times);
    out.gauge("http_requests_in_flight", "Requests that wait for their answer.")({}, requests.under_way());
}

void add_connections(Families& out, const service::Vitals& vitals) {
    const auto& connections = vitals.connections;
    out.gauge("http_connections", "Open connections, WebSockets and streams included.")({}, connections.open);
    out.gauge("http_websockets", "Open WebSockets.")({}, connections.websockets);
    out.gauge("http_streams", "Streams of events that are being written.")({}, connections.streams);
    out.counter("http_connections_accepted_total", "Connections that were let in.")({}, connections.accepted);
    out.counter("http_connections_refused_total", "Connections turned away because all places were taken.")(
        {}, connections.turned_away);
    if (!vitals.rate_refusals.empty()) {
        out.counter("rate_limit_refusals_total", "Requests that came too often (429).");
        for (const auto& [reason, count] : vitals.rate_refusals) out({{"limit", std::string{reason}}}, count);
    }
    if (!connections.tls) return;
    out.counter("tls_handshakes_total", "TLS handshakes, by what came of them.");
    out({{"outcome", "done"}}, connections.tls_handshakes);
    out({{"outcome", "failed"}}, connections.failed_tls_handshakes);
    out.gauge("tls_certificate_not_after_seconds", "When the certificate expires, in seconds since 1970.")(
        {}, connections.certificate_until);
}

}  // namespace api
