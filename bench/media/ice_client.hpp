// A full ICE agent's side of one pair, controlling, against a lite agent (RFC 8445, consent RFC 7675): checks with
// USE-CANDIDATE until one is answered, then one every few seconds. A machine without socket; owned by one peer
// connection.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/bytes.hpp"
#include "measure.hpp"
#include "media/wire/address.hpp"

namespace bench {

class IceClient {
  public:
    /// Random credentials of our own.
    IceClient();
    const std::string& ufrag() const { return ufrag_; }
    const std::string& password() const { return password_; }

    void start(std::string remote_ufrag, std::string remote_password);
    /// Writes a check when one is due and returns its size, else 0.
    std::size_t poll(Nanos now, std::span<std::uint8_t> out);
    /// Takes a STUN datagram; returns the size of the answer in `out` (the other side may check too), or 0.
    std::size_t handle(core::BytesView datagram, std::span<std::uint8_t> out,
                       const media::wire::TransportAddress& from);
    bool connected() const { return connected_; }

  private:
    std::string ufrag_;
    std::string password_;
    std::string username_;
    std::string remote_password_;
    Nanos next_check_ = 0;
    std::uint64_t tie_breaker_;
    std::uint32_t transaction_ = 0;
    bool connected_ = false;
};

}  // namespace bench
