// The store as NodeStore.
#include "store/common/node_text.hpp"
#include "store/postgres/answers.hpp"
#include "store/postgres/array_text.hpp"
#include "store/postgres/calls.hpp"
#include "store/postgres/node_statements.hpp"
#include "store/postgres/values.hpp"

namespace store::postgres {
namespace {

using core::Result;
using service::Place;
using service::Task;

Params node_params(const service::Node& node) {
    auto params = texts(node.node_id, node.url, node.region, node.secret_mark, node.seat, node.version);
    params.number(node.heartbeat.count());
    params.number(node.capacity);
    params.number(node.load);
    params.text(text_of(node.state));
    return params;
}

std::optional<Place> place_of(const ResultRow& row, const std::string& meeting_id) {
    if (row.null(0)) return {};
    return Place{meeting_id, std::string(row.text(0)), row.number(1), std::string(row.text(2))};
}

service::SeenNode node_of(const ResultRow& row) {
    service::SeenNode seen;
    auto& node = seen.node;
    node.node_id = row.text(0);
    node.url = row.text(1);
    node.region = row.text(2);
    node.secret_mark = row.text(3);
    node.seat = row.text(4);
    node.version = row.text(5);
    node.heartbeat = std::chrono::milliseconds(row.number(6));
    node.capacity = static_cast<int>(row.number(7));
    node.load = static_cast<int>(row.number(8));
    node.state = node_state_of(row.text(9));
    seen.silent = std::chrono::milliseconds(row.number(10));
    seen.promised = static_cast<int>(row.number(11));
    return seen;
}

service::Survey survey_of(const PGresult* rows, const std::string& meeting_id) {
    constexpr int kNode = 3;
    service::Survey survey;
    for (int number = 0; number < PQntuples(rows); ++number) {
        if (number == 0) survey.place = place_of(ResultRow(rows, number), meeting_id);
        const ResultRow row(rows, number, kNode);
        if (!row.null(0)) survey.nodes.push_back(node_of(row));
    }
    return survey;
}

std::vector<service::MeetingOrder> orders_of(const PGresult* rows) {
    std::vector<service::MeetingOrder> orders;
    orders.reserve(static_cast<std::size_t>(PQntuples(rows)));
    for (int number = 0; number < PQntuples(rows); ++number) {
        const ResultRow row(rows, number);
        orders.push_back(
            {std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)), std::string(row.text(3))});
    }
    return orders;
}

}  // namespace

bool PostgresStore::is_shared() const {
    return true;
}

Task<Result<void>> PostgresStore::enroll(service::Node self) {
    return parts_->write(node_statements().enroll, node_params(self), nothing);
}

Task<Result<std::vector<std::string>>> PostgresStore::beat(service::Node self, std::vector<Place> held) {
    auto params = node_params(self);
    ArrayText meetings, epochs;
    for (const auto& place : held) {
        meetings.add(place.meeting_id);
        epochs.add(std::to_string(place.epoch));
    }
    params.text(meetings.take());
    params.text(epochs.take());
    return parts_->write(node_statements().beat, std::move(params), ids_of);
}

Task<Result<service::Survey>> PostgresStore::survey(std::string meeting_id) {
    auto params = texts(meeting_id);
    params.number(service::kLately.count());
    return parts_->read(node_statements().survey, std::move(params),
                        [meeting_id](const PGresult* rows) { return survey_of(rows, meeting_id); });
}

Task<Result<std::optional<Place>>> PostgresStore::claim_place(std::string meeting_id, std::string region,
                                                              std::string node_id, std::optional<Place> from) {
    auto params = texts(meeting_id, node_id, region);
    if (from) {
        params.text(from->node_id);
        params.number(from->epoch);
    }
    return parts_->write_row(from ? node_statements().move_place : node_statements().take_place, std::move(params),
                             "place " + meeting_id, [meeting_id](const PGresult* rows) -> std::optional<Place> {
                                 if (PQntuples(rows) == 0) return {};
                                 return place_of(ResultRow(rows, 0), meeting_id);
                             });
}

Task<Result<void>> PostgresStore::vacate(std::string node_id, std::vector<std::string> meeting_ids) {
    return parts_->write(node_statements().vacate, texts(node_id, array_of(meeting_ids)), nothing);
}

Task<Result<int>> PostgresStore::vacate_others(std::string node_id, std::vector<std::string> but,
                                               std::chrono::milliseconds grace) {
    auto params = texts(node_id, array_of(but));
    params.number(grace.count());
    return parts_->write(node_statements().vacate_others, std::move(params), count_of);
}

Task<Result<bool>> PostgresStore::send_order(service::MeetingOrder order, std::string sender) {
    return parts_->write(node_statements().send_order,
                         texts(order.meeting_id, order.kind, order.attendee_id, order.detail, sender),
                         [](const PGresult* rows) { return PQntuples(rows) > 0; });
}

Task<Result<std::vector<service::MeetingOrder>>> PostgresStore::take_orders(std::string node_id) {
    return parts_->write(node_statements().take_orders, texts(node_id), orders_of);
}

Task<Result<void>> PostgresStore::tidy(std::chrono::seconds age) {
    Params params;
    params.number(age.count());
    return parts_->write(node_statements().tidy, std::move(params), nothing);
}

}  // namespace store::postgres
