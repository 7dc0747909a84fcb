// How the parts that talk to others are doing: values for `/health` and `/metrics`. Plain.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace service {

struct Vitals {
    enum class Link { disabled, healthy, disconnected };

    struct Relay {
        Link link = Link::disabled;
        std::int64_t waiting = 0;   ///< Messages not yet confirmed.
        double oldest_seconds = 0;  ///< Age of the oldest of them.
        std::uint64_t sent = 0;     ///< Since the start of this process.
        std::uint64_t failed = 0;   ///< Attempts that came to nothing.
        std::string last_error;     ///< Empty: none. Ours, never a peer's text.
    };
    struct Consumer {
        Link link = Link::disabled;
        std::uint64_t handled = 0, retried = 0, parked = 0;
    };
    struct Breaker {
        enum class State { closed, open, half_open };
        bool configured = false;  ///< False: no Chime here.
        State state = State::closed;
        std::uint64_t calls = 0, failures = 0, refused = 0;  ///< Refused: not even tried, the breaker being open.
    };

    /// The processes on this database, this one included.
    struct Nodes {
        bool shared = false;    ///< False: there can be no others.
        bool draining = false;  ///< This one takes no new meetings.
        int live = 0, leaving = 0, silent = 0;
        int meetings = 0;             ///< Here, with people in them.
        std::uint64_t takeovers = 0;  ///< Meetings that were given a new place because theirs was gone.
        std::uint64_t lost = 0;       ///< Meetings of this one that others took over.
        double heartbeat_age_seconds = 0;
    };

    Relay broker;
    Relay webhooks;
    Consumer consumer;
    Breaker chime;
    Nodes nodes;
    std::int64_t jobs_waiting = 0;
    double oldest_job_seconds = 0;
};

/// Must not block; any thread.
using VitalsSource = std::function<Vitals()>;

}  // namespace service
