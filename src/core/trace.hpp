// Distributed traces: where a piece of work belongs (W3C Trace Context, https://www.w3.org/TR/trace-context-1/, headers
// `traceparent` and `tracestate`), and what is told of it when it is done. A context is a plain value that is handed on
// explicitly; without a collector (`set_sink`) no span is made and nothing is counted, but a context that a client sent
// is still passed on. Nothing personal goes into a span: names are route patterns, attributes numbers and fixed words.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/time.hpp"

namespace core::trace {

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

/// A place in a trace: what comes next becomes a child of `span_id`.
struct Context {
    TraceId trace_id{};
    SpanId span_id{};
    bool sampled = false;  ///< Whoever began the trace wants it recorded.
    std::string state{};   ///< `tracestate`, as it came; others' business.

    /// All zeros is no trace.
    bool valid() const { return trace_id != TraceId{} && span_id != SpanId{}; }
    bool operator==(const Context&) const = default;
};

/// Nullopt: absent or not well-formed (section 3.2.2). Versions beyond 00 are read as far as they are known. A
/// `tracestate` that is longer than 512 bytes or not printable is left out, as section 3.3 allows.
std::optional<Context> parse(std::string_view traceparent, std::string_view tracestate = {});

/// `00-<trace id>-<span id>-<flags>`; empty for no trace.
std::string traceparent(const Context& context);
std::string hex(const TraceId& id);
std::string hex(const SpanId& id);

/// One line that holds all of it: `traceparent`, and behind a space `tracestate` if there is any. Empty: no trace.
std::string to_line(const Context& context);
/// The reverse; what is malformed is no trace.
Context from_line(std::string_view line);

enum class Kind : std::uint8_t { internal = 1, server = 2, client = 3, producer = 4, consumer = 5 };  ///< As OTLP's.

struct Attribute {
    std::string_view key;  ///< A literal.
    std::variant<std::int64_t, std::string> value;
};

/// A piece of work that is over.
struct Span {
    Context context;
    SpanId parent{};        ///< All zeros: the first of its trace.
    std::string_view name;  ///< A literal.
    Kind kind = Kind::internal;
    Time begin, end;
    bool failed = false;
    std::vector<Attribute> attributes;
};

/// Takes finished spans, on any thread; must not block and must not throw.
class Sink {
  public:
    virtual ~Sink() = default;
    virtual void take(Span&& span) noexcept = 0;
    /// Whether a trace that begins here is recorded.
    virtual bool samples(const TraceId& id) const noexcept = 0;
};

/// From now on spans go there; null: nowhere. Set it to null before the sink goes.
void set_sink(Sink* sink);
/// Somebody takes spans.
bool is_on();

/// For a request from outside: the context that it brought, or with a sink the beginning of a new trace, or none.
Context incoming(std::string_view traceparent, std::string_view tracestate);

/// A span from here to the end of its life. Where nothing is recorded it costs a comparison, and its context is its
/// parent's. Not to be copied or moved; any thread, one at a time.
class Work {
  public:
    /// `name` is a literal.
    Work(const Context& parent, std::string_view name, Kind kind);
    ~Work();
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;

    /// The parent of what is done inside.
    const Context& context() const { return span_ ? span_->context : parent_; }
    bool recorded() const { return span_.has_value(); }
    /// Better than the first name. A literal.
    void rename(std::string_view name);
    void note(std::string_view key, std::int64_t value);
    void note(std::string_view key, std::string value);
    void fail(bool failed = true);

  private:
    const Context parent_;
    std::optional<Span> span_;
};

}  // namespace core::trace
