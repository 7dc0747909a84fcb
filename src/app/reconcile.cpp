#include "app/reconcile.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cstdio>
#include <utility>

#include "app/data_folder.hpp"
#include "app/open_store.hpp"
#include "core/time.hpp"
#include "net/executors.hpp"
#include "service/metering.hpp"

namespace app {
namespace {

struct Bounds {
    core::Time from, to;
};

std::optional<Bounds> bounds_of(const std::string& month, core::Time now) {
    std::chrono::year_month wanted{};
    if (month.empty()) {
        const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
        wanted = today.year() / today.month();
    } else {
        int year = 0;
        unsigned number = 0;
        char end = 0;
        if (month.size() != 7 || std::sscanf(month.c_str(), "%4d-%2u%c", &year, &number, &end) != 2) return {};
        wanted = std::chrono::year{year} / std::chrono::month{number};
        if (!wanted.ok()) return {};
    }
    const auto start = [](std::chrono::year_month m) { return core::Time{std::chrono::sys_days{m / 1}}; };
    return Bounds{start(wanted), start(wanted + std::chrono::months{1})};
}

std::string tenths(std::int64_t count) {
    return std::to_string(count / 10) + "." + std::to_string(count % 10);
}

std::string describe(const service::MeterRow& row) {
    std::string line = "  session " + row.session_id + ", " + std::string{consultation::to_text(row.provider)} +
                       ": recorded " + std::to_string(row.attendee_minutes) + " min (billed " +
                       tenths(row.billed_tenths) + "), stays give " + std::to_string(row.interval_micros / 1'000'000) +
                       " s (billed " + tenths(row.interval_tenths) + ")";
    if (row.provider_micros) line += ", Chime tells " + std::to_string(*row.provider_micros / 1'000'000) + " s";
    return line + "\n";
}

std::string describe(const service::Reconciliation& found) {
    std::string text = std::to_string(found.rows) + " records, " + std::to_string(found.attendee_minutes) +
                       " attendee-minutes, " + tenths(found.billed_tenths) + " of them as Chime bills\n";
    if (found.unknown > 0) {
        text +=
            std::to_string(found.unknown) + " records of an earlier service, which kept no stays, cannot be checked.\n";
    }
    text += found.wrong_count == 0 ? "Every record is the sum of its stays.\n"
                                   : std::to_string(found.wrong_count) + " records are not the sum of their stays:\n";
    for (const auto& row : found.wrong) text += describe(row);
    text += found.drifting_count == 0 ? "No stay differs from what Chime told.\n"
                                      : std::to_string(found.drifting_count) + " differ from what Chime told:\n";
    for (const auto& row : found.drifting) text += describe(row);
    return text;
}

}  // namespace

core::Result<ReconcileReport> reconcile(const Config& config, const std::string& month) {
    const core::SystemClock clock;
    const auto bounds = bounds_of(month, clock.now());
    if (!bounds) return core::fail(core::ErrorKind::invalid, "--month: expected a month such as 2026-11");
    auto opened = open_store(config);
    if (!opened) return std::unexpected(opened.error());
    net::Executors loop(1, "reconcile");
    loop.start();
    service::Metering metering({.free_tier_minutes = config.free_tier_minutes}, *opened->store, clock);
    auto found =
        boost::asio::co_spawn(loop.executor(0), metering.reconcile(bounds->from, bounds->to), boost::asio::use_future)
            .get();
    opened->stop();
    loop.stop();
    loop.drop();
    if (!found) return std::unexpected(found.error());
    return ReconcileReport{describe(*found), found->wrong_count == 0};
}

}  // namespace app
