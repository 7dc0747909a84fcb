// Small text tools of this room: percent-encoding, UTF-8, query strings. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace api {

/// RFC 3986 section 2.1. Nullopt for a broken escape.
std::optional<std::string> percent_decoded(std::string_view text);

bool is_utf8(std::string_view text);
/// Every byte that belongs to no valid sequence becomes U+FFFD.
std::string with_valid_utf8(std::string_view text);
/// Characters (code points) in a valid UTF-8 text.
std::size_t characters(std::string_view text);
/// The longest beginning with at most so many characters.
std::string_view first_characters(std::string_view text, std::size_t count);

/// Ids that no session and no person can have are not worth a question to the store, and must not reach it: bytes that
/// are no UTF-8 or contain U+0000 are errors there.
bool can_be_an_id(std::string_view text);

/// `a=1&b=2`, decoded as HTML forms are written (`+` is a space); broken escapes stay as they are, bytes that are no
/// UTF-8 become U+FFFD. The last of several values of one name counts.
class QueryString {
  public:
    explicit QueryString(std::string_view text);
    const std::string* find(std::string_view name) const;

  private:
    std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace api
