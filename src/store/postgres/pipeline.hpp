// A libpq connection in pipeline mode as a machine without an event loop: segments go in, bytes are asked to move,
// operations are completed. Owned by a Connection, on its loop's thread; never blocks.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "store/postgres/operation.hpp"

namespace store::postgres {

class Pipeline {
  public:
    using Clock = std::chrono::steady_clock;

    explicit Pipeline(Link link);

    int socket() const { return PQsocket(link_.get()); }

    /// Puts a segment on its way. False: the connection is broken.
    bool send(Segment segment, Clock::time_point now);
    enum class Flushed { all, more, broken };
    Flushed flush();
    /// Takes what has arrived and completes what is answered. False: the connection is broken.
    bool receive(Clock::time_point now);

    /// Operations whose transaction the server has undone through no fault of theirs, to be sent again. Emptied by
    /// this.
    std::vector<OperationPtr> take_undone() { return std::exchange(undone_, {}); }
    /// Those without an answer, when the connection is given up.
    std::vector<OperationPtr> take_unanswered();

    std::size_t segments() const { return segments_.size(); }
    /// Since when the oldest segment has kept us waiting.
    Clock::time_point waiting_since() const { return waiting_since_; }
    /// To be replaced as soon as nothing is on its way.
    bool worn_out() const { return worn_out_; }

  private:
    struct Command {
        std::size_t operation;
        bool prepares;
    };
    struct Sent {
        Segment operations;
        std::vector<Command> commands;
        std::vector<Answer> answers;  ///< By operation.
        std::size_t command = 0;      ///< The one whose answers come now.
        bool failed = false;
        Answer failure;  ///< The first refusal.
    };

    bool send_one(Sent& sent, std::size_t index);
    void take_answer(Answer answer);
    void finish(Sent sent);

    Link link_;
    std::deque<Sent> segments_;
    std::unordered_set<std::string> prepared_;
    std::vector<OperationPtr> undone_;
    Clock::time_point waiting_since_{};
    bool worn_out_ = false;
};

}  // namespace store::postgres
