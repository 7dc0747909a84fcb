// One request of the HTTP client as libcurl is told of it, and what its end means.
//
// Owned by the client; made on an event loop, then the client's thread only.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "net/http_client.hpp"

namespace net {

/// Where a request goes.
struct OutgoingTarget {
    std::string host;      ///< For texts.
    std::string origin;    ///< Scheme, host and port: requests of one origin share connections.
    bool is_near = false;  ///< This machine or its link: never through a proxy.
    bool is_https = false;
};

/// Looks at the URL, and whether method and headers can be sent as they are; `internal` when not.
core::Result<OutgoingTarget> examine(const OutgoingRequest& request);

class Transfer {
  public:
    Transfer(OutgoingRequest request, OutgoingTarget target);
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    /// Sets a fresh handle up, which must end its transfer before this goes. False: out of memory.
    bool prepare(CURL* handle, const HttpClientSettings& settings, std::chrono::milliseconds time_left);

    /// What came of it, once libcurl is through with it.
    core::Result<OutgoingResponse> outcome(CURL* handle, CURLcode code);

    core::Error timed_out() const;
    core::Error unavailable(std::string_view what) const;
    const OutgoingTarget& target() const { return target_; }
    std::chrono::milliseconds timeout() const { return request_.timeout; }

  private:
    struct FreeList {
        void operator()(curl_slist* list) const { curl_slist_free_all(list); }
    };

    bool prepare_headers(CURL* handle, const HttpClientSettings& settings);
    void prepare_method(CURL* handle) const;
    void prepare_limits(CURL* handle, const HttpClientSettings& settings, std::chrono::milliseconds time_left) const;
    bool add_line(const std::string& line);
    bool has_header(std::string_view name) const;
    static std::size_t on_header(const char* data, std::size_t, std::size_t size, void* self);
    static std::size_t on_body(const char* data, std::size_t, std::size_t size, void* self);
    static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* address);
    core::Error failure(CURL* handle, CURLcode code) const;
    core::Error broken(std::string_view what) const;

    OutgoingRequest request_;
    OutgoingTarget target_;
    std::unique_ptr<curl_slist, FreeList> lines_;
    OutgoingResponse response_;
    std::size_t header_bytes_ = 0;
    bool head_ended_ = false;
    bool too_large_ = false;
    const AddressRanges* public_and_ = nullptr;  ///< Null: anywhere.
    bool off_limits_ = false;                    ///< An address was not connected to because of it.
};

}  // namespace net
