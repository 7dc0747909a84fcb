#include "api/chime/chime_api.hpp"

#include <charconv>
#include <exception>
#include <expected>
#include <memory>
#include <utility>

#include "api/chime/answers.hpp"
#include "api/chime/requests.hpp"
#include "api/text.hpp"
#include "core/bytes.hpp"
#include "net/forwarded.hpp"

namespace api::chime {
namespace {

using core::Result;
using service::Task;

constexpr int kMostListed = 100;

struct Parts {
    ApiKeys keys;
    service::SdkMeetings& meetings;
    const core::Clock& clock;
};

/// One request on its way, signed by somebody we know and understood as far as its path goes.
struct Call {
    service::SdkMeetings& meetings;
    const net::Request& request;
    Route route;         ///< Ids are checked and in lower case.
    std::string region;  ///< Of the signature.
    boost::json::object body;
};

using Outcome = std::expected<net::Response, Refusal>;

std::unexpected<Refusal> refused(const core::Error& error) {
    return std::unexpected(refusal_of(error));
}
std::unexpected<Refusal> refused(const Complaint& complaint) {
    return std::unexpected(bad_request(complaint.text()));
}

Outcome ok(std::string body, unsigned status = 200) {
    net::Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

/// The success of operations that answer nothing.
Outcome empty(const Result<void>& done, unsigned status) {
    if (!done) return refused(done.error());
    return ok(status == 204 ? "" : "{}", status);
}

template <class T>
Outcome answer(const Result<T>& result, std::string (*text)(const T&)) {
    if (!result) return refused(result.error());
    return ok(text(*result));
}

Task<Outcome> create_meeting(Call call) {
    const bool with_attendees = call.route.operation == Operation::create_meeting_with_attendees;
    Complaint complaint;
    auto wanted = read_create_meeting(call.body, with_attendees, complaint);
    if (!wanted) co_return refused(complaint);
    wanted->control_region = call.region;
    const auto created = co_await call.meetings.create(std::move(*wanted), net::reached_at(call.request));
    if (!created) co_return refused(created.error());
    co_return ok(with_attendees ? created_answer(*created) : meeting_answer(created->meeting));
}

Task<Outcome> get_meeting(Call call) {
    co_return answer(co_await call.meetings.meeting(call.route.meeting_id, net::reached_at(call.request)),
                     meeting_answer);
}

Task<Outcome> delete_meeting(Call call) {
    co_return empty(co_await call.meetings.end(call.route.meeting_id), 204);
}

Task<Outcome> create_attendee(Call call) {
    Complaint complaint;
    auto wanted = read_create_attendee(call.body, complaint);
    if (!wanted) co_return refused(complaint);
    std::vector<service::WantedAttendee> all;
    all.push_back(std::move(*wanted));
    const auto added = co_await call.meetings.add_attendees(call.route.meeting_id, std::move(all));
    if (!added) co_return refused(added.error());
    co_return ok(attendee_answer(added->front()));
}

Task<Outcome> batch_create_attendee(Call call) {
    Complaint complaint;
    auto wanted = read_batch_create_attendee(call.body, complaint);
    if (!wanted) co_return refused(complaint);
    co_return answer(co_await call.meetings.add_attendees(call.route.meeting_id, std::move(*wanted)), batch_answer);
}

Task<Outcome> get_attendee(Call call) {
    co_return answer(co_await call.meetings.attendee(call.route.meeting_id, call.route.attendee_id), attendee_answer);
}

Task<Outcome> list_attendees(Call call) {
    const QueryString query(call.request.query());
    int most = kMostListed;
    Complaint complaint;
    if (const auto* text = query.find("max-results")) {
        const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), most);
        if (failed != std::errc{} || end != text->data() + text->size() || most < 1 || most > kMostListed) {
            complaint.about("maxResults", "have value between 1 and 100");
        }
    }
    std::string after;
    if (const auto* token = query.find("next-token")) {
        if (auto read = read_page_token(*token)) {
            after = std::move(*read);
        } else {
            complaint.about("nextToken", "be the token of an earlier answer");
        }
    }
    if (complaint.any()) co_return refused(complaint);
    // One more than is shown tells whether there is another page.
    auto listed = co_await call.meetings.attendees(call.route.meeting_id, std::move(after), most + 1);
    if (!listed) co_return refused(listed.error());
    std::string next;
    if (std::cmp_greater(listed->size(), most)) {
        listed->pop_back();
        next = page_token(listed->back().attendee.attendee_id);
    }
    co_return ok(list_answer(*listed, next));
}

Task<Outcome> delete_attendee(Call call) {
    co_return empty(co_await call.meetings.remove_attendee(call.route.meeting_id, call.route.attendee_id), 204);
}

Task<Outcome> update_capabilities(Call call) {
    Complaint complaint;
    const auto wanted = read_capabilities_update(call.body, complaint);
    if (!wanted) co_return refused(complaint);
    co_return answer(co_await call.meetings.set_capabilities(call.route.meeting_id, call.route.attendee_id, *wanted),
                     attendee_answer);
}

Task<Outcome> update_capabilities_except(Call call) {
    Complaint complaint;
    auto wanted = read_capabilities_except(call.body, complaint);
    if (!wanted) co_return refused(complaint);
    co_return empty(co_await call.meetings.set_capabilities_except(call.route.meeting_id, std::move(wanted->excluded),
                                                                   wanted->capabilities),
                    200);
}

Task<Outcome> start_transcription(Call call) {
    Complaint complaint;
    auto wanted = read_transcription(call.body, complaint);
    if (!wanted) co_return refused(complaint);
    co_return empty(co_await call.meetings.start_transcription(
                        call.route.meeting_id, std::move(wanted->configuration),
                        wanted->region.empty() ? std::move(call.region) : std::move(wanted->region)),
                    200);
}

Task<Outcome> stop_transcription(Call call) {
    co_return empty(co_await call.meetings.stop_transcription(call.route.meeting_id, std::move(call.region)), 200);
}

/// Of operations on tags, whose refusals have names of their own.
Refusal tag_refusal(const core::Error& error, const std::string& resource) {
    auto refusal = refusal_of(error);
    if (refusal.status == 404) refusal.type = "ResourceNotFoundException";
    if (error.kind == core::ErrorKind::unprocessable) refusal.type = "TooManyTagsException";
    if (refusal.status < 500) refusal.resource_name = resource;
    return refusal;
}

core::Error no_resource() {
    return {core::ErrorKind::not_found, "The resource that you specified was not found"};
}

Task<Outcome> list_tags(Call call) {
    const QueryString query(call.request.query());
    const auto* arn = query.find("arn");
    Complaint complaint;
    const auto resource = read_resource(arn ? std::string_view{*arn} : std::string_view{}, complaint);
    if (!resource) co_return refused(complaint);
    auto meeting_id = meeting_of_arn(*resource);
    if (!meeting_id) co_return std::unexpected(tag_refusal(no_resource(), *resource));
    const auto tags = co_await call.meetings.tags(std::move(*meeting_id));
    if (!tags) co_return std::unexpected(tag_refusal(tags.error(), *resource));
    co_return ok(tags_answer(*tags));
}

Task<Outcome> tag_resource(Call call) {
    Complaint complaint;
    auto wanted = read_tag_resource(call.body, complaint);
    if (!wanted) co_return refused(complaint);
    auto meeting_id = meeting_of_arn(wanted->resource);
    if (!meeting_id) co_return std::unexpected(tag_refusal(no_resource(), wanted->resource));
    const auto done = co_await call.meetings.set_tags(std::move(*meeting_id), std::move(wanted->tags));
    if (!done) co_return std::unexpected(tag_refusal(done.error(), wanted->resource));
    co_return empty(done, 204);
}

Task<Outcome> untag_resource(Call call) {
    Complaint complaint;
    auto wanted = read_untag_resource(call.body, complaint);
    if (!wanted) co_return refused(complaint);
    auto meeting_id = meeting_of_arn(wanted->resource);
    if (!meeting_id) co_return std::unexpected(tag_refusal(no_resource(), wanted->resource));
    const auto done = co_await call.meetings.remove_tags(std::move(*meeting_id), std::move(wanted->keys));
    if (!done) co_return std::unexpected(tag_refusal(done.error(), wanted->resource));
    co_return empty(done, 204);
}

Task<Outcome> operate(Call call) {
    switch (call.route.operation) {
        case Operation::create_meeting:
        case Operation::create_meeting_with_attendees:
            return create_meeting(std::move(call));
        case Operation::get_meeting:
            return get_meeting(std::move(call));
        case Operation::delete_meeting:
            return delete_meeting(std::move(call));
        case Operation::create_attendee:
            return create_attendee(std::move(call));
        case Operation::batch_create_attendee:
            return batch_create_attendee(std::move(call));
        case Operation::get_attendee:
            return get_attendee(std::move(call));
        case Operation::list_attendees:
            return list_attendees(std::move(call));
        case Operation::delete_attendee:
            return delete_attendee(std::move(call));
        case Operation::update_attendee_capabilities:
            return update_capabilities(std::move(call));
        case Operation::batch_update_attendee_capabilities_except:
            return update_capabilities_except(std::move(call));
        case Operation::start_meeting_transcription:
            return start_transcription(std::move(call));
        case Operation::stop_meeting_transcription:
            return stop_transcription(std::move(call));
        case Operation::list_tags_for_resource:
            return list_tags(std::move(call));
        case Operation::tag_resource:
            return tag_resource(std::move(call));
        case Operation::untag_resource:
            break;
    }
    return untag_resource(std::move(call));
}

/// The ids of the path, checked.
bool read_ids(Route& route, Complaint& complaint) {
    const auto check = [&complaint](std::string& id, std::string_view name) {
        if (id.empty()) return;
        if (auto guid = read_guid(id, name, complaint)) id = std::move(*guid);
    };
    check(route.meeting_id, "meetingId");
    check(route.attendee_id, "attendeeId");
    return !complaint.any();
}

Task<Outcome> dispatch(std::shared_ptr<const Parts> parts, const net::Request& request) {
    auto route = route_of(request.method, request.target);
    if (!route) {
        co_return std::unexpected(
            Refusal{.status = 404, .type = "UnknownOperationException", .message = "There is no such operation"});
    }
    auto checked = check_signature(request, parts->keys, parts->clock.now());
    if (auto* const why = std::get_if<Refusal>(&checked)) co_return std::unexpected(std::move(*why));
    Complaint complaint;
    if (!read_ids(*route, complaint)) co_return refused(complaint);
    auto body = read_body(request.body);
    if (!body) {
        co_return std::unexpected(Refusal{
            .status = 400, .type = "SerializationException", .message = "The request body must be a JSON object"});
    }
    co_return co_await operate(
        {parts->meetings, request, std::move(*route), std::move(std::get<Signer>(checked).region), std::move(*body)});
}

Task<net::Response> respond(std::shared_ptr<const Parts> parts, const net::Request& request) {
    const auto request_id = core::uuid4();
    Outcome outcome;
    std::string crashed;
    try {
        outcome = co_await dispatch(std::move(parts), request);
    } catch (const std::exception& thrown) {
        crashed = thrown.what();
    }
    if (!crashed.empty()) outcome = refused(core::Error{core::ErrorKind::internal, std::move(crashed)});
    auto response = outcome ? std::move(*outcome) : response_of(outcome.error(), request_id);
    response.headers.emplace_back("x-amzn-requestid", request_id);
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    co_return response;
}

}  // namespace

net::Handler make_chime_api(ApiKeys keys, service::SdkMeetings& meetings, const core::Clock& clock) {
    auto parts = std::make_shared<const Parts>(Parts{std::move(keys), meetings, clock});
    return [parts = std::move(parts)](const net::Request& request) { return respond(parts, request); };
}

}  // namespace api::chime
