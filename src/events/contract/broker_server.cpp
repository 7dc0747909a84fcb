#include "events/contract/broker_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "events/broker_link.hpp"

namespace events::contract {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStartLimit{60};
/// One scheduler that sleeps when there is nothing to do; no port mapper that would outlive the broker.
constexpr auto kErlangArguments =
    "+S 1:1 +SDio 4 +sbwt none -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}";

std::string program() {
    const char* given = std::getenv("RABBITMQ_SERVER");
    return given == nullptr ? "/usr/lib/rabbitmq/bin/rabbitmq-server" : given;
}

/// The broker reads all that lies in its folder of plugins when it starts: it gets only what it needs itself.
bool is_needed(std::string_view library) {
    static constexpr std::array<std::string_view, 7> kOthers = {"README", "cowboy", "cowlib",   "eetcd",
                                                                "gun",    "jose",   "rabbitmq_"};
    if (library.starts_with("rabbitmq_prelaunch")) return true;
    for (const auto other : kOthers) {
        if (library.starts_with(other)) return false;
    }
    return true;
}

/// The folder of plugins beside the program.
fs::path shipped_libraries() {
    for (const auto& entry : fs::directory_iterator(fs::path(program()).parent_path().parent_path() / "lib")) {
        if (entry.path().filename().string().starts_with("rabbitmq_server-")) return entry.path() / "plugins";
    }
    throw std::runtime_error("no RabbitMQ at " + program());
}

bool listens(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool connected = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    return connected;
}

void wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
}

void end(pid_t& child) {
    if (child <= 0) return;
    ::kill(child, SIGKILL);
    wait_for(child);
    child = -1;
}

}  // namespace

std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool found = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(socket);
    if (!found) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
}

BrokerServer::BrokerServer() {
    std::string pattern = (fs::temp_directory_path() / "vc-rabbitmq-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    port_ = free_port();
    mapper_port_ = free_port();
    distribution_port_ = free_port();
    prepare();
    start();
}

BrokerServer::~BrokerServer() {
    kill();
    end(mapper_);
    // What the broker forked ends a moment after it and may still write.
    for (int tries = 0; tries < 50; ++tries) {
        std::error_code failed;
        fs::remove_all(folder_, failed);
        if (!failed) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

BrokerServer& BrokerServer::shared() {
    static BrokerServer server;
    return server;
}

void BrokerServer::prepare() {
    for (const auto* name : {"data", "log", "config", "libraries", "home"}) fs::create_directory(inside(name));
    for (const auto& entry : fs::directory_iterator(shipped_libraries())) {
        const auto name = entry.path().filename().string();
        if (is_needed(name)) fs::create_symlink(entry.path(), inside("libraries/" + name));
    }
    std::ofstream(inside("enabled_plugins")) << "[].\n";
    std::ofstream(inside("rabbitmq.conf")) << "listeners.tcp.1 = 127.0.0.1:" << port_ << "\n"
                                           << "vm_memory_high_watermark.absolute = 512MB\n"
                                           << "disk_free_limit.absolute = 1MB\n"
                                           << "log.console = false\n"
                                           << "log.file.level = warning\n";
    const char* path = std::getenv("PATH");
    environment_ = {
        "PATH=" + std::string(path == nullptr ? "/usr/bin:/bin" : path),
        "LANG=C.UTF-8",
        "HOME=" + inside("home"),
        "RABBITMQ_NODENAME=vc" + std::to_string(port_) + "@localhost",
        "RABBITMQ_MNESIA_BASE=" + inside("data"),
        "RABBITMQ_LOG_BASE=" + inside("log"),
        "RABBITMQ_CONFIG_FILE=" + inside("rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE=" + inside("advanced.config"),
        "RABBITMQ_GENERATED_CONFIG_DIR=" + inside("config"),
        "RABBITMQ_CONF_ENV_FILE=" + inside("rabbitmq-env.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE=" + inside("enabled_plugins"),
        "RABBITMQ_PLUGINS_DIR=" + inside("libraries"),
        "RABBITMQ_PID_FILE=" + inside("pid"),
        "RABBITMQ_DIST_PORT=" + std::to_string(distribution_port_),
        "ERL_EPMD_PORT=" + std::to_string(mapper_port_),
        "ERL_EPMD_ADDRESS=127.0.0.1",
        "ERL_CRASH_DUMP_SECONDS=0",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=" + std::string(kErlangArguments),
        // The start script then becomes the broker, instead of staying as its parent.
        "RUNNING_UNDER_SYSTEMD=true",
    };
}

/// Starts a program that dies with us; its output goes to a file.
pid_t BrokerServer::spawn(const std::vector<std::string>& arguments) const {
    std::vector<char*> argument_list, environment_list;
    for (const auto& argument : arguments) argument_list.push_back(const_cast<char*>(argument.c_str()));
    for (const auto& variable : environment_) environment_list.push_back(const_cast<char*>(variable.c_str()));
    argument_list.push_back(nullptr);
    environment_list.push_back(nullptr);
    const auto output = inside("log/output");
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child != 0) return child;
    const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent || ::chdir(folder_.c_str()) != 0) ::_exit(126);
    ::execvpe(argument_list.front(), argument_list.data(), environment_list.data());
    ::_exit(127);
}

void BrokerServer::start_port_mapper() {
    if (mapper_ > 0) return;
    mapper_ = spawn({"epmd", "-port", std::to_string(mapper_port_), "-address", "127.0.0.1"});
    const auto limit = std::chrono::steady_clock::now() + kStartLimit;
    while (!listens(mapper_port_)) {
        if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("epmd does not start");
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

void BrokerServer::start() {
    if (broker_ > 0) return;
    start_port_mapper();
    broker_ = spawn({program()});
    const auto limit = std::chrono::steady_clock::now() + kStartLimit;
    BrokerLink link(settings(), "test", std::make_shared<Waker>());
    while (!listens(port_) || !link.open_for_publishing()) {
        if (std::chrono::steady_clock::now() > limit) {
            throw std::runtime_error("RabbitMQ does not start, see " + inside("log"));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    link.close(std::chrono::seconds(1));
}

void BrokerServer::kill() {
    end(broker_);
}

void BrokerServer::halt() {
    ::kill(broker_, SIGSTOP);
}

void BrokerServer::go_on() {
    ::kill(broker_, SIGCONT);
}

BrokerSettings BrokerServer::settings() const {
    BrokerSettings settings;
    settings.host = "127.0.0.1";
    settings.port = port_;
    return settings;
}

}  // namespace events::contract
