#include "core/time_zone.hpp"

#include <cstdlib>
#include <ctime>
#include <filesystem>

namespace core {
namespace {

using std::chrono::local_time;
using std::chrono::microseconds;
using std::chrono::seconds;

/// What the process's zone adds to UTC at that moment.
seconds offset_at(Time time) {
    const std::time_t moment = std::chrono::floor<seconds>(time).time_since_epoch().count();
    std::tm parts{};
    return localtime_r(&moment, &parts) ? seconds{parts.tm_gmtoff} : seconds{0};
}

/// mktime's answer around a clock change depends on what it was asked before, so the candidates are tried here.
Time from_process_zone(local_time<microseconds> local) {
    const Time as_utc{local.time_since_epoch()};
    const seconds before = offset_at(as_utc - std::chrono::hours{24});
    const seconds after = offset_at(as_utc + std::chrono::hours{24});
    if (offset_at(as_utc - before) != before && offset_at(as_utc - after) == after) return as_utc - after;
    return as_utc - before;
}

bool plausible(const std::string& name) {
    if (name.empty() || name.size() > 100 || name.front() == '/' || name.find("..") != std::string::npos) return false;
    return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") ==
           std::string::npos;
}

}  // namespace

ZoneResolver utc_zone() {
    return [](local_time<microseconds> local) { return Time{local.time_since_epoch()}; };
}

Result<ZoneResolver> load_time_zone(const std::string& name) {
    if (name == "UTC" || name == "Etc/UTC") return utc_zone();
    std::error_code failed;
    const char* folder = std::getenv("TZDIR");
    const auto file = std::filesystem::path{folder && *folder ? folder : "/usr/share/zoneinfo"} / name;
    // The C library reads an unknown name as UTC without a word, so it is looked up first.
    if (!plausible(name) || !std::filesystem::is_regular_file(file, failed)) {
        return fail(ErrorKind::invalid, "DEFAULT_TIME_ZONE: this machine knows no time zone \"" + name +
                                            "\"; use an IANA name such as Asia/Colombo (package tzdata), or UTC");
    }
    setenv("TZ", name.c_str(), 1);
    tzset();
    return ZoneResolver{from_process_zone};
}

}  // namespace core
