// The public keys of whoever signs tokens, from a JSON Web Key Set (RFC 7517; members of RSA and EC keys: RFC 7518
// section 6). Symmetric keys, keys that are not for signatures, and forms unknown here are passed over, as section 5
// asks; a key that is broken, too weak, or not the only one of its name makes the whole set refused.
//
// A value; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace directory {

enum class KeyType { rsa, p256 };

class KeySet {
  public:
    static constexpr std::size_t kMaxText = 64UL * 1024;
    static constexpr std::size_t kMaxKeys = 64;

    /// `bad_gateway`, and why, for a text that is no such set.
    static core::Result<KeySet> parse(std::string_view text);

    /// The key as PEM for a token that names it, or, when it names none, the only one of that type; else null.
    /// `algorithm` is the token's (`RS256`): a key that is meant for another is not given.
    const std::string* find(std::optional<std::string_view> kid, KeyType type, std::string_view algorithm) const;

    std::size_t size() const { return keys_.size(); }
    bool operator==(const KeySet&) const = default;

  private:
    struct Key {
        KeyType type = KeyType::rsa;
        std::optional<std::string> kid;
        std::optional<std::string> algorithm;
        std::string pem;
        bool operator==(const Key&) const = default;
    };

    std::vector<Key> keys_;
};

}  // namespace directory
