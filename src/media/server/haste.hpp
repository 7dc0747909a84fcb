// Whether a media thread is behind with what its sockets hold. Then what can be left out is left out: repeats of what
// was lost cost more than the loss, and under too much load ask for more and more of themselves. A plain value.
#pragma once

#include <chrono>

#include "media/transport/path.hpp"

namespace media::server {

class Haste {
  public:
    /// What a datagram has waited for us: begins above the one, ends below the other.
    static constexpr transport::Duration kBegins = std::chrono::milliseconds(20);
    static constexpr transport::Duration kEnds = std::chrono::milliseconds(5);

    void update(transport::Duration behind) { on_ = behind > (on_ ? kEnds : kBegins); }
    bool on() const { return on_; }

  private:
    bool on_ = false;
};

}  // namespace media::server
