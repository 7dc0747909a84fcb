// For tests: the stand-in for AWS's API (tests/standins/chime.py) as a child process, and an event loop to call it
// from.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "net/http_client.hpp"
#include "net/loopback.hpp"
#include "service/task.hpp"

namespace meetings::chime::testing {

/// Runs a coroutine to its end on a loop of its own.
template <class T>
T run(service::Task<T> task) {
    boost::asio::io_context loop(1);
    std::optional<T> out;
    std::exception_ptr failure;
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr thrown, T value) {
        failure = std::move(thrown);
        out = std::move(value);
    });
    loop.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(out).value();
}

/// Asks until the answer is yes; true in time.
inline bool eventually(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{net::testing::kPatienceMs};
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
}

/// Any HTTP server: answers what `reply` says.
class Endpoint {
  public:
    using Reply = std::function<net::Response(const net::Request&)>;
    explicit Endpoint(Reply reply)
        : server_([reply = std::move(reply)](const net::Request& request) { return answer(reply, request); }) {}
    std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }

  private:
    static boost::asio::awaitable<net::Response> answer(const Reply& reply, const net::Request& request) {
        co_return reply(request);
    }
    net::testing::Loopback server_;
};

inline net::Response reply(unsigned status, std::string body) {
    net::Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

class Standin {
  public:
    static constexpr auto kKey = "AKIDTESTONLY00000000";
    static constexpr auto kSecret = "a/secret+for=tests only";

    Standin() {
        std::array<int, 2> input{}, output{};
        if (pipe2(input.data(), O_CLOEXEC) != 0 || pipe2(output.data(), O_CLOEXEC) != 0) std::abort();
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
        // Debian's Python: it has Debian's botocore.
        const std::array<const char*, 10> arguments{"/usr/bin/python3",
                                                    "-B",
                                                    SOURCE_ROOT "/../tests/standins/chime.py",
                                                    "--port",
                                                    "0",
                                                    "--key",
                                                    kKey,
                                                    "--secret",
                                                    kSecret,
                                                    nullptr};
        const int spawned =
            posix_spawn(&pid_, arguments[0], &actions, nullptr, const_cast<char**>(arguments.data()), environ);
        posix_spawn_file_actions_destroy(&actions);
        close(input[0]);
        close(output[1]);
        input_ = input[1];
        FILE* lines = fdopen(output[0], "r");
        int port = 0;
        EXPECT_EQ(spawned, 0);
        EXPECT_EQ(std::fscanf(lines, "listening %d", &port), 1) << "the stand-in for Chime did not start";
        std::fclose(lines);
        url_ = "http://127.0.0.1:" + std::to_string(port);
    }
    /// It ends when its standard input does.
    ~Standin() {
        close(input_);
        if (pid_ > 0) waitpid(pid_, nullptr, 0);
    }
    Standin(const Standin&) = delete;
    Standin& operator=(const Standin&) = delete;

    const std::string& url() const { return url_; }

    /// Orders below /_control.
    boost::json::object control(const std::string& name, const boost::json::object& order = {}) {
        net::OutgoingRequest request;
        request.method = "POST";
        request.url = url_ + "/_control/" + name;
        request.body = boost::json::serialize(order);
        request.timeout = std::chrono::milliseconds{net::testing::kPatienceMs};
        auto answer = run(client_.send(std::move(request)));
        EXPECT_TRUE(answer && answer->status == 200) << name;
        return answer ? boost::json::parse(answer->body).as_object() : boost::json::object{};
    }
    /// How often an operation was called.
    std::int64_t count(const std::string& operation) {
        const auto state = control("state");
        const auto* found = state.at("counts").as_object().if_contains(operation);
        return found ? found->as_int64() : 0;
    }
    /// The meetings there are, with their requests.
    boost::json::array meetings() { return control("state").at("meetings").as_array(); }

  private:
    pid_t pid_ = -1;
    int input_ = -1;
    std::string url_;
    net::HttpClient client_;
};

}  // namespace meetings::chime::testing
