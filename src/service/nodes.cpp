#include "service/nodes.hpp"

#include <algorithm>
#include <utility>

#include "core/log.hpp"

namespace service {
namespace {

using core::Result;
using Kind = Decision::Kind;

/// Each round somebody else has decided at the same time.
constexpr int kMaxRounds = 16;
/// What is done in certainty takes time too.
constexpr std::chrono::milliseconds kReserve{500};
/// An empty meeting that is still ours need not be watched.
constexpr std::chrono::seconds kIdle{60};
constexpr std::chrono::seconds kTidyEvery{300};
constexpr std::chrono::seconds kForgotten{3600};
/// Somebody who was told the address is on the way.
constexpr std::chrono::seconds kOnTheWay{15};

auto too_busy() {
    return core::fail(core::ErrorKind::unavailable,
                      "The meeting's place is being changed by too many at once, try again", std::chrono::seconds{1});
}

}  // namespace

Node Nodes::self() const {
    const std::lock_guard lock(mutex_);
    Node node = self_;
    node.state = state_;
    node.load = load_;
    return node;
}

Viewer Nodes::viewer() const {
    Viewer viewer{self(), true};
    const std::lock_guard lock(mutex_);
    viewer.may_judge =
        missed_ == Steady::time_point{} || Steady::now() - missed_ > silence_of_the_dead(self_.heartbeat);
    return viewer;
}

bool Nodes::is_sure_locked() const {
    if (!store_.is_shared()) return true;
    return heard_ != Steady::time_point{} && Steady::now() - heard_ < silence_of_the_dead(self_.heartbeat) - kReserve;
}

bool Nodes::is_sure() const {
    const std::lock_guard lock(mutex_);
    return is_sure_locked();
}

bool Nodes::serves_without_asking(const std::string& meeting_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = held_.find(meeting_id);
    if (found == held_.end() || found->second.epoch == 0 || !is_sure_locked()) return false;
    // Empty meetings are given up while draining.
    return state_ == Node::State::live || (state_ == Node::State::draining && found->second.people > 0);
}

void Nodes::hold(const Place& place) {
    const std::lock_guard lock(mutex_);
    auto& held = held_[place.meeting_id];
    held.epoch = place.epoch;
    held.since = Steady::now();
}

Task<Result<void>> Nodes::enroll() {
    const auto begun = Steady::now();
    auto enrolled = co_await store_.enroll(self());
    if (!enrolled) co_return enrolled;
    note_beat(true, begun);
    auto survey = co_await store_.survey({});
    if (!survey) co_return std::unexpected(survey.error());
    note_nodes(std::move(survey->nodes));
    co_return Result<void>{};
}

Task<Result<Node>> Nodes::address_of(std::string meeting_id, std::string region) {
    if (serves_without_asking(meeting_id)) co_return self();
    for (int round = 0; round < kMaxRounds; ++round) {
        const auto survey = co_await store_.survey(meeting_id);
        if (!survey) co_return std::unexpected(survey.error());
        auto decision = decide_address(*survey, viewer(), region);
        if (decision.kind == Kind::keep) co_return std::move(decision.node);
        const auto& wanted = survey->place && region.empty() ? survey->place->region : region;
        const auto claimed = co_await store_.claim_place(meeting_id, wanted, decision.node.node_id, survey->place);
        if (!claimed) co_return std::unexpected(claimed.error());
        if (!*claimed) continue;
        if (survey->place) {
            const std::lock_guard lock(mutex_);
            ++takeovers_;
        }
        if ((*claimed)->node_id == self_.node_id) hold(**claimed);
        co_return std::move(decision.node);
    }
    co_return too_busy();
}

Task<Result<bool>> Nodes::enter(std::string meeting_id) {
    if (serves_without_asking(meeting_id)) co_return true;
    for (int round = 0; round < kMaxRounds; ++round) {
        const auto survey = co_await store_.survey(meeting_id);
        if (!survey) co_return std::unexpected(survey.error());
        const auto decision = decide_entry(*survey, viewer());
        if (decision.kind == Kind::wait) co_return false;
        if (decision.kind == Kind::keep) {
            hold(*survey->place);
            co_return true;
        }
        const auto region = survey->place ? survey->place->region : std::string{};
        const auto claimed = co_await store_.claim_place(meeting_id, region, self_.node_id, survey->place);
        if (!claimed) co_return std::unexpected(claimed.error());
        if (!*claimed) continue;
        if (survey->place) {
            const std::lock_guard lock(mutex_);
            ++takeovers_;
        }
        hold(**claimed);
        co_return true;
    }
    co_return too_busy();
}

Task<Result<bool>> Nodes::owns(std::string meeting_id) {
    {
        const std::lock_guard lock(mutex_);
        if (state_ == Node::State::gone) co_return false;
        const auto found = held_.find(meeting_id);
        if (is_sure_locked() && found != held_.end() && found->second.epoch > 0) co_return true;
    }
    const auto survey = co_await store_.survey(std::move(meeting_id));
    if (!survey) co_return std::unexpected(survey.error());
    co_return !survey->place || survey->place->node_id == self_.node_id;
}

std::vector<Place> Nodes::held() const {
    const std::lock_guard lock(mutex_);
    std::vector<Place> places;
    places.reserve(held_.size());
    for (const auto& [meeting_id, held] : held_) places.push_back({meeting_id, self_.node_id, held.epoch, {}});
    return places;
}

std::vector<std::string> Nodes::running() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> meetings;
    for (const auto& [meeting_id, held] : held_) {
        if (held.people > 0) meetings.push_back(meeting_id);
    }
    return meetings;
}

/// Of what was `lost`, that which has not come back since the heartbeat was `told`.
std::vector<std::string> Nodes::let_go(const std::vector<std::string>& lost, const std::vector<Place>& told) {
    std::vector<std::string> meetings;
    const std::lock_guard lock(mutex_);
    for (const auto& meeting_id : lost) {
        const auto place = std::ranges::find(told, meeting_id, &Place::meeting_id);
        const auto found = held_.find(meeting_id);
        if (place == told.end() || found == held_.end() || found->second.epoch != place->epoch) continue;
        held_.erase(found);
        meetings.push_back(meeting_id);
        ++lost_;
    }
    const auto old = Steady::now() - kIdle;
    std::erase_if(held_, [&](const auto& entry) { return entry.second.people == 0 && entry.second.since < old; });
    return meetings;
}

void Nodes::note_beat(bool well, Steady::time_point begun) {
    const std::lock_guard lock(mutex_);
    (well ? heard_ : missed_) = begun;
}

void Nodes::note_nodes(std::vector<SeenNode> nodes) {
    bool stranger = false;
    const Viewer from{self(), true};
    for (const auto& seen : nodes) {
        stranger |= seen.node.secret_mark != self_.secret_mark && is_alive(seen, from);
    }
    const std::lock_guard lock(mutex_);
    seen_ = std::move(nodes);
    if (stranger && !told_of_stranger_) {
        core::log::error("another node on this database has another JWT_SECRET_KEY: no meetings are given to it");
    }
    told_of_stranger_ = stranger;
}

Task<Result<std::vector<std::string>>> Nodes::beat(int load) {
    {
        const std::lock_guard lock(mutex_);
        load_ = load;
    }
    const auto told = held();
    const auto begun = Steady::now();
    const auto lost = co_await store_.beat(self(), told);
    note_beat(lost.has_value(), begun);
    if (!lost) co_return std::unexpected(lost.error());
    auto gone = let_go(*lost, told);
    // What follows is less urgent than to let go of those.
    auto survey = co_await store_.survey({});
    if (survey) note_nodes(std::move(survey->nodes));
    if (const auto kept = co_await upkeep(); !kept) {
        core::log::warning("upkeep of the nodes fails", {{"error", kept.error().detail}});
    }
    co_return gone;
}

Task<Result<void>> Nodes::upkeep() {
    bool draining = false, tidy = false;
    {
        const std::lock_guard lock(mutex_);
        draining = state_ == Node::State::draining;
        tidy = Steady::now() - tidied_ > kTidyEvery;
        if (tidy) tidied_ = Steady::now();
    }
    if (draining) {
        const auto vacated = co_await store_.vacate_others(self_.node_id, running(), kOnTheWay);
        if (!vacated) co_return std::unexpected(vacated.error());
    }
    if (tidy) co_return co_await store_.tidy(kForgotten);
    co_return Result<void>{};
}

void Nodes::count_people(const std::string& meeting_id, int change) {
    const std::lock_guard lock(mutex_);
    auto found = held_.find(meeting_id);
    if (found == held_.end()) {
        if (change <= 0) return;
        // Lost while somebody was on the way in: the next heartbeat finds that it is not ours.
        found = held_.emplace(meeting_id, Held{}).first;
    }
    found->second.people = std::max(0, found->second.people + change);
    found->second.since = Steady::now();
}

Task<Result<void>> Nodes::end(std::string meeting_id) {
    {
        const std::lock_guard lock(mutex_);
        held_.erase(meeting_id);
    }
    std::vector<std::string> over(1);
    over.front() = std::move(meeting_id);
    co_return co_await store_.vacate(self_.node_id, std::move(over));
}

Task<Result<bool>> Nodes::send_order(MeetingOrder order) {
    if (!store_.is_shared() || serves_without_asking(order.meeting_id)) co_return false;
    co_return co_await store_.send_order(std::move(order), self_.node_id);
}

Task<Result<std::vector<MeetingOrder>>> Nodes::take_orders() {
    {
        // A node that has gone may have left some.
        const std::lock_guard lock(mutex_);
        if (seen_.size() < 2) co_return std::vector<MeetingOrder>{};
    }
    co_return co_await store_.take_orders(self_.node_id);
}

void Nodes::drain() {
    const std::lock_guard lock(mutex_);
    if (state_ == Node::State::live) state_ = Node::State::draining;
}

int Nodes::meetings() const {
    return static_cast<int>(running().size());
}

Task<Result<void>> Nodes::leave() {
    {
        const std::lock_guard lock(mutex_);
        state_ = Node::State::gone;
        held_.clear();
    }
    const auto told = co_await store_.beat(self(), {});
    if (!told) co_return std::unexpected(told.error());
    co_return Result<void>{};
}

Vitals::Nodes Nodes::vitals() const {
    Vitals::Nodes vitals;
    const Viewer from{self(), true};
    const std::lock_guard lock(mutex_);
    vitals.shared = store_.is_shared();
    vitals.draining = state_ != Node::State::live;
    for (const auto& seen : seen_) {
        if (seen.node.state == Node::State::gone) continue;
        if (!is_alive(seen, from)) {
            ++vitals.silent;
        } else if ((seen.node.node_id == self_.node_id ? state_ : seen.node.state) == Node::State::draining) {
            ++vitals.leaving;
        } else {
            ++vitals.live;
        }
    }
    for (const auto& [meeting_id, held] : held_) vitals.meetings += held.people > 0 ? 1 : 0;
    vitals.takeovers = takeovers_;
    vitals.lost = lost_;
    if (vitals.shared && heard_ != Steady::time_point{}) {
        vitals.heartbeat_age_seconds = std::chrono::duration<double>(Steady::now() - heard_).count();
    }
    return vitals;
}

}  // namespace service
