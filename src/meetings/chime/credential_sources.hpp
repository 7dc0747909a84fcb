// Where AWS users keep their keys, in the order AWS's own tools look: environment, shared credentials file, config
// file, container endpoint, instance metadata (version 2 only).
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "meetings/chime/aws_keys.hpp"
#include "net/http_client.hpp"
#include "service/task.hpp"

namespace meetings::chime {

/// Values of the environment; all may be empty.
struct CredentialSettings {
    std::string access_key_id, secret_access_key, session_token;  ///< AWS_ACCESS_KEY_ID …

    std::string home;              ///< HOME.
    std::string credentials_file;  ///< AWS_SHARED_CREDENTIALS_FILE; empty: `~/.aws/credentials`.
    std::string config_file;       ///< AWS_CONFIG_FILE; empty: `~/.aws/config`.
    std::string profile;           ///< AWS_PROFILE; empty: `default`.

    std::string container_relative_uri;              ///< AWS_CONTAINER_CREDENTIALS_RELATIVE_URI.
    std::string container_full_uri;                  ///< AWS_CONTAINER_CREDENTIALS_FULL_URI.
    std::string container_authorization_token;       ///< AWS_CONTAINER_AUTHORIZATION_TOKEN.
    std::string container_authorization_token_file;  ///< AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE.

    bool metadata_disabled = false;  ///< AWS_EC2_METADATA_DISABLED.
    std::string metadata_endpoint;   ///< AWS_EC2_METADATA_SERVICE_ENDPOINT; empty: `http://169.254.169.254`.

    std::chrono::milliseconds timeout{1000};              ///< For each request to an endpoint.
    std::string container_host = "http://169.254.170.2";  ///< What the relative URI is relative to.
};

/// Looks through the sources. Reads small files as it goes, so it must run on a thread that may wait. The client must
/// outlive this.
class CredentialSources {
  public:
    CredentialSources(CredentialSettings settings, net::HttpClient& client);

    /// The keys of the first source that has any; nullopt: none has. Error `unavailable`: a source is set up, but does
    /// not give keys (now); its text names the source and nothing secret.
    service::Task<core::Result<std::optional<AwsKeys>>> load();

    /// May keys be asked for there: https anywhere, http only on this machine and at AWS's own link-local addresses.
    static bool is_trusted_container_uri(std::string_view uri);

  private:
    core::Result<std::optional<AwsKeys>> from_files() const;
    service::Task<core::Result<AwsKeys>> from_container();
    service::Task<core::Result<std::optional<AwsKeys>>> from_metadata();
    service::Task<core::Result<net::OutgoingResponse>> ask_metadata(std::string method, std::string path,
                                                                    net::HeaderList headers);

    CredentialSettings settings_;
    net::HttpClient& client_;
};

}  // namespace meetings::chime
