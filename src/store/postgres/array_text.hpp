// A parameter that is a whole array, in PostgreSQL's text form: `{"a","b"}`. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace store::postgres {

class ArrayText {
  public:
    void add(std::string_view element) {
        text_ += text_.empty() ? "{\"" : ",\"";
        for (const char c : element) {
            if (c == '"' || c == '\\') text_ += '\\';
            text_ += c;
        }
        text_ += '"';
    }
    void add_null() { text_ += text_.empty() ? "{NULL" : ",NULL"; }
    std::string take() { return text_.empty() ? "{}" : text_ + "}"; }

  private:
    std::string text_;
};

inline std::string array_of(const std::vector<std::string>& texts) {
    ArrayText array;
    for (const auto& text : texts) array.add(text);
    return array.take();
}

inline std::string array_of(const std::vector<std::int64_t>& numbers) {
    ArrayText array;
    for (const auto number : numbers) array.add(std::to_string(number));
    return array.take();
}

}  // namespace store::postgres
