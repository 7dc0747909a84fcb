#include "service/metering.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "consultation/life_cycle.hpp"
#include "core/bytes.hpp"

namespace service {
namespace {

constexpr std::array kThresholds{50, 80, 100};
constexpr int kPage = 500;
/// The sum over a month is not made for each of many visits that begin in the same moment.
constexpr std::chrono::seconds kBudgetLife{1};
/// What AWS and we may differ by without meaning anything: the rounding of a stay.
constexpr std::int64_t kDriftAllowed = 6'000'000;

struct Month {
    Time from, to;
    std::string name;  ///< `2026-11`
};

Month month_of(Time now) {
    const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
    const auto first = today.year() / today.month();
    const auto start = [](std::chrono::year_month month) { return Time{std::chrono::sys_days{month / 1}}; };
    return {start(first), start(first + std::chrono::months{1}), core::format_rfc3339(start(first)).substr(0, 7)};
}

void add_example(std::vector<MeterRow>& rows, std::int64_t& count, const MeterRow& row) {
    if (rows.size() < Reconciliation::kMostShown) rows.push_back(row);
    ++count;
}

void compare(const MeterRow& row, Reconciliation& result) {
    if (row.user_id.empty()) {
        ++result.unknown;
        return;
    }
    ++result.rows;
    result.attendee_minutes += row.attendee_minutes;
    result.billed_tenths += row.billed_tenths;
    const auto minutes = consultation::whole_minutes(std::chrono::microseconds{row.interval_micros});
    if (row.attendee_minutes != minutes || row.billed_tenths != row.interval_tenths) {
        add_example(result.wrong, result.wrong_count, row);
    }
    if (row.provider_micros && std::abs(*row.provider_micros - row.interval_micros) > kDriftAllowed) {
        add_example(result.drifting, result.drifting_count, row);
    }
}

}  // namespace

Task<Result<Usage>> Metering::usage(Caller caller, Time from, Time to) {
    if (auto allowed = consultation::may_see_usage(caller); !allowed) co_return std::unexpected(allowed.error());
    co_return co_await store_.usage(from, to);
}

Task<Result<std::vector<SessionUsage>>> Metering::sessions(Caller caller, Time from, Time to, int limit) {
    if (!caller.is_admin()) co_return std::vector<SessionUsage>{};
    co_return co_await store_.usage_sessions(from, to, limit);
}

Task<Result<bool>> Metering::budget_used_up() {
    const auto now = clock_.now();
    {
        const std::scoped_lock lock(mutex_);
        const bool fresh = budget_ && now >= budget_->asked_at && now - budget_->asked_at < kBudgetLife;
        if (fresh) co_return budget_->used_up;
        // Whoever comes while the question is under way takes the last answer.
        if (budget_) budget_->asked_at = now;
    }
    const auto month = month_of(now);
    const auto tenths = co_await store_.billed_tenths(month.from, month.to, now);
    if (!tenths) co_return std::unexpected(tenths.error());
    const bool used_up = *tenths >= settings_.free_tier_minutes * 10;
    const std::scoped_lock lock(mutex_);
    budget_ = Budget{used_up, now};
    co_return used_up;
}

Task<Result<void>> Metering::announce_thresholds() {
    if (settings_.free_tier_minutes <= 0) co_return Result<void>{};
    const auto now = clock_.now();
    const auto month = month_of(now);
    const auto tenths = co_await store_.billed_tenths(month.from, month.to, now);
    if (!tenths) co_return std::unexpected(tenths.error());
    seen_tenths_ = *tenths;
    for (const auto percent : kThresholds) {
        if (*tenths * 10 < settings_.free_tier_minutes * percent) break;
        const auto key = month.name + "/" + std::to_string(percent);
        if (noted_.contains(key)) continue;
        consultation::Event event;
        event.event_id = core::uuid4();
        event.session_id = "usage-" + month.name;
        event.routing_key = event.event_type = "video.usage.threshold";
        event.occurred_at = now;
        event.data = {{"month", month.name},
                      {"percent", std::int64_t{percent}},
                      {"attendee_minutes", (*tenths + 9) / 10},
                      {"free_tier_limit", settings_.free_tier_minutes},
                      {"crossed_at", core::format_zoneless(now)}};
        auto noted = co_await store_.note_threshold(month.name, percent, std::move(event));
        if (!noted) co_return std::unexpected(noted.error());
        if (noted_.size() > 64) noted_.clear();
        noted_.insert(key);
    }
    co_return Result<void>{};
}

Task<Result<Reconciliation>> Metering::reconcile(Time from, Time to) {
    Reconciliation result;
    std::string session, user;
    for (;;) {
        const auto rows = co_await store_.meter_rows(from, to, session, user, kPage);
        if (!rows) co_return std::unexpected(rows.error());
        for (const auto& row : *rows) compare(row, result);
        if (rows->size() < kPage) co_return result;
        session = rows->back().session_id;
        user = rows->back().user_id;
    }
}

}  // namespace service
