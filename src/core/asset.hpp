// Files that were put into the program when it was built: pages, migrations, the OpenAPI document.
#pragma once

#include <span>
#include <string_view>

namespace core {

struct Asset {
    std::string_view name;     ///< "web/index.html"
    std::string_view content;  ///< Lives as long as the program.
};

/// Adds a table of assets (sorted by name); called by the generated code before main.
void register_assets(std::span<const Asset> assets);

/// The asset of that exact name, or null. Any thread, after start-up.
const Asset* find_asset(std::string_view name);

/// All assets whose name begins so, in the order of their names.
std::span<const Asset> assets_below(std::string_view prefix);

}  // namespace core
