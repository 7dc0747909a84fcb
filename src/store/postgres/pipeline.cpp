#include "store/postgres/pipeline.hpp"

#include <stdexcept>

#include "store/postgres/errors.hpp"

namespace store::postgres {
namespace {

constexpr int kMostAttempts = 3;
constexpr int kBinary = 1;

}  // namespace

Pipeline::Pipeline(Link link) : link_(std::move(link)) {
    if (PQsetnonblocking(link_.get(), 1) != 0 || PQenterPipelineMode(link_.get()) != 1) {
        throw std::runtime_error("libpq refuses pipeline mode");
    }
}

bool Pipeline::send_one(Sent& sent, std::size_t index) {
    const auto& operation = *sent.operations[index];
    const auto& statement = *operation.statement;
    const auto& params = operation.params;
    if (operation.locks) {
        Params locks;
        for (const auto lock : *operation.locks) locks.number(lock);
        // Each statement sees what was committed before it began: the next one begins when the locks are held.
        sent.commands.push_back({index, false});
        if (PQsendQueryParams(link_.get(),
                              "SELECT pg_advisory_xact_lock($1::bigint), pg_advisory_xact_lock($2::bigint)",
                              locks.size(), nullptr, locks.pointers(), nullptr, nullptr, kBinary) != 1) {
            return false;
        }
    }
    if (statement.name.empty()) {
        sent.commands.push_back({index, false});
        return PQsendQueryParams(link_.get(), statement.sql.c_str(), params.size(), nullptr, params.pointers(), nullptr,
                                 nullptr, kBinary) == 1;
    }
    if (prepared_.insert(statement.name).second) {
        sent.commands.push_back({index, true});
        if (PQsendPrepare(link_.get(), statement.name.c_str(), statement.sql.c_str(), 0, nullptr) != 1) return false;
    }
    sent.commands.push_back({index, false});
    return PQsendQueryPrepared(link_.get(), statement.name.c_str(), params.size(), params.pointers(), nullptr, nullptr,
                               kBinary) == 1;
}

bool Pipeline::send(Segment segment, Clock::time_point now) {
    if (segments_.empty()) waiting_since_ = now;
    auto& sent = segments_.emplace_back();
    sent.operations = std::move(segment);
    sent.answers.resize(sent.operations.size());
    for (std::size_t i = 0; i < sent.operations.size(); ++i) {
        if (!send_one(sent, i)) return false;
    }
    return PQpipelineSync(link_.get()) == 1;
}

Pipeline::Flushed Pipeline::flush() {
    switch (PQflush(link_.get())) {
        case 0:
            return Flushed::all;
        case 1:
            return Flushed::more;
        default:
            return Flushed::broken;
    }
}

bool Pipeline::receive(Clock::time_point now) {
    if (PQconsumeInput(link_.get()) != 1) return false;
    while (!segments_.empty() && PQisBusy(link_.get()) == 0) {
        Answer answer(PQgetResult(link_.get()));
        if (!answer) {
            // The end of a command's answers; of a broken connection too.
            if (PQstatus(link_.get()) != CONNECTION_OK) return false;
            auto& sent = segments_.front();
            if (sent.command < sent.commands.size()) {
                ++sent.command;
                continue;
            }
            // Nothing more is to come before the sync; a second null here would come for ever.
            if (PQisBusy(link_.get()) == 0 && sent.command++ > sent.commands.size()) return false;
            continue;
        }
        if (PQresultStatus(answer.get()) == PGRES_PIPELINE_SYNC) {
            auto sent = std::move(segments_.front());
            segments_.pop_front();
            waiting_since_ = now;
            finish(std::move(sent));
        } else {
            take_answer(std::move(answer));
        }
    }
    return PQstatus(link_.get()) == CONNECTION_OK;
}

void Pipeline::take_answer(Answer answer) {
    auto& sent = segments_.front();
    const auto* command = sent.command < sent.commands.size() ? &sent.commands[sent.command] : nullptr;
    switch (PQresultStatus(answer.get())) {
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
            if (command != nullptr && !command->prepares) sent.answers[command->operation] = std::move(answer);
            return;
        case PGRES_FATAL_ERROR:
            if (needs_reconnect(sqlstate_of(answer.get()))) worn_out_ = true;
            if (!sent.failed) sent.failure = std::move(answer);
            break;
        default:
            break;  // Not run, because an earlier command of the segment has failed.
    }
    sent.failed = true;
    if (command != nullptr && command->prepares) prepared_.erase(sent.operations[command->operation]->statement->name);
}

void Pipeline::finish(Sent sent) {
    if (!sent.failed) {
        for (std::size_t i = 0; i < sent.operations.size(); ++i) {
            sent.operations[i]->done.complete(std::move(sent.answers[i]));
        }
        return;
    }
    // The server has undone the transaction. Alone, each operation will show whether it was at fault.
    const bool alone = sent.operations.size() == 1;
    const auto state = sent.failure ? sqlstate_of(sent.failure.get()) : std::string_view{};
    const bool worn_statement = state == "0A000" || state == "26000" || state == "25006";
    for (auto& operation : sent.operations) {
        ++operation->attempts;
        if (!alone || (worn_statement && operation->attempts < kMostAttempts)) {
            undone_.push_back(std::move(operation));
        } else {
            operation->done.complete(std::move(sent.failure));
        }
    }
}

std::vector<OperationPtr> Pipeline::take_unanswered() {
    std::vector<OperationPtr> all = take_undone();
    for (auto& sent : segments_) {
        for (auto& operation : sent.operations) all.push_back(std::move(operation));
    }
    segments_.clear();
    return all;
}

}  // namespace store::postgres
