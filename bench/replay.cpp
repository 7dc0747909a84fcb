// Sends requests as they are, each once: bench_replay PORT SECONDS CONNECTIONS < requests, with a NUL behind each.
// Prints rate, p50 and p99. What a server manages by itself, beside what it manages behind the service.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "load_client.hpp"

namespace {

struct Replay : bench::Script {
    std::vector<std::string>& waiting;
    explicit Replay(std::vector<std::string>& requests) : waiting(requests) {}
    std::string next() override {
        if (waiting.empty()) return {};
        auto request = std::move(waiting.back());
        waiting.pop_back();
        return request;
    }
    bool answered(unsigned status, std::string_view) override { return status >= 200 && status < 300; }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "bench_replay PORT SECONDS CONNECTIONS < requests\n");
        return 2;
    }
    std::vector<std::string> requests;
    for (std::string request; std::getline(std::cin, request, '\0');) requests.push_back(std::move(request));
    std::vector<std::unique_ptr<Replay>> scripts;
    std::vector<bench::Script*> views;
    for (int i = 0; i < std::atoi(argv[3]); ++i) {
        scripts.push_back(std::make_unique<Replay>(requests));
        views.push_back(scripts.back().get());
    }
    const auto report =
        bench::run(static_cast<std::uint16_t>(std::atoi(argv[1])), views, std::chrono::seconds{std::atoi(argv[2])});
    std::printf("%-8s %9.0f /s   p50 %7.3f ms   p99 %7.3f ms   errors %llu %s\n", "replay", report.rate(),
                report.p50_ms, report.p99_ms, static_cast<unsigned long long>(report.errors),
                report.first_error.substr(0, 200).c_str());
    return 0;
}
