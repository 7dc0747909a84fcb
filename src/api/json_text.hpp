// Writes JSON by appending to a string: the answers' shapes are fixed, so no tree is built first.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace api {

/// A JSON string with its quotes. The text must be UTF-8.
void append_json(std::string& out, std::string_view text);
inline void append_json(std::string& out, const std::string& text) {
    append_json(out, std::string_view{text});
}
inline void append_json(std::string& out, const char* text) {
    append_json(out, std::string_view{text});
}

inline void append_json(std::string& out, bool value) {
    out += value ? "true" : "false";
}

template <std::integral T>
    requires(!std::same_as<T, bool>)
void append_json(std::string& out, T value) {
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// RFC 3339 with `Z`; the digits need no escaping.
inline void append_json(std::string& out, core::Time time) {
    out += '"';
    core::append_rfc3339(out, time);
    out += '"';
}

template <class T>
void append_json(std::string& out, const std::optional<T>& value) {
    if (value) {
        append_json(out, *value);
    } else {
        out += "null";
    }
}

/// An object under construction: `JsonObject(out)("name", value)("other", value);`. Closes itself when it goes out of
/// scope, so let that happen before `out` is returned.
class JsonObject {
  public:
    explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
    ~JsonObject() { out_ += '}'; }
    JsonObject(const JsonObject&) = delete;
    JsonObject& operator=(const JsonObject&) = delete;

    /// `name` needs no escaping.
    template <class T>
    JsonObject& operator()(std::string_view name, const T& value) {
        append_json(key(name), value);
        return *this;
    }
    /// The name alone; the caller appends the value.
    std::string& key(std::string_view name) {
        if (!first_) out_ += ',';
        first_ = false;
        out_ += '"';
        out_ += name;
        out_ += "\":";
        return out_;
    }

  private:
    std::string& out_;
    bool first_ = true;
};

}  // namespace api
