#include "net/http_reader.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <cstring>

namespace net {
namespace http = boost::beast::http;
namespace {

constexpr std::size_t kFirstBuffer = 2048;
constexpr std::size_t kKeptBody = 16 * 1024;

constexpr std::string_view kBodyTooLarge = "Request body too large";
constexpr std::string_view kTooManyFields = "Request header fields too large";

std::string_view view(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

bool only_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// RFC 9112 section 3.2.2: a server must accept the absolute form; what counts is the part behind the authority.
void make_origin_form(std::string& target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.size() < scheme.size() || !boost::beast::iequals(target.substr(0, scheme.size()), scheme)) continue;
        const auto path = target.find_first_of("/?", scheme.size());
        if (path == std::string::npos) {
            target = "/";
        } else {
            target.erase(0, path);
            if (target.front() == '?') target.insert(target.begin(), '/');
        }
        return;
    }
}

}  // namespace

RequestReader::Parser::Parser(Message& message, const Limits& limits) : message_(message), limits_(limits) {
    header_limit(static_cast<std::uint32_t>(limits.header));
    skip(true);
}

void RequestReader::Parser::refuse(unsigned status, std::string_view detail, Code& error) {
    message_.refusal = {status, detail};
    error = http::error::bad_value;
}

void RequestReader::Parser::on_request_impl(http::verb, Text method, Text target, int version, Code&) {
    message_.method.assign(method.data(), method.size());
    message_.target.assign(target.data(), target.size());
    message_.version = version;
}

void RequestReader::Parser::on_field_impl(http::field field, Text name, Text value, Code& error) {
    if (++message_.field_count > limits_.fields) return refuse(431, kTooManyFields, error);
    switch (field) {
        case http::field::host:
            if (++message_.hosts > 1) return refuse(400, "More than one Host header", error);
            break;
        case http::field::content_length:
            // A list or a repetition is how requests are smuggled past intermediaries; nobody needs it.
            if (++message_.lengths > 1 || !only_digits(view(value))) {
                return refuse(400, "Invalid Content-Length header", error);
            }
            break;
        case http::field::transfer_encoding:
            if (++message_.codings > 1) return refuse(400, "More than one Transfer-Encoding header", error);
            if (!boost::beast::iequals(value, "chunked")) return refuse(501, "Unknown transfer coding", error);
            break;
        case http::field::expect:
            if (!boost::beast::iequals(value, "100-continue")) return refuse(417, "Unknown expectation", error);
            message_.expects_continue = true;
            break;
        default:
            break;
    }
    message_.fields.insert(field, name, value);
}

void RequestReader::Parser::on_header_impl(Code& error) {
    message_.header_done = true;
    if (message_.codings > 0 && message_.lengths > 0) {
        return refuse(400, "Both Content-Length and Transfer-Encoding", error);
    }
    if (message_.codings > 0 && message_.version < 11) {
        return refuse(400, "Transfer-Encoding needs HTTP/1.1", error);
    }
    if (message_.hosts == 0 && message_.version >= 11) return refuse(400, "Missing Host header", error);
}

RequestReader::RequestReader(Limits limits) : limits_(limits), buffer_(kFirstBuffer), chunked_(limits.body) {
    parser_.emplace(message_, limits_);
}

std::span<char> RequestReader::prepare() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (buffer_.size() - end_ < kFirstBuffer / 2 && begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (buffer_.size() == end_) buffer_.resize(buffer_.size() * 2);
    return {buffer_.data() + end_, buffer_.size() - end_};
}

RequestReader::State RequestReader::advance() {
    if (state_ != State::need_more) return state_;
    if (idle()) {
        // RFC 9112 section 2.2: blank lines before a request are skipped.
        while (end_ - begin_ >= 2 && buffer_[begin_] == '\r' && buffer_[begin_ + 1] == '\n') begin_ += 2;
        if (end_ - begin_ == 1 && buffer_[begin_] == '\r') return State::need_more;
    }
    if (!message_.header_done) {
        if (const auto state = advance_header(); !message_.header_done || state != State::ready) return state;
    }
    return advance_body();
}

RequestReader::State RequestReader::advance_header() {
    while (begin_ < end_) {
        boost::beast::error_code error;
        const auto used = parser_->put(boost::asio::const_buffer(buffer_.data() + begin_, end_ - begin_), error);
        begin_ += used;
        header_bytes_ += used;
        const auto waiting = parser_->is_header_done() ? 0 : end_ - begin_;
        if (!message_.refusal.status && header_bytes_ + waiting > limits_.header) return too_long();
        if (error == http::error::need_more) return State::need_more;
        if (error) return refuse_for(error);
        if (!parser_->is_header_done()) continue;
        length_ = parser_->content_length().value_or(0);
        if (length_ > limits_.body) return refuse(413, kBodyTooLarge);
        return State::ready;
    }
    return State::need_more;
}

RequestReader::State RequestReader::advance_body() {
    auto& body = message_.body;
    std::string_view input{buffer_.data() + begin_, end_ - begin_};
    if (message_.codings > 0) {
        const auto state = chunked_.advance(input, body);
        begin_ = end_ - input.size();
        switch (state) {
            case ChunkedDecoder::State::need_more:
                return State::need_more;
            case ChunkedDecoder::State::malformed:
                return refuse(400, "Malformed chunk");
            case ChunkedDecoder::State::too_large:
                return refuse(413, kBodyTooLarge);
            case ChunkedDecoder::State::done:
                return finish();
        }
    }
    const auto count = std::min(length_ - body.size(), input.size());
    body.append(input.substr(0, count));
    begin_ += count;
    return body.size() == length_ ? finish() : State::need_more;
}

RequestReader::State RequestReader::finish() {
    is_head_ = message_.method == "HEAD";
    make_origin_form(message_.target);
    if (message_.target.front() != '/' && message_.target != "*" && message_.method != "CONNECT") {
        return refuse(400, "Invalid request target");
    }
    request_.method = is_head_ ? std::string_view{"GET"} : std::string_view{message_.method};
    request_.target = message_.target;
    request_.body = message_.body;
    request_.fields = &message_.fields;
    return state_ = State::ready;
}

RequestReader::State RequestReader::refuse(unsigned status, std::string_view detail) {
    refusal_ = {status, detail};
    return state_ = State::refused;
}

RequestReader::State RequestReader::too_long() {
    // The parser may not have taken the request line yet although it is complete.
    const std::string_view seen{buffer_.data() + begin_, std::min(end_ - begin_, limits_.header)};
    if (message_.method.empty() && seen.find("\r\n") == std::string_view::npos) {
        return refuse(414, "Request line too long");
    }
    return refuse(431, kTooManyFields);
}

RequestReader::State RequestReader::refuse_for(const boost::beast::error_code& error) {
    if (message_.refusal.status) return refuse(message_.refusal.status, message_.refusal.detail);
    if (error == http::error::header_limit || error == http::error::buffer_overflow) return too_long();
    if (error == http::error::bad_version) return refuse(400, "Unsupported HTTP version");
    return refuse(400, "Malformed request");
}

void RequestReader::next() {
    message_.method.clear();
    message_.target.clear();
    message_.fields.clear();
    message_.body.clear();
    // One large body must not hold its memory for as long as the connection stays open.
    if (message_.body.capacity() > kKeptBody) message_.body.shrink_to_fit();
    message_.version = 11;
    message_.field_count = message_.hosts = message_.lengths = message_.codings = 0;
    message_.expects_continue = message_.header_done = false;
    message_.refusal = {0, {}};
    header_bytes_ = 0;
    parser_.emplace(message_, limits_);
    chunked_ = ChunkedDecoder(limits_.body);
    length_ = 0;
    state_ = State::need_more;
    request_ = {};
}

bool RequestReader::take_wants_continue() {
    // RFC 9110 section 10.1.1: not for HTTP/1.0, and not once the body has begun to arrive.
    if (!message_.header_done || !message_.expects_continue) return false;
    message_.expects_continue = false;
    return state_ == State::need_more && message_.version >= 11 && message_.body.empty() && begin_ == end_;
}

bool RequestReader::is_websocket_upgrade() const {
    const auto& fields = message_.fields;
    const auto upgrade = fields.find(http::field::upgrade);
    if (upgrade == fields.end() || message_.version < 11 || message_.method != "GET") return false;
    return http::token_list{upgrade->value()}.exists("websocket") &&
           http::token_list{fields[http::field::connection]}.exists("upgrade");
}

}  // namespace net
