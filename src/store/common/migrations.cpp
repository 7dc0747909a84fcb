#include "store/common/migrations.hpp"

#include <charconv>
#include <stdexcept>

#include "core/asset.hpp"

namespace store {

std::vector<Migration> migrations_of(std::string_view engine) {
    const std::string prefix = "migrations/" + std::string(engine) + "/";
    std::vector<Migration> found;
    for (const auto& asset : core::assets_below(prefix)) {
        Migration migration{0, asset.name.substr(prefix.size()), asset.content};
        std::from_chars(migration.name.data(), migration.name.data() + migration.name.size(), migration.version);
        if (migration.version != static_cast<int>(found.size()) + 1) {
            throw std::logic_error("migration out of order: " + std::string(asset.name));
        }
        found.push_back(migration);
    }
    if (found.empty()) throw std::logic_error("no migrations in the program: " + prefix);
    return found;
}

core::Error newer_schema(int found, int known) {
    return {core::ErrorKind::conflict, "the database has schema version " + std::to_string(found) +
                                           ", this program knows up to " + std::to_string(known) +
                                           ": start a newer version of the program, or use another database"};
}

}  // namespace store
