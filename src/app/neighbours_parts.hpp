// What we know from the platform's other services, as the configuration names them: tokens, names, appointments.
// Owned by ServiceProcess; main thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "app/config.hpp"
#include "core/result.hpp"
#include "core/time_zone.hpp"
#include "directory/jwks.hpp"
#include "directory/jwt_verifier.hpp"
#include "net/http_client.hpp"
#include "service/directory.hpp"
#include "service/token_verifier.hpp"

namespace app {

class NeighboursParts {
  public:
    /// Client, clock and the event loop must outlive it; it is destroyed when the loops have stopped. Fails with one
    /// line for the operator.
    static core::Result<std::unique_ptr<NeighboursParts>> make(const Config& config, const std::string& secret,
                                                               net::HttpClient& client, net::HttpClient& outside,
                                                               const core::Clock& clock, const core::ZoneResolver& zone,
                                                               boost::asio::any_io_executor loop);

    const directory::JwtVerifier& tokens() const { return *tokens_; }
    service::TokenIssuer* issuer() { return tokens_.get(); }
    service::Names* names() { return names_.get(); }                       ///< Null: no profile service.
    service::Appointments* appointments() { return appointments_.get(); }  ///< Null: no appointments service.

  private:
    std::unique_ptr<directory::PublicKeys> keys_;
    std::unique_ptr<directory::JwtVerifier> tokens_;
    std::unique_ptr<service::Names> names_;
    std::unique_ptr<service::Appointments> appointments_;
};

}  // namespace app
