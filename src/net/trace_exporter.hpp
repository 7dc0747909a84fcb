// Sends finished spans to a collector (OTLP/HTTP, JSON), many at a time. Whoever ends a span only puts it into a queue;
// when that is full, or the collector does not take them, spans are thrown away and counted.
//
// Owned by `app`; `run` on one event loop, which must outlive this. While it lives it is the sink of core/trace.hpp.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "core/trace.hpp"
#include "net/http_client.hpp"
#include "net/otlp.hpp"

namespace net {

struct TraceExporterSettings {
    std::string url;     ///< Of the collector's traces: `http://collector:4318/v1/traces`.
    HeaderList headers;  ///< Beside the content type; may hold secrets.
    OtlpSource source;
    double ratio = 1;                ///< Of the traces that begin here, recorded; 0 to 1.
    std::size_t queue_limit = 4096;  ///< Spans.
    std::size_t batch = 512;
    std::chrono::milliseconds every{1000};
    std::chrono::milliseconds timeout{5000};
};

class TraceExporter final : public core::trace::Sink {
  public:
    /// `client` must outlive this.
    TraceExporter(TraceExporterSettings settings, HttpClient& client);
    ~TraceExporter() override;
    TraceExporter(const TraceExporter&) = delete;
    TraceExporter& operator=(const TraceExporter&) = delete;

    void take(core::trace::Span&& span) noexcept override;
    bool samples(const core::trace::TraceId& id) const noexcept override;

    /// Sends what there is, again and again, until cancelled.
    boost::asio::awaitable<void> run();
    /// What is left, in one go; at most one call's time.
    boost::asio::awaitable<void> flush();

    /// Spans that the collector has taken, spans thrown away, calls that came to nothing. Any thread.
    std::uint64_t exported() const { return exported_.load(std::memory_order_relaxed); }
    std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
    std::uint64_t failed() const { return failed_.load(std::memory_order_relaxed); }

  private:
    std::vector<core::trace::Span> next_batch();
    boost::asio::awaitable<bool> send(std::vector<core::trace::Span> batch);

    const TraceExporterSettings settings_;
    HttpClient& client_;
    std::mutex mutex_;
    std::vector<core::trace::Span> queue_;  ///< Guarded by the mutex.
    std::atomic<std::uint64_t> exported_{0}, dropped_{0}, failed_{0};
    bool failing_ = false;  ///< The loop's: the same trouble is told once.
};

}  // namespace net
