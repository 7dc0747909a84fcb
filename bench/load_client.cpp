#include "load_client.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
    int fd = -1;
    Script* script = nullptr;
    std::string input;
    Clock::time_point unit_began;
    bool in_unit = false;
};

int connect_to(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("cannot connect to port " + std::to_string(port));
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/// The length of the first whole response in `input`, or 0. Answers here always carry Content-Length.
std::size_t whole_response(const std::string& input, unsigned& status, std::string_view& body) {
    const auto head_end = input.find("\r\n\r\n");
    if (head_end == std::string::npos) return 0;
    std::from_chars(input.data() + 9, input.data() + 12, status);
    std::size_t length = 0;
    const auto field = input.find("Content-Length: ");
    if (field < head_end) std::from_chars(input.data() + field + 16, input.data() + head_end, length);
    if (input.size() < head_end + 4 + length) return 0;
    body = std::string_view{input}.substr(head_end + 4, length);
    return head_end + 4 + length;
}

}  // namespace

Report run(std::uint16_t port, std::vector<Script*> scripts, std::chrono::milliseconds limit) {
    const int epoll = epoll_create1(0);
    std::vector<Connection> connections(scripts.size());
    Report report;
    std::vector<double> latencies;
    latencies.reserve(1 << 20);
    std::size_t busy = 0;
    const auto begun = Clock::now();
    const auto deadline = begun + limit;

    const auto send_next = [&](Connection& c, Clock::time_point now) {
        // A unit that has begun is finished, so that nothing is left half done.
        const auto text = now < deadline || c.in_unit ? c.script->next() : std::string{};
        if (text.empty()) return false;
        if (!c.in_unit) {
            c.unit_began = now;
            c.in_unit = true;
        }
        if (send(c.fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
            throw std::runtime_error("the service closed a connection");
        }
        return true;
    };

    for (std::size_t i = 0; i < scripts.size(); ++i) {
        auto& c = connections[i];
        c.fd = connect_to(port);
        c.script = scripts[i];
        epoll_event event{.events = EPOLLIN, .data = {.ptr = &c}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, c.fd, &event);
        if (send_next(c, Clock::now())) ++busy;
    }
    epoll_event events[64];
    char buffer[65536];
    while (busy > 0) {
        const int count = epoll_wait(epoll, events, 64, 10'000);
        if (count <= 0) throw std::runtime_error("no answer for 10 s");
        for (int i = 0; i < count; ++i) {
            auto& c = *static_cast<Connection*>(events[i].data.ptr);
            const auto got = recv(c.fd, buffer, sizeof buffer, 0);
            if (got <= 0) throw std::runtime_error("the service closed a connection");
            c.input.append(buffer, static_cast<std::size_t>(got));
            unsigned status = 0;
            std::string_view body;
            const auto size = whole_response(c.input, status, body);
            if (size == 0) continue;
            const auto now = Clock::now();
            if (!c.script->answered(status, body)) {
                ++report.errors;
                if (report.first_error.empty()) report.first_error = std::to_string(status) + " " + std::string{body};
            }
            if (c.script->completes()) {
                ++report.units;
                latencies.push_back(std::chrono::duration<double, std::milli>(now - c.unit_began).count());
                c.in_unit = false;
            }
            c.input.erase(0, size);
            if (!send_next(c, now)) --busy;
        }
    }
    report.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    std::ranges::sort(latencies);
    if (!latencies.empty()) {
        report.p50_ms = latencies[latencies.size() / 2];
        report.p99_ms = latencies[latencies.size() * 99 / 100];
    }
    for (auto& c : connections) close(c.fd);
    close(epoll);
    return report;
}

std::string request(std::string_view method, std::string_view target, std::string_view token, std::string_view body) {
    std::string text;
    text.reserve(512 + body.size());
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
    if (!token.empty()) text.append("Authorization: Bearer ").append(token).append("\r\n");
    if (method != "GET") {
        text.append("Content-Type: application/json\r\nContent-Length: ")
            .append(std::to_string(body.size()))
            .append("\r\n");
    }
    return text.append("\r\n").append(body);
}

}  // namespace bench
