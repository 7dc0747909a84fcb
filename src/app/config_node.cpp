#include <algorithm>
#include <string>

#include "app/config_reader.hpp"

namespace app {
namespace {

/// A cautious figure for a core that forwards two or three people a meeting; see BENCHMARKS.md.
constexpr int kAttendeesPerCore = 200;
constexpr std::size_t kLongestRegion = 64;
constexpr std::chrono::seconds kStopTime{10};

}  // namespace

void read_node(Reader& reader, Config& config) {
    auto& node = config.node;
    node.url = config.public_url;
    if (const auto value = reader.find("NODE_URL")) {
        const auto place = parse_place(*value);
        if (!place || place->scheme.empty()) {
            return reader.complain("NODE_URL", "a URL such as https://node-a.example.org");
        }
        node.url = place->url;
        node.has_own_url = true;
    }
    reader.text("NODE_REGION", node.region);
    const bool sane = node.region.size() <= kLongestRegion && std::ranges::all_of(node.region, [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                      });
    if (!sane) reader.complain("NODE_REGION", "a region such as eu-central-1");
    node.capacity = kAttendeesPerCore * static_cast<int>(config.threads);
    reader.number("NODE_CAPACITY", node.capacity, 1, 1'000'000);
    reader.duration("NODE_HEARTBEAT_SECONDS", node.heartbeat, 1, 60);
    reader.duration("DRAIN_SECONDS", node.drain, 0, 24 * 3600);
    config.shutdown_timeout = node.drain + kStopTime;
    reader.duration("SHUTDOWN_TIMEOUT", config.shutdown_timeout, 1, 25 * 3600);
    if (config.shutdown_timeout < node.drain) {
        reader.complain("SHUTDOWN_TIMEOUT", "at least DRAIN_SECONDS, which is a part of it");
    }
}

}  // namespace app
