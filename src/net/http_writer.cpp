#include "net/http_writer.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/http/status.hpp>
#include <charconv>
#include <ctime>

namespace net {
namespace {

constexpr std::string_view kServer = "Server: video-consultation\r\n";

void append_number(std::string& out, std::size_t number) {
    std::array<char, 20> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    out.append(text.data(), end);
}

bool is_safe(std::string_view text) {
    return std::ranges::none_of(text, [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

bool is_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
        return c > 0x20 && c < 0x7f &&
               std::string_view{"()<>@,;:\\\"/[]?={}"}.find(static_cast<char>(c)) == std::string_view::npos;
    });
}

}  // namespace

std::string_view http_date() {
    thread_local std::time_t written_for = -1;
    thread_local std::array<char, 32> text;
    const auto now = std::time(nullptr);
    if (now != written_for) {
        std::tm parts{};
        gmtime_r(&now, &parts);
        // The process keeps the C locale, so names of days and months are English.
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        written_for = now;
    }
    return {text.data(), 29};
}

void append_head(std::string& out, const Response& response, const AnswerOptions& options) {
    const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
    out.append("HTTP/1.1 ");
    append_number(out, response.status);
    out.append(" ").append(reason.data(), reason.size()).append("\r\n").append(kServer);
    out.append("Date: ").append(http_date()).append("\r\n");
    // RFC 9110 section 8.6: neither length nor type where there can be no body.
    const bool bodyless = response.status == 204 || response.status == 304 || response.status < 200;
    if (!bodyless) {
        if (!response.content_type.empty()) {
            out.append("Content-Type: ").append(response.content_type).append("\r\n");
        }
        if (!response.stream) {
            out.append("Content-Length: ");
            append_number(out, body_of(response).size());
            out.append("\r\n");
        } else if (options.chunked) {
            out.append("Transfer-Encoding: chunked\r\n");
        }
    }
    if (!options.request_id.empty()) out.append("X-Request-ID: ").append(options.request_id).append("\r\n");
    for (const auto& [name, value] : response.headers) {
        if (is_name(name) && is_safe(value)) out.append(name).append(": ").append(value).append("\r\n");
    }
    if (!options.keep_alive) {
        out.append("Connection: close\r\n");
    } else if (options.http10) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append("\r\n");
}

Response refusal(unsigned status, std::string_view detail) {
    Response response;
    response.status = status;
    response.body.append(R"({"detail":")").append(detail).append(R"("})");
    return response;
}

Response crash_answer() {
    Response response;
    response.status = 500;
    response.static_body = R"({"error":"Internal server error","detail":"An unexpected error occurred"})";
    return response;
}

}  // namespace net
