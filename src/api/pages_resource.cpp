// What a browser shows: the room page, the two readers of the API document, and their files, all from the program
// itself. Every URL in them is relative, so they also work behind a gateway that cuts off a prefix.
#include <algorithm>
#include <array>
#include <utility>

#include "api/json_text.hpp"
#include "api/resource.hpp"
#include "core/asset.hpp"
#include "net/forwarded.hpp"

namespace api {
namespace {

using service::Task;

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kForYears = "public, max-age=31536000, immutable";
constexpr std::string_view kForAnHour = "public, max-age=3600";

/// Swagger UI and ReDoc set styles from code; ReDoc searches in a worker made from a blob.
constexpr std::string_view kDocsPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' "
    "data:; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view type_of(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kTypes{{
        {".html", kHtml},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".wasm", "application/wasm"},
        {".mp3", "audio/mpeg"},
        {".txt", "text/plain; charset=utf-8"},
    }};
    for (const auto& [ending, type] : kTypes) {
        if (name.ends_with(ending)) return type;
    }
    return "application/octet-stream";
}

net::Response not_found() {
    return refusal(404, "Not Found");
}

net::Response file_response(const std::string& name, std::string_view caching) {
    const auto* asset = core::find_asset(name);
    if (!asset) return not_found();
    net::Response response;
    response.content_type = type_of(name);
    response.static_body = asset->content;
    response.headers.emplace_back("Cache-Control", caching);
    return response;
}

net::Response page_response(const std::string& name, std::string policy) {
    auto response = file_response(name, "no-cache");
    if (response.status != 200) return response;
    response.headers.emplace_back("Content-Security-Policy", std::move(policy));
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    response.headers.emplace_back("X-Frame-Options", "DENY");
    return response;
}

/// ` ws://host wss://host` for a host (and port) that cannot break out of the policy; otherwise nothing.
std::string socket_sources(std::string_view host) {
    const bool sane = !host.empty() && host.size() <= 255 && std::ranges::all_of(host, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == ':' || c == '[' || c == ']';
    });
    if (!sane) return {};
    return std::string{" ws://"}.append(host).append(" wss://").append(host);
}

/// `video.example.org:8443` of `https://video.example.org:8443/path`.
std::string_view host_of(std::string_view url) {
    if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    return url.substr(0, url.find('/'));
}

/// The page's sockets go to the host it came from (older browsers do not count them to 'self') or to the public one.
/// With several nodes to any: a page stays open while nodes come and go, and its call moves on.
std::string room_policy(std::string_view host, const SiteSettings& settings) {
    auto sockets = socket_sources(host);
    if (const auto other = host_of(settings.public_url); other != host) sockets += socket_sources(other);
    if (settings.many_nodes) sockets = " ws: wss:";
    return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
           "font-src 'self'; connect-src 'self'" +
           sockets +
           "; worker-src 'self' blob:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; "
           "frame-ancestors 'none'";
}

}  // namespace

Task<net::Response> get_root(Call& call) {
    std::string body;
    JsonObject{body}("service", call.site.settings.app_name)("version", call.site.settings.version)(
        "status", "running")("docs", "/docs")("health", "/health");
    co_return json_response(200, std::move(body));
}

Task<net::Response> get_docs(Call&) {
    co_return page_response("api/swagger.html", std::string{kDocsPolicy});
}

Task<net::Response> get_redoc(Call&) {
    co_return page_response("api/redoc.html", std::string{kDocsPolicy});
}

Task<net::Response> get_docs_file(Call& call) {
    auto own = file_response("api/" + call.piece, kForAnHour);
    co_return own.status == 200 ? std::move(own) : file_response("web/docs/" + call.piece, kForAnHour);
}

Task<net::Response> get_openapi(Call& call) {
    co_return json_response(200, call.site.openapi);
}

Task<net::Response> get_room(Call& call) {
    auto response = page_response("web/index.html", room_policy(net::reached_host(call.request), call.site.settings));
    if (response.status == 200) {
        response.headers.emplace_back("Permissions-Policy",
                                      "camera=(self), microphone=(self), display-capture=(self), geolocation=()");
    }
    co_return response;
}

Task<net::Response> get_web_file(Call& call) {
    co_return file_response("web/assets/" + call.piece, kForYears);
}

Task<net::Response> get_icon(Call&) {
    co_return file_response("web/docs/favicon-32x32.png", kForAnHour);
}

}  // namespace api
