// How the parts that talk to others are doing: values for `/health` and `/metrics`. Plain.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/histogram.hpp"

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

    /// The event loops of the API.
    struct Loops {
        std::size_t count = 0, hanging = 0;
        double lag_seconds = 0;  ///< The longest of the last minute.
    };

    /// Connections of the HTTP server.
    struct Connections {
        std::size_t open = 0;
        std::int64_t websockets = 0, streams = 0;  ///< Among them, now.
        std::uint64_t accepted = 0, turned_away = 0;
        bool tls = false;
        std::uint64_t tls_handshakes = 0, failed_tls_handshakes = 0;
        double certificate_until = 0;  ///< Seconds since 1970.
    };

    struct Database {
        bool writes_refused = false;  ///< The last attempt to write came to nothing for want of room, or a database.
        std::int64_t connections = 0, busy = 0;
        std::int64_t waiting_reads = 0, waiting_writes = 0;
        core::LatencyHistogram::Sums reads, writes;         ///< From the question to the answer, waits included.
        std::uint64_t failed_reads = 0, failed_writes = 0;  ///< Without an answer, or refused by the database.
    };

    /// Of the whole installation, as of the last look.
    struct Census {
        bool known = false;
        std::array<std::int64_t, 6> sessions{};  ///< By consultation::Status.
        std::int64_t waiting = 0;                ///< People in waiting rooms.
        std::int64_t notifications = 0;          ///< Of the Chime SDK's API, not delivered yet.
        std::int64_t unchained = 0;              ///< Rows of the audit trail without a place in the chain.
        double oldest_unchained_seconds = 0;
    };

    struct Count {
        std::string_view reason;  ///< A literal.
        std::uint64_t count = 0;
    };

    /// The meeting server.
    struct Media {
        bool here = false;
        std::uint64_t meetings = 0, attendees = 0, peers = 0, streams = 0;  ///< Now.
        std::uint64_t links_dead = 0, links_poor = 0, links_good = 0;       ///< Now.
        double estimated_bits = 0;    ///< A second, down, of all links that have been measured.
        double incoming_bits = 0;     ///< A second, of all published streams.
        double lateness_seconds = 0;  ///< The longest that a packet waited for us in the last minute.
        std::uint64_t hurried = 0;
        std::uint64_t packets_in = 0, packets_out = 0, bytes_in = 0, bytes_out = 0;
        std::vector<Count> drops, repairs, audio;
    };

    /// Of the month, Chime's.
    struct FreeTier {
        std::int64_t limit_minutes = 0;
        double used_minutes = -1;  ///< Negative: not known yet.
    };

    struct Build {
        std::string_view program, revision, compiler;  ///< Literals.
    };

    struct Process {
        double resident_bytes = 0, cpu_seconds = 0, started_at = 0;
        std::int64_t open_files = 0, most_files = 0;
    };

    struct Traces {
        bool on = false;
        std::uint64_t exported = 0, dropped = 0, failed = 0;  ///< Spans, spans, calls of the collector.
    };

    /// The audit trail, by this process.
    struct Audit {
        std::uint64_t chained = 0;  ///< Rows given their place in the chain.
        bool chaining = true;       ///< False: the last attempt failed.
    };

    Relay broker;
    Relay webhooks;
    Connections connections;
    Database database;
    Census census;
    Media media;
    FreeTier free_tier;
    Build build;
    Process process;
    Traces traces;
    std::uint64_t break_glass = 0;  ///< How often an administrator had to see clinical texts.
    std::vector<Count> rate_refusals;
    Consumer consumer;
    Breaker chime;
    Nodes nodes;
    Audit audit;
    Loops loops;
    std::int64_t jobs_waiting = 0;
    double oldest_job_seconds = 0;
};

/// Must not block; any thread.
using VitalsSource = std::function<Vitals()>;

}  // namespace service
