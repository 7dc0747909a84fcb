// Where Amazon EventBridge tells who is in our Chime meetings (an API destination with an API key or Basic
// credentials).
#include "api/authorization.hpp"
#include "api/chime_events.hpp"
#include "api/json_text.hpp"
#include "api/resource.hpp"

namespace api {
namespace {

bool shows(const net::Request& request, std::string_view secret) {
    const auto key = request.header("X-Api-Key");
    if (!key.empty()) return same_secret(key, secret);
    const auto authorization = authorization_of(request);
    if (!authorization.is("basic")) return false;
    const auto password = basic_password(authorization.credentials);
    return password && same_secret(*password, secret);
}

}  // namespace

service::Task<net::Response> post_chime_events(Call& call) {
    const auto& secret = call.site.settings.chime_events_secret;
    if (secret.empty()) co_return refusal(404, "Not Found");
    if (!shows(call.request, secret)) {
        auto response = refusal(401, "Not authenticated");
        response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"chime events\"");
        co_return response;
    }
    auto& consultations = call.site.consultations;
    Faults faults;
    auto events = read_chime_events(call.request.body, consultations.now(), faults);
    if (!events) co_return unprocessable(faults);
    const auto count = events->size();
    for (auto& event : *events) {
        // Whatever was taken before a failure is recognised when the sender repeats it.
        const auto taken = co_await consultations.chime_event(std::move(event));
        if (!taken) co_return failure(taken.error(), {}, call.request.request_id);
    }
    std::string body;
    JsonObject{body}("accepted", count);
    co_return json_response(202, std::move(body));
}

}  // namespace api
