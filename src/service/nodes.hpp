// This process as a node of the installation: tells the others that it lives, knows which meetings live here, and finds
// or makes the place of those that somebody wants to enter. Decisions are in placement.hpp, facts in the NodeStore.
//
// A node may serve a meeting while it is sure of itself: as long as its last heartbeat is fresh, nobody can have judged
// it dead. Older than that, it asks the database first; what runs goes on meanwhile, because nobody can take a meeting
// over while the database is away. Whoever took one over in the meantime keeps it: the next heartbeat tells, and the
// caller has to let go of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.hpp"
#include "service/node_store.hpp"
#include "service/placement.hpp"
#include "service/task.hpp"
#include "service/vitals.hpp"

namespace service {

/// Any thread. The store must outlive it. Coroutines on a control-plane loop; errors are the store's.
class Nodes {
  public:
    Nodes(Node self, NodeStore& store) : self_(std::move(self)), store_(store) {}
    Nodes(const Nodes&) = delete;
    Nodes& operator=(const Nodes&) = delete;

    /// Other processes may be there too: then `beat` and `take_orders` are wanted.
    bool is_shared() const { return store_.is_shared(); }
    std::chrono::milliseconds heartbeat() const { return self_.heartbeat; }

    Task<core::Result<void>> enroll();

    /// Where the meeting lives, after it was given a place if it has none, or none that lives. `region`: the one
    /// wanted, or empty.
    Task<core::Result<Node>> address_of(std::string meeting_id, std::string region);
    /// Somebody wants to enter the meeting here. False: it is another node's.
    Task<core::Result<bool>> enter(std::string meeting_id);
    /// Whether what this node sees in the meeting is the truth about it.
    Task<core::Result<bool>> owns(std::string meeting_id);
    /// Without asking: the database has heard of us lately.
    bool is_sure() const;

    /// Tells that we live, with so many attendees. The meetings that were lost to others: let go of them.
    Task<core::Result<std::vector<std::string>>> beat(int load);

    /// People in a meeting here have become more or fewer. Does not block.
    void count_people(const std::string& meeting_id, int change);
    /// The meeting is over.
    Task<core::Result<void>> end(std::string meeting_id);

    /// For the node that has the meeting. False: nobody to tell.
    Task<core::Result<bool>> send_order(MeetingOrder order);
    Task<core::Result<std::vector<MeetingOrder>>> take_orders();

    /// No new meetings from now on. The others learn of it with the next heartbeat.
    void drain();
    /// Meetings here that have people in them.
    int meetings() const;
    /// Says goodbye: whatever is here may be taken over.
    Task<core::Result<void>> leave();

    Vitals::Nodes vitals() const;

  private:
    using Steady = std::chrono::steady_clock;
    struct Held {
        std::int64_t epoch = 0;  ///< 0: it has people, but no place that we know of.
        int people = 0;
        Steady::time_point since{};  ///< Of the last change.
    };

    Node self() const;
    Viewer viewer() const;
    bool is_sure_locked() const;
    bool serves_without_asking(const std::string& meeting_id) const;
    void hold(const Place& place);
    std::vector<Place> held() const;
    std::vector<std::string> running() const;
    std::vector<std::string> let_go(const std::vector<std::string>& lost, const std::vector<Place>& told);
    void note_beat(bool well, Steady::time_point begun);
    void note_nodes(std::vector<SeenNode> nodes);
    Task<core::Result<void>> upkeep();

    const Node self_;  ///< Without load and state.
    NodeStore& store_;

    mutable std::mutex mutex_;
    Node::State state_ = Node::State::live;
    int load_ = 0;
    std::unordered_map<std::string, Held> held_;
    Steady::time_point heard_{};   ///< Begin of the last heartbeat that went well.
    Steady::time_point missed_{};  ///< The last that did not.
    Steady::time_point tidied_{};
    std::vector<SeenNode> seen_;
    bool told_of_stranger_ = false;
    std::uint64_t takeovers_ = 0, lost_ = 0;
};

}  // namespace service
