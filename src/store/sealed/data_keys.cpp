#include "store/sealed/data_keys.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "core/bytes.hpp"

namespace store::sealed {
namespace {

constexpr std::string_view kMark = "enc1:";

struct Parts {
    int key = 0;
    std::string_view data;
};

std::optional<Parts> parts_of(std::string_view text) {
    if (!text.starts_with(kMark)) return {};
    text.remove_prefix(kMark.size());
    Parts parts;
    const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), parts.key);
    if (failed != std::errc{} || parts.key < 1 || stop == text.data() + text.size() || *stop != ':') return {};
    parts.data = text.substr(static_cast<std::size_t>(stop - text.data()) + 1);
    return parts;
}

/// No name holds the separator.
std::string context_of(const service::SealedColumn& column, std::string_view row) {
    std::string context;
    context.reserve(column.table.size() + column.column.size() + row.size() + 2);
    context.append(column.table).push_back('\0');
    context.append(column.column).push_back('\0');
    return context.append(row);
}

bool is_uuid(std::string_view text) {
    return text.size() == 36 && text.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
}

}  // namespace

std::optional<int> key_number_of(std::string_view text) {
    const auto parts = parts_of(text);
    return parts ? std::optional{parts->key} : std::nullopt;
}

std::string mark_of(int number) {
    return std::string{kMark}.append(std::to_string(number)).append(1, ':');
}

core::Error cannot_open(const service::SealedColumn& column, std::string_view row, std::string_view why) {
    std::string text{why};
    text.append(": ").append(column.table).append(".").append(column.column);
    if (is_uuid(row)) text.append(" of ").append(row);
    return {core::ErrorKind::internal, std::move(text)};
}

DataKeys::DataKeys(std::map<int, core::Aes256Gcm> keys) : keys_(std::move(keys)) {
    if (keys_.empty()) throw std::invalid_argument("there is no data key");
}

core::Sha256 DataKeys::mark(std::string_view purpose, std::string_view text) const {
    return keys_.begin()->second.mark(purpose, text);
}

std::string DataKeys::seal(const service::SealedColumn& column, std::string_view row, std::string_view text) const {
    const auto& [number, key] = *keys_.rbegin();
    return mark_of(number) + core::base64url(key.seal(core::as_bytes(text), context_of(column, row)));
}

core::Result<std::string> DataKeys::open(const service::SealedColumn& column, std::string_view row,
                                         std::string_view text) const {
    const auto parts = parts_of(text);
    if (!parts) return std::string{text};
    const auto key = keys_.find(parts->key);
    if (key == keys_.end()) return std::unexpected(cannot_open(column, row, "sealed under an unknown key"));
    const auto sealed = core::from_base64url(parts->data);
    auto opened = sealed ? key->second.open(*sealed, context_of(column, row)) : std::nullopt;
    if (!opened) return std::unexpected(cannot_open(column, row, "a sealed text is damaged"));
    return std::move(*opened);
}

}  // namespace store::sealed
