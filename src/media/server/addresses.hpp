// The IP addresses of this machine, for the candidates of SDP answers.
#pragma once

#include <string>
#include <vector>

namespace media::server {

/// Every address of every interface that is up, loopback last; link-local IPv6 is left out, as are duplicates.
/// At most 16: each costs a line in every answer and a connectivity check at every client.
std::vector<std::string> machine_addresses();

/// Whether IPv6 sockets can be bound here at all.
bool machine_has_v6();

}  // namespace media::server
