#include "meetings/embedded/embedded_meetings.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "core/bytes.hpp"
#include "core/log.hpp"
#include "meetings/embedded/meeting_orders.hpp"

namespace meetings::embedded {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kControl = "/control/";
/// Behind the meeting id in the address of a client that wants to be given a TURN relay.
constexpr std::string_view kRelay = "/relay";
constexpr std::string_view kSubprotocol = "_aws_wt_session";
constexpr std::string_view kNoTranscription =
    "Transcription needs AWS Chime; this meeting runs on the service's own server";

std::string websocket_url(std::string_view base) {
    if (base.starts_with("https://")) return "wss://" + std::string{base.substr(8)};
    if (base.starts_with("http://")) return "ws://" + std::string{base.substr(7)};
    return "ws://" + std::string{base};
}

/// The join token: the one subprotocol that is not the fixed name. Empty when there is none or more than one.
std::string_view token_in(std::string_view subprotocols) {
    std::string_view token;
    bool named = false;
    while (!subprotocols.empty()) {
        const auto comma = subprotocols.find(',');
        auto item = subprotocols.substr(0, comma);
        subprotocols.remove_prefix(comma == std::string_view::npos ? subprotocols.size() : comma + 1);
        while (item.starts_with(' ')) item.remove_prefix(1);
        while (item.ends_with(' ')) item.remove_suffix(1);
        if (item == kSubprotocol) {
            named = true;
        } else if (token.empty()) {
            token = item;
        } else {
            return {};
        }
    }
    return named ? token : std::string_view{};
}

asio::awaitable<void> close_with(std::uint16_t code, std::shared_ptr<net::WebSocket> socket) {
    socket->close(code);
    while (co_await socket->read()) {
    }
}

net::Upgrade refusal(std::uint16_t close_code) {
    return {std::string{kSubprotocol}, 1024,
            [close_code](std::shared_ptr<net::WebSocket> socket) { return close_with(close_code, std::move(socket)); }};
}

/// Attendance is not lost to a database that is away for a while.
template <class Attempt>
asio::awaitable<void> persist(std::string_view what, std::string meeting_id, Attempt attempt) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    auto pause = std::chrono::milliseconds{200};
    for (int round = 0; round < 12; ++round) {
        auto done = co_await attempt();
        if (done) co_return;
        if (done.error().kind != core::ErrorKind::unavailable) {
            core::log::error(what, {{"meeting", meeting_id}, {"error", done.error().detail}});
            co_return;
        }
        timer.expires_after(pause);
        co_await timer.async_wait(asio::use_awaitable);
        pause = std::min(pause * 2, std::chrono::milliseconds{10'000});
    }
    core::log::error(what,
                     {{"meeting", meeting_id}, {"error", "the database stayed away; presence will expire by itself"}});
}

/// Where another node has the meeting, those who were lost here are well there.
service::Task<core::Result<void>> tell(service::Nodes& nodes, service::MeetingOwner& owner, core::MeetingEvent event) {
    const auto ours = co_await nodes.owns(event.meeting_id);
    if (!ours) co_return std::unexpected(ours.error());
    if (!*ours) co_return core::Result<void>{};
    co_return co_await owner.happened(std::move(event));
}

asio::awaitable<void> write_down(service::Nodes& nodes, service::MeetingOwner& owner, core::MeetingEvent event) {
    co_await persist("a meeting's event was not written down", event.meeting_id,
                     [&] { return tell(nodes, owner, event); });
}

/// An end is no place's any more.
service::Task<core::Result<void>> pass_on(service::Nodes& nodes, service::MeetingOrder order) {
    const bool ends = order.kind == kEndOrder;
    auto meeting_id = order.meeting_id;
    const auto sent = co_await nodes.send_order(std::move(order));
    if (!sent) co_return std::unexpected(sent.error());
    if (*sent || !ends) co_return core::Result<void>{};
    co_return co_await nodes.end(std::move(meeting_id));
}

asio::awaitable<void> pass_on_later(service::Nodes& nodes, service::MeetingOrder order) {
    co_await persist("another node was not told what to do", order.meeting_id, [&] { return pass_on(nodes, order); });
}

net::Response try_again(std::string_view detail) {
    net::Response response;
    response.status = 503;
    response.body = R"({"detail":")" + std::string{detail} + R"("})";
    response.headers.emplace_back("Retry-After", "1");
    return response;
}

asio::awaitable<void> converse(media::server::MeetingServer& server, std::shared_ptr<net::WebSocket> socket,
                               media::server::Participant participant) {
    co_await server.serve(std::move(socket), std::move(participant));
}

}  // namespace

EmbeddedMeetings::EmbeddedMeetings(Settings settings, service::Nodes& nodes)
    : settings_(std::move(settings)), nodes_(nodes), tokens_(settings_.secret) {}

void EmbeddedMeetings::attach_owners(std::vector<service::MeetingOwner*> owners, asio::any_io_executor executor) {
    owners_ = std::move(owners);
    executor_ = std::move(executor);
}

service::Task<core::Result<service::MadeMeeting>> EmbeddedMeetings::create_meeting(service::MeetingPlan plan) {
    consultation::Meeting meeting;
    meeting.provider = consultation::Provider::embedded;
    meeting.meeting_id = tokens_.meeting_id(plan.session_id, plan.generation);
    meeting.external_meeting_id = "pulseone-" + plan.session_id;
    const auto home = co_await nodes_.address_of(meeting.meeting_id, plan.media_region.value_or(std::string{}));
    if (!home) co_return std::unexpected(home.error());
    meeting.media_region = home->region.empty() ? settings_.region : home->region;
    meeting.generation = plan.generation;
    service::MadeMeeting made;
    made.meeting = placed_for(std::move(meeting), home->url);
    co_return made;
}

consultation::Meeting EmbeddedMeetings::placed_for(consultation::Meeting meeting, std::string_view reached_at) const {
    const auto base = websocket_url(reached_at.empty() ? std::string_view{settings_.default_url} : reached_at);
    meeting.signaling_url = base + std::string{kControl} + meeting.meeting_id;
    // The Chime client only tests that the audio host is there; the other two it never opens.
    meeting.audio_host_url = base;
    meeting.audio_fallback_url = meeting.signaling_url;
    meeting.turn_control_url = "";
    return meeting;
}

consultation::Meeting EmbeddedMeetings::through_relay(consultation::Meeting meeting) const {
    meeting.signaling_url += kRelay;
    return meeting;
}

service::Task<core::Result<service::Credentials>> EmbeddedMeetings::credentials(consultation::Meeting meeting,
                                                                                std::string external_user_id,
                                                                                std::string, bool,
                                                                                core::trace::Context) {
    const auto home = co_await nodes_.address_of(meeting.meeting_id, {});
    if (!home) co_return std::unexpected(home.error());
    service::Credentials credentials;
    credentials.reach_at = home->url;
    credentials.attendee_id = tokens_.attendee_id(meeting.meeting_id, external_user_id);
    credentials.join_token = tokens_.token(meeting.meeting_id, credentials.attendee_id);
    credentials.external_user_id = std::move(external_user_id);
    co_return credentials;
}

service::Task<core::Result<void>> EmbeddedMeetings::end_meeting(consultation::Provider, std::string meeting_id) {
    co_return co_await command({std::move(meeting_id), std::string{kEndOrder}, {}, {}});
}

service::Task<core::Result<void>> EmbeddedMeetings::remove_attendee(consultation::Provider, std::string meeting_id,
                                                                    std::string attendee_id) {
    co_return co_await command({std::move(meeting_id), std::string{kRemoveOrder}, std::move(attendee_id), {}});
}

service::Task<core::Result<void>> EmbeddedMeetings::set_capabilities(std::string meeting_id, std::string attendee_id,
                                                                     core::Capabilities capabilities) {
    co_return co_await command(
        {std::move(meeting_id), std::string{kCapabilitiesOrder}, std::move(attendee_id), text_of(capabilities)});
}

void EmbeddedMeetings::perform(const service::MeetingOrder& order) {
    if (order.kind == kEndOrder) {
        server_->end_meeting(order.meeting_id);
    } else if (order.kind == kRemoveOrder) {
        server_->remove_attendee(order.meeting_id, order.attendee_id);
    } else if (order.kind == kTranscriptOrder) {
        const auto frame = core::from_base64url(order.detail);
        if (frame) server_->send_transcript(order.meeting_id, std::string{core::as_text(*frame)});
    } else if (order.kind == kCapabilitiesOrder) {
        if (const auto wanted = capabilities_of(order.detail)) {
            server_->set_capabilities(order.meeting_id, order.attendee_id, *wanted);
        }
    }
}

service::Task<core::Result<void>> EmbeddedMeetings::command(service::MeetingOrder order) {
    perform(order);
    const auto passed = co_await pass_on(nodes_, order);
    if (!passed && passed.error().kind != core::ErrorKind::unavailable) co_return passed;
    // What has been decided stays decided while the database is away.
    if (!passed) asio::co_spawn(executor_, pass_on_later(nodes_, std::move(order)), asio::detached);
    co_return core::Result<void>{};
}

service::Task<core::Result<std::vector<std::string>>> EmbeddedMeetings::roster(consultation::Meeting) {
    co_return core::fail(core::ErrorKind::unsupported, "The service's own server tells who is connected by itself");
}

service::Task<core::Result<void>> EmbeddedMeetings::start_transcription(consultation::Meeting,
                                                                        service::TranscriptionOptions) {
    co_return core::fail(core::ErrorKind::unsupported, std::string{kNoTranscription});
}

service::Task<core::Result<void>> EmbeddedMeetings::stop_transcription(consultation::Meeting) {
    co_return core::fail(core::ErrorKind::unsupported, std::string{kNoTranscription});
}

void EmbeddedMeetings::happened(core::MeetingEvent event) {
    using Kind = core::MeetingEvent::Kind;
    if (event.kind == Kind::attendee_joined) nodes_.count_people(event.meeting_id, 1);
    if (event.kind == Kind::attendee_left || event.kind == Kind::attendee_dropped) {
        nodes_.count_people(event.meeting_id, -1);
    }
    for (service::MeetingOwner* owner : owners_) {
        asio::co_spawn(executor_, write_down(nodes_, *owner, event), asio::detached);
    }
}

asio::awaitable<core::Result<service::Admission>> EmbeddedMeetings::admit(std::string meeting_id,
                                                                          std::string attendee_id) {
    for (service::MeetingOwner* owner : owners_) {
        auto admission = co_await owner->admit(meeting_id, attendee_id);
        if (!admission || admission->verdict != service::Admission::Verdict::unknown) co_return admission;
    }
    co_return service::Admission{};
}

bool EmbeddedMeetings::is_signalling(std::string_view path) {
    return path.starts_with(kControl);
}

asio::awaitable<std::variant<net::Response, net::Upgrade>> EmbeddedMeetings::upgrade(const net::Request& request) {
    constexpr std::uint16_t kEnded = 4410;
    constexpr std::uint16_t kRefused = 4403;
    if (!is_signalling(request.path())) {
        net::Response response;
        response.status = 404;
        response.body = R"({"detail":"Not Found"})";
        co_return response;
    }
    auto name = request.path().substr(kControl.size());
    const bool wants_relay = name.ends_with(kRelay);
    if (wants_relay) name.remove_suffix(kRelay.size());
    const std::string meeting_id{name};
    const auto bearer = tokens_.verify(meeting_id, token_in(request.header("Sec-WebSocket-Protocol")));
    if (!bearer) co_return refusal(kRefused);
    auto admission = co_await admit(meeting_id, bearer->attendee_id);
    if (!admission) co_return try_again("The meeting cannot be looked up right now, try again");
    using Verdict = service::Admission::Verdict;
    if (admission->verdict == Verdict::ended) co_return refusal(kEnded);
    if (admission->verdict == Verdict::unknown) co_return refusal(kRefused);
    const auto here = co_await nodes_.enter(meeting_id);
    if (!here) co_return try_again("The meeting cannot be looked up right now, try again");
    if (!*here) co_return try_again("The meeting is somewhere else, join again");

    media::server::Participant participant{.meeting_id = meeting_id,
                                           .attendee_id = bearer->attendee_id,
                                           .external_user_id = admission->external_user_id,
                                           .content = bearer->content,
                                           .capabilities = admission->capabilities,
                                           .wants_relay = wants_relay,
                                           .max_attendees = admission->max_attendees};
    constexpr std::size_t kMaxFrame = 320 * 1024;  // A SUBSCRIBE carries the SDP offer of up to 25 videos.
    co_return net::Upgrade{std::string{kSubprotocol}, kMaxFrame,
                           [server = server_, participant](std::shared_ptr<net::WebSocket> socket) {
                               return converse(*server, std::move(socket), participant);
                           }};
}

service::Task<core::Result<void>> EmbeddedMeetings::report_connected() {
    // Whoever took a meeting over knows better who is in it.
    if (!nodes_.is_sure()) co_return core::Result<void>{};
    const auto connected = co_await server_->connected();
    core::Result<void> result;
    for (service::MeetingOwner* owner : owners_) {
        if (auto told = co_await owner->attendees_seen(connected); !told) result = std::move(told);
    }
    co_return result;
}

service::Task<core::Result<void>> EmbeddedMeetings::beat() {
    const auto connected = co_await server_->connected();
    auto lost = co_await nodes_.beat(static_cast<int>(connected.size()));
    if (!lost) co_return std::unexpected(lost.error());
    for (auto& meeting_id : *lost) server_->release_meeting(std::move(meeting_id));
    co_return core::Result<void>{};
}

service::Task<core::Result<void>> EmbeddedMeetings::obey() {
    const auto orders = co_await nodes_.take_orders();
    if (!orders) co_return std::unexpected(orders.error());
    for (const auto& order : *orders) {
        perform(order);
        if (order.kind != kEndOrder) continue;
        if (auto ended = co_await nodes_.end(order.meeting_id); !ended) co_return ended;
    }
    co_return core::Result<void>{};
}

}  // namespace meetings::embedded
