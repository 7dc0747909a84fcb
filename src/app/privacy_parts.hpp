// What the process does about data that is kept: its keys, and the end of its time.
#pragma once

#include "app/config.hpp"
#include "app/open_store.hpp"
#include "core/time.hpp"
#include "service/retention.hpp"
#include "store/sealed/key_ring.hpp"

namespace app {

/// Made after the store was sealed, which must outlive it with ring and clock.
class PrivacyParts {
  public:
    PrivacyParts(const PrivacyConfig& config, OpenStore& store, store::sealed::KeyRing& ring, const core::Clock& clock);

    store::sealed::KeyRing& ring() { return ring_; }
    service::Retention& retention() { return retention_; }

  private:
    store::sealed::KeyRing& ring_;
    service::Retention retention_;
};

}  // namespace app
