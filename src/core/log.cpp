#include "core/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace core::log {
namespace {

spdlog::logger& logger() {
    static const auto instance = [] {
        auto made = std::make_shared<spdlog::logger>("service", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
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

bool needs_quotes(std::string_view value) {
    return value.empty() || value.find_first_of(" \"=\n\r\t") != std::string_view::npos;
}

}  // namespace

void set_level(Level level) {
    logger().set_level(native(level));
}

void write(Level level, std::string_view what, std::initializer_list<Field> fields) {
    if (!logger().should_log(native(level))) return;
    std::string line{what};
    for (const auto& [key, value] : fields) {
        line.append(" ").append(key).append("=");
        if (!needs_quotes(value)) {
            line += value;
            continue;
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
    logger().log(native(level), "{}", line);
}

}  // namespace core::log
