// Every variable that the service knows: its name, its default, what it does. `--help`, `--print-config`, the refusal
// of unknown names and docs/configuration.md follow this list; reading a variable that is not in it is a broken
// program.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "app/environment.hpp"
#include "core/result.hpp"

namespace app {

struct Setting {
    /// `secret` and `place` (a URL that may hold a password) may also be given as a file, by the name with `_FILE`.
    enum class Kind { plain, secret, place };

    std::string_view name;
    std::string_view normal;  ///< What holds without it, as one would write it; empty: nothing.
    std::string_view what;
    Kind kind = Kind::plain;
};

struct SettingGroup {
    std::string_view title;
    std::span<const Setting> settings;
};

std::span<const SettingGroup> setting_groups();

/// By the exact name.
const Setting* find_setting(std::string_view name);

/// Whether its value may stand in a file that NAME_FILE names. (Some have a file of another form, listed by itself.)
bool has_file(const Setting& setting);

/// Whether `name` is a setting, the file of a secret one, or one of those that are accepted for the sake of older
/// installations and do nothing.
bool is_setting(std::string_view name);
bool is_without_effect(std::string_view name);

/// The known name that `name` most likely was meant to be: one slip of the hand away, two in long names.
std::optional<std::string_view> nearest_setting(std::string_view name);

/// Refuses what cannot be meant: any unknown name in a file of our own, and in the environment, which is full of other
/// programs' variables, every name that is nearly one of ours.
core::Result<> check_names(const Environment::Values& file, std::string_view file_name,
                           const Environment::Values& environment);

/// All settings as a `.env` file, defaults as comments; secrets are `********`.
std::string print_settings(const Environment& environment);

/// The list of variables that `--help` prints.
std::string describe_settings();

}  // namespace app
