#include "meetings/chime/credential_documents.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace meetings::chime {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxId = 256, kMaxSecret = 1024, kMaxToken = 16 * 1024;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kWhite = " \t\r\f\v";
    const auto first = text.find_first_not_of(kWhite);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kWhite) - first + 1);
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return out;
}

/// `profile "my name"` and `profile   name` mean the same.
std::string section_name(std::string_view text) {
    text = trimmed(text);
    constexpr std::string_view kProfile = "profile";
    if (!text.starts_with(kProfile) || text.size() == kProfile.size()) return std::string{text};
    auto name = text.substr(kProfile.size());
    if (name[0] != ' ' && name[0] != '\t') return std::string{text};
    name = trimmed(name);
    const bool quoted = name.size() >= 2 && (name[0] == '"' || name[0] == '\'') && name.back() == name[0];
    if (quoted) name = name.substr(1, name.size() - 2);
    return "profile " + std::string{name};
}

/// The secret itself is sent nowhere.
bool has_controls(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

/// What may go into a header as it is.
bool is_visible(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

core::Result<std::optional<AwsKeys>> keys_of(const IniSections& sections, const std::string& name,
                                             std::string_view where) {
    const auto section = sections.find(name);
    if (section == sections.end()) return std::nullopt;
    const auto value = [&](const char* key) {
        const auto found = section->second.find(key);
        return found == section->second.end() ? std::string{} : found->second;
    };
    return checked_keys({.access_key_id = value("aws_access_key_id"),
                         .secret_access_key = value("aws_secret_access_key"),
                         .session_token = value("aws_session_token")},
                        where);
}

std::string text_of(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    const auto* text = value ? value->if_string() : nullptr;
    return text ? std::string{*text} : std::string{};
}

}  // namespace

IniSections parse_ini(std::string_view text) {
    IniSections sections;
    std::map<std::string, std::string>* section = nullptr;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        const auto content = trimmed(line);
        if (content.empty() || content[0] == '#' || content[0] == ';') continue;
        if (line[0] == '[') {
            const auto close = content.find(']');
            section = close == std::string_view::npos ? nullptr : &sections[section_name(content.substr(1, close - 1))];
            continue;
        }
        const auto equals = content.find('=');
        if (!section || equals == std::string_view::npos || line[0] == ' ' || line[0] == '\t') continue;
        (*section)[lower(trimmed(content.substr(0, equals)))] = trimmed(content.substr(equals + 1));
    }
    return sections;
}

core::Result<std::optional<AwsKeys>> keys_in_credentials_file(std::string_view text, std::string_view profile) {
    return keys_of(parse_ini(text), std::string{profile}, "the AWS credentials file");
}

core::Result<std::optional<AwsKeys>> keys_in_config_file(std::string_view text, std::string_view profile) {
    const auto sections = parse_ini(text);
    auto found = keys_of(sections, "profile " + std::string{profile}, "the AWS config file");
    if (profile == "default" && found && !*found) found = keys_of(sections, "default", "the AWS config file");
    return found;
}

core::Result<std::optional<AwsKeys>> checked_keys(AwsKeys keys, std::string_view where) {
    if (keys.access_key_id.empty() && keys.secret_access_key.empty()) return std::nullopt;
    if (keys.access_key_id.empty() || keys.secret_access_key.empty())
        return core::fail(core::ErrorKind::unavailable,
                          "Partial credentials in " + std::string{where} + ": key id and secret belong together");
    const bool fits = keys.access_key_id.size() <= kMaxId && keys.secret_access_key.size() <= kMaxSecret &&
                      keys.session_token.size() <= kMaxToken;
    // The access key id stands in a list divided by slashes and commas.
    const bool clean = is_visible(keys.access_key_id) && !has_controls(keys.secret_access_key) &&
                       is_visible(keys.session_token) && keys.access_key_id.find_first_of("/,=") == std::string::npos;
    if (!fits || !clean)
        return core::fail(core::ErrorKind::unavailable, "The keys in " + std::string{where} + " cannot be AWS keys");
    return keys;
}

core::Result<AwsKeys> keys_in_json(std::string_view text) {
    constexpr auto kNonsense = "The endpoint for AWS credentials answered nonsense";
    boost::system::error_code error;
    const auto value = json::parse(text, error, {}, {.max_depth = 4});
    const auto* object = error ? nullptr : value.if_object();
    if (!object) return core::fail(core::ErrorKind::unavailable, kNonsense);
    if (const auto code = text_of(*object, "Code"); !code.empty() && code != "Success")
        return core::fail(core::ErrorKind::unavailable, "The endpoint for AWS credentials has none at the moment");
    AwsKeys keys{.access_key_id = text_of(*object, "AccessKeyId"),
                 .secret_access_key = text_of(*object, "SecretAccessKey"),
                 .session_token = text_of(*object, "Token")};
    if (const auto expiration = text_of(*object, "Expiration"); !expiration.empty()) {
        keys.expires_at = core::parse_utc(expiration);
        if (!keys.expires_at) return core::fail(core::ErrorKind::unavailable, kNonsense);
    }
    auto checked = checked_keys(std::move(keys), "the answer of the endpoint for AWS credentials");
    if (!checked) return std::unexpected(checked.error());
    if (!*checked) return core::fail(core::ErrorKind::unavailable, kNonsense);
    return std::move(**checked);
}

}  // namespace meetings::chime
