#include "service/consents.hpp"

namespace service {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

std::optional<std::string> unless_empty(std::string text) {
    return text.empty() ? std::nullopt : std::optional{std::move(text)};
}

}  // namespace

Task<Result<void>> Consents::demand(std::string patient_id) const {
    const auto given = co_await given_by(std::move(patient_id));
    if (!given) co_return std::unexpected(given.error());
    if (*given) co_return Result<void>{};
    co_return fail(ErrorKind::precondition_required,
                   "Your consent is needed first: read it and give it at /api/video/consent");
}

Task<Result<std::optional<Consent>>> Consents::given_by(std::string patient_id) const {
    return store_.find_consent(std::move(patient_id), text_.version);
}

Task<Result<Consents::Given>> Consents::give(Caller caller, std::string version,
                                             std::optional<std::string> session_id) const {
    if (version != text_.version) {
        co_return fail(ErrorKind::conflict, "This is not the present version of the consent");
    }
    Consent consent{caller.user_id,
                    text_.version,
                    text_.sha256,
                    clock_.now(),
                    std::move(session_id),
                    unless_empty(std::move(caller.address)),
                    unless_empty(std::move(caller.request_id))};
    auto earlier = co_await store_.add_consent(consent);
    if (!earlier) co_return std::unexpected(earlier.error());
    if (*earlier) co_return Given{std::move(**earlier), false};
    co_return Given{std::move(consent), true};
}

}  // namespace service
