#include "app/node_parts.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <string_view>
#include <thread>

#include "core/bytes.hpp"
#include "core/log.hpp"

namespace app {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kEnrollTime{10};
constexpr std::chrono::seconds kLeaveTime{1};
constexpr std::chrono::milliseconds kLook{200};

std::string first_line(const char* path) {
    std::string line;
    std::getline(std::ifstream{path}, line);
    return line;
}

/// The port that this process listens on, of this network namespace, since this machine was started: a second process
/// that has it proves that the first one has ended.
std::string seat_of(const Config& config) {
    std::error_code failed;
    const auto network = std::filesystem::read_symlink("/proc/self/ns/net", failed);
    const auto boot = first_line("/proc/sys/kernel/random/boot_id");
    // Without them nothing is proven, and every process has a seat of its own.
    if (failed || boot.empty()) return core::uuid4();
    std::string text = boot + "|" + network.string() + "|" + std::to_string(config.port);
    for (const auto& host : config.hosts) text += "|" + host;
    return core::hex(core::sha256(core::as_bytes(text))).substr(0, 32);
}

service::Node node_of(const Config& config, const std::string& secret) {
    service::Node node;
    node.node_id = core::uuid4();
    node.url = config.node.url;
    node.region = config.node.region;
    node.secret_mark =
        core::hex(core::hmac_sha256(core::as_bytes(secret), core::as_bytes(std::string_view{"node mark"})))
            .substr(0, 16);
    node.seat = seat_of(config);
    node.version = VIDEO_CONSULTATION_VERSION;
    node.heartbeat = config.node.heartbeat;
    node.capacity = config.node.capacity;
    return node;
}

}  // namespace

NodeParts::NodeParts(const Config& config, const std::string& secret, service::NodeStore& store)
    : nodes_(node_of(config, secret), store) {}

core::Result<> NodeParts::enroll(const asio::any_io_executor& executor) {
    auto enrolled = asio::co_spawn(executor, nodes_.enroll(), asio::use_future);
    if (enrolled.wait_for(kEnrollTime) != std::future_status::ready) {
        return core::fail(core::ErrorKind::unavailable, "the database does not answer");
    }
    return enrolled.get();
}

void NodeParts::drain(std::chrono::seconds limit, const std::atomic<bool>& hurry) {
    nodes_.drain();
    core::log::info("node drains", {{"meetings", std::to_string(nodes_.meetings())},
                                    {"limit_seconds", std::to_string(limit.count())}});
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (nodes_.meetings() > 0 && !hurry && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(kLook);
    }
}

void NodeParts::leave(const asio::any_io_executor& executor) {
    auto left = asio::co_spawn(executor, nodes_.leave(), asio::use_future);
    if (left.wait_for(kLeaveTime) != std::future_status::ready || !left.get()) {
        core::log::warning("the other nodes were not told that this one stops; they will notice");
    }
}

}  // namespace app
