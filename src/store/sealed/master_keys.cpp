#include "store/sealed/master_keys.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace store::sealed {
namespace {

std::string context_of(const service::StoredKey& key) {
    return "video_consultation_data_keys/wrapped/" + std::to_string(key.number);
}

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    });
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Both alphabets, with or without padding.
std::optional<core::Bytes> bytes_of(std::string_view text) {
    std::string url{text};
    while (url.ends_with('=')) url.pop_back();
    std::ranges::replace(url, '+', '-');
    std::ranges::replace(url, '/', '_');
    auto bytes = core::from_base64url(url);
    OPENSSL_cleanse(url.data(), url.size());
    if (!bytes || bytes->size() != core::Aes256Gcm::kKey) return {};
    return bytes;
}

}  // namespace

MasterKeys::MasterKeys(std::vector<MasterKey> keys) : keys_(std::move(keys)) {
    if (keys_.empty()) throw std::invalid_argument("there is no master key");
}

service::StoredKey MasterKeys::wrap(int number, core::BytesView data_key, core::Time created_at) const {
    service::StoredKey stored{number, current(), {}, created_at};
    stored.wrapped = core::base64url(keys_.front().key.seal(data_key, context_of(stored)));
    return stored;
}

core::Result<std::string> MasterKeys::unwrapped(const service::StoredKey& stored) const {
    const auto master = std::ranges::find(keys_, stored.master_id, &MasterKey::id);
    if (master == keys_.end()) {
        return core::fail(core::ErrorKind::invalid,
                          "the texts in this database are sealed under master key '" + stored.master_id +
                              "', which this process has not got: add it to ENCRYPTION_KEY, or restore the secret "
                              "that it was derived from");
    }
    const auto sealed = core::from_base64url(stored.wrapped);
    auto opened = sealed ? master->key.open(*sealed, context_of(stored)) : std::nullopt;
    if (!opened || opened->size() != core::Aes256Gcm::kKey) {
        return core::fail(core::ErrorKind::invalid,
                          "master key '" + stored.master_id + "' does not open data key " +
                              std::to_string(stored.number) +
                              " of this database: it is another key under the same name, or the database was changed");
    }
    return std::move(*opened);
}

core::Result<core::Aes256Gcm> MasterKeys::unwrap(const service::StoredKey& stored) const {
    auto opened = unwrapped(stored);
    if (!opened) return std::unexpected(std::move(opened.error()));
    core::Aes256Gcm key(core::as_bytes(*opened));
    OPENSSL_cleanse(opened->data(), opened->size());
    return key;
}

std::optional<service::StoredKey> MasterKeys::rewrap(const service::StoredKey& stored) const {
    if (stored.master_id == current()) return {};
    auto opened = unwrapped(stored);
    if (!opened) return {};
    auto made = wrap(stored.number, core::as_bytes(*opened), stored.created_at);
    OPENSSL_cleanse(opened->data(), opened->size());
    return made;
}

std::optional<std::vector<MasterKey>> parse_master_keys(std::string_view text) {
    std::vector<MasterKey> keys;
    for (bool more = true; more;) {
        const auto comma = text.find(',');
        const auto part = trimmed(text.substr(0, comma));
        more = comma != std::string_view::npos;
        if (more) text.remove_prefix(comma + 1);
        const auto colon = part.find(':');
        if (colon == std::string_view::npos || !is_id(part.substr(0, colon))) return {};
        auto bytes = bytes_of(part.substr(colon + 1));
        if (!bytes) return {};
        std::string id{part.substr(0, colon)};
        if (std::ranges::find(keys, id, &MasterKey::id) != keys.end()) return {};
        keys.push_back({std::move(id), core::Aes256Gcm(*bytes)});
        OPENSSL_cleanse(bytes->data(), bytes->size());
    }
    return keys;
}

MasterKey derived_master_key(std::string_view secret) {
    const auto of = [&](std::string_view purpose) {
        return core::hmac_sha256(core::as_bytes(secret), core::as_bytes(purpose));
    };
    return {"secret:" + core::hex(of("name of the encryption key")).substr(0, 8),
            core::Aes256Gcm(of("encryption at rest"))};
}

}  // namespace store::sealed
