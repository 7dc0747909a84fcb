// Any bytes as a request: first line by line method, target, Authorization, X-Amz-Date and another header, then the
// body. Whoever does not know a secret gets nowhere, and all that is refused is told in valid JSON.
#include <boost/json/parse.hpp>
#include <cstdlib>

#include "api/chime/request_signature.hpp"
#include "api/chime/requests.hpp"
#include "api/chime/route.hpp"
#include "api/chime/test_request.hpp"

namespace {

std::string_view line_of(std::string_view& rest) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
}

void demand_json(const api::chime::Refusal& refusal) {
    boost::json::parse(api::chime::response_of(refusal, "id").body);
}

template <class Read>
void read_with(const boost::json::object& body, Read read) {
    api::chime::Complaint complaint;
    if (read(body, complaint).has_value() == complaint.any()) std::abort();
    if (complaint.any()) demand_json(api::chime::bad_request(complaint.text()));
}

void read_bodies(std::string_view text) {
    using namespace api::chime;
    const auto body = read_body(text);
    if (!body) return;
    for (const bool with_attendees : {false, true}) {
        Complaint complaint;
        const auto meeting = read_create_meeting(*body, with_attendees, complaint);
        if (meeting.has_value() == complaint.any()) std::abort();
        if (!meeting) continue;
        boost::json::parse(meeting->details);
        if (meeting->max_attendees < 1 || meeting->max_attendees > 250 || meeting->tags.size() > 50) std::abort();
        if (meeting->external_meeting_id.find('\0') != std::string::npos) std::abort();
    }
    read_with(*body, read_create_attendee);
    read_with(*body, read_batch_create_attendee);
    read_with(*body, read_capabilities_update);
    read_with(*body, read_capabilities_except);
    read_with(*body, read_transcription);
    read_with(*body, read_tag_resource);
    read_with(*body, read_untag_resource);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest{reinterpret_cast<const char*>(data), size};
    api::chime::test::TestRequest request;
    request.method = line_of(rest);
    request.target = "/chime/" + std::string{line_of(rest)};
    request.fields.set("Authorization", line_of(rest));
    request.fields.set("X-Amz-Date", line_of(rest));
    request.fields.set("X-Amz-Content-Sha256", line_of(rest));
    request.body = rest;

    constexpr core::Time kNow{std::chrono::seconds{1'769'349'600}};
    static const api::chime::ApiKeys kKeys{{"AKID", "a secret that no fuzzer knows"}};
    const auto checked = api::chime::check_signature(request.request(), kKeys, kNow);
    if (!std::holds_alternative<api::chime::Refusal>(checked)) std::abort();
    demand_json(std::get<api::chime::Refusal>(checked));

    // The same request, signed with the secret, passes.
    request.fields.erase("X-Amz-Content-Sha256");
    request.sign("AKID", "a secret that no fuzzer knows", "r", "chime", kNow);
    if (!std::holds_alternative<api::chime::Signer>(api::chime::check_signature(request.request(), kKeys, kNow))) {
        std::abort();
    }
    const auto route = api::chime::route_of(request.method, request.target);
    if (route && !route->attendee_id.empty() && route->meeting_id.empty()) std::abort();
    read_bodies(request.body);
    return 0;
}
