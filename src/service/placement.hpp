// Where meetings live when several processes ("nodes") serve one database: plain values, and the rules that decide.
// Pure; any thread. Nodes know each other through the database alone: each writes a heartbeat, and how long one has
// been silent is told by the database's clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace service {

/// One process of the installation, as it describes itself.
struct Node {
    enum class State : std::uint8_t {
        live,
        draining,  ///< Takes no new meetings; those that run there go on.
        gone,      ///< Has stopped: what lived there may be taken over at once.
    };
    std::string node_id;      ///< UUID of the process: after a restart it is another node.
    std::string url;          ///< Where clients reach it, `https://node-a.example.org`; empty: nowhere in particular.
    std::string region;       ///< Empty: none.
    std::string secret_mark;  ///< Nodes with one secret have the same: only they accept each other's tokens.
    std::string seat;         ///< The listening port. Nobody else can have it while its owner lives.
    std::string version;
    std::chrono::milliseconds heartbeat{2000};  ///< How often it tells that it lives.
    int capacity = 0;                           ///< Connected attendees that it is meant for.
    int load = 0;                               ///< Those that it has.
    State state = State::live;

    friend bool operator==(const Node&, const Node&) = default;
};

/// A node as another one sees it.
struct SeenNode {
    Node node;
    std::chrono::milliseconds silent{0};  ///< Since its last heartbeat.
    int promised = 0;  ///< Meetings given to it lately (kLately), whose people may not be in its load yet.
};
inline constexpr std::chrono::seconds kLately{30};

/// The node that has a meeting.
struct Place {
    std::string meeting_id;
    std::string node_id;
    std::int64_t epoch = 0;  ///< Grows with every move; (node, epoch) never comes again for a meeting.
    std::string region;      ///< Wanted for the meeting; empty: any.

    friend bool operator==(const Place&, const Place&) = default;
};

/// What there is to decide upon.
struct Survey {
    std::optional<Place> place;
    std::vector<SeenNode> nodes;
};

/// Who decides.
struct Viewer {
    Node self;
    /// False after the database was away: the silence of the others may be its, not theirs.
    bool may_judge = true;
};

/// Three heartbeats may be missed, and one may be late.
std::chrono::milliseconds silence_of_the_dead(std::chrono::milliseconds heartbeat);

/// Whether meetings at this node are there to stay.
bool is_alive(const SeenNode& seen, const Viewer& viewer);

/// The node for a meeting: in the wanted region while there is room, then wherever most room is. Without any that takes
/// meetings it is the viewer itself: a node about to stop is better than none.
Node choose_node(const std::vector<SeenNode>& nodes, const Viewer& viewer, std::string_view region);

/// What becomes of a meeting that somebody wants to enter.
struct Decision {
    enum class Kind : std::uint8_t {
        keep,   ///< It lives at `node`.
        claim,  ///< It shall live at `node`, if nobody else decides something at the same time.
        wait,   ///< It lives at another node, or will: not to be served here.
    };
    Kind kind = Kind::wait;
    Node node{};
};

/// Somebody asks for the meeting's address. Never `wait`.
Decision decide_address(const Survey& survey, const Viewer& viewer, std::string_view region);

/// Somebody has connected to the viewer for this meeting. Never a node other than the viewer.
Decision decide_entry(const Survey& survey, const Viewer& viewer);

}  // namespace service
