// Measures how late event loops are: something posted to an idle loop runs at once, to a busy one after all that is
// before it, to one that hangs never. A thread of its own does the asking.
//
// Owned by `app` (or a test), which starts it after the loops run and stops it before they are dropped.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "net/executors.hpp"

namespace net {

struct LoopWatchSettings {
    std::chrono::milliseconds every{250};           ///< Between two questions.
    std::chrono::milliseconds hangs_after{10'000};  ///< Without an answer for so long, a loop counts as hanging.
};

class LoopWatch {
  public:
    /// After each round, on the watch's thread: whether all loops answer.
    using Told = std::function<void(bool well)>;

    LoopWatch(LoopWatchSettings settings, Executors& loops, Told told = {});
    /// Stops.
    ~LoopWatch();
    LoopWatch(const LoopWatch&) = delete;
    LoopWatch& operator=(const LoopWatch&) = delete;

    void start();
    void stop();

    /// The longest delay of the last minute or so, an answer that is still out included. Any thread.
    std::chrono::duration<double> lag() const;
    /// Loops that hang. Any thread.
    std::size_t hanging() const;

  private:
    struct Loop;
    void run();
    void ask(std::size_t number, std::chrono::steady_clock::time_point now);

    LoopWatchSettings settings_;
    Executors& executors_;
    Told told_;
    std::vector<std::shared_ptr<Loop>> loops_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace net
