#include "app/audit_parts.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "core/log.hpp"

namespace app {
namespace {

constexpr std::chrono::seconds kLeaseLife{10};

std::string derived(const std::string& secret) {
    return core::hex(core::hmac_sha256(core::as_bytes(secret), core::as_bytes(std::string_view{"audit"})));
}

}  // namespace

std::shared_ptr<const service::AuditKeys> audit_keys(const AuditConfig& config, const std::string& secret) {
    std::vector<std::string> old;
    old.reserve(config.old_keys.size());
    for (const auto& key : config.old_keys) old.push_back(key == "derived" ? derived(secret) : key);
    return std::make_shared<const service::AuditKeys>(config.key ? *config.key : derived(secret), std::move(old));
}

AuditParts::AuditParts(std::shared_ptr<const service::AuditKeys> keys, service::AuditChain& chain,
                       service::Outbox& leases)
    : keys_(std::move(keys)), chainer_(chain, *keys_), lease_(leases, "audit-chain", kLeaseLife) {}

service::Task<core::Result<void>> AuditParts::chain() {
    const auto ours = co_await lease_.hold();
    if (!ours) co_return std::unexpected(ours.error());
    if (!*ours) {
        works_ = true;
        co_return core::Result<void>{};
    }
    const auto chained = co_await chainer_.chain_all();
    works_ = chained.has_value();
    if (!chained) co_return std::unexpected(chained.error());
    chained_ += static_cast<std::uint64_t>(*chained);
    co_return core::Result<void>{};
}

service::Task<core::Result<void>> AuditParts::chain_and_leave() {
    auto done = co_await chain();
    co_await lease_.release();
    co_return done;
}

void AuditParts::finish(const boost::asio::any_io_executor& executor, std::chrono::milliseconds limit) {
    auto done = boost::asio::co_spawn(executor, chain_and_leave(), boost::asio::use_future);
    if (done.wait_for(limit) != std::future_status::ready) return;
    if (const auto result = done.get(); !result) {
        core::log::warning("the audit trail's last rows are chained at the next start",
                           {{"why", result.error().detail}});
    }
}

void AuditParts::add_to(service::Vitals& vitals) const {
    vitals.audit.chained = chained_;
    vitals.audit.chaining = works_;
}

}  // namespace app
