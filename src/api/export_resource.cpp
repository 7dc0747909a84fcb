// All that is held on a patient.
#include "api/export_answers.hpp"
#include "api/json_text.hpp"
#include "api/resource.hpp"
#include "api/values.hpp"
#include "net/sigv4.hpp"

namespace api {
namespace {

struct ExportRequest {
    bool fhir = false;
    service::PageWanted page;
};

std::string quoted(std::string_view text) {
    std::string out;
    append_json(out, text);
    return out;
}

ExportRequest read_export(const QueryString& query, Faults& faults) {
    ExportRequest request;
    if (const auto* format = query.find("format"); format && !format->empty()) {
        request.fhir = *format == "fhir";
        if (!request.fhir && *format != "json") {
            faults.not_a_choice({"query", "format"}, "'json' or 'fhir'", quoted(*format));
        }
    }
    if (const auto* text = query.find("limit")) {
        const auto limit = whole_number(*text);
        if (!limit) {
            faults.add({"query", "limit"}, "int_parsing",
                       "Input should be a valid integer, unable to parse string as an integer", quoted(*text));
        } else if (*limit < 1) {
            faults.too_small({"query", "limit"}, 1, quoted(*text));
        } else if (*limit > service::PatientExport::kMostSessions) {
            faults.too_large({"query", "limit"}, service::PatientExport::kMostSessions, quoted(*text));
        } else {
            request.page.limit = static_cast<int>(*limit);
        }
    }
    if (const auto* after = query.find("after"); after && can_be_an_id(*after)) request.page.after = *after;
    return request;
}

std::string url_of(const Call& call, std::string_view patient_id, const ExportRequest& request,
                   std::string_view after) {
    std::string url = call.site.consultations.url_base();
    url += "/api/video/patients/" + net::percent_encoded(patient_id) + "/export?format=";
    url += request.fhir ? "fhir" : "json";
    url += "&limit=" + std::to_string(request.page.limit);
    if (!after.empty()) url += "&after=" + net::percent_encoded(after);
    return url;
}

}  // namespace

service::Task<net::Response> get_patient_export(Call& call) {
    Faults faults;
    const auto request = read_export(QueryString{call.request.query()}, faults);
    if (faults.any()) co_return unprocessable(faults);
    auto* exports = call.site.settings.exports;
    if (!exports || !can_be_an_id(call.piece)) co_return refusal(404, "Not Found");
    const auto page = co_await exports->page(std::move(call.caller), std::move(call.piece), request.page);
    if (!page) co_return failure(page.error(), {}, call.request.request_id);
    const auto next = page->next ? url_of(call, page->patient_id, request, *page->next) : std::string{};
    if (!request.fhir) co_return json_response(200, export_answer(*page, next));
    const auto self = url_of(call, page->patient_id, request, request.page.after);
    auto response = json_response(
        200, fhir_bundle(*page, {call.site.consultations.url_base(), self, next, call.site.settings.app_name}));
    response.content_type = "application/fhir+json; charset=utf-8";
    co_return response;
}

}  // namespace api
