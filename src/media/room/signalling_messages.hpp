// Data messages of one meeting: checked, stamped, and kept for those who come later.
// Plain values without I/O; owned by a Meeting.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "media/room/signalling_limits.hpp"

namespace media::room {

struct DataMessage {
    std::string topic;
    std::string data;
    std::uint32_t lifetime_ms = 0;  ///< 0: for those present only.
    std::string sender_attendee_id;
    std::string sender_external_user_id;
    std::int64_t ingest_time_ns = 0;  ///< Epoch; grows strictly within a meeting.
};

class MessageStore {
  public:
    static constexpr std::size_t kMaxMessages = 1024;
    /// Of topic and data together. All of it is given to somebody who joins, so it has to fit into the queue of one
    /// connection (net::WebSocket).
    static constexpr std::size_t kMaxBytes = 512 * 1024;
    static constexpr std::chrono::minutes kMaxLifetime{5};
    static constexpr std::size_t kMaxData = 2048;
    static constexpr std::size_t kMaxTopic = 36;

    /// A topic is 1 to 36 of `A-Z a-z 0-9 _ -`.
    static bool valid(std::string_view topic, std::string_view data);

    /// Gives the message its ingest time and, when it has a lifetime, keeps it; the oldest make room.
    const DataMessage& ingest(DataMessage message, Time now, core::Time wall);

    /// Calls `each(const DataMessage&)` for everything still alive, oldest first.
    template <class Each>
    void replay(Time now, Each&& each) {
        expire(now);
        for (const Kept& kept : kept_) each(kept.message);
    }

    std::size_t size() const { return kept_.size(); }
    /// True when nothing is alive any more.
    bool empty(Time now) const;

  private:
    struct Kept {
        DataMessage message;
        Time until;
    };
    void expire(Time now);
    void drop_oldest();

    std::deque<Kept> kept_;
    DataMessage passing_;  ///< The last one that is not kept.
    std::size_t bytes_ = 0;
    std::int64_t last_ingest_ns_ = 0;
};

}  // namespace media::room
