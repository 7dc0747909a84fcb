// The store as Outbox.
#include "store/common/change_text.hpp"
#include "store/common/rows.hpp"
#include "store/postgres/answers.hpp"
#include "store/postgres/array_text.hpp"
#include "store/postgres/calls.hpp"
#include "store/postgres/outbox_statements.hpp"
#include "store/postgres/values.hpp"

namespace store::postgres {
namespace {

using core::Result;
using service::Task;

std::vector<service::OutboxMessage> messages_of(const PGresult* rows) {
    std::vector<service::OutboxMessage> messages;
    messages.reserve(static_cast<std::size_t>(PQntuples(rows)));
    for (int row = 0; row < PQntuples(rows); ++row) messages.push_back(read_message(ResultRow(rows, row)));
    return messages;
}

std::vector<service::Delivery> deliveries_of(const PGresult* rows) {
    std::vector<service::Delivery> deliveries;
    deliveries.reserve(static_cast<std::size_t>(PQntuples(rows)));
    for (int number = 0; number < PQntuples(rows); ++number) {
        const ResultRow row(rows, number);
        auto& delivery = deliveries.emplace_back();
        delivery.delivery_id = row.number(0);
        delivery.endpoint = row.text(1);
        delivery.attempts = static_cast<int>(row.number(2));
        delivery.message = read_message(row, 3);
    }
    return deliveries;
}

}  // namespace

Task<Result<bool>> PostgresStore::hold_lease(std::string name, std::string holder, std::chrono::milliseconds life) {
    auto params = texts(name, holder);
    params.number(life.count());
    return parts_->write(outbox_statements().hold_lease, std::move(params),
                         [](const PGresult* rows) { return PQntuples(rows) > 0; });
}

Task<Result<void>> PostgresStore::release_lease(std::string name, std::string holder) {
    return parts_->write(outbox_statements().release_lease, texts(name, holder), nothing);
}

Task<Result<void>> PostgresStore::append(consultation::Event event) {
    auto params = texts(event.event_id, event.session_id, event.routing_key, event.event_type);
    params.time(event.occurred_at);
    params.text(payload_of(event));
    detail::write_or_null(params, event.trace);
    return parts_->write(outbox_statements().append, std::move(params), nothing);
}

Task<Result<std::vector<service::OutboxMessage>>> PostgresStore::unpublished(int limit) {
    Params params;
    params.number(limit);
    return parts_->read(outbox_statements().unpublished, std::move(params), messages_of);
}

Task<Result<void>> PostgresStore::mark_published(std::vector<std::int64_t> sequences) {
    return parts_->write(outbox_statements().mark_published, texts(array_of(sequences)), nothing);
}

Task<Result<int>> PostgresStore::fan_out(std::vector<std::string> endpoints, service::Time since, int limit) {
    auto params = texts(array_of(endpoints));
    params.time(since);
    params.number(limit);
    return parts_->write(outbox_statements().fan_out, std::move(params), count_of);
}

Task<Result<std::vector<service::Delivery>>> PostgresStore::due_deliveries(service::Time now, int limit) {
    Params params;
    params.time(now);
    params.number(limit);
    return parts_->read(outbox_statements().due_deliveries, std::move(params), deliveries_of);
}

Task<Result<void>> PostgresStore::finish_deliveries(std::vector<std::int64_t> delivery_ids) {
    return parts_->write(outbox_statements().finish_deliveries, texts(array_of(delivery_ids)), nothing);
}

Task<Result<void>> PostgresStore::postpone_delivery(std::int64_t delivery_id, service::Time next_attempt) {
    Params params;
    params.number(delivery_id);
    params.time(next_attempt);
    return parts_->write(outbox_statements().postpone_delivery, std::move(params), nothing);
}

Task<Result<service::Backlog>> PostgresStore::backlog(service::Channel channel) {
    const auto& statements = outbox_statements();
    const bool broker = channel == service::Channel::broker;
    return parts_->read(broker ? statements.broker_backlog : statements.webhook_backlog, Params(), backlog_of);
}

Task<Result<int>> PostgresStore::prune_outbox(service::Time before, bool published_only, int limit) {
    Params params;
    params.time(before);
    params.flag(published_only);
    params.number(limit);
    return parts_->write(outbox_statements().prune, std::move(params), count_of);
}

}  // namespace store::postgres
