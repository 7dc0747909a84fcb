// Text for JSON written by the rooms that have no JSON library. Pure.
#pragma once

#include <string>
#include <string_view>

namespace core {

/// Appends `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
void append_json_text(std::string& out, std::string_view text);

}  // namespace core
