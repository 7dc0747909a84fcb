// The service's log: one line an event, key=value or JSON. Personal data and secrets never go in: ids of sessions and
// meetings may, ids of people, names, tokens and free text may not.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace core::log {

enum class Level { debug, info, warning, error };

/// Sets the lowest level that is written. Call once at start, before other threads log.
void set_level(Level level);

/// How a line looks: `time level what key=value …`, where values with spaces are quoted, or a JSON object with `time`,
/// `level`, `message`, `request_id` and `trace_id` where they are known, and everything else as text in `fields`.
enum class Format { text, json };

/// Call once at start, before other threads log.
void set_format(Format format);

using Field = std::pair<std::string_view, std::string>;

/// The line that `write` writes, without its time and level in `text`. Pure; `time` is as in RFC 3339.
std::string line_of(Format format, Level level, std::string_view time, std::string_view what,
                    std::initializer_list<Field> fields);

/// Whether lines of this level are written: spares the work of making them.
bool writes(Level level);

/// Writes a line to standard error. Any thread.
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
