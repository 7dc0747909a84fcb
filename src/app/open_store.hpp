// The store that the configuration names, opened and brought up to date. Main thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/config.hpp"
#include "core/result.hpp"
#include "service/archive.hpp"
#include "service/audit_log.hpp"
#include "service/audit_mac.hpp"
#include "service/booking_store.hpp"
#include "service/key_store.hpp"
#include "service/node_store.hpp"
#include "service/rate_ledger.hpp"
#include "service/sdk_meeting_store.hpp"
#include "service/store.hpp"
#include "service/store_insight.hpp"

namespace app {

/// A store and the way to stop it.
struct OpenStore {
    std::unique_ptr<service::Store> store;
    service::NodeStore* nodes = nullptr;               ///< The same one.
    service::SdkMeetingStore* sdk_meetings = nullptr;  ///< Likewise.
    service::BookingStore* bookings = nullptr;         ///< Likewise.
    std::function<void()> stop;
    service::StoreInsight* insight = nullptr;  ///< Likewise.
    service::AuditChain* audit = nullptr;      ///< Likewise.
    service::RateLedger* rates = nullptr;      ///< Likewise, where several processes may use it; else null.
    service::KeyStore* keys = nullptr;         ///< Likewise.
    service::Archive* archive = nullptr;       ///< Likewise.
};

/// Fails with one line for the operator.
/// `audit_keys`: rows of the audit trail get MACs under them; null for whoever writes none.
core::Result<OpenStore> open_store(const Config& config,
                                   std::shared_ptr<const service::AuditKeys> audit_keys = nullptr);

/// A file in the data folder.
std::string path_in(const Config& config, const char* name);

}  // namespace app
