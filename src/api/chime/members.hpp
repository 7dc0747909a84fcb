// The members of a JSON object, read under the rules of a service model: required or not, lengths in characters,
// allowed characters, enumerations, numbers. Members that are null count as absent, unknown ones are passed over, as
// AWS does. The first complaint is kept; what is read after it means nothing. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace api::chime {

struct TextRule {
    std::size_t least = 0, most = 4096;  ///< Characters.
    bool (*allows)(char32_t) = nullptr;  ///< Null: any.
    bool aws_is_reserved = false;        ///< No value may begin with `aws:`, in any case.
};

/// What is wrong with a request, in a sentence that repeats none of its values. Empty: nothing.
class Complaint {
  public:
    void about(std::string_view path, std::string_view constraint);
    bool any() const { return !text_.empty(); }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

/// Nullopt, or with a complaint when `path` breaks a rule. For texts that are no members, too.
bool obeys(std::string_view text, const TextRule& rule, std::string_view path, Complaint& complaint);

enum class Need : std::uint8_t { optional, required };

class Members {
  public:
    /// `path` is where the object stands, empty for the body itself. Both references must outlive this.
    Members(const boost::json::object& object, std::string path, Complaint& complaint)
        : object_(object), path_(std::move(path)), complaint_(complaint) {}

    /// Empty when it is absent or wrong.
    std::string text(std::string_view name, const TextRule& rule, Need need);
    std::string choice(std::string_view name, std::initializer_list<std::string_view> known, Need need);
    std::optional<std::int64_t> number(std::string_view name, std::int64_t least, std::int64_t most);
    std::optional<bool> boolean(std::string_view name);
    /// Null when it is absent or wrong.
    const boost::json::object* object(std::string_view name, Need need);
    const boost::json::array* array(std::string_view name, std::size_t least, std::size_t most, Need need);

    std::string path_of(std::string_view name) const;

  private:
    const boost::json::value* find(std::string_view name, Need need);

    const boost::json::object& object_;
    const std::string path_;
    Complaint& complaint_;
};

}  // namespace api::chime
