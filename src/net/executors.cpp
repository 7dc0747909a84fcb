#include "net/executors.hpp"

#include <pthread.h>

#include "core/log.hpp"

namespace net {
namespace {

// An exception that reaches the loop comes from a completion handler, not from a coroutine (task groups catch those).
// The loop goes on: one broken handler must not take a whole core's connections down.
void run(boost::asio::io_context& context) {
    for (;;) {
        try {
            context.run();
            return;
        } catch (const std::exception& error) {
            core::log::error("event loop caught an exception", {{"type", typeid(error).name()}});
        }
    }
}

}  // namespace

Executors::Executors(std::size_t count, std::string name) : name_(std::move(name)) {
    for (std::size_t i = 0; i < std::max<std::size_t>(count, 1); ++i) loops_.push_back(std::make_unique<Loop>());
}

Executors::~Executors() {
    stop();
    drop();
}

void Executors::start() {
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        auto& loop = *loops_[i];
        if (loop.thread.joinable()) continue;
        loop.thread = std::thread([&loop] { run(loop.context); });
        // Linux keeps 15 characters of a thread's name.
        pthread_setname_np(loop.thread.native_handle(), (name_ + "-" + std::to_string(i)).substr(0, 15).c_str());
    }
}

void Executors::stop() {
    for (auto& loop : loops_) loop->context.stop();
    for (auto& loop : loops_) {
        if (loop->thread.joinable()) loop->thread.join();
    }
}

void Executors::drop() {
    // A coroutine of one loop may own a socket or timer of another, so all must be gone before the first loop goes.
    for (auto& loop : loops_) loop->context.drop();
}

}  // namespace net
