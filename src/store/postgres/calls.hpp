// How the ports of the store are answered: a statement goes to the pool of the caller's loop, and rows come back as
// what `decode` makes of them. Inside this room only.
#pragma once

#include <boost/asio/this_coro.hpp>
#include <memory>
#include <type_traits>
#include <utility>

#include "core/log.hpp"
#include "store/postgres/errors.hpp"
#include "store/postgres/loop_pools.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/postgres/record_group.hpp"

namespace store::postgres {

inline OperationPtr operation(const Statement& statement, Params params) {
    auto made = std::make_shared<Operation>();
    made->statement = &statement;
    made->params = std::move(params);
    return made;
}

template <class... Texts>
Params texts(const Texts&... values) {
    Params params;
    (params.text(values), ...);
    return params;
}

/// The answer, refusals included.
service::Task<core::Result<Answer>> ask(std::shared_ptr<Pool> pool, OperationPtr asked,
                                        std::chrono::milliseconds limit);

/// What `decode` makes of the rows.
template <class Decode>
auto decoded(const core::Result<Answer>& answer, Decode decode)
    -> core::Result<std::invoke_result_t<Decode, const PGresult*>> {
    if (!answer) return std::unexpected(answer.error());
    const auto status = PQresultStatus(answer->get());
    auto error = error_of(answer->get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        try {
            if constexpr (std::is_void_v<std::invoke_result_t<Decode, const PGresult*>>) {
                return {};
            } else {
                return decode(answer->get());
            }
        } catch (const std::exception& thrown) {
            error = {core::ErrorKind::internal, thrown.what()};
        }
    }
    core::log::error("database statement failed", {{"why", error.detail}});
    return std::unexpected(std::move(error));
}

inline void nothing(const PGresult* /*rows*/) {}

struct PostgresStore::Parts {
    PostgresSettings settings;
    std::shared_ptr<Connector> connector;
    std::shared_ptr<CallMeter> meter = std::make_shared<CallMeter>();
    Pools pools;
    RecordGroups records;

    Parts(PostgresSettings given, std::shared_ptr<Connector> connects);
    void stop();

    /// The statement must outlive the store; `decode` is a value of its own.
    template <class Decode>
    auto read(const Statement& statement, Params params, Decode decode)
        -> service::Task<core::Result<std::invoke_result_t<Decode, const PGresult*>>> {
        return run(Kind::read, statement, std::move(params), statement.name, std::move(decode));
    }
    template <class Decode>
    auto write(const Statement& statement, Params params, Decode decode)
        -> service::Task<core::Result<std::invoke_result_t<Decode, const PGresult*>>> {
        return run(Kind::write, statement, std::move(params), statement.name, std::move(decode));
    }
    /// `order`: of the row, where many of a kind are written at the same time (see Operation).
    template <class Decode>
    auto write_row(const Statement& statement, Params params, std::string order, Decode decode)
        -> service::Task<core::Result<std::invoke_result_t<Decode, const PGresult*>>> {
        return run(Kind::write, statement, std::move(params), std::move(order), std::move(decode));
    }

  private:
    template <class Decode>
    auto run(Kind kind, const Statement& statement, Params params, std::string order, Decode decode)
        -> service::Task<core::Result<std::invoke_result_t<Decode, const PGresult*>>> {
        const auto pool = pools.of(co_await boost::asio::this_coro::executor);
        auto asked = operation(statement, std::move(params));
        asked->kind = kind;
        asked->order = std::move(order);
        co_return decoded(co_await ask(pool, std::move(asked), pool->settings().operation_timeout), std::move(decode));
    }
};

}  // namespace store::postgres
