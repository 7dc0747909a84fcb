#include "store/postgres/postgres_store.hpp"

#include <algorithm>
#include <thread>

#include "store/common/change_text.hpp"
#include "store/postgres/answers.hpp"
#include "store/postgres/calls.hpp"
#include "store/postgres/commit_params.hpp"
#include "store/postgres/overlap_locks.hpp"
#include "store/postgres/schema.hpp"

namespace store::postgres {
namespace {

namespace asio = boost::asio;
using consultation::Session;
using core::Result;
using service::Task;

constexpr std::chrono::milliseconds kBetweenFirstAttempts{250};

/// Between the server's time limit for a statement and ours lies the time its refusal needs to get here.
std::chrono::milliseconds statement_timeout(std::chrono::milliseconds operation_timeout) {
    return std::max(operation_timeout * 8 / 10, std::chrono::milliseconds(1));
}

core::Error too_slow() {
    return {core::ErrorKind::unavailable, "PostgreSQL did not answer in time", std::chrono::seconds(1)};
}

/// Refusals are answers: somebody else was faster, a text cannot be kept.
void count(CallMeter& meter, bool write, std::chrono::steady_clock::time_point begun, const Result<Answer>& answer) {
    if (!answer) return meter.over(write, begun, &answer.error());
    const auto status = PQresultStatus(answer->get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return meter.over(write, begun, nullptr);
    const auto refusal = error_of(answer->get());
    meter.over(write, begun, refusal.kind == core::ErrorKind::unavailable ? &refusal : nullptr);
}

std::string interval_text(std::chrono::minutes value) {
    return std::to_string(value.count()) + " minutes";
}

}  // namespace

Task<Result<Answer>> ask(std::shared_ptr<Pool> pool, OperationPtr asked, std::chrono::milliseconds limit) {
    const auto begun = std::chrono::steady_clock::now();
    const bool write = asked->kind == Kind::write;
    pool->submit(asked);
    const std::shared_ptr<net::Completion<Result<Answer>>> done(asked, &asked->done);
    auto answer = co_await net::Completion<Result<Answer>>::wait(done, limit);
    if (!answer) {
        pool->drop_stuck();
        answer.emplace(std::unexpected(too_slow()));
    }
    count(*pool->settings().meter, write, begun, *answer);
    co_return std::move(*answer);
}

PostgresStore::Parts::Parts(PostgresSettings given, std::shared_ptr<Connector> connects)
    : settings(std::move(given)),
      connector(connects),
      pools({.connections = static_cast<std::size_t>(std::max(settings.connections_per_loop, 1)),
             .operation_timeout = settings.operation_timeout,
             .longest_back_off = settings.longest_back_off,
             .queue_limit = settings.queue_limit,
             .meter = meter},
            std::move(connects)) {}

void PostgresStore::Parts::stop() {
    pools.close();
    connector->stop();
}

PostgresStore::PostgresStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
PostgresStore::~PostgresStore() {
    stop();
}
void PostgresStore::stop() {
    parts_->stop();
}

Result<std::unique_ptr<PostgresStore>> PostgresStore::open(PostgresSettings settings) {
    auto parameters = parse_url(settings.url);
    if (!parameters) return std::unexpected(std::move(parameters.error()));
    const auto connector = std::make_shared<Connector>(
        std::move(*parameters), statement_timeout(settings.operation_timeout), settings.connect_timeout);
    const auto deadline = std::chrono::steady_clock::now() + settings.start_timeout;
    for (bool told = false;;) {
        const auto now = std::chrono::steady_clock::now();
        auto link = connector->connect_now(std::min(deadline, now + settings.connect_timeout));
        if (link) {
            if (auto migrated = migrate(link->get(), deadline); !migrated) return std::unexpected(migrated.error());
            break;
        }
        if (now + kBetweenFirstAttempts >= deadline) return std::unexpected(std::move(link.error()));
        if (!std::exchange(told, true)) core::log::warning("waiting for PostgreSQL", {{"why", link.error().detail}});
        std::this_thread::sleep_for(kBetweenFirstAttempts);
    }
    return std::unique_ptr<PostgresStore>(new PostgresStore(std::make_unique<Parts>(std::move(settings), connector)));
}

Task<Result<std::optional<Session>>> PostgresStore::find(std::string session_id) {
    const auto pool = parts_->pools.of(co_await asio::this_coro::executor);
    auto asked = operation(pool->statements().find, texts(session_id));
    co_return decoded(co_await ask(pool, std::move(asked), pool->settings().operation_timeout), session_of);
}

Task<Result<std::optional<Session>>> PostgresStore::find_by_meeting(std::string meeting_id) {
    const auto pool = parts_->pools.of(co_await asio::this_coro::executor);
    auto asked = operation(pool->statements().find_by_meeting, texts(meeting_id));
    co_return decoded(co_await ask(pool, std::move(asked), pool->settings().operation_timeout), session_of);
}

Task<Result<std::optional<Session>>> PostgresStore::find_by_appointment(std::string appointment_id) {
    const auto pool = parts_->pools.of(co_await asio::this_coro::executor);
    auto asked = operation(pool->statements().find_by_appointment, texts(appointment_id));
    co_return decoded(co_await ask(pool, std::move(asked), pool->settings().operation_timeout), session_of);
}

Task<Result<service::SessionPage>> PostgresStore::list(service::SessionQuery query) {
    const auto pool = parts_->pools.of(co_await asio::this_coro::executor);
    Params params;
    write_conditions(params, query);
    params.number(query.limit);
    params.number(query.offset);
    auto asked = operation(pool->statements().list(query), std::move(params));
    co_return decoded(co_await ask(pool, std::move(asked), pool->settings().operation_timeout), page_of);
}

Task<Result<std::vector<consultation::AuditEntry>>> PostgresStore::audit_trail(std::string session_id) {
    const auto pool = parts_->pools.of(co_await asio::this_coro::executor);
    auto asked = operation(pool->statements().audit_trail, texts(session_id));
    co_return decoded(co_await ask(pool, std::move(asked), pool->settings().operation_timeout), audit_of);
}

Task<Result<std::optional<service::IdempotencyRecord>>> PostgresStore::find_idempotency(std::string user_id,
                                                                                        std::string key) {
    const auto pool = parts_->pools.of(co_await asio::this_coro::executor);
    auto asked = operation(pool->statements().find_idempotency, texts(user_id, key));
    auto answer = co_await ask(pool, std::move(asked), pool->settings().operation_timeout);
    co_return decoded(answer, [&](const PGresult* rows) -> std::optional<service::IdempotencyRecord> {
        if (PQntuples(rows) == 0) return {};
        return service::IdempotencyRecord{user_id, key, PQgetvalue(rows, 0, 0), PQgetvalue(rows, 0, 1)};
    });
}

Task<Result<service::Committed>> PostgresStore::commit(consultation::Change change,
                                                       std::optional<service::IdempotencyRecord> idempotency) {
    const auto pool = parts_->pools.of(co_await asio::this_coro::executor);
    keep_last(change);
    const auto shape = commit_shape(change, idempotency.has_value());
    const auto* kept = pool->statements().commit(shape);
    auto rare = kept == nullptr ? std::make_unique<Statement>(Statement{"", commit_text(shape)}) : nullptr;
    auto asked = operation(kept == nullptr ? *rare : *kept,
                           commit_params(change, idempotency, parts_->settings.audit_keys.get()));
    asked->kind = Kind::write;
    asked->rare = std::move(rare);
    asked->order = change.after.session_id;
    if (change.no_overlap) asked->locks = overlap_locks(change.after);
    auto answer = co_await ask(pool, std::move(asked), pool->settings().operation_timeout);
    if (answer) {
        if (const auto committed = committed_of(answer->get(), shape)) co_return *committed;
    }
    co_return decoded(answer, [](const PGresult*) { return service::Committed::stale; });
}

Task<Result<void>> PostgresStore::heartbeat(std::vector<service::Heartbeat> beats) {
    if (beats.empty()) co_return Result<void>{};
    const auto pool = parts_->pools.of(co_await asio::this_coro::executor);
    auto asked = operation(pool->statements().heartbeat, heartbeat_params(beats));
    asked->kind = Kind::write;
    co_return decoded(co_await ask(pool, std::move(asked), pool->settings().operation_timeout), nothing);
}

Task<Result<std::vector<std::string>>> PostgresStore::due(service::DuePolicy policy, int limit) {
    const auto pool = parts_->pools.of(co_await asio::this_coro::executor);
    Params params;
    params.time(policy.now);
    params.text(interval_text(policy.no_show_grace));
    params.text(interval_text(policy.abandoned_after));
    params.number(limit);
    auto asked = operation(pool->statements().due, std::move(params));
    co_return decoded(co_await ask(pool, std::move(asked), pool->settings().operation_timeout), ids_of);
}

Task<Result<std::vector<std::string>>> PostgresStore::open_at(consultation::Provider provider, std::string after,
                                                              int limit) {
    const auto pool = parts_->pools.of(co_await asio::this_coro::executor);
    auto params = texts(consultation::to_text(provider), after);
    params.number(limit);
    auto asked = operation(pool->statements().open_at, std::move(params));
    co_return decoded(co_await ask(pool, std::move(asked), pool->settings().operation_timeout), ids_of);
}

Task<Result<void>> PostgresStore::ping() {
    const auto pool = parts_->pools.of(co_await asio::this_coro::executor);
    auto asked = operation(pool->statements().ping, Params());
    co_return decoded(co_await ask(pool, std::move(asked), parts_->settings.ping_timeout), nothing);
}

}  // namespace store::postgres
