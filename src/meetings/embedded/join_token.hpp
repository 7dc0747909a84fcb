// Ids and join tokens of the embedded meetings, all derived from one key: nothing has to be stored, every process with
// the same key agrees, and a restart changes nothing. Pure; any thread.
//
// A token is `<attendee id, base64url>.<HMAC-SHA256 over meeting and attendee, base64url>`: only characters that may
// stand in a WebSocket subprotocol, 66 of them. It dies with the session, because whoever shows it is looked up there.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"

namespace meetings::embedded {

class JoinTokens {
  public:
    /// `secret` is the service's own secret; a key of its own is derived from it.
    explicit JoinTokens(std::string_view secret);

    std::string meeting_id(std::string_view session_id, int generation) const;
    std::string attendee_id(std::string_view meeting_id, std::string_view external_user_id) const;
    std::string token(std::string_view meeting_id, std::string_view attendee_id) const;

    struct Bearer {
        std::string attendee_id;
        bool content = false;  ///< The token ended in `#content`: the attendee's content share.
    };
    /// Whose token this is, or nullopt when it is not one of this meeting's.
    std::optional<Bearer> verify(std::string_view meeting_id, std::string_view token) const;

  private:
    core::Sha256 key_;
};

}  // namespace meetings::embedded
