#include "app/health_probe.hpp"

#include <curl/curl.h>

#include <cstddef>
#include <memory>

namespace app {
namespace {

constexpr long kTimeMs = 5000;

/// The answer's status says it all; whatever the body is, it is not kept.
std::size_t drop(const char*, std::size_t size, std::size_t count, void*) {
    return size * count;
}

}  // namespace

std::string health_url(const Config& config) {
    std::string host = config.hosts.empty() ? "" : config.hosts.front();
    if (host.empty() || host == "0.0.0.0") host = "127.0.0.1";
    if (host == "::") host = "::1";
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    return (config.tls ? "https://" : "http://") + host + ":" + std::to_string(config.port) + "/health/ready";
}

core::Result<> probe_health(const Config& config) {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), &curl_easy_cleanup);
    if (!curl) return core::fail(core::ErrorKind::internal, "health: no memory");
    const auto url = health_url(config);
    curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, kTimeMs);
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &drop);
    const auto code = curl_easy_perform(curl.get());
    if (code != CURLE_OK) {
        return core::fail(core::ErrorKind::unavailable, "health: " + url + ": " + curl_easy_strerror(code));
    }
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) return {};
    return core::fail(core::ErrorKind::unavailable, "health: " + url + " answers " + std::to_string(status));
}

}  // namespace app
