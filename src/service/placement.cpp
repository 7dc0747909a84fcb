#include "service/placement.hpp"

#include <algorithm>
#include <tuple>

namespace service {
namespace {

/// Most meetings are of two.
constexpr int kPeoplePerMeeting = 2;
/// A heartbeat that has to wait for a busy database.
constexpr std::chrono::milliseconds kLate{1500};

const SeenNode* find(const std::vector<SeenNode>& nodes, std::string_view node_id) {
    const auto found = std::ranges::find(nodes, node_id, [](const SeenNode& seen) { return seen.node.node_id; });
    return found == nodes.end() ? nullptr : &*found;
}

int room_at(const SeenNode& seen) {
    return seen.node.capacity - seen.node.load - kPeoplePerMeeting * seen.promised;
}

bool takes_meetings(const SeenNode& seen, const Viewer& viewer) {
    const bool self = seen.node.node_id == viewer.self.node_id;
    const auto state = self ? viewer.self.state : seen.node.state;
    return state == Node::State::live && seen.node.secret_mark == viewer.self.secret_mark && is_alive(seen, viewer);
}

/// Whether the place holds: its node is there, and the viewer's own word about itself is newer than the database's.
bool holds(const Survey& survey, const Viewer& viewer) {
    if (!survey.place) return false;
    if (survey.place->node_id == viewer.self.node_id) return viewer.self.state != Node::State::gone;
    const auto* seen = find(survey.nodes, survey.place->node_id);
    return seen && is_alive(*seen, viewer);
}

}  // namespace

std::chrono::milliseconds silence_of_the_dead(std::chrono::milliseconds heartbeat) {
    return 3 * heartbeat + kLate;
}

bool is_alive(const SeenNode& seen, const Viewer& viewer) {
    if (seen.node.node_id == viewer.self.node_id) return viewer.self.state != Node::State::gone;
    if (seen.node.state == Node::State::gone) return false;
    return !viewer.may_judge || seen.silent <= silence_of_the_dead(seen.node.heartbeat);
}

Node choose_node(const std::vector<SeenNode>& nodes, const Viewer& viewer, std::string_view region) {
    const auto rank = [&](const SeenNode& seen) {
        const int room = room_at(seen);
        const bool fits = !region.empty() && seen.node.region == region && room > 0;
        return std::tuple{fits, room, seen.node.node_id == viewer.self.node_id};
    };
    const SeenNode* best = nullptr;
    for (const auto& seen : nodes) {
        if (takes_meetings(seen, viewer) && (!best || rank(seen) > rank(*best))) best = &seen;
    }
    return best ? best->node : viewer.self;
}

Decision decide_address(const Survey& survey, const Viewer& viewer, std::string_view region) {
    if (holds(survey, viewer)) {
        const auto* seen = find(survey.nodes, survey.place->node_id);
        return {Decision::Kind::keep, seen ? seen->node : viewer.self};
    }
    const std::string_view wanted = survey.place && region.empty() ? std::string_view{survey.place->region} : region;
    return {Decision::Kind::claim, choose_node(survey.nodes, viewer, wanted)};
}

Decision decide_entry(const Survey& survey, const Viewer& viewer) {
    if (holds(survey, viewer)) {
        const bool here = survey.place->node_id == viewer.self.node_id;
        return {here ? Decision::Kind::keep : Decision::Kind::wait, viewer.self};
    }
    const bool takes = viewer.self.state == Node::State::live;
    return {takes ? Decision::Kind::claim : Decision::Kind::wait, viewer.self};
}

}  // namespace service
