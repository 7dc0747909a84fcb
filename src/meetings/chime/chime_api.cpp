#include "meetings/chime/chime_api.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>
#include <utility>

#include "core/bytes.hpp"
#include "core/log.hpp"
#include "meetings/chime/chime_answers.hpp"
#include "meetings/chime/chime_errors.hpp"
#include "meetings/chime/chime_names.hpp"
#include "meetings/chime/chime_requests.hpp"

namespace meetings::chime {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMaxMeetingAnswer = 64 * 1024;
constexpr std::size_t kMaxPageAnswer = 512 * 1024;  ///< A hundred attendees with tokens of 2 KiB.
constexpr int kMaxPages = 10;                       ///< A meeting has at most 250 attendees.
constexpr milliseconds kConnectLimit{1000};

/// 0 <= x < 1.
double random_fraction() {
    return double(core::random_u32()) / 4294967296.0;
}

std::string meeting_path(const std::string& meeting_id) {
    return "/meetings/" + net::percent_encoded(meeting_id);
}

std::string attendees_path(const std::string& meeting_id) {
    return meeting_path(meeting_id) + "/attendees";
}

std::string transcription_path(const std::string& meeting_id) {
    return meeting_path(meeting_id) + "/transcription";
}

core::Error gone() {
    return {core::ErrorKind::gone, std::string{kGone}};
}

}  // namespace

/// A pass of the breaker; one that is dropped without an outcome is given back.
class ChimeApi::Permit {
  public:
    Permit(ChimeApi& api, Breaker::Pass pass) : api_(api), pass_(pass) {}
    ~Permit() {
        if (!pass_) return;
        const std::scoped_lock lock(api_.mutex_);
        api_.breaker_.abandoned(*pass_);
    }
    Permit(const Permit&) = delete;
    Permit& operator=(const Permit&) = delete;

    void report(bool ok) {
        const auto pass = *std::exchange(pass_, std::nullopt);
        const auto now = SteadyClock::now();
        bool opened = false;
        {
            const std::scoped_lock lock(api_.mutex_);
            const auto before = api_.breaker_.state(now);
            if (ok) {
                api_.breaker_.succeeded(pass, now);
            } else {
                ++api_.failures_;
                api_.breaker_.failed(pass, now);
            }
            opened = before != Breaker::State::open && api_.breaker_.state(now) == Breaker::State::open;
        }
        if (opened) core::log::warning("AWS Chime fails again and again; it is left alone for a while");
    }

  private:
    ChimeApi& api_;
    std::optional<Breaker::Pass> pass_;
};

ChimeApi::ChimeApi(ChimeApiSettings settings, net::HttpClient& client, AwsCredentials& credentials,
                   const core::Clock& clock)
    : settings_(std::move(settings)),
      client_(client),
      credentials_(credentials),
      clock_(clock),
      breaker_(settings_.breaker) {
    auto base = settings_.endpoint;
    if (base.empty()) base = "https://meetings-chime." + settings_.region + ".amazonaws.com";
    while (base.ends_with('/')) base.pop_back();
    const bool is_https = base.starts_with("https://");
    if (!is_https && !base.starts_with("http://")) throw std::invalid_argument("the Chime endpoint is no http address");
    const std::size_t host_at = is_https ? 8 : 7;
    const auto slash = std::min(base.find('/', host_at), base.size());
    origin_ = base.substr(0, slash);
    prefix_ = base.substr(slash);
    host_ = base.substr(host_at, slash - host_at);
    const std::string_view own_port = is_https ? ":443" : ":80";
    if (host_.ends_with(own_port)) host_.resize(host_.size() - own_port.size());
    if (host_.empty()) throw std::invalid_argument("the Chime endpoint names no host");
}

service::Vitals::Breaker ChimeApi::vitals() const {
    const std::scoped_lock lock(mutex_);
    service::Vitals::Breaker vitals;
    vitals.configured = true;
    using State = service::Vitals::Breaker::State;
    switch (breaker_.state(SteadyClock::now())) {
        case Breaker::State::closed:
            vitals.state = State::closed;
            break;
        case Breaker::State::open:
            vitals.state = State::open;
            break;
        case Breaker::State::half_open:
            vitals.state = State::half_open;
            break;
    }
    vitals.calls = calls_;
    vitals.failures = failures_;
    vitals.refused = refused_;
    return vitals;
}

std::optional<Breaker::Pass> ChimeApi::admit() {
    const std::scoped_lock lock(mutex_);
    auto pass = breaker_.admit(SteadyClock::now());
    ++(pass ? calls_ : refused_);
    return pass;
}

core::Error ChimeApi::held_back() const {
    const std::scoped_lock lock(mutex_);
    const auto wait = std::chrono::ceil<std::chrono::seconds>(breaker_.remaining(SteadyClock::now()));
    return {core::ErrorKind::unavailable, std::string{kUnreachable}, std::max(wait, std::chrono::seconds{1}), true};
}

net::OutgoingRequest ChimeApi::signed_request(const Call& call, const AwsKeys& keys) const {
    net::SignableRequest signable{call.method, host_,    prefix_ + call.path, net::canonical_query(call.query),
                                  {},          call.body};
    if (!call.body.empty()) signable.headers.emplace_back("Content-Type", "application/json");
    auto added = net::signature_headers(signable, keys, settings_.region, "chime", clock_.now());

    net::OutgoingRequest request;
    request.method = call.method;
    request.url = origin_ + signable.path + (signable.query.empty() ? "" : "?" + signable.query);
    request.headers = std::move(signable.headers);
    request.headers.emplace_back("Host", host_);
    std::ranges::move(added, std::back_inserter(request.headers));
    request.body = call.body;
    request.max_body = call.max_answer;
    request.trace = call.trace;
    request.purpose = call.operation;
    return request;
}

service::Task<ChimeApi::Outcome> ChimeApi::attempt(Call call, AwsKeys keys, milliseconds limit) {
    auto request = signed_request(call, keys);
    request.timeout = limit;
    request.connect_timeout = std::min(limit, kConnectLimit);
    auto answer = co_await client_.send(std::move(request));
    Outcome outcome;
    if (!answer) {
        const auto kind = answer.error().kind;
        outcome.attempt.end =
            kind == core::ErrorKind::timeout ? Attempt::End::timed_out : Attempt::End::connection_broke;
        outcome.is_nonsense = kind != core::ErrorKind::timeout && kind != core::ErrorKind::unavailable;
        co_return outcome;
    }
    outcome.attempt.status = answer->status;
    if (answer->status < 200 || answer->status >= 300) {
        outcome.code = error_code(answer->header("x-amzn-errortype"), answer->body);
        outcome.attempt.throttled = is_throttling(outcome.code);
        outcome.attempt.retry_after = retry_after_from(answer->header("retry-after"));
    }
    outcome.body = std::move(answer->body);
    co_return outcome;
}

ChimeApi::Failure ChimeApi::give_up(const Call& call, const Outcome& last, int made) {
    if (is_about_keys(last.code)) credentials_.refused();
    Failure failure{error_of(last.attempt, last.code), last.attempt.status, last.code};
    if (last.is_nonsense) failure.error = {core::ErrorKind::bad_gateway, std::string{kFails}};
    if (failure.error.kind == core::ErrorKind::gone) return failure;
    using End = Attempt::End;
    const auto* what = last.is_nonsense                            ? "no HTTP answer"
                       : last.attempt.end == End::timed_out        ? "timeout"
                       : last.attempt.end == End::connection_broke ? "no connection"
                                                                   : "answered";
    core::log::warning("AWS Chime call failed", {{"operation", std::string{call.operation}},
                                                 {"outcome", what},
                                                 {"status", std::to_string(last.attempt.status)},
                                                 {"code", last.code},
                                                 {"attempts", std::to_string(made)}});
    return failure;
}

service::Task<ChimeApi::Answered> ChimeApi::call(Call call) {
    const auto end = SteadyClock::now() + settings_.timeout;
    Outcome last;
    for (int made = 1;; ++made) {
        const auto keys = credentials_.current();
        if (!keys) co_return std::unexpected(Failure{keys.error(), 0, {}});
        const auto pass = admit();
        if (!pass && made > 1) co_return std::unexpected(give_up(call, last, made - 1));
        if (!pass) co_return std::unexpected(Failure{held_back(), 0, {}});

        Permit permit(*this, *pass);
        const auto left = std::chrono::ceil<milliseconds>(end - SteadyClock::now());
        last = co_await attempt(call, *keys, std::min(left, std::max(settings_.timeout / 2, milliseconds{1})));
        const auto status = last.attempt.status;
        permit.report(last.attempt.end == Attempt::End::answered && status < 500);
        if (status >= 200 && status < 300) co_return std::move(last.body);

        const auto remaining = std::chrono::floor<milliseconds>(end - SteadyClock::now());
        const auto pause = last.is_nonsense
                               ? std::nullopt
                               : pause_before_next(settings_.retry, last.attempt, made, remaining, random_fraction());
        if (!pause) co_return std::unexpected(give_up(call, last, made));
        asio::steady_timer timer(co_await asio::this_coro::executor, *pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

service::Task<core::Result<void>> ChimeApi::call_without_answer(Call request) {
    auto answer = co_await call(std::move(request));
    if (!answer) co_return std::unexpected(std::move(answer.error().error));
    co_return core::Result<void>{};
}

ChimeApi::Call ChimeApi::creation(const NewMeeting& meeting, bool with_tags) const {
    Call call;
    call.operation = "CreateMeeting";
    call.method = "POST";
    call.path = "/meetings";
    if (!meeting.external_user_ids.empty()) {
        call.operation = "CreateMeetingWithAttendees";
        call.query = {{"operation", "create-attendees"}};
    }
    call.body = create_meeting_body(meeting, with_tags);
    call.max_answer = kMaxMeetingAnswer;
    call.trace = meeting.trace;
    return call;
}

service::Task<core::Result<CreatedMeeting>> ChimeApi::create_meeting(NewMeeting meeting) {
    const bool with_tags = !meeting.tags.empty() && !tags_refused_;
    auto answer = co_await call(creation(meeting, with_tags));
    if (!answer && with_tags && answer.error().status == 403 && !is_about_keys(answer.error().code)) {
        answer = co_await call(creation(meeting, false));
        if (answer && !tags_refused_.exchange(true))
            core::log::warning("AWS does not let this account tag meetings (chime:TagResource); they go without tags");
    }
    if (!answer) {
        auto error = std::move(answer.error().error);
        // Something that is not yet cannot be gone: whoever answered is not AWS Chime.
        if (error.kind == core::ErrorKind::gone) error = {core::ErrorKind::bad_gateway, std::string{kFails}};
        co_return std::unexpected(std::move(error));
    }
    co_return read_meeting(*answer);
}

service::Task<core::Result<void>> ChimeApi::get_meeting(std::string meeting_id) {
    if (!is_chime_id(meeting_id)) co_return std::unexpected(gone());
    auto answer = co_await call({"GetMeeting", "GET", meeting_path(meeting_id), {}, {}, kMaxMeetingAnswer});
    if (!answer) co_return std::unexpected(std::move(answer.error().error));
    const auto meeting = read_meeting(*answer);
    if (!meeting) co_return std::unexpected(meeting.error());
    co_return core::Result<void>{};
}

service::Task<core::Result<void>> ChimeApi::delete_meeting(std::string meeting_id) {
    if (!is_chime_id(meeting_id)) co_return std::unexpected(gone());
    co_return co_await call_without_answer({"DeleteMeeting", "DELETE", meeting_path(meeting_id), {}, {}});
}

service::Task<core::Result<ChimeAttendee>> ChimeApi::create_attendee(std::string meeting_id,
                                                                     std::string external_user_id,
                                                                     core::trace::Context of) {
    if (!is_chime_id(meeting_id)) co_return std::unexpected(gone());
    auto answer = co_await call({"CreateAttendee",
                                 "POST",
                                 attendees_path(meeting_id),
                                 {},
                                 create_attendee_body(external_user_id),
                                 kMaxMeetingAnswer,
                                 std::move(of)});
    if (!answer) co_return std::unexpected(std::move(answer.error().error));
    auto attendee = read_attendee(*answer);
    // Never somebody else's token.
    if (attendee && attendee->external_user_id != external_user_id)
        co_return core::fail(core::ErrorKind::bad_gateway, std::string{kFails});
    co_return attendee;
}

service::Task<core::Result<void>> ChimeApi::delete_attendee(std::string meeting_id, std::string attendee_id,
                                                            core::trace::Context of) {
    if (!is_chime_id(meeting_id) || !is_chime_id(attendee_id)) co_return std::unexpected(gone());
    Call call{"DeleteAttendee", "DELETE", attendees_path(meeting_id) + "/" + net::percent_encoded(attendee_id), {}, {}};
    call.trace = std::move(of);
    co_return co_await call_without_answer(std::move(call));
}

service::Task<core::Result<std::vector<std::string>>> ChimeApi::list_attendees(std::string meeting_id) {
    if (!is_chime_id(meeting_id)) co_return std::unexpected(gone());
    std::vector<std::string> ids;
    net::Pairs query{{"max-results", "100"}};
    for (int page_number = 0; page_number < kMaxPages; ++page_number) {
        auto answer = co_await call({"ListAttendees", "GET", attendees_path(meeting_id), query, {}, kMaxPageAnswer});
        if (!answer) co_return std::unexpected(std::move(answer.error().error));
        auto page = read_attendee_page(*answer);
        if (!page) co_return std::unexpected(page.error());
        std::ranges::move(page->attendee_ids, std::back_inserter(ids));
        if (page->next_token.empty()) co_return ids;
        query = {{"max-results", "100"}, {"next-token", std::move(page->next_token)}};
    }
    co_return core::fail(core::ErrorKind::bad_gateway, std::string{kFails});
}

service::Task<core::Result<void>> ChimeApi::start_transcription(std::string meeting_id,
                                                                service::TranscriptionOptions options) {
    if (!is_chime_id(meeting_id)) co_return std::unexpected(gone());
    co_return co_await call_without_answer({"StartMeetingTranscription",
                                            "POST",
                                            transcription_path(meeting_id),
                                            {{"operation", "start"}},
                                            start_transcription_body(options)});
}

service::Task<core::Result<void>> ChimeApi::stop_transcription(std::string meeting_id) {
    if (!is_chime_id(meeting_id)) co_return std::unexpected(gone());
    co_return co_await call_without_answer(
        {"StopMeetingTranscription", "POST", transcription_path(meeting_id), {{"operation", "stop"}}, {}});
}

}  // namespace meetings::chime
