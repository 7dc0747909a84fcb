// Ends a thread's poll from another thread. Shared by the two.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace events {

class Waker {
  public:
    /// Throws std::system_error when there is no descriptor left.
    Waker() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    }
    ~Waker() { ::close(fd_); }
    Waker(const Waker&) = delete;
    Waker& operator=(const Waker&) = delete;

    /// Readable from a `wake` to the next `drain`.
    int fd() const { return fd_; }

    /// Any thread.
    void wake() const {
        const std::uint64_t one = 1;
        // It can only fail when billions of earlier calls wait, and then the reader is awake.
        [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
    }
    /// The thread that polls.
    void drain() const {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto read = ::read(fd_, &count, sizeof count);
    }

  private:
    int fd_;
};

}  // namespace events
