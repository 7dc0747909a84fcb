// ICE-lite agent (RFC 8445 section 2.5; consent RFC 7675) for one peer: answers connectivity checks, remembers the
// addresses that proved to know our password, follows the peer's nomination. Sends no checks of its own.
//
// Owned by one peer's transport, used on its media thread only. A packet without a valid message integrity changes
// nothing but a counter and is not answered.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "media/transport/path.hpp"
#include "media/wire/stun.hpp"

namespace media::transport {

struct IceCredentials {
    std::string ufrag;
    std::string password;

    /// 8 and 24 random characters out of letters and digits (48 and 142 bits).
    static IceCredentials make();
};

struct IceCounters {
    std::uint64_t answered = 0;
    std::uint64_t refused = 0;        ///< Authentic, but answered with an error: role conflict, unknown attribute.
    std::uint64_t malformed = 0;      ///< Not a STUN message with a right fingerprint.
    std::uint64_t other_message = 0;  ///< STUN, but not a binding request: nothing we would answer.
    std::uint64_t wrong_user = 0;     ///< USERNAME absent or not `local:remote`.
    std::uint64_t unauthentic = 0;    ///< Message integrity absent or wrong.
};

class IceLite {
  public:
    /// Paths kept per peer; a further one replaces the one unheard of for longest that is not selected.
    static constexpr std::size_t kMaxPaths = 16;
    /// After so long without a check the consent to send to a path has lapsed (RFC 7675 section 5.1).
    static constexpr Duration kConsent = std::chrono::seconds(30);

    IceLite(IceCredentials local, IceCredentials remote);

    struct Outcome {
        core::BytesView answer;       ///< Lies in the caller's room; empty: say nothing.
        std::optional<Path> added;    ///< This path has passed its first check.
        std::optional<Path> removed;  ///< This one had to make way.
        bool selected = false;        ///< `selected()` has become another path.
    };

    /// Takes a datagram that begins like STUN. `room`: `wire::kMaxStunResponse` bytes.
    Outcome handle(core::BytesView datagram, const Path& from, Instant now, std::span<std::uint8_t> room);

    /// Drops a path that is no longer usable (a closed TCP connection). True when it was known.
    bool forget(const Path& path);
    /// Drops one path whose consent has lapsed and gives it back; nullopt: none (left).
    std::optional<Path> expire(Instant now);
    /// When `expire` has something to do; nullopt: no paths.
    std::optional<Instant> next_expiry() const;

    /// Whether a check from there was answered.
    bool knows(const Path& path) const;
    /// What the peer nominated last; before that nothing.
    const std::optional<Path>& selected() const { return selected_; }
    /// When the last valid check arrived, whatever its path; nullopt before the first.
    std::optional<Instant> last_seen() const { return last_seen_; }

    std::size_t paths() const { return paths_.size(); }
    const IceCredentials& local() const { return local_; }
    const IceCounters& counters() const { return counters_; }

  private:
    struct Known {
        Path path;
        Instant seen;
    };
    Known* find(const Path& path);
    void remember(const Path& path, Instant now, Outcome& outcome);

    IceCredentials local_;
    IceCredentials remote_;
    std::string username_;  ///< `local:remote`, as checks must carry it.
    std::vector<Known> paths_;
    std::optional<Path> selected_;
    std::optional<Instant> last_seen_;
    IceCounters counters_;
};

}  // namespace media::transport
