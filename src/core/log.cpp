#include "core/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

#include "core/json_string.hpp"
#include "core/time.hpp"

namespace core::log {
namespace {

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%fZ %l %v";
constexpr const char* kJsonPattern = "%v";

Format the_format = Format::text;

spdlog::logger& logger() {
    static const auto instance = [] {
        auto made = std::make_shared<spdlog::logger>("service", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern(kTextPattern, spdlog::pattern_time_type::utc);
        made->flush_on(spdlog::level::warn);
        return made;
    }();
    return *instance;
}

spdlog::level::level_enum native(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warning:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

std::string_view name_of(Level level) {
    const auto name = spdlog::level::to_string_view(native(level));
    return {name.data(), name.size()};
}

bool needs_quotes(std::string_view value) {
    return value.empty() || value.find_first_of(" \"=\n\r\t") != std::string_view::npos;
}

void append_text_value(std::string& line, std::string_view value) {
    if (!needs_quotes(value)) {
        line += value;
        return;
    }
    line += '"';
    for (const char c : value) {
        if (c == '\n' || c == '\r' || c == '\t') {
            line += ' ';
            continue;
        }
        if (c == '"' || c == '\\') line += '\\';
        line += c;
    }
    line += '"';
}

void append_member(std::string& line, std::string_view key, std::string_view value) {
    if (line.back() != '{') line += ',';
    append_json_text(line, key);
    line += ':';
    append_json_text(line, value);
}

/// These stand beside the message, where tools that join logs and traces look for them.
bool is_prominent(const Field& field) {
    return field.first == "request_id" || field.first == "trace_id";
}

std::string json_line(Level level, std::string_view time, std::string_view what, std::initializer_list<Field> fields) {
    std::string line = "{";
    append_member(line, "time", time);
    append_member(line, "level", name_of(level));
    append_member(line, "message", what);
    for (const auto& field : fields) {
        if (is_prominent(field)) append_member(line, field.first, field.second);
    }
    if (!std::ranges::all_of(fields, is_prominent)) {
        line += ",\"fields\":{";
        for (const auto& field : fields) {
            if (!is_prominent(field)) append_member(line, field.first, field.second);
        }
        line += '}';
    }
    return line += '}';
}

}  // namespace

void set_level(Level level) {
    logger().set_level(native(level));
}

void set_format(Format format) {
    the_format = format;
    logger().set_pattern(format == Format::json ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc);
}

bool writes(Level level) {
    return logger().should_log(native(level));
}

std::string line_of(Format format, Level level, std::string_view time, std::string_view what,
                    std::initializer_list<Field> fields) {
    if (format == Format::json) return json_line(level, time, what, fields);
    std::string line{what};
    for (const auto& [key, value] : fields) {
        line.append(" ").append(key).append("=");
        append_text_value(line, value);
    }
    return line;
}

void write(Level level, std::string_view what, std::initializer_list<Field> fields) {
    if (!writes(level)) return;
    const auto time = the_format == Format::json ? format_rfc3339(SystemClock{}.now()) : std::string{};
    logger().log(native(level), "{}", line_of(the_format, level, time, what, fields));
}

}  // namespace core::log
