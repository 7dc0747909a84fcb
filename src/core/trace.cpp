#include "core/trace.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <span>

#include "core/bytes.hpp"

namespace core::trace {
namespace {

constexpr std::size_t kParentLength = 55;
constexpr std::size_t kLongestState = 512;
constexpr std::uint8_t kSampled = 1;

std::atomic<Sink*> the_sink{nullptr};

/// Lower case only, as the header must be.
int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/// Nullopt: not exactly these many bytes in hex.
template <std::size_t N>
std::optional<std::array<std::uint8_t, N>> from_hex(std::string_view text) {
    if (text.size() != 2 * N) return {};
    std::array<std::uint8_t, N> bytes{};
    for (std::size_t i = 0; i < N; ++i) {
        const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return {};
        bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return bytes;
}

bool is_passable(std::string_view state) {
    return state.size() <= kLongestState && std::ranges::all_of(state, [](char c) { return c >= ' ' && c <= '~'; });
}

/// Ids need to be unlike each other, not secret.
void fill(std::span<std::uint8_t> bytes) {
    thread_local std::mt19937_64 random = [] {
        std::array<std::uint8_t, 8> seed;
        random_bytes(seed);
        std::uint64_t number = 0;
        for (const auto byte : seed) number = number << 8 | byte;
        return std::mt19937_64{number};
    }();
    for (std::size_t i = 0; i < bytes.size();) {
        for (auto number = random(); number != 0 && i < bytes.size(); number >>= 8) {
            bytes[i++] = static_cast<std::uint8_t>(number);
        }
    }
}

Time now() {
    return std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now());
}

}  // namespace

std::optional<Context> parse(std::string_view text, std::string_view tracestate) {
    if (text.size() < kParentLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return {};
    const auto version = from_hex<1>(text.substr(0, 2));
    const auto trace_id = from_hex<16>(text.substr(3, 32));
    const auto span_id = from_hex<8>(text.substr(36, 16));
    const auto flags = from_hex<1>(text.substr(53, 2));
    if (!version || !trace_id || !span_id || !flags || version->front() == 0xff) return {};
    const bool longer = text.size() > kParentLength;
    if (longer && (version->front() == 0 || text[kParentLength] != '-')) return {};
    Context context{.trace_id = *trace_id, .span_id = *span_id, .sampled = (flags->front() & kSampled) != 0};
    if (!context.valid()) return {};
    if (is_passable(tracestate)) context.state = tracestate;
    return context;
}

std::string hex(const TraceId& id) {
    return core::hex(id);
}
std::string hex(const SpanId& id) {
    return core::hex(id);
}

std::string traceparent(const Context& context) {
    if (!context.valid()) return {};
    return "00-" + hex(context.trace_id) + "-" + hex(context.span_id) + (context.sampled ? "-01" : "-00");
}

std::string to_line(const Context& context) {
    auto line = traceparent(context);
    if (!line.empty() && !context.state.empty()) line.append(" ").append(context.state);
    return line;
}

Context from_line(std::string_view line) {
    const auto space = std::min(line.find(' '), line.size());
    return parse(line.substr(0, space), line.substr(std::min(space + 1, line.size()))).value_or(Context{});
}

void set_sink(Sink* sink) {
    the_sink.store(sink, std::memory_order_release);
}

bool is_on() {
    return the_sink.load(std::memory_order_relaxed) != nullptr;
}

Context incoming(std::string_view traceparent, std::string_view tracestate) {
    if (!traceparent.empty()) {
        if (auto context = parse(traceparent, tracestate)) return std::move(*context);
    }
    const auto* sink = the_sink.load(std::memory_order_acquire);
    if (!sink) return {};
    // A trace without a span so far: the first one of it has no parent.
    Context context;
    fill(context.trace_id);
    context.sampled = sink->samples(context.trace_id);
    return context;
}

Work::Work(const Context& parent, std::string_view name, Kind kind) : parent_(parent) {
    if (!is_on() || parent.trace_id == TraceId{}) return;
    if (!parent.sampled && parent.valid()) return;
    auto& span = span_.emplace();
    span.context = parent;
    fill(span.context.span_id);
    span.parent = parent.span_id;
    span.name = name;
    span.kind = kind;
    if (parent.sampled) span.begin = now();
}

Work::~Work() {
    if (!span_ || !span_->context.sampled) return;
    auto* sink = the_sink.load(std::memory_order_acquire);
    if (!sink) return;
    span_->end = std::max(now(), span_->begin);
    sink->take(std::move(*span_));
}

void Work::rename(std::string_view name) {
    if (span_) span_->name = name;
}

void Work::note(std::string_view key, std::int64_t value) {
    if (span_ && span_->context.sampled) span_->attributes.push_back({key, value});
}

void Work::note(std::string_view key, std::string value) {
    if (span_ && span_->context.sampled) span_->attributes.push_back({key, std::move(value)});
}

void Work::fail(bool failed) {
    if (span_) span_->failed = failed;
}

}  // namespace core::trace
