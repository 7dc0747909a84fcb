// Which message of a batch may be sent next, and which have arrived. Plain: no socket, no clock.
//
// Messages of different sessions are under way together. A message waits until the one before it of its session is
// confirmed: so whatever breaks, none is ever sent before an earlier one of its session has arrived, and what is
// repeated is the last of its session alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "events/envelope.hpp"

namespace events {

class SendWindow {
  public:
    /// `batch` in the order of its sequences; it must outlive the window. At most `limit` routes are under way.
    SendWindow(const std::vector<Outgoing>& batch, std::size_t limit);

    struct Next {
        std::size_t message = 0;  ///< Index into the batch.
        std::size_t route = 0;
    };
    /// What to send now; it counts as under way from `sent` on. None: first something must be confirmed, or all is
    /// done.
    std::optional<Next> next() const;
    /// `next` has been sent under this tag of the broker.
    void sent(std::uint64_t tag);
    /// The broker has taken it, or refused it. Then no later message of that session is sent. Unknown tags are ignored.
    void settle(std::uint64_t tag, bool confirmed);

    std::size_t under_way() const { return tags_.size(); }
    /// For each message of the batch.
    const std::vector<bool>& confirmed() const { return confirmed_; }

  private:
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
    struct Progress {
        std::size_t successor = kNone;  ///< The next message of the same session.
        std::size_t open_routes = 0;    ///< Not yet confirmed.
        bool refused = false;
    };

    const std::vector<Outgoing>& batch_;
    std::size_t limit_;
    std::vector<Progress> progress_;
    std::vector<bool> confirmed_;
    std::deque<std::size_t> ready_;  ///< Messages whose turn has come; the first may be sent in part.
    std::size_t next_route_ = 0;     ///< Of the first.
    std::unordered_map<std::uint64_t, std::size_t> tags_;
};

}  // namespace events
