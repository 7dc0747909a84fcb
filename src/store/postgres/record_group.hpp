// Rows of the audit trail that come while others of the same loop are being written: they wait for those and then go
// together, in one statement. So a read waits for one or two commits, however many others read at the same time.
// Inside this room only.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "net/completion.hpp"
#include "service/audit_log.hpp"
#include "store/postgres/pool.hpp"

namespace store::postgres {

/// What one caller wants to have written.
struct Recording {
    std::vector<consultation::AuditEntry> entries;
    std::vector<consultation::Event> events;
    std::shared_ptr<net::Completion<core::Result<void>>> done = std::make_shared<net::Completion<core::Result<void>>>();
};

/// Of one loop, whose thread alone uses it.
struct RecordGroup {
    std::deque<Recording> waiting;
    bool writing = false;
};

/// Owned by a store; any thread.
class RecordGroups {
  public:
    std::shared_ptr<RecordGroup> of(const std::shared_ptr<Pool>& pool) {
        const std::scoped_lock lock(mutex_);
        std::erase_if(groups_, [](const auto& each) { return each.first.expired(); });
        for (const auto& [of, group] : groups_) {
            if (of.lock() == pool) return group;
        }
        return groups_.emplace_back(pool, std::make_shared<RecordGroup>()).second;
    }

  private:
    std::mutex mutex_;
    std::vector<std::pair<std::weak_ptr<Pool>, std::shared_ptr<RecordGroup>>> groups_;
};

}  // namespace store::postgres
