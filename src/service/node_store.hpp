// Port: what the nodes of an installation know of each other, and which of them has which meeting. PostgreSQL keeps it
// for all of them. A SQLite file has one process, which keeps it to itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "service/placement.hpp"
#include "service/task.hpp"

namespace service {

/// Something to be done in a meeting, told to a node that does not have it. Goes to whoever has the meeting when it is
/// looked for.
struct MeetingOrder {
    std::string meeting_id;
    std::string kind;         ///< The sender's and the receiver's affair.
    std::string attendee_id;  ///< May be empty, as `detail`.
    std::string detail;
};

/// All calls: as in SessionStore. The store judges nobody; rules are in placement.hpp.
class NodeStore {
  public:
    virtual ~NodeStore() = default;

    /// False: no other process can use this store.
    virtual bool is_shared() const = 0;

    /// Makes a node known. Others of the same seat count as gone from now on.
    virtual Task<core::Result<void>> enroll(Node self) = 0;
    /// Tells that the node lives, and how it is; a node that was forgotten is known again. Answers which of the
    /// meetings that it believes to have it has lost.
    virtual Task<core::Result<std::vector<std::string>>> beat(Node self, std::vector<Place> held) = 0;
    /// All nodes, and where the meeting is. An empty id is no meeting.
    virtual Task<core::Result<Survey>> survey(std::string meeting_id) = 0;
    /// Gives the meeting to a node, if it is where `from` says (unset: nowhere). The new place, or nullopt when
    /// somebody else was faster.
    virtual Task<core::Result<std::optional<Place>>> claim_place(std::string meeting_id, std::string region,
                                                                 std::string node_id, std::optional<Place> from) = 0;
    /// The node does not have these any more; places elsewhere stay.
    virtual Task<core::Result<void>> vacate(std::string node_id, std::vector<std::string> meeting_ids) = 0;
    /// It has none any more but these, and those it was given less than `grace` ago. How many that were.
    virtual Task<core::Result<int>> vacate_others(std::string node_id, std::vector<std::string> but,
                                                  std::chrono::milliseconds grace) = 0;

    /// Leaves an order for the node that has the meeting. False: it has none, or it is `sender`.
    virtual Task<core::Result<bool>> send_order(MeetingOrder order, std::string sender) = 0;
    /// Those for meetings at this node, in the order of sending. Nobody gets them twice.
    virtual Task<core::Result<std::vector<MeetingOrder>>> take_orders(std::string node_id) = 0;

    /// Forgets nodes that have been silent for `age`, places at nodes that are forgotten, and orders of that age.
    virtual Task<core::Result<void>> tidy(std::chrono::seconds age) = 0;
};

}  // namespace service
