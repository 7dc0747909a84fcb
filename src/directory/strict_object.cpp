#include "directory/strict_object.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <cstdint>
#include <limits>

namespace directory {
namespace json = boost::json;
namespace {

constexpr std::size_t kMaxDepth = 8;

/// Boost.JSON keeps the last of several members of one name and does not say so; this counts what was written.
struct NameCounter {
    using Code = json::error_code;
    using Text = json::string_view;
    static constexpr auto max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr auto max_array_size = max_object_size;
    static constexpr auto max_key_size = max_object_size;
    static constexpr auto max_string_size = max_object_size;

    std::size_t names = 0;

    bool on_document_begin(Code&) { return true; }
    bool on_document_end(Code&) { return true; }
    bool on_object_begin(Code&) { return true; }
    bool on_object_end(std::size_t, Code&) { return true; }
    bool on_array_begin(Code&) { return true; }
    bool on_array_end(std::size_t, Code&) { return true; }
    bool on_key_part(Text, std::size_t, Code&) { return true; }
    bool on_key(Text, std::size_t, Code&) {
        ++names;
        return true;
    }
    bool on_string_part(Text, std::size_t, Code&) { return true; }
    bool on_string(Text, std::size_t, Code&) { return true; }
    bool on_number_part(Text, Code&) { return true; }
    bool on_int64(std::int64_t, Text, Code&) { return true; }
    bool on_uint64(std::uint64_t, Text, Code&) { return true; }
    bool on_double(double, Text, Code&) { return true; }
    bool on_bool(bool, Code&) { return true; }
    bool on_null(Code&) { return true; }
    bool on_comment_part(Text, Code&) { return true; }
    bool on_comment(Text, Code&) { return true; }
};

std::size_t names_kept(const json::value& value) {
    std::size_t total = 0;
    if (const auto* object = value.if_object()) {
        total = object->size();
        for (const auto& member : *object) total += names_kept(member.value());
    } else if (const auto* array = value.if_array()) {
        for (const auto& element : *array) total += names_kept(element);
    }
    return total;
}

}  // namespace

std::optional<json::object> parse_strict_object(std::string_view text) {
    json::parse_options options;
    options.max_depth = kMaxDepth;
    json::error_code error;
    auto value = json::parse({text.data(), text.size()}, error, {}, options);
    if (error || !value.is_object()) return {};
    json::basic_parser<NameCounter> counter(options);
    counter.write_some(false, text.data(), text.size(), error);
    if (error || counter.handler().names != names_kept(value)) return {};
    return std::move(value.get_object());
}

}  // namespace directory
