// The store as NodeStore.
#include "store/sqlite/parts.hpp"

namespace store::sqlite {

using core::Result;
using service::Node;
using service::Place;
using service::Task;

bool SqliteStore::is_shared() const {
    return false;
}

Task<Result<void>> SqliteStore::enroll(Node self) {
    parts_->nodes.enroll(std::move(self));
    co_return Result<void>{};
}

Task<Result<std::vector<std::string>>> SqliteStore::beat(Node self, std::vector<Place> held) {
    co_return parts_->nodes.beat(std::move(self), held);
}

Task<Result<service::Survey>> SqliteStore::survey(std::string meeting_id) {
    co_return parts_->nodes.survey(meeting_id);
}

Task<Result<std::optional<Place>>> SqliteStore::claim_place(std::string meeting_id, std::string region,
                                                            std::string node_id, std::optional<Place> from) {
    co_return parts_->nodes.claim_place(std::move(meeting_id), std::move(region), std::move(node_id), from);
}

Task<Result<void>> SqliteStore::vacate(std::string node_id, std::vector<std::string> meeting_ids) {
    parts_->nodes.vacate(node_id, meeting_ids);
    co_return Result<void>{};
}

Task<Result<int>> SqliteStore::vacate_others(std::string node_id, std::vector<std::string> but,
                                             std::chrono::milliseconds grace) {
    co_return parts_->nodes.vacate_others(node_id, but, grace);
}

Task<Result<bool>> SqliteStore::send_order(service::MeetingOrder order, std::string sender) {
    co_return parts_->nodes.send_order(std::move(order), sender);
}

Task<Result<std::vector<service::MeetingOrder>>> SqliteStore::take_orders(std::string node_id) {
    co_return parts_->nodes.take_orders(node_id);
}

Task<Result<void>> SqliteStore::tidy(std::chrono::seconds age) {
    parts_->nodes.tidy(age);
    co_return Result<void>{};
}

}  // namespace store::sqlite
