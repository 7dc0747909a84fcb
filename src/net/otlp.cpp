#include "net/otlp.hpp"

#include <chrono>

#include "core/json_string.hpp"

namespace net {
namespace {

using core::append_json_text;
using core::trace::Span;

/// Status codes of opentelemetry-proto; unset ones are left out.
constexpr std::string_view kFailed = R"(,"status":{"code":2})";

void append_member(std::string& out, std::string_view key, std::string_view text) {
    append_json_text(out, key);
    out += ':';
    append_json_text(out, text);
}

std::string nanoseconds(core::Time time) {
    return std::to_string(std::chrono::nanoseconds{time.time_since_epoch()}.count());
}

void append_attribute(std::string& out, std::string_view key, const std::variant<std::int64_t, std::string>& value) {
    out += '{';
    append_member(out, "key", key);
    out += R"(,"value":{)";
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        append_member(out, "intValue", std::to_string(*number));
    } else {
        append_member(out, "stringValue", std::get<std::string>(value));
    }
    out += "}}";
}

void append_span(std::string& out, const Span& span) {
    out += '{';
    append_member(out, "traceId", core::trace::hex(span.context.trace_id));
    out += ',';
    append_member(out, "spanId", core::trace::hex(span.context.span_id));
    if (span.parent != core::trace::SpanId{}) {
        out += ',';
        append_member(out, "parentSpanId", core::trace::hex(span.parent));
    }
    if (!span.context.state.empty()) {
        out += ',';
        append_member(out, "traceState", span.context.state);
    }
    out += ',';
    append_member(out, "name", span.name);
    out += R"(,"kind":)" + std::to_string(static_cast<int>(span.kind)) + ',';
    append_member(out, "startTimeUnixNano", nanoseconds(span.begin));
    out += ',';
    append_member(out, "endTimeUnixNano", nanoseconds(span.end));
    out += R"(,"attributes":[)";
    for (const auto& [key, value] : span.attributes) {
        if (out.back() != '[') out += ',';
        append_attribute(out, key, value);
    }
    out += ']';
    if (span.failed) out += kFailed;
    out += '}';
}

}  // namespace

std::string otlp_document(const OtlpSource& source, std::span<const Span> spans) {
    std::string out = R"({"resourceSpans":[{"resource":{"attributes":[)";
    append_attribute(out, "service.name", source.service_name);
    out += ',';
    append_attribute(out, "service.version", source.service_version);
    out += R"(]},"scopeSpans":[{"scope":{"name":"video-consultation"},"spans":[)";
    for (const auto& span : spans) {
        if (out.back() != '[') out += ',';
        append_span(out, span);
    }
    return out += "]}]}]}";
}

}  // namespace net
