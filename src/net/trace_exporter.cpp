#include "net/trace_exporter.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <iterator>
#include <utility>

#include "core/log.hpp"

namespace net {
namespace asio = boost::asio;

TraceExporter::TraceExporter(TraceExporterSettings settings, HttpClient& client)
    : settings_(std::move(settings)), client_(client) {
    queue_.reserve(settings_.batch);
    core::trace::set_sink(this);
}

TraceExporter::~TraceExporter() {
    core::trace::set_sink(nullptr);
}

void TraceExporter::take(core::trace::Span&& span) noexcept {
    try {
        const std::scoped_lock lock(mutex_);
        if (queue_.size() < settings_.queue_limit) {
            queue_.push_back(std::move(span));
            return;
        }
    } catch (const std::exception&) {
        // No memory for it: it goes.
    }
    dropped_.fetch_add(1, std::memory_order_relaxed);
}

/// By the last seven bytes, which are random: all services that take the same ratio decide the same.
bool TraceExporter::samples(const core::trace::TraceId& id) const noexcept {
    if (settings_.ratio >= 1) return true;
    std::uint64_t number = 0;
    for (std::size_t i = id.size() - 7; i < id.size(); ++i) number = number << 8 | id[i];
    return static_cast<double>(number) < std::ldexp(std::max(settings_.ratio, 0.0), 56);
}

std::vector<core::trace::Span> TraceExporter::next_batch() {
    const std::scoped_lock lock(mutex_);
    const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), settings_.batch));
    std::vector<core::trace::Span> batch(std::make_move_iterator(queue_.begin()),
                                         std::make_move_iterator(queue_.begin() + count));
    queue_.erase(queue_.begin(), queue_.begin() + count);
    return batch;
}

asio::awaitable<bool> TraceExporter::send(std::vector<core::trace::Span> batch) {
    OutgoingRequest request;
    request.method = "POST";
    request.url = settings_.url;
    request.headers = settings_.headers;
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = otlp_document(settings_.source, batch);
    request.timeout = settings_.timeout;
    const auto answer = co_await client_.send(std::move(request));
    const bool taken = answer && answer->status / 100 == 2;
    if (taken) {
        exported_.fetch_add(batch.size(), std::memory_order_relaxed);
    } else {
        failed_.fetch_add(1, std::memory_order_relaxed);
        dropped_.fetch_add(batch.size(), std::memory_order_relaxed);
    }
    if (std::exchange(failing_, !taken) != !taken) {
        if (taken) {
            core::log::info("the collector takes traces again");
        } else {
            const auto why = answer ? "it answers " + std::to_string(answer->status) : answer.error().detail;
            core::log::warning("the collector takes no traces", {{"why", why}});
        }
    }
    co_return taken;
}

asio::awaitable<void> TraceExporter::run() {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        timer.expires_after(settings_.every);
        co_await timer.async_wait(asio::use_awaitable);
        // What has come by now; a collector that does not answer is asked again only after the next pause.
        for (auto left = settings_.queue_limit / settings_.batch + 1; left > 0; --left) {
            auto batch = next_batch();
            if (batch.empty() || !co_await send(std::move(batch))) break;
        }
    }
}

asio::awaitable<void> TraceExporter::flush() {
    for (;;) {
        auto batch = next_batch();
        if (batch.empty() || !co_await send(std::move(batch))) co_return;
    }
}

}  // namespace net
