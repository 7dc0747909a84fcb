// Where settings come from: command line first, then the environment, then a `.env` file in the working folder.
// Read once at start, by the main thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace app {

/// Names and values; a later `layer` gives way to an earlier one. An empty value counts as not set, as compose files
/// pass on variables that nobody has set.
class Environment {
  public:
    using Values = std::map<std::string, std::string, std::less<>>;

    void layer(const Values& values);
    std::optional<std::string> find(std::string_view name) const;

  private:
    Values values_;
};

/// The process's own.
Environment::Values process_environment();

/// Reads lines `NAME=value`, `export NAME=value`, comments, and values in single or double quotes (in double ones \n \"
/// and \\ mean what they usually do). `name` is the file's, for the message that tells which line cannot be read.
core::Result<Environment::Values> parse_env_file(std::string_view text, std::string_view name);

/// The file's content parsed, or nothing when there is no such file.
core::Result<Environment::Values> read_env_file(const std::string& path);

}  // namespace app
