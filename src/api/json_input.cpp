#include "api/json_input.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/stream_parser.hpp>
#include <cmath>
#include <utility>

namespace api {
namespace {

namespace json = boost::json;

constexpr std::size_t kDeepest = 32;

/// A number beyond every double is read as infinity, for which JSON has no word: it could not be shown again.
bool all_finite(const json::value& value) {
    if (const auto* number = value.if_double()) return std::isfinite(*number);
    if (const auto* list = value.if_array()) return std::ranges::all_of(*list, all_finite);
    if (const auto* object = value.if_object()) {
        return std::ranges::all_of(*object, [](const auto& field) { return all_finite(field.value()); });
    }
    return true;
}

}  // namespace

std::optional<json::value> parse_json(std::string_view text, json::storage_ptr memory, Faults& faults) {
    json::parse_options options;
    options.max_depth = kDeepest;
    unsigned char scratch[1024];
    json::stream_parser parser{json::storage_ptr{}, options, scratch, sizeof scratch};
    parser.reset(std::move(memory));
    boost::system::error_code failed;
    std::size_t offset = parser.write_some(text.data(), text.size(), failed);
    if (!failed && offset < text.size()) failed = json::make_error_code(json::error::extra_data);
    if (!failed) parser.finish(failed);
    if (failed) {
        faults.bad_json(offset, failed.message());
        return {};
    }
    auto value = parser.release();
    if (!all_finite(value)) {
        faults.bad_json(text.size(), "number out of range");
        return {};
    }
    return value;
}

std::string_view text_member(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains({name.data(), name.size()});
    const auto* text = value ? value->if_string() : nullptr;
    return text ? std::string_view{text->data(), text->size()} : std::string_view{};
}

}  // namespace api
