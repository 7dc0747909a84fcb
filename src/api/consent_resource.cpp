// What patients agree to before a call: the text, and their word.
#include "api/booking_requests.hpp"
#include "api/json_text.hpp"
#include "api/resource.hpp"

namespace api {
namespace {

using service::Task;

net::Response no_consent_asked() {
    return refusal(404, "This service asks for no consent");
}

std::string record_answer(const service::Consent& consent) {
    std::string out;
    JsonObject{out}("version", consent.version)("sha256", consent.text_sha256)("given_at", consent.given_at)(
        "session_id", consent.session_id);
    return out;
}

/// With the version that is the present one.
net::Response refusal_with_version(const Call& call, unsigned status, std::string_view detail) {
    std::string body;
    JsonObject{body}("detail", detail)("consent_version", call.site.settings.consents->text().version);
    return json_response(status, std::move(body));
}

}  // namespace

net::Response join_failure(const Call& call, const core::Error& error, std::string_view operation) {
    if (error.kind == core::ErrorKind::precondition_required && call.site.settings.consents) {
        return refusal_with_version(call, 428, error.detail);
    }
    return failure(error, operation, call.request.request_id);
}

Task<net::Response> get_consent(Call& call) {
    const auto* consents = call.site.settings.consents;
    if (!consents) co_return no_consent_asked();
    std::optional<bool> is_given;
    std::optional<core::Time> given_at;
    if (call.caller.is_patient()) {
        const auto given = co_await consents->given_by(call.caller.user_id);
        if (!given) co_return failure(given.error(), {}, call.request.request_id);
        is_given = given->has_value();
        if (*given) given_at = (*given)->given_at;
    }
    const auto& text = consents->text();
    std::string out;
    JsonObject{out}("version", text.version)("text", text.text)("sha256", text.sha256)("given", is_given)("given_at",
                                                                                                          given_at);
    co_return json_response(200, std::move(out));
}

Task<net::Response> post_consent(Call& call) {
    if (!call.site.settings.consents) co_return no_consent_asked();
    Faults faults;
    auto request = read_consent_given({call.request.body, call.request.header("Content-Type")}, faults);
    if (faults.any()) co_return unprocessable(faults);
    if (request->session_id && !can_be_an_id(*request->session_id)) co_return session_not_found();
    const auto given = co_await call.site.consultations.give_consent(
        std::move(call.caller), std::move(request->version), std::move(request->session_id));
    if (!given && given.error().kind == core::ErrorKind::conflict) {
        co_return refusal_with_version(call, 409, given.error().detail);
    }
    if (!given) co_return failure(given.error(), {}, call.request.request_id);
    co_return json_response(given->is_new ? 201 : 200, record_answer(given->consent));
}

}  // namespace api
