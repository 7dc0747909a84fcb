// Seals anew what is sealed under an older data key, or not at all: everything but the audit trail, whose MACs cover
// what is stored. Beside running processes: a text that changes meanwhile is left as it came out of that change. What
// is done stays done, so that an interrupted run is taken up by simply beginning again.
#pragma once

#include <cstdint>

#include "service/key_store.hpp"
#include "store/sealed/key_ring.hpp"

namespace store::sealed {

struct Resealed {
    std::int64_t texts = 0;
    std::int64_t damaged = 0;  ///< Could not be opened and stay as they are; the log names their places.
};

/// `ring` is loaded; reads and writes at most `batch` texts at a time.
service::Task<core::Result<Resealed>> reseal(service::KeyStore& store, KeyRing& ring, int batch);

}  // namespace store::sealed
