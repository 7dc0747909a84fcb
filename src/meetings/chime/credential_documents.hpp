// The documents that AWS keys come in: the shared credentials and config files, and the JSON of container and machine
// endpoints. Pure; the texts are bounded by the reader.
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "meetings/chime/aws_keys.hpp"

namespace meetings::chime {

/// Settings by section; names of settings in lower case. Nested (indented) settings, comments and lines that are
/// neither are left out; of two settings with one name the later counts.
using IniSections = std::map<std::string, std::map<std::string, std::string>>;
IniSections parse_ini(std::string_view text);

/// The keys of a profile in `~/.aws/credentials` (sections `[name]`). Nullopt: it has none. Error `unavailable`: half
/// a pair, or keys that cannot be any.
core::Result<std::optional<AwsKeys>> keys_in_credentials_file(std::string_view text, std::string_view profile);
/// The same in `~/.aws/config` (sections `[profile name]`, and `[default]`).
core::Result<std::optional<AwsKeys>> keys_in_config_file(std::string_view text, std::string_view profile);

/// Keys as given, checked: nullopt when there are none at all. Nothing of them stands in an error's text.
core::Result<std::optional<AwsKeys>> checked_keys(AwsKeys keys, std::string_view where);

/// The answer of a container's or a machine's endpoint:
/// `{"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}`, on machines also `"Code": "Success"`.
core::Result<AwsKeys> keys_in_json(std::string_view text);

}  // namespace meetings::chime
