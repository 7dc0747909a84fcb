#include "api/request_watch.hpp"

#include <algorithm>

#include "core/log.hpp"

namespace api {
namespace {

struct OtherName {
    std::string_view route, span;
};
/// In the order of RequestWatch::Other.
constexpr std::array<OtherName, RequestWatch::kOthers> kOtherNames{{{"unmatched", "unmatched"},
                                                                    {"preflight", "OPTIONS"},
                                                                    {"/chime", "Chime SDK API"},
                                                                    {"/control", "GET /control/{}"}}};

static_assert(std::ranges::is_sorted(RequestWatch::kStatuses));

std::size_t place_of_status(unsigned status) {
    const auto& known = RequestWatch::kStatuses;
    const auto found = std::ranges::lower_bound(known, status);
    return found != known.end() && *found == status ? static_cast<std::size_t>(found - known.begin()) : 0;
}

/// A context that a client sent, or a new one, only where it leads somewhere.
core::trace::Context context_of(const net::Request& request) {
    return core::trace::incoming(request.header("traceparent"), request.header("tracestate"));
}

std::int64_t milliseconds(std::chrono::steady_clock::duration time) {
    return std::chrono::round<std::chrono::milliseconds>(time).count();
}

}  // namespace

RequestWatch::RequestWatch(std::span<const Pattern> routes, std::chrono::milliseconds slow) : slow_(slow) {
    const auto add = [this](std::string_view method, std::string_view path, std::string name) {
        auto& route = *routes_.emplace_back(std::make_unique<Route>());
        route.method = method;
        route.path = path;
        route.name = std::move(name);
    };
    for (const auto& pattern : routes) {
        add(pattern.method, pattern.path, std::string{pattern.method}.append(" ").append(pattern.path));
    }
    for (const auto& other : kOtherNames) add("any", other.route, std::string{other.span});
}

RequestWatch::Seen::Seen(RequestWatch& watch, const net::Request& request)
    : watch_(watch),
      request_(request),
      begun_(std::chrono::steady_clock::now()),
      work_(context_of(request), "request", core::trace::Kind::server),
      route_(watch.place_of(Other::unmatched)) {
    watch_.begun_.add(0);
}

RequestWatch::Seen::~Seen() {
    watch_.over_.add(0);
    auto& route = *watch_.routes_[route_];
    if (work_.recorded()) {
        work_.rename(route.name);
        work_.note("http.route", std::string{route.path});
        if (route.method != "any") work_.note("http.request.method", std::string{route.method});
        if (status_ != 0) work_.note("http.response.status_code", std::int64_t{status_});
        if (status_ == 0 || status_ >= 500) work_.fail();
    }
    if (status_ == 0) return;
    const auto time = std::chrono::steady_clock::now() - begun_;
    route.by_status.add(place_of_status(status_));
    route.times.add(time);
    if (watch_.slow_.count() > 0 && time >= watch_.slow_) tell_slow(time);
}

void RequestWatch::Seen::tell_slow(std::chrono::steady_clock::duration time) const {
    const auto& route = *watch_.routes_[route_];
    const auto ms = std::to_string(milliseconds(time));
    const std::string request_id{request_.request_id};
    if (const auto& trace = work_.context(); trace.valid()) {
        core::log::warning("slow request", {{"method", std::string{route.method}},
                                            {"route", std::string{route.path}},
                                            {"status", std::to_string(status_)},
                                            {"ms", ms},
                                            {"request_id", request_id},
                                            {"trace_id", core::trace::hex(trace.trace_id)}});
        return;
    }
    core::log::warning("slow request", {{"method", std::string{route.method}},
                                        {"route", std::string{route.path}},
                                        {"status", std::to_string(status_)},
                                        {"ms", ms},
                                        {"request_id", request_id}});
}

std::vector<RequestWatch::Figures> RequestWatch::figures() const {
    std::vector<Figures> all;
    for (const auto& route : routes_) {
        Figures figures{route->method, route->path, {}, route->times.sums()};
        for (std::size_t i = 0; i < kStatuses.size(); ++i) {
            const auto count = route->by_status.sum(i);
            if (count > 0) figures.by_status.emplace_back(i == 0 ? "other" : std::to_string(kStatuses[i]), count);
        }
        if (!figures.by_status.empty()) all.push_back(std::move(figures));
    }
    return all;
}

std::uint64_t RequestWatch::under_way() const {
    // In this order, so that what begins or ends meanwhile is not counted as less than nothing.
    const auto over = over_.sum(0);
    const auto begun = begun_.sum(0);
    return begun > over ? begun - over : 0;
}

namespace {

boost::asio::awaitable<net::Response> watch_one(RequestWatch& watch, RequestWatch::Other as,
                                                const net::Handler& handler, const net::Request& request) {
    RequestWatch::Seen seen(watch, request);
    seen.is(as);
    auto response = co_await handler(request);
    seen.answered(response.status);
    co_return response;
}

}  // namespace

net::Handler watched(RequestWatch& watch, RequestWatch::Other as, net::Handler handler) {
    // The handler itself is kept by whoever holds this one, and that outlives its requests.
    return [&watch, as, handler = std::make_shared<const net::Handler>(std::move(handler))](
               const net::Request& request) { return watch_one(watch, as, *handler, request); };
}

}  // namespace api
