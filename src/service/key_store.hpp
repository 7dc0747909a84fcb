// Port: the keys that texts are sealed under, as they are kept (wrapped by a master key that is not in the database),
// and the sealed texts themselves, for sealing them anew. Calls as in SessionStore.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "service/task.hpp"

namespace service {

/// A data key. Numbers grow by one; the highest is the one to seal under.
struct StoredKey {
    int number = 0;
    std::string master_id;  ///< Which master key wraps it.
    std::string wrapped;    ///< base64url.
    core::Time created_at;

    bool operator==(const StoredKey&) const = default;
};

/// A column whose texts are sealed. Names are SQL of both engines, never input.
struct SealedColumn {
    std::string_view table, column;
    std::string_view row;   ///< Expression that names the row; unique.
    std::string_view head;  ///< What stands before the mark of a sealed text.
};

struct SealedText {
    std::string row;
    std::string text;  ///< As kept.
};
struct ResealedText {
    std::string row;
    std::string before, after;
};

class KeyStore {
  public:
    virtual ~KeyStore() = default;

    /// By number.
    virtual Task<core::Result<std::vector<StoredKey>>> data_keys() = 0;
    /// False: another process has made a key of this number.
    virtual Task<core::Result<bool>> add_data_key(StoredKey key) = 0;
    /// Replaces wrapping and master, if the key still is as in `before`. False: somebody else was faster.
    virtual Task<core::Result<bool>> rewrap_data_key(StoredKey before, StoredKey after) = 0;

    /// Texts of a column that do not begin with `unlike`, by row, from behind `after`.
    virtual Task<core::Result<std::vector<SealedText>>> texts_unlike(SealedColumn column, std::string unlike,
                                                                     std::string after, int limit) = 0;
    /// Each that still is as it was; returns how many.
    virtual Task<core::Result<int>> replace_texts(SealedColumn column, std::vector<ResealedText> texts) = 0;
};

}  // namespace service
