// The data keys of this process: read from the store, unwrapped by the master keys, made where there are none. Another
// process may make a new one at any time; it is taken up with the next look, or when a text under it is met. Made by
// the wiring; the store must outlive it. Any control-plane thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "core/time.hpp"
#include "service/key_store.hpp"
#include "store/sealed/data_keys.hpp"
#include "store/sealed/master_keys.hpp"

namespace store::sealed {

class KeyRing {
  public:
    KeyRing(service::KeyStore& store, MasterKeys masters, const core::Clock& clock)
        : store_(store), masters_(std::move(masters)), clock_(clock) {}

    /// At start, before anything else: reads the keys, makes the first one, wraps all anew whose master is not the
    /// current one. `invalid`: a master key is missing or wrong.
    service::Task<core::Result<void>> load();
    /// Reads the keys again.
    service::Task<core::Result<void>> refresh();
    /// Makes a data key; texts are sealed under it from now on. Returns its number.
    service::Task<core::Result<int>> rotate();

    /// What is known now; never null after `load`.
    std::shared_ptr<const DataKeys> keys() const;

  private:
    service::Task<core::Result<bool>> add(int number);
    service::Task<core::Result<void>> rewrap_all(std::vector<service::StoredKey> stored);
    core::Result<void> take(const std::vector<service::StoredKey>& stored);

    service::KeyStore& store_;
    MasterKeys masters_;
    const core::Clock& clock_;
    mutable std::mutex mutex_;
    std::shared_ptr<const DataKeys> keys_;
};

}  // namespace store::sealed
