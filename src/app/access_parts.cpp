#include "app/access_parts.hpp"

namespace app {

api::CorsSettings cors_settings(const AccessConfig& access) {
    return {.any = access.any_origin, .origins = access.origins};
}

AccessParts::AccessParts(const AccessConfig& access, const std::string& secret, service::RateLedger* ledger,
                         const boost::asio::any_io_executor& executor) {
    if (!access.is_limited) return;
    api::RateSettings settings;
    settings.read = access.read;
    settings.write = access.write;
    settings.join = access.join;
    settings.refresh = access.refresh;
    settings.address = access.address;
    settings.anonymous = access.anonymous;
    settings.failed = access.failed;
    settings.shared = ledger != nullptr;
    limits_ = std::make_unique<api::RateLimits>(settings, secret);
    if (ledger) exchange_ = std::make_unique<api::RateExchange>(*limits_, *ledger, executor);
}

std::vector<service::Vitals::Count> AccessParts::refusals() const {
    std::vector<service::Vitals::Count> counts;
    for (std::size_t i = 0; limits_ && i < api::kRateKinds; ++i) {
        const auto kind = static_cast<api::RateKind>(i);
        counts.push_back({api::to_text(kind), limits_->refused(kind)});
    }
    return counts;
}

void AccessParts::start(net::TaskGroup& tasks) {
    if (exchange_) tasks.spawn("rates", exchange_->run());
}

}  // namespace app
