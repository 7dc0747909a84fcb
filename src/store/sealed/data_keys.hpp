// The keys that texts are sealed under, and the form of a sealed text:
//   enc1:<number of the data key>:<base64url of nonce, cipher text and tag>
// AES-256-GCM; table, column and row are authenticated with each text, so that none can be put in another's place.
// Values; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/aes_gcm.hpp"
#include "core/result.hpp"
#include "service/key_store.hpp"

namespace store::sealed {

/// The number of the data key; nullopt: not a sealed text, but one from before texts were sealed.
std::optional<int> key_number_of(std::string_view text);

/// What every text that is sealed under this key begins with.
std::string mark_of(int number);

class DataKeys {
  public:
    /// Texts are sealed under the one with the highest number.
    explicit DataKeys(std::map<int, core::Aes256Gcm> keys);

    int current() const { return keys_.rbegin()->first; }
    bool has(int number) const { return keys_.contains(number); }
    /// The same for as long as there is a database: under the first key, which is never taken away.
    core::Sha256 mark(std::string_view purpose, std::string_view text) const;

    std::string seal(const service::SealedColumn& column, std::string_view row, std::string_view text) const;
    /// Texts that are not sealed come back as they are. Fails with table, column and row alone.
    core::Result<std::string> open(const service::SealedColumn& column, std::string_view row,
                                   std::string_view text) const;

  private:
    std::map<int, core::Aes256Gcm> keys_;
};

/// For the log: where, and nothing about people. Rows that are named by people stay unnamed.
core::Error cannot_open(const service::SealedColumn& column, std::string_view row, std::string_view why);

}  // namespace store::sealed
