#include "app/process_vitals.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace app {
namespace {

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double resident_bytes() {
    std::ifstream file("/proc/self/statm");
    double all = 0, resident = 0;
    return file >> all >> resident ? resident * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

std::int64_t open_files() {
    std::error_code error;
    std::int64_t count = 0;
    for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
         entry.increment(error)) {
        ++count;
    }
    // One of them is for looking.
    return count > 0 ? count - 1 : 0;
}

}  // namespace

service::Vitals::Process process_vitals(double started) {
    service::Vitals::Process vitals;
    vitals.started_at = started;
    vitals.resident_bytes = resident_bytes();
    vitals.open_files = open_files();
    rusage used{};
    if (getrusage(RUSAGE_SELF, &used) == 0) vitals.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) vitals.most_files = static_cast<std::int64_t>(limit.rlim_cur);
    return vitals;
}

service::Vitals::Build build_vitals() {
    return {VIDEO_CONSULTATION_VERSION, VIDEO_CONSULTATION_REVISION, "clang " __clang_version__};
}

}  // namespace app
