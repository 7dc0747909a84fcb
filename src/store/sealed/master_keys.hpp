// The keys that data keys are wrapped by. They come from outside and are never stored: `ENCRYPTION_KEY`, or what is
// derived from the service's secret. Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/aes_gcm.hpp"
#include "core/bytes.hpp"
#include "core/result.hpp"
#include "service/key_store.hpp"

namespace store::sealed {

struct MasterKey {
    std::string id;
    core::Aes256Gcm key;
};

class MasterKeys {
  public:
    /// The first wraps; all unwrap. At least one.
    explicit MasterKeys(std::vector<MasterKey> keys);

    const std::string& current() const { return keys_.front().id; }

    service::StoredKey wrap(int number, core::BytesView data_key, core::Time created_at) const;
    /// Fails with what the operator can do about it.
    core::Result<core::Aes256Gcm> unwrap(const service::StoredKey& stored) const;
    /// The same data key under the current master; nullopt: it is already. Only for what can be unwrapped.
    std::optional<service::StoredKey> rewrap(const service::StoredKey& stored) const;

  private:
    core::Result<std::string> unwrapped(const service::StoredKey& stored) const;

    std::vector<MasterKey> keys_;
};

/// `id:base64 of 32 bytes`, several with commas between. Ids: letters, digits, `-`, `_`, `.`; at most 64; none twice.
/// Nullopt: it is not that.
std::optional<std::vector<MasterKey>> parse_master_keys(std::string_view text);

/// What is used without a key of its own: derived from the service's secret, named after what it is.
MasterKey derived_master_key(std::string_view secret);

}  // namespace store::sealed
