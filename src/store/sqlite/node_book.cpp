#include "store/sqlite/node_book.hpp"

#include <algorithm>
#include <utility>

namespace store::sqlite {

using service::Node;
using service::Place;

const NodeBook::Placed* NodeBook::find(const std::string& meeting_id) const {
    const auto found = places_.find(meeting_id);
    return found == places_.end() ? nullptr : &found->second;
}

void NodeBook::enroll(Node self) {
    const std::lock_guard lock(mutex_);
    for (auto& [id, known] : nodes_) {
        if (known.node.seat == self.seat && id != self.node_id) known.node.state = Node::State::gone;
    }
    auto id = self.node_id;
    nodes_.insert_or_assign(std::move(id), Known{std::move(self), Clock::now()});
}

std::vector<std::string> NodeBook::beat(Node self, const std::vector<Place>& held) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> lost;
    for (const auto& place : held) {
        const auto* known = find(place.meeting_id);
        if (!known || known->place.node_id != self.node_id || known->place.epoch != place.epoch) {
            lost.push_back(place.meeting_id);
        }
    }
    auto id = self.node_id;
    nodes_.insert_or_assign(std::move(id), Known{std::move(self), Clock::now()});
    return lost;
}

service::Survey NodeBook::survey(const std::string& meeting_id) const {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    service::Survey survey;
    if (const auto* known = find(meeting_id)) survey.place = known->place;
    for (const auto& [id, known] : nodes_) {
        const auto promised = std::ranges::count_if(places_, [&](const auto& entry) {
            return entry.second.place.node_id == id && entry.second.at > now - service::kLately;
        });
        survey.nodes.push_back({known.node, std::chrono::duration_cast<std::chrono::milliseconds>(now - known.heard),
                                static_cast<int>(promised)});
    }
    return survey;
}

std::optional<Place> NodeBook::claim_place(std::string meeting_id, std::string region, std::string node_id,
                                           const std::optional<Place>& from) {
    const std::lock_guard lock(mutex_);
    const auto* known = find(meeting_id);
    const bool as_thought =
        from ? known && known->place.node_id == from->node_id && known->place.epoch == from->epoch : known == nullptr;
    if (!as_thought) return {};
    Place place{std::move(meeting_id), std::move(node_id), from ? from->epoch + 1 : 1, std::move(region)};
    places_.insert_or_assign(place.meeting_id, Placed{place, Clock::now()});
    return place;
}

void NodeBook::vacate(const std::string& node_id, const std::vector<std::string>& meeting_ids) {
    const std::lock_guard lock(mutex_);
    for (const auto& id : meeting_ids) {
        const auto* known = find(id);
        if (known && known->place.node_id == node_id) places_.erase(id);
    }
}

int NodeBook::vacate_others(const std::string& node_id, const std::vector<std::string>& but,
                            std::chrono::milliseconds grace) {
    const std::lock_guard lock(mutex_);
    const auto latest = Clock::now() - grace;
    return static_cast<int>(std::erase_if(places_, [&](const auto& entry) {
        return entry.second.place.node_id == node_id && entry.second.at <= latest &&
               std::ranges::find(but, entry.first) == but.end();
    }));
}

bool NodeBook::send_order(service::MeetingOrder order, const std::string& sender) {
    const std::lock_guard lock(mutex_);
    const auto* known = find(order.meeting_id);
    if (!known || known->place.node_id == sender) return false;
    orders_.push_back({std::move(order), Clock::now()});
    return true;
}

std::vector<service::MeetingOrder> NodeBook::take_orders(const std::string& node_id) {
    const std::lock_guard lock(mutex_);
    std::vector<service::MeetingOrder> taken;
    std::erase_if(orders_, [&](Sent& sent) {
        const auto* known = find(sent.order.meeting_id);
        if (!known || known->place.node_id != node_id) return false;
        taken.push_back(std::move(sent.order));
        return true;
    });
    return taken;
}

void NodeBook::tidy(std::chrono::seconds age) {
    const std::lock_guard lock(mutex_);
    const auto old = Clock::now() - age;
    std::erase_if(nodes_, [&](const auto& entry) { return entry.second.heard < old; });
    std::erase_if(places_, [&](const auto& entry) {
        return entry.second.at < old && !nodes_.contains(entry.second.place.node_id);
    });
    std::erase_if(orders_, [&](const Sent& sent) { return sent.at < old; });
}

}  // namespace store::sqlite
