// The service's log: one line an event, key=value. Personal data and secrets never go in: ids of sessions and meetings
// may, ids of people, names, tokens and free text may not.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace core::log {

enum class Level { debug, info, warning, error };

/// Sets the lowest level that is written. Call once at start, before other threads log.
void set_level(Level level);

using Field = std::pair<std::string_view, std::string>;

/// Writes `time level what key=value …` to standard error. Values with spaces are quoted. Any thread.
void write(Level level, std::string_view what, std::initializer_list<Field> fields = {});

inline void debug(std::string_view what, std::initializer_list<Field> f = {}) {
    write(Level::debug, what, f);
}
inline void info(std::string_view what, std::initializer_list<Field> f = {}) {
    write(Level::info, what, f);
}
inline void warning(std::string_view what, std::initializer_list<Field> f = {}) {
    write(Level::warning, what, f);
}
inline void error(std::string_view what, std::initializer_list<Field> f = {}) {
    write(Level::error, what, f);
}

}  // namespace core::log
