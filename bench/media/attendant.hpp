// Somebody in a meeting, whichever server it is on: what a worker needs to know of them. Owned by a room, used on its
// worker's thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dtls_client.hpp"
#include "measure.hpp"
#include "payloads.hpp"
#include "peer_connection.hpp"
#include "udp_port.hpp"
#include "websocket_client.hpp"

namespace bench {

/// What the attendants of one worker share.
struct Stage {
    UdpPort& port;
    const Identity& identity;
    const Payloads& audio;
    const Payloads& video;
    Window& window;
    unsigned sampling = 1;
};

class Attendant {
  public:
    virtual ~Attendant() = default;
    /// Every `kBeat`.
    virtual void beat(Nanos now) = 0;
    virtual WebSocketClient& socket() = 0;
    /// Those that datagrams of this attendant belong to.
    virtual std::vector<PeerConnection*> connections() = 0;
    /// Whether everything that is to be received arrives.
    virtual bool flowing() const = 0;
    /// Why it will never flow (again); empty while all is well.
    virtual const std::string& trouble() const = 0;
    virtual void begin_window(Nanos now) = 0;
    virtual void end_window(Window& window, Nanos now) = 0;
    virtual void leave() = 0;
};

}  // namespace bench
