// The store as KeyStore.
#include <memory>

#include "store/postgres/answers.hpp"
#include "store/postgres/array_text.hpp"
#include "store/postgres/calls.hpp"
#include "store/postgres/values.hpp"

namespace store::postgres {
namespace {

using core::Result;
using service::ResealedText;
using service::SealedColumn;
using service::SealedText;
using service::StoredKey;
using service::Task;

const Statement& data_keys_statement() {
    static const Statement statement{
        "data_keys", "SELECT number, master_id, wrapped, created_at FROM video_consultation_data_keys ORDER BY number"};
    return statement;
}
const Statement& add_statement() {
    static const Statement statement{"add_data_key",
                                     "INSERT INTO video_consultation_data_keys (number, master_id, wrapped, created_at)"
                                     " VALUES ($1, $2, $3, $4) ON CONFLICT (number) DO NOTHING RETURNING number"};
    return statement;
}
const Statement& rewrap_statement() {
    static const Statement statement{"rewrap_data_key",
                                     "UPDATE video_consultation_data_keys SET master_id = $3, wrapped = $4"
                                     " WHERE number = $1 AND wrapped = $2 RETURNING number"};
    return statement;
}

/// For one column; kept nowhere, as sealing anew is rare.
std::unique_ptr<Statement> texts_statement(const SealedColumn& column) {
    const std::string row{column.row};
    const std::string name{column.column};
    return std::make_unique<Statement>(
        Statement{"", "SELECT * FROM (SELECT " + row + " AS row, " + name + " AS text FROM " +
                          std::string(column.table) + " WHERE " + name + " IS NOT NULL AND NOT starts_with(" + name +
                          ", $1)) t WHERE row COLLATE \"C\" > $2 ORDER BY row COLLATE \"C\" LIMIT $3::bigint"});
}
std::unique_ptr<Statement> replace_statement(const SealedColumn& column) {
    const std::string name{column.column};
    return std::make_unique<Statement>(Statement{
        "",
        "WITH given AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS g (row, before, after)),"
        " done AS (UPDATE " +
            std::string(column.table) + " SET " + name + " = g.after FROM given g WHERE " + std::string(column.row) +
            " = g.row AND " + name + " = g.before RETURNING 1) SELECT count(*) FROM done"});
}

std::vector<StoredKey> keys_of(const PGresult* rows) {
    std::vector<StoredKey> keys;
    for (int number = 0; number < PQntuples(rows); ++number) {
        const ResultRow row(rows, number);
        keys.push_back(
            {static_cast<int>(row.number(0)), std::string{row.text(1)}, std::string{row.text(2)}, row.time(3)});
    }
    return keys;
}

std::vector<SealedText> texts_of(const PGresult* rows) {
    std::vector<SealedText> texts;
    for (int number = 0; number < PQntuples(rows); ++number) {
        const ResultRow row(rows, number);
        texts.push_back({std::string{row.text(0)}, std::string{row.text(1)}});
    }
    return texts;
}

bool any(const PGresult* rows) {
    return PQntuples(rows) > 0;
}

OperationPtr rare(std::unique_ptr<Statement> statement, Params params, Kind kind) {
    auto asked = operation(*statement, std::move(params));
    asked->rare = std::move(statement);
    asked->kind = kind;
    return asked;
}

}  // namespace

Task<Result<std::vector<StoredKey>>> PostgresStore::data_keys() {
    return parts_->read(data_keys_statement(), Params(), keys_of);
}

Task<Result<bool>> PostgresStore::add_data_key(StoredKey key) {
    Params params;
    params.number(key.number);
    params.text(key.master_id);
    params.text(key.wrapped);
    params.time(key.created_at);
    return parts_->write(add_statement(), std::move(params), any);
}

Task<Result<bool>> PostgresStore::rewrap_data_key(StoredKey before, StoredKey after) {
    Params params;
    params.number(before.number);
    params.text(before.wrapped);
    params.text(after.master_id);
    params.text(after.wrapped);
    return parts_->write(rewrap_statement(), std::move(params), any);
}

Task<Result<std::vector<SealedText>>> PostgresStore::texts_unlike(SealedColumn column, std::string unlike,
                                                                  std::string after, int limit) {
    auto params = texts(unlike, after);
    params.number(limit);
    const auto pool = parts_->pools.of(co_await boost::asio::this_coro::executor);
    auto asked = rare(texts_statement(column), std::move(params), Kind::read);
    co_return decoded(co_await ask(pool, std::move(asked), pool->settings().operation_timeout), texts_of);
}

Task<Result<int>> PostgresStore::replace_texts(SealedColumn column, std::vector<ResealedText> given) {
    ArrayText rows;
    ArrayText before;
    ArrayText after;
    for (const auto& text : given) {
        rows.add(text.row);
        before.add(text.before);
        after.add(text.after);
    }
    const auto pool = parts_->pools.of(co_await boost::asio::this_coro::executor);
    auto asked = rare(replace_statement(column), texts(rows.take(), before.take(), after.take()), Kind::write);
    co_return decoded(co_await ask(pool, std::move(asked), pool->settings().operation_timeout), count_of);
}

}  // namespace store::postgres
