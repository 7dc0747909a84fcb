// From the configuration of networks to what the servers are started with: certificate files read, names looked up.
// Main thread, at start; may block for some seconds.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/config.hpp"
#include "core/result.hpp"
#include "net/tls_identity.hpp"

namespace app {

/// The certificate of our own HTTPS, or one line that names the variable to mend.
core::Result<std::shared_ptr<net::TlsIdentity>> open_tls(const net::TlsFiles& files);

struct MediaAddresses {
    std::vector<std::string> listen;     ///< Empty: everywhere.
    std::vector<std::string> announced;  ///< Empty: those of the machine that are listened on.
};

/// Candidates of media connections are addresses. Where PUBLIC_HOST has some, those are announced; else its names are
/// looked up, once.
core::Result<MediaAddresses> media_addresses(const Config& config);

/// For the log: `https://192.0.2.1:8086 https://[2001:db8::1]:8086`; all addresses are a star.
std::string listening_at(const Config& config);

}  // namespace app
