#include "net/http_transfer.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <optional>

namespace net {
namespace {

constexpr std::size_t kMaxHeaderBytes = 64UL * 1024;
constexpr std::size_t kMaxHeaders = 200;
constexpr long kMaxRedirects = 3;

std::unexpected<core::Error> malformed(std::string_view what) {
    return core::fail(core::ErrorKind::internal, "an outgoing request has " + std::string{what});
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, {}, lower, lower);
}

/// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || kMarks.find(c) != std::string_view::npos;
    });
}

/// Nothing that ends the line, and nothing invisible at its ends, which would not arrive.
bool is_field_value(std::string_view text) {
    if (text.starts_with(' ') || text.ends_with(' ')) return false;
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
}

bool is_visible(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

class Url {
  public:
    Url() : handle_(curl_url()) {}
    ~Url() { curl_url_cleanup(handle_); }
    Url(const Url&) = delete;
    Url& operator=(const Url&) = delete;

    bool set(const std::string& text) {
        return handle_ != nullptr && curl_url_set(handle_, CURLUPART_URL, text.c_str(), CURLU_PATH_AS_IS) == CURLUE_OK;
    }
    std::string part(CURLUPart which, unsigned flags = 0) const {
        char* text = nullptr;
        if (curl_url_get(handle_, which, &text, flags) != CURLUE_OK) return {};
        std::string copy{text};
        curl_free(text);
        return copy;
    }

  private:
    CURLU* handle_;
};

/// This machine, or something that only the own link can reach, such as a cloud's metadata service.
bool is_near(std::string_view host) {
    if (host.starts_with('[')) {
        return host == "[::1]" || host.starts_with("[fe80:") || host == "[fd00:ec2::254]" || host == "[fd00:ec2::23]";
    }
    const bool is_address = host.find_first_not_of("0123456789.") == std::string_view::npos;
    if (is_address) return host.starts_with("127.") || host.starts_with("169.254.");
    return host == "localhost" || host.ends_with(".localhost");
}

core::Result<void> check_headers(const OutgoingRequest& request) {
    for (const auto& [name, value] : request.headers) {
        if (!is_token(name) || !is_field_value(value)) return malformed("a header that cannot be sent");
        if (equal_ignoring_case(name, "transfer-encoding")) return malformed("a coding of its own");
        if (equal_ignoring_case(name, "content-length") && value != std::to_string(request.body.size())) {
            return malformed("a wrong length");
        }
    }
    return {};
}

}  // namespace

std::string_view OutgoingResponse::header(std::string_view name) const {
    const auto found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
    return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

core::Result<OutgoingTarget> examine(const OutgoingRequest& request) {
    if (!is_token(request.method)) return malformed("no method");
    if (request.method == "HEAD" && !request.body.empty()) return malformed("a body with HEAD");
    if (auto checked = check_headers(request); !checked) return std::unexpected(std::move(checked.error()));
    if (request.timeout <= std::chrono::milliseconds::zero()) return malformed("no time");
    Url url;
    // libcurl looks for a host behind any number of slashes.
    const bool no_host = request.url.find(":///") < request.url.find('?');
    if (!is_visible(request.url) || no_host || !url.set(request.url))
        return malformed("an address that cannot be read");
    OutgoingTarget target;
    const auto scheme = url.part(CURLUPART_SCHEME);
    target.is_https = scheme == "https";
    if (!target.is_https && scheme != "http") return malformed("a scheme other than http and https");
    target.host = url.part(CURLUPART_HOST);
    std::ranges::transform(target.host, target.host.begin(), lower);
    if (target.host.empty()) return malformed("an address without a host");
    target.origin = scheme + "://" + target.host + ":" + url.part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
    target.is_near = is_near(target.host);
    return target;
}

Transfer::Transfer(OutgoingRequest request, OutgoingTarget target)
    : request_(std::move(request)), target_(std::move(target)) {}

bool Transfer::prepare(CURL* handle, const HttpClientSettings& settings, std::chrono::milliseconds time_left) {
    curl_easy_setopt(handle, CURLOPT_URL, request_.url.c_str());
    curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    if (target_.is_near) curl_easy_setopt(handle, CURLOPT_PROXY, "");
    if (settings.public_and) {
        public_and_ = &*settings.public_and;
        curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_socket);
        curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, this);
    }
    curl_easy_setopt(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    // A folder of certificates would keep libcurl from remembering what it read of the file, for every connection.
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
    if (!settings.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, settings.ca_file.c_str());
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
    prepare_method(handle);
    prepare_limits(handle, settings, time_left);
    return prepare_headers(handle, settings);
}

void Transfer::prepare_method(CURL* handle) const {
    const auto& method = request_.method;
    if (method == "HEAD") {
        curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    } else if (!request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
        // POSTFIELDS gives any method a body, and says so when it is empty.
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request_.body.c_str());
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method.c_str());
    } else if (method != "GET") {
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method.c_str());
    }
    if (request_.follow_redirects && request_.body.empty() && (method == "GET" || method == "HEAD")) {
        curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(handle, CURLOPT_MAXREDIRS, kMaxRedirects);
        curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, target_.is_https ? "https" : "http,https");
    }
}

void Transfer::prepare_limits(CURL* handle, const HttpClientSettings& settings,
                              std::chrono::milliseconds time_left) const {
    // The caller's own timer comes first; this one is for a loop that stands still.
    const auto longest = time_left + std::chrono::milliseconds{500};
    const auto connect = std::clamp(request_.connect_timeout, std::chrono::milliseconds{1}, longest);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(longest.count()));
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect.count()));
    curl_easy_setopt(handle, CURLOPT_MAXAGE_CONN, static_cast<long>(settings.idle_time.count()));
    // Giving up on a name server must not wait for it.
    curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
    if (request_.method != "HEAD" && request_.max_body > 0) {
        curl_easy_setopt(handle, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request_.max_body));
    }
}

bool Transfer::prepare_headers(CURL* handle, const HttpClientSettings& settings) {
    for (const auto& [name, value] : request_.headers) {
        std::string line = name;
        line += value.empty() ? ";" : ": " + value;
        if (!add_line(line)) return false;
    }
    // What libcurl would say by itself.
    for (const std::string name : {"Accept", "Content-Type", "Expect"}) {
        if (!has_header(name) && !add_line(name + ":")) return false;
    }
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, lines_.get());
    if (!settings.user_agent.empty()) curl_easy_setopt(handle, CURLOPT_USERAGENT, settings.user_agent.c_str());
    return true;
}

bool Transfer::add_line(const std::string& line) {
    auto* list = lines_.release();
    auto* longer = curl_slist_append(list, line.c_str());
    lines_.reset(longer != nullptr ? longer : list);
    return longer != nullptr;
}

bool Transfer::has_header(std::string_view name) const {
    return std::ranges::any_of(request_.headers,
                               [&](const auto& header) { return equal_ignoring_case(header.first, name); });
}

std::size_t Transfer::on_header(const char* data, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    auto& headers = transfer.response_.headers;
    std::string_view line{data, size};
    if (line.starts_with("HTTP/")) {  // After an answer before the last one: 1xx, or a redirection.
        headers.clear();
        transfer.head_ended_ = false;
    }
    if (line == "\r\n" || line == "\n") transfer.head_ended_ = true;
    transfer.header_bytes_ += size;
    if (transfer.header_bytes_ > kMaxHeaderBytes || headers.size() >= kMaxHeaders) {
        transfer.too_large_ = true;
        return 0;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return size;
    std::string name{line.substr(0, colon)};
    std::ranges::transform(name, name.begin(), lower);
    auto value = line.substr(colon + 1);
    constexpr std::string_view kBlank = " \t\r\n";
    value.remove_prefix(std::min(value.find_first_not_of(kBlank), value.size()));
    value = value.substr(0, value.find_last_not_of(kBlank) + 1);
    headers.emplace_back(std::move(name), value);
    return size;
}

std::size_t Transfer::on_body(const char* data, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    auto& body = transfer.response_.body;
    if (size > transfer.request_.max_body - body.size()) {
        transfer.too_large_ = true;
        return 0;
    }
    body.append(data, size);
    return size;
}

/// Asked about the very address that is about to be connected to, so that no name can mean another one by then.
curl_socket_t Transfer::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
    namespace ip = boost::asio::ip;
    auto& transfer = *static_cast<Transfer*>(self);
    std::optional<ip::address> place;
    if (address->family == AF_INET) {
        place = ip::address_v4(ntohl(reinterpret_cast<const sockaddr_in*>(&address->addr)->sin_addr.s_addr));
    } else if (address->family == AF_INET6) {
        ip::address_v6::bytes_type bytes{};
        std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(&address->addr)->sin6_addr, bytes.size());
        place = ip::address_v6(bytes);
    }
    if (!place || (!is_public(*place) && !transfer.public_and_->contains(*place))) {
        transfer.off_limits_ = true;
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

core::Result<OutgoingResponse> Transfer::outcome(CURL* handle, CURLcode code) {
    if (code != CURLE_OK) return std::unexpected(failure(handle, code));
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    // libcurl takes a head that breaks off for a whole one.
    if (!head_ended_) return std::unexpected(unavailable("broke the connection"));
    if (status < 200 || status > 999) return std::unexpected(broken("sent an answer that is not HTTP"));
    response_.status = static_cast<unsigned>(status);
    return std::move(response_);
}

core::Error Transfer::failure(CURL* handle, CURLcode code) const {
    if (too_large_ || code == CURLE_FILESIZE_EXCEEDED) return broken("sent an answer that is too large");
    if (off_limits_ && code == CURLE_COULDNT_CONNECT) {
        return broken("is at an address that is not public; OUTGOING_ALLOW names those that are meant");
    }
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT: {
            curl_off_t sent_after = 0;
            curl_easy_getinfo(handle, CURLINFO_PRETRANSFER_TIME_T, &sent_after);
            return sent_after == 0 ? unavailable("could not be reached in time") : timed_out();
        }
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
            return unavailable("is a name that could not be resolved");
        case CURLE_COULDNT_CONNECT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PROXY:
            return unavailable("could not be reached");
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS:
            return broken("has a certificate that is not trusted");
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_BAD_CONTENT_ENCODING:
            return broken("sent an answer that is not HTTP");
        case CURLE_TOO_MANY_REDIRECTS:
            return broken("redirects without end");
        case CURLE_OUT_OF_MEMORY:
        case CURLE_URL_MALFORMAT:
        case CURLE_SSL_CACERT_BADFILE:
            return {core::ErrorKind::internal, "libcurl: " + std::string{curl_easy_strerror(code)}, {}};
        default:
            return unavailable("broke the connection");
    }
}

core::Error Transfer::timed_out() const {
    return {core::ErrorKind::timeout, target_.host + " did not answer in time", {}};
}
core::Error Transfer::unavailable(std::string_view what) const {
    return {core::ErrorKind::unavailable, target_.host + " " + std::string{what}, {}};
}
core::Error Transfer::broken(std::string_view what) const {
    return {core::ErrorKind::bad_gateway, target_.host + " " + std::string{what}, {}};
}

}  // namespace net
