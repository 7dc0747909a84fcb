// The store as StoreInsight.
#include "store/common/census.hpp"
#include "store/sqlite/parts.hpp"

namespace store::sqlite {

service::Vitals::Database SqliteStore::database_vitals() const {
    service::Vitals::Database vitals;
    parts_->workers.add_to(vitals);
    parts_->meter.add_to(vitals);
    return vitals;
}

service::Task<core::Result<service::Vitals::Census>> SqliteStore::census(core::Time closed_since, core::Time now) {
    return parts_->read<service::Vitals::Census>([closed_since, now](Connection& connection) {
        static const std::string sql = census_text("?1");
        auto rows = connection.query(sql);
        rows.time(closed_since);
        return rows.step() ? read_census(rows.row(), now) : service::Vitals::Census{};
    });
}

}  // namespace store::sqlite
