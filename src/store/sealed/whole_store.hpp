// An engine with its texts sealed, and all that this takes: what the wiring hands to the service in the engine's place.
#pragma once

#include <memory>
#include <utility>

#include "store/sealed/sealed_store.hpp"

namespace store::sealed {

/// What a WholeStore is made of. A base, so that it is there before the layer that refers to it.
struct WholeStoreParts {
    WholeStoreParts(std::unique_ptr<service::Store> store, service::KeyStore& keys, service::Archive& below,
                    MasterKeys masters, const core::Clock& clock)
        : engine(std::move(store)),
          ring(keys, std::move(masters), clock),
          sealed(*engine, ring),
          archive(below, ring) {}

    std::unique_ptr<service::Store> engine;
    KeyRing ring;
    SealedStore sealed;
    SealedArchive archive;
};

/// `keys` and `archive` are the engine's own. Load the ring before the first call.
class WholeStore final : private WholeStoreParts, public service::StoreLayer {
  public:
    WholeStore(std::unique_ptr<service::Store> store, service::KeyStore& keys, service::Archive& below,
               MasterKeys masters, const core::Clock& clock)
        : WholeStoreParts(std::move(store), keys, below, std::move(masters), clock),
          StoreLayer(static_cast<service::Store&>(WholeStoreParts::sealed)) {}

    KeyRing& ring() { return WholeStoreParts::ring; }
    service::Archive& archive() { return WholeStoreParts::archive; }
};

}  // namespace store::sealed
