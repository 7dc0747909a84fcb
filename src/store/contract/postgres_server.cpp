#include "store/contract/postgres_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace store::contract {
namespace {

namespace fs = std::filesystem;

constexpr auto kPassword = "p@ss:w/rd";
constexpr auto kPasswordInUrl = "p%40ss%3Aw%2Frd";
constexpr std::chrono::seconds kStartLimit{30};

/// PostgreSQL does not run as root.
const passwd* other_user() {
    if (::geteuid() != 0) return nullptr;
    const passwd* user = ::getpwnam("postgres");
    return user != nullptr ? user : ::getpwnam("nobody");
}

std::string program(const char* name) {
    const char* folder = std::getenv("POSTGRES_BIN");
    return std::string(folder == nullptr ? "/usr/lib/postgresql/15/bin" : folder) + "/" + name;
}

/// Starts a program whose output goes to a file; it dies with us.
pid_t spawn(const std::vector<std::string>& arguments, const std::string& output) {
    const passwd* user = other_user();
    std::vector<char*> raw;
    raw.reserve(arguments.size() + 1);
    for (const auto& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
    raw.push_back(nullptr);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child != 0) return child;
    const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    if (user != nullptr &&
        (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) {
        ::_exit(126);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (::getppid() != parent || ::chdir("/") != 0) ::_exit(126);
    ::execv(raw.front(), raw.data());
    ::_exit(127);
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

int free_port() {
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

}  // namespace

PostgresServer::PostgresServer() {
    std::string pattern = (fs::temp_directory_path() / "vc-postgres-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    std::ofstream(folder_ + "/password") << kPassword;
    if (const passwd* user = other_user(); user != nullptr) {
        for (const auto& path : {folder_, folder_ + "/password"}) {
            if (::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) throw std::runtime_error("chown " + path);
        }
    }
    const int status =
        wait_for(spawn({program("initdb"), "-D", folder_ + "/data", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
                        "-A", "scram-sha-256", "--pwfile=" + folder_ + "/password", "--no-sync", "--no-instructions"},
                       folder_ + "/log"));
    if (status != 0) throw std::runtime_error("initdb failed, see " + folder_ + "/log");
    port_ = free_port();
    start();
}

PostgresServer::~PostgresServer() {
    // Nothing in it is worth a checkpoint.
    if (pid_ > 0) {
        go_on();
        ::kill(pid_, SIGQUIT);
        wait_for(pid_);
    }
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

PostgresServer& PostgresServer::shared() {
    static PostgresServer server;
    return server;
}

void PostgresServer::start() {
    if (pid_ > 0) return;
    pid_ = spawn({program("postgres"), "-D", folder_ + "/data", "-p", std::to_string(port_), "-k", folder_, "-c",
                  "listen_addresses=127.0.0.1", "-c", "max_connections=100", "-c", "shared_buffers=32MB", "-c",
                  "fsync=off", "-c", "TimeZone=Asia/Kolkata"},
                 folder_ + "/log");
    const auto limit = std::chrono::steady_clock::now() + kStartLimit;
    while (PQping((url("postgres")).replace(0, sizeof "postgresql+asyncpg" - 1, "postgresql").c_str()) != PQPING_OK) {
        if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("PostgreSQL does not start");
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

void PostgresServer::stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGINT);
    wait_for(pid_);
    pid_ = -1;
}

std::vector<pid_t> PostgresServer::processes() const {
    std::vector<pid_t> all{pid_};
    std::ifstream children("/proc/" + std::to_string(pid_) + "/task/" + std::to_string(pid_) + "/children");
    for (pid_t child = 0; children >> child;) all.push_back(child);
    return all;
}

void PostgresServer::halt() {
    for (const pid_t process : processes()) ::kill(process, SIGSTOP);
}

void PostgresServer::go_on() {
    for (const pid_t process : processes()) ::kill(process, SIGCONT);
}

std::string PostgresServer::url(const std::string& database) const {
    return "postgresql+asyncpg://postgres:" + std::string(kPasswordInUrl) + "@127.0.0.1:" + std::to_string(port_) +
           "/" + database;
}

std::string PostgresServer::empty_database() {
    if (!has_database_) run(url("postgres"), "CREATE DATABASE test TEMPLATE template0");
    has_database_ = true;
    run(url("test"), "DROP SCHEMA public CASCADE; CREATE SCHEMA public; ALTER DATABASE test RESET ALL");
    return url("test");
}

std::string PostgresServer::run(const std::string& url, const std::string& sql) {
    const std::string plain = "postgresql" + url.substr(url.find("://"));
    const std::unique_ptr<PGconn, void (*)(PGconn*)> link(PQconnectdb(plain.c_str()), PQfinish);
    PQsetNoticeReceiver(link.get(), [](void*, const PGresult*) {}, nullptr);
    const std::unique_ptr<PGresult, void (*)(PGresult*)> answer(PQexec(link.get(), sql.c_str()), PQclear);
    const auto status = PQresultStatus(answer.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        throw std::runtime_error(PQerrorMessage(link.get()) + sql);
    }
    return PQntuples(answer.get()) > 0 && PQnfields(answer.get()) > 0 ? PQgetvalue(answer.get(), 0, 0) : "";
}

}  // namespace store::contract
