// What a reverse proxy tells about the client behind it: `X-Forwarded-For`, `-Proto` and `-Host`, or `Forwarded` (RFC
// 7239). Anybody can write such fields, so they are only looked at when the connection comes from a trusted proxy, and
// only as far as a chain of trusted proxies vouches for them.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/fields.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "net/address_ranges.hpp"
#include "net/http.hpp"

namespace net {

/// The client as the outermost trusted proxy saw it. Whatever is missing was not told, or made no sense.
struct ForwardedClient {
    std::optional<boost::asio::ip::address> address;
    std::string scheme;  ///< `http` or `https`.
    std::string host;    ///< With port where one was named.
};

/// Reads the header of a request that came from a trusted proxy. The hop that counts is the last one, from the left,
/// whose sender is not itself in `trusted`. Where there is any `X-Forwarded-*` field, `Forwarded` is not looked at: a
/// proxy sets one kind and lets the other pass as the client sent it. Any thread.
ForwardedClient read_forwarded(const boost::beast::http::fields& fields, const AddressRanges& trusted);

/// Letters, digits, `.`, `-`, `:` and brackets, at most 255: what can be repeated in a URL.
bool is_sane_host(std::string_view host);

/// Scheme and host by which the client reached us, `https://video.example.org`; empty when it named no usable host.
/// Without a trusted proxy this is the Host field and the kind of the connection. Both are the client's word, good for
/// its own answer only.
std::string reached_at(const Request& request);
/// The host of `reached_at`, with port.
std::string reached_host(const Request& request);

}  // namespace net
