// The store as StoreInsight.
#include "store/common/census.hpp"
#include "store/postgres/calls.hpp"
#include "store/postgres/values.hpp"

namespace store::postgres {

service::Vitals::Database PostgresStore::database_vitals() const {
    service::Vitals::Database vitals;
    parts_->pools.add_to(vitals);
    parts_->meter->add_to(vitals);
    return vitals;
}

service::Task<core::Result<service::Vitals::Census>> PostgresStore::census(core::Time closed_since, core::Time now) {
    static const Statement statement{"census", census_text("$1::timestamp")};
    Params params;
    params.time(closed_since);
    return parts_->read(statement, std::move(params),
                        [now](const PGresult* rows) { return read_census(ResultRow(rows, 0), now); });
}

}  // namespace store::postgres
