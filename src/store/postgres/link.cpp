#include "store/postgres/link.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "store/postgres/errors.hpp"

namespace store::postgres {
namespace {

enum class Ready { yes, late, stopped };

Ready wait_for(int socket, short events, Deadline deadline, int stop) {
    std::array<pollfd, 2> waiting{pollfd{socket, events, 0}, pollfd{stop, POLLIN, 0}};
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return Ready::late;
        const int found =
            ::poll(waiting.data(), stop < 0 ? 1 : 2, static_cast<int>(std::min<long>(left.count(), 60000)));
        if (found < 0 && errno != EINTR) return Ready::late;
        if (found <= 0) continue;
        return waiting[1].revents != 0 ? Ready::stopped : Ready::yes;
    }
}

core::Error no_connection(std::string why) {
    while (!why.empty() && why.back() == '\n') why.pop_back();
    return {core::ErrorKind::unavailable, "cannot connect to PostgreSQL: " + why, std::chrono::seconds(1)};
}

}  // namespace

StopSignal::StopSignal() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor_ < 0) throw std::runtime_error(std::string("eventfd: ") + std::strerror(errno));
}
StopSignal::~StopSignal() {
    ::close(descriptor_);
}
void StopSignal::raise() {
    ::eventfd_write(descriptor_, 1);
}

core::Result<Link> connect(const Parameters& parameters, std::chrono::milliseconds statement_timeout, Deadline deadline,
                           const StopSignal& stop) {
    // The server gives up a statement at the moment we do, so that a connection is not lost over one slow statement.
    // It does not compile statements to machine code, which takes longer than any of ours runs.
    std::string options = "-c jit=off -c statement_timeout=" + std::to_string(statement_timeout.count());
    std::vector<const char*> names;
    std::vector<const char*> values;
    auto add = [&](const char* name, const char* value) {
        names.push_back(name);
        values.push_back(value);
    };
    add("application_name", "video-consultation");
    add("gssencmode", "disable");
    add("keepalives_idle", "30");
    for (const auto& [name, value] : parameters) {
        if (name == "options") {
            options.insert(0, " ").insert(0, value);
        } else {
            add(name.c_str(), value.c_str());
        }
    }
    add("options", options.c_str());
    add("client_encoding", "UTF8");
    names.push_back(nullptr);
    values.push_back(nullptr);

    Link link(PQconnectStartParams(names.data(), values.data(), 0));
    if (!link) throw std::bad_alloc();
    PQsetNoticeReceiver(link.get(), [](void*, const PGresult*) {}, nullptr);
    auto state = PQstatus(link.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) return std::unexpected(no_connection(PQerrorMessage(link.get())));
        const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        switch (wait_for(PQsocket(link.get()), events, deadline, stop.descriptor())) {
            case Ready::late:
                return std::unexpected(no_connection("no answer in time"));
            case Ready::stopped:
                return std::unexpected(no_connection("stopping"));
            case Ready::yes:
                break;
        }
        state = PQconnectPoll(link.get());
    }
    // What is acknowledged must survive a power loss, whatever the server's default is.
    const auto set = run_script(link.get(),
                                "SELECT set_config('synchronous_commit', 'on', false)"
                                " WHERE current_setting('synchronous_commit') = 'off'",
                                deadline);
    if (!set) return std::unexpected(set.error());
    return link;
}

core::Result<Answer> run_script(PGconn* link, const std::string& sql, Deadline deadline) {
    if (PQsendQuery(link, sql.c_str()) != 1) return std::unexpected(no_connection(PQerrorMessage(link)));
    Answer last;
    for (;;) {
        while (PQisBusy(link) == 1) {
            if (wait_for(PQsocket(link), POLLIN, deadline, -1) != Ready::yes) {
                return std::unexpected(no_connection("no answer in time"));
            }
            if (PQconsumeInput(link) != 1) return std::unexpected(no_connection(PQerrorMessage(link)));
        }
        Answer answer(PQgetResult(link));
        if (!answer) break;
        const auto status = PQresultStatus(answer.get());
        if (status == PGRES_FATAL_ERROR) {
            auto error = error_of(answer.get());
            while (Answer(PQgetResult(link)) && PQstatus(link) == CONNECTION_OK) {
            }
            return std::unexpected(std::move(error));
        }
        last = std::move(answer);
    }
    return last;
}

}  // namespace store::postgres
