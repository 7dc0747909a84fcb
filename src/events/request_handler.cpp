#include "events/request_handler.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <utility>

#include "core/log.hpp"
#include "events/backoff.hpp"

namespace events {
namespace {

/// Tells the thread the outcome in every case: if the coroutine is cancelled, that nothing came of it.
class Verdict {
  public:
    explicit Verdict(std::shared_ptr<Handling> handling) : handling_(std::move(handling)) {}
    ~Verdict() { handling_->finish(std::move(outcome)); }
    Verdict(const Verdict&) = delete;
    Verdict& operator=(const Verdict&) = delete;

    Outcome outcome;

  private:
    std::shared_ptr<Handling> handling_;
};

/// A broken invariant: it would break again, and hold up all that come after it.
Outcome broken() {
    core::log::error("request parked", {{"why", "internal error"}});
    return {Outcome::Kind::park, "internal error"};
}

bool passes(const core::Error& error) {
    return error.kind == core::ErrorKind::unavailable || error.kind == core::ErrorKind::timeout;
}

/// What to tell the platform of a create that came to nothing, and for which appointment.
std::optional<std::string> appointment_of(const Request& request) {
    if (const auto* create = std::get_if<service::RequestedSession>(&request)) return create->appointment_id;
    if (const auto* refused = std::get_if<BadRequest>(&request)) return refused->appointment_id;
    return std::nullopt;
}

}  // namespace

RequestHandler::RequestHandler(RequestHandlerSettings settings, RequestTarget target, Pause& pause)
    : settings_(std::move(settings)), target_(std::move(target)), pause_(pause) {}

service::Task<void> RequestHandler::handle(std::shared_ptr<Handling> handling) {
    Verdict verdict(handling);
    try {
        verdict.outcome = co_await work(handling);
    } catch (const boost::system::system_error& error) {
        if (error.code() == boost::asio::error::operation_aborted) throw;
        verdict.outcome = broken();
    } catch (const std::exception&) {
        verdict.outcome = broken();
    }
}

service::Task<Outcome> RequestHandler::work(std::shared_ptr<Handling> handling) {
    core::trace::Work span(handling->trace(), "consume", core::trace::Kind::consumer);
    span.note("messaging.system", "rabbitmq");
    span.fail();
    auto request = parse_request(handling->body(), settings_.zone);
    std::visit(
        [&span](auto& wanted) {
            if constexpr (requires { wanted.trace; }) wanted.trace = span.context();
        },
        request);
    const std::string type(event_type_of(request));
    if (std::holds_alternative<UnknownRequest>(request)) {
        core::log::info("unknown request left aside", {{"event_type", type}});
        span.fail(false);
        co_return Outcome{Outcome::Kind::done, {}};
    }
    std::string reason;
    if (const auto* refused = std::get_if<BadRequest>(&request)) {
        reason = refused->reason;
    } else {
        const auto result = co_await persist(handling, attempt_of(request));
        if (!result) co_return Outcome{};
        span.fail(!*result);
        if (*result) co_return Outcome{Outcome::Kind::done, {}};
        reason = result->error().detail;
    }
    if (const auto appointment = appointment_of(request)) {
        const auto told = co_await persist(handling, [this, &appointment, &reason, &handling] {
            return target_.creation_failed(*appointment, reason, request_id_of(handling->body()));
        });
        if (!told) co_return Outcome{};
    }
    core::log::warning("request parked", {{"event_type", type}, {"why", reason}});
    co_return Outcome{Outcome::Kind::park, reason};
}

RequestHandler::Attempt RequestHandler::attempt_of(const Request& request) const {
    if (const auto* create = std::get_if<service::RequestedSession>(&request)) {
        return [this, create] { return target_.create(*create); };
    }
    if (const auto* start = std::get_if<service::RequestedStart>(&request)) {
        return [this, start] { return target_.start(*start); };
    }
    return [this, end = std::get_if<service::RequestedEnd>(&request)] { return target_.end(*end); };
}

/// Until it works or can never work; nullopt when nobody waits any more.
service::Task<std::optional<core::Result<void>>> RequestHandler::persist(std::shared_ptr<Handling> handling,
                                                                         Attempt attempt) {
    Backoff backoff(settings_.first_retry, settings_.last_retry);
    for (;;) {
        auto result = co_await attempt();
        if (result || !passes(result.error())) co_return result;
        ++retried_;
        if (handling->abandoned() || pause_.ended()) co_return std::nullopt;
        co_await pause_.sleep(backoff.next());
        if (handling->abandoned() || pause_.ended()) co_return std::nullopt;
    }
}

}  // namespace events
