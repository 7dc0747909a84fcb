// The store as KeyStore.
#include "store/common/tables.hpp"
#include "store/sqlite/parts.hpp"

namespace store::sqlite {
namespace {

using core::Result;
using service::ResealedText;
using service::SealedColumn;
using service::SealedText;
using service::StoredKey;
using service::Task;

std::vector<StoredKey> data_keys(Connection& connection) {
    auto rows = connection.query(
        "SELECT number, master_id, wrapped, created_at FROM video_consultation_data_keys ORDER BY number");
    std::vector<StoredKey> keys;
    while (rows.step()) {
        const auto row = rows.row();
        keys.push_back(
            {static_cast<int>(row.number(0)), std::string{row.text(1)}, std::string{row.text(2)}, row.time(3)});
    }
    return keys;
}

std::vector<SealedText> texts_unlike(Connection& connection, const SealedColumn& column, const std::string& unlike,
                                     const std::string& after, int limit) {
    const std::string row{column.row};
    const std::string name{column.column};
    // Compared as it stands: LIKE would be blind to case.
    const std::string sql = "SELECT " + row + ", " + name + " FROM " + std::string(column.table) + " WHERE " + name +
                            " IS NOT NULL AND substr(" + name + ", 1, length(?1)) <> ?1 AND " + row +
                            " > ?2 ORDER BY 1 LIMIT ?3";
    auto rows = connection.query(sql);
    rows.text(unlike);
    rows.text(after);
    rows.number(limit);
    std::vector<SealedText> texts;
    while (rows.step()) texts.push_back({std::string{rows.row().text(0)}, std::string{rows.row().text(1)}});
    return texts;
}

int replace_texts(Connection& connection, const SealedColumn& column, const std::vector<ResealedText>& texts) {
    const std::string name{column.column};
    const std::string sql = "UPDATE " + std::string(column.table) + " SET " + name + " = ?3 WHERE " +
                            std::string(column.row) + " = ?1 AND " + name + " = ?2";
    int count = 0;
    for (const auto& text : texts) {
        auto update = connection.query(sql);
        update.text(text.row);
        update.text(text.before);
        update.text(text.after);
        update.run();
        count += connection.changes();
    }
    return count;
}

}  // namespace

Task<Result<std::vector<StoredKey>>> SqliteStore::data_keys() {
    return parts_->read<std::vector<StoredKey>>([](Connection& connection) { return sqlite::data_keys(connection); });
}

Task<Result<bool>> SqliteStore::add_data_key(StoredKey key) {
    return parts_->write<bool>([key = std::move(key)](Connection& connection) {
        auto insert = connection.query(
            "INSERT INTO video_consultation_data_keys (number, master_id, wrapped, created_at)"
            " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (number) DO NOTHING");
        insert.number(key.number);
        insert.text(key.master_id);
        insert.text(key.wrapped);
        insert.time(key.created_at);
        insert.run();
        return connection.changes() > 0;
    });
}

Task<Result<bool>> SqliteStore::rewrap_data_key(StoredKey before, StoredKey after) {
    return parts_->write<bool>([before = std::move(before), after = std::move(after)](Connection& connection) {
        auto update = connection.query(
            "UPDATE video_consultation_data_keys SET master_id = ?3, wrapped = ?4 WHERE number = ?1 AND wrapped = ?2");
        update.number(before.number);
        update.text(before.wrapped);
        update.text(after.master_id);
        update.text(after.wrapped);
        update.run();
        return connection.changes() > 0;
    });
}

Task<Result<std::vector<SealedText>>> SqliteStore::texts_unlike(SealedColumn column, std::string unlike,
                                                                std::string after, int limit) {
    return parts_->read<std::vector<SealedText>>(
        [column, unlike = std::move(unlike), after = std::move(after), limit](Connection& connection) {
            return sqlite::texts_unlike(connection, column, unlike, after, limit);
        });
}

Task<Result<int>> SqliteStore::replace_texts(SealedColumn column, std::vector<ResealedText> texts) {
    return parts_->write<int>([column, texts = std::move(texts)](Connection& connection) {
        return sqlite::replace_texts(connection, column, texts);
    });
}

}  // namespace store::sqlite
