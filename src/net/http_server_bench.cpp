// Requests a second that one loop answers, measured with a client thread that keeps many connections busy.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <ctime>
#include <string_view>
#include <vector>

#include "net/http_server.hpp"

namespace {

boost::asio::awaitable<net::Response> healthy(const net::Request&) {
    net::Response response;
    response.static_body = R"({"status":"healthy"})";
    co_return response;
}

int connect_to(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) std::abort();
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

void requests(benchmark::State& state) {
    net::Executors executors(1);
    net::HttpServerSettings settings;
    settings.hosts = {"127.0.0.1"};
    settings.port = 0;
    auto server = net::HttpServer::start(settings, executors, healthy);
    if (!server) return state.SkipWithError(server.error().detail.c_str());
    executors.start();
    const std::string_view request =
        "GET /health HTTP/1.1\r\nHost: localhost:8086\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
    std::vector<int> sockets;
    const int epoll = epoll_create1(0);
    for (int i = 0; i < state.range(0); ++i) {
        const int fd = sockets.emplace_back(connect_to((*server)->port()));
        epoll_event event{EPOLLIN, {.fd = fd}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        if (send(fd, request.data(), request.size(), 0) < 0) std::abort();
    }
    char buffer[4096];
    std::int64_t answered = 0;
    std::vector<epoll_event> events(sockets.size());
    timespec begin{}, end{}, client{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    timespec client_begin{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &client_begin);
    for (auto _ : state) {
        const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < ready; ++i) {
            if (recv(events[i].data.fd, buffer, sizeof buffer, 0) <= 0) std::abort();
            if (send(events[i].data.fd, request.data(), request.size(), 0) < 0) std::abort();
            ++answered;
        }
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &client);
    const auto seconds = [](const timespec& t) { return double(t.tv_sec) + double(t.tv_nsec) * 1e-9; };
    const auto server_cpu = seconds(end) - seconds(begin) - (seconds(client) - seconds(client_begin));
    state.SetItemsProcessed(answered);
    state.counters["per_busy_core"] = double(answered) / server_cpu;
    for (const int fd : sockets) close(fd);
    close(epoll);
    (*server)->stop(std::chrono::milliseconds{1000});
}
BENCHMARK(requests)->Arg(1)->Arg(32)->Arg(256)->UseRealTime()->MinTime(2.0);

}  // namespace
