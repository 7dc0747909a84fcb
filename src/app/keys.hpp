// Data at rest: the layer that keeps texts sealed, put over a store, and the commands `keys list`, `keys rotate` and
// `keys reseal`, which work beside a running service.
#pragma once

#include <string>

#include "app/config.hpp"
#include "app/open_store.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "store/sealed/key_ring.hpp"

namespace app {

/// Puts the layer over what was opened: `store.store` and `store.archive` are the sealed ones then. Returns the ring,
/// which lives as long as the store. Refuses a database whose keys are wrapped by a master key that we have not got.
/// Main thread, before any event loop calls the store.
core::Result<store::sealed::KeyRing*> seal_store(OpenStore& store, const Config& config, const std::string& secret,
                                                 const core::Clock& clock);

struct KeysReport {
    std::string text;    ///< For the terminal; ends with a newline.
    bool right = false;  ///< Nothing was damaged.
};

/// `verb`: list, rotate or reseal.
core::Result<KeysReport> manage_keys(const Config& config, const std::string& verb);

}  // namespace app
