#include "api/rate_gate.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "api/responses.hpp"
#include "net/address_ranges.hpp"

namespace api {
namespace {

using std::chrono::ceil;
using std::chrono::seconds;

Micros now() {
    return std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now().time_since_epoch());
}

/// Whether the address is a client's. A trusted proxy that names none stands for everybody behind it.
bool is_known_address(const net::Request& request) {
    if (!request.proxies) return true;
    const auto address = net::parse_address(request.remote_address);
    return !address || !request.proxies->contains(*address);
}

std::optional<RateStanding> spend_address(RateLimits& limits, RateKind kind, const net::Request& request) {
    if (!is_known_address(request)) return {};
    return limits.spend_address(kind, request.remote_address, now());
}

RateKind kind_of(RateClass rate_class, std::string_view method) {
    switch (rate_class) {
        case RateClass::join:
            return RateKind::join;
        case RateClass::refresh:
            return RateKind::refresh;
        case RateClass::by_method:
        case RateClass::link:
        case RateClass::unlimited:
            break;
    }
    return method == "GET" ? RateKind::read : RateKind::write;
}

/// `"read";q=300;w=60` and `"read";r=299;t=1`: quota and window; what remains, and when all of it is there again.
void add_fields(net::Response& response, const RateStanding& standing) {
    const auto name = std::string{"\""}.append(to_text(standing.kind)).append("\"");
    const auto window = std::chrono::duration_cast<seconds>(standing.policy.window).count();
    const auto refilled = ceil<seconds>(std::max(standing.spending.full_at - now(), Micros{0})).count();
    response.headers.emplace_back(
        "RateLimit-Policy", name + ";q=" + std::to_string(standing.policy.quota) + ";w=" + std::to_string(window));
    response.headers.emplace_back(
        "RateLimit", name + ";r=" + std::to_string(standing.spending.remaining) + ";t=" + std::to_string(refilled));
}

net::Response too_many(const RateStanding& standing) {
    auto response = refusal(429, "Too many requests, please wait a moment");
    const auto wait = std::max(ceil<seconds>(standing.spending.wait), seconds{1});
    response.headers.emplace_back("Retry-After", std::to_string(wait.count()));
    add_fields(response, standing);
    return response;
}

std::optional<net::Response> answer_if_over(const std::optional<RateStanding>& standing) {
    if (!standing || standing->spending.allowed) return {};
    return too_many(*standing);
}

}  // namespace

std::optional<net::Response> turn_away_stranger(RateLimits* limits, const net::Request& request) {
    if (!limits) return {};
    if (auto over = answer_if_over(spend_address(*limits, RateKind::address, request))) return over;
    return answer_if_over(spend_address(*limits, RateKind::anonymous, request));
}

std::optional<net::Response> turn_away_guesser(RateLimits* limits, const net::Request& request) {
    if (!limits) return {};
    return answer_if_over(spend_address(*limits, RateKind::failed, request));
}

Admission::Admission(RateLimits* limits, const net::Request& request, RateClass rate_class, std::string_view user_id) {
    if (!limits || rate_class == RateClass::unlimited) return;
    const auto address = spend_address(*limits, RateKind::address, request);
    standing_ = address && !address->spending.allowed
                    ? address
                    : limits->spend_user(kind_of(rate_class, request.method), user_id, now());
}

std::optional<net::Response> Admission::refusal() const {
    return answer_if_over(standing_);
}

void Admission::describe(net::Response& response) const {
    if (standing_) add_fields(response, *standing_);
}

}  // namespace api
