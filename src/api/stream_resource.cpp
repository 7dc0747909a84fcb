// What happens in a session, told while it happens: server-sent events (HTML standard, section 9.2).
//
// A stream keeps nothing back for its client. It knows up to which row of the audit trail it has told, and reads on
// from there when it is woken and its client has taken what came before.
#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "api/authorization.hpp"
#include "api/json_text.hpp"
#include "api/resource.hpp"
#include "consultation/news.hpp"
#include "service/session_watch.hpp"

namespace api {
namespace {

using consultation::Happening;
using consultation::Session;
using service::Task;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kHeartbeat{15};
/// How soon a token that has run out, or a store that is back, is noticed.
constexpr milliseconds kTick{1000};
constexpr int kPage = 100;
constexpr std::size_t kLongestEventId = 64;

/// One client's stream; shared by the response and the coroutine that writes it.
struct Telling {
    const Site& site;
    service::Caller caller;
    std::string token;
    std::string session_id;
    std::unique_ptr<service::SessionWatch::Seat> seat;
    std::int64_t told = 0;     ///< The sequence of the last row that was told.
    std::string opening{};     ///< The first event.
    bool is_behind = true;     ///< There may be rows behind `told`.
    bool seen_closed = false;  ///< The session.
    bool is_over = false;      ///< It is closed, and all has been told.
};

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\n");
}

void append_event(std::string& out, std::string_view type, std::string_view id, std::string_view data) {
    append_field(out, "event", type);
    if (!id.empty()) append_field(out, "id", id);
    append_field(out, "data", data);
    out += '\n';
}

/// The session as it is; with the id that news after it are asked for by.
std::string state_event(const Session& session, const service::Caller& viewer, std::string_view id, core::Time now) {
    std::string data;
    {
        JsonObject object{data};
        object("type", "state")("status", to_text(session.status));
        object("scheduled_start_time", session.scheduled_start_time)("scheduled_end_time", session.scheduled_end_time);
        auto& present = object.key("present");
        present += '[';
        for (const auto& attendee : session.attendees) {
            if (!attendee.present()) continue;
            if (!present.ends_with('[')) present += ',';
            JsonObject{present}("user_id", attendee.user_id)("role", to_text(attendee.role));
        }
        present += ']';
        const auto own = std::ranges::find(session.attendees, viewer.user_id, &consultation::Attendee::user_id);
        object("door", own == session.attendees.end() ? to_text(consultation::Lobby::none) : to_text(own->lobby));
        object("at", now);
    }
    std::string event;
    append_event(event, "state", id, data);
    return event;
}

/// All that one row has to say. Only its last event bears the id: whoever lost it in between gets all of them again.
void append_news(std::string& out, const Happening& happening, const Session& session, const service::Caller& viewer) {
    const auto news = consultation::news_of(happening, session, viewer);
    for (const auto& each : news) {
        std::string data;
        JsonObject{data}("type", each.type)("user_id", each.user_id)(
            "role", each.role.empty() ? std::nullopt : std::optional{each.role})("at", each.at);
        append_event(out, each.type, &each == &news.back() ? std::string_view{happening.event_id} : std::string_view{},
                     data);
    }
}

/// Next page of what has happened; empty: nothing for this client. The error says why nothing more can be told.
Task<core::Result<std::string>> next_page(Telling& telling) {
    auto& watch = *telling.site.settings.watch;
    const auto rows = co_await watch.store().happenings(telling.session_id, telling.told, kPage);
    if (!rows) co_return std::unexpected(rows.error());
    // After the rows: so it is as new as they are.
    const auto session = co_await telling.site.consultations.follow(telling.caller, telling.session_id);
    if (!session) co_return std::unexpected(session.error());
    std::string text;
    for (const auto& row : *rows) {
        append_news(text, row, *session, telling.caller);
        telling.told = row.sequence;
    }
    // What closed the session may have been committed between the two questions: it is told before the stream ends.
    telling.is_over = telling.seen_closed && rows->empty();
    telling.seen_closed = consultation::is_closed(session->status);
    telling.is_behind = rows->size() == kPage || (telling.seen_closed && !telling.is_over);
    co_return text;
}

bool passes(const core::Error& error) {
    return error.kind == core::ErrorKind::unavailable || error.kind == core::ErrorKind::timeout;
}

Task<void> tell(std::shared_ptr<Telling> telling, net::BodySink& sink) {
    // A wake ends a wait; whether there is something new is seen by looking.
    auto woken = std::make_shared<std::atomic<bool>>(false);
    telling->seat->on_news([woken, wake = sink.waker()] {
        woken->store(true);
        wake();
    });
    if (!co_await sink.write(std::exchange(telling->opening, {}))) co_return;
    auto heartbeat = steady_clock::now() + kHeartbeat;
    for (;;) {
        std::string text;
        bool more = false;
        if (woken->exchange(false)) telling->is_behind = true;
        if (!telling->site.tokens.verify(telling->token)) co_return;
        if (telling->is_behind) {
            auto page = co_await next_page(*telling);
            if (!page && !passes(page.error())) co_return;
            if (page) text = std::move(*page);
            more = page && telling->is_behind;
        }
        if (text.empty() && steady_clock::now() >= heartbeat) text = ":\n\n";
        if (!text.empty()) {
            if (!co_await sink.write(std::move(text))) co_return;
            heartbeat = steady_clock::now() + kHeartbeat;
        }
        if (telling->is_over) co_return;
        if (!more && !co_await sink.wait(kTick)) co_return;
    }
}

net::Response turned_away(service::SessionWatch::Refusal why) {
    using Refusal = service::SessionWatch::Refusal;
    auto response = why == Refusal::all      ? refusal(503, "Too many streams are open here, please try again")
                    : why == Refusal::person ? refusal(429, "You have too many streams of this session open")
                                             : refusal(429, "Too many streams of this session are open");
    response.headers.emplace_back("Retry-After", "10");
    return response;
}

/// From where on to tell: behind the event that the client has seen last, or from now on.
Task<core::Result<void>> begin(Telling& telling, std::string_view last_seen) {
    auto& store = telling.site.settings.watch->store();
    std::optional<Happening> seen;
    if (!last_seen.empty() && last_seen.size() <= kLongestEventId && can_be_an_id(last_seen)) {
        auto found = co_await store.find_happening(telling.session_id, std::string{last_seen});
        if (!found) co_return std::unexpected(found.error());
        seen = std::move(*found);
    }
    const bool resumes = seen.has_value();
    if (!resumes) {
        auto found = co_await store.find_happening(telling.session_id, std::nullopt);
        if (!found) co_return std::unexpected(found.error());
        seen = std::move(*found);
    }
    if (seen) telling.told = seen->sequence;
    const auto session = co_await telling.site.consultations.follow(telling.caller, telling.session_id);
    if (!session) co_return std::unexpected(session.error());
    // Before what was missed has been told, the client must not forget from where on it was.
    const std::string_view id = seen && !resumes ? std::string_view{seen->event_id} : std::string_view{};
    telling.opening = state_event(*session, telling.caller, id, telling.site.consultations.now());
    co_return core::Result<void>{};
}

}  // namespace

Task<net::Response> get_stream(Call& call) {
    if (!can_be_an_id(call.piece) || !call.site.settings.watch) co_return session_not_found();
    // Who may not look on learns nothing of how many do.
    const auto session = co_await call.site.consultations.begin_following(call.caller, call.piece);
    if (!session) co_return failure(session.error(), {}, call.request.request_id);
    auto seat = call.site.settings.watch->take_seat(session->session_id, call.caller.user_id);
    if (!seat) co_return turned_away(seat.error());
    auto telling = std::make_shared<Telling>(Telling{call.site, std::move(call.caller),
                                                     std::string{authorization_of(call.request).credentials},
                                                     session->session_id, std::move(*seat)});
    if (auto begun = co_await begin(*telling, call.request.header("Last-Event-ID")); !begun) {
        co_return failure(begun.error(), {}, call.request.request_id);
    }
    net::Response response;
    response.content_type = "text/event-stream";
    // nginx passes on what it gets at once, instead of collecting it.
    response.headers.emplace_back("X-Accel-Buffering", "no");
    response.stream = [telling = std::move(telling)](net::BodySink& sink) { return tell(telling, sink); };
    co_return response;
}

}  // namespace api
