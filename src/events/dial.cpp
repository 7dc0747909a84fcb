#include "events/dial.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>
#include <utility>

namespace events {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

core::Error unavailable(const char* why) {
    return {core::ErrorKind::unavailable, why, {}};
}

struct Resolution {
    Resolution(std::string name, std::uint16_t number) : host(std::move(name)), port(std::to_string(number)) {}
    ~Resolution() {
        if (list != nullptr) ::freeaddrinfo(list);
    }
    Resolution(const Resolution&) = delete;
    Resolution& operator=(const Resolution&) = delete;

    void look_up(int flags) {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_protocol = IPPROTO_TCP;
        hints.ai_flags = flags | AI_NUMERICSERV;
        if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &list) != 0) list = nullptr;
    }

    const std::string host;
    const std::string port;
    addrinfo* list = nullptr;
    std::atomic<bool> done{false};
    Waker finished;
};

enum class Wait { ready, late, called_off };

struct Dialling {
    SteadyTime deadline;
    const Waker& waker;
    const std::function<bool()>& called_off;

    Wait wait(int fd, short what) const {
        for (;;) {
            if (called_off()) return Wait::called_off;
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
            if (left.count() <= 0) return Wait::late;
            pollfd polled[] = {{fd, what, 0}, {waker.fd(), POLLIN, 0}};
            if (::poll(polled, 2, static_cast<int>(left.count())) < 0) continue;
            if (polled[1].revents != 0) waker.drain();
            if (polled[0].revents != 0) return called_off() ? Wait::called_off : Wait::ready;
        }
    }

    core::Error failed(Wait wait) const {
        return unavailable(wait == Wait::called_off ? "the connection was called off"
                                                    : "the broker cannot be reached in time");
    }

    /// getaddrinfo cannot be interrupted: it gets a thread that is left behind when it takes too long.
    core::Result<std::shared_ptr<Resolution>> resolve(const std::string& host, std::uint16_t port) const {
        auto resolution = std::make_shared<Resolution>(host, port);
        resolution->look_up(AI_NUMERICHOST);
        if (resolution->list != nullptr) return resolution;
        std::thread([resolution] {
            pthread_setname_np(pthread_self(), "broker-name");
            resolution->look_up(AI_ADDRCONFIG);
            resolution->done.store(true);
            resolution->finished.wake();
        }).detach();
        const auto waited = wait(resolution->finished.fd(), POLLIN);
        if (waited != Wait::ready) return std::unexpected(failed(waited));
        if (!resolution->done.load() || resolution->list == nullptr) {
            return std::unexpected(unavailable("the broker's host name is unknown"));
        }
        return resolution;
    }

    core::Result<int> connect(const addrinfo& address) const {
        const int fd =
            ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol);
        if (fd < 0) return std::unexpected(unavailable("no socket can be made"));
        const int yes = 1;
        const unsigned silence = std::chrono::milliseconds(kSilence).count();
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
        ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence, sizeof silence);
        auto waited = Wait::ready;
        int error = 0;
        if (::connect(fd, address.ai_addr, address.ai_addrlen) != 0) {
            error = errno;
            if (error == EINPROGRESS) {
                waited = wait(fd, POLLOUT);
                socklen_t size = sizeof error;
                ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
            }
        }
        if (waited == Wait::ready && error == 0) return fd;
        ::close(fd);
        return std::unexpected(waited == Wait::ready ? unavailable("the broker cannot be reached") : failed(waited));
    }
};

}  // namespace

core::Result<int> dial(const std::string& host, std::uint16_t port, std::chrono::milliseconds limit, const Waker& waker,
                       const std::function<bool()>& called_off) {
    const Dialling dialling{std::chrono::steady_clock::now() + limit, waker, called_off};
    const auto resolved = dialling.resolve(host, port);
    if (!resolved) return std::unexpected(resolved.error());
    core::Result<int> result = std::unexpected(unavailable("the broker cannot be reached"));
    for (const addrinfo* address = (*resolved)->list; address != nullptr && !result; address = address->ai_next) {
        result = dialling.connect(*address);
    }
    return result;
}

}  // namespace events
