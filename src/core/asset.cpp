#include "core/asset.hpp"

#include <algorithm>
#include <vector>

namespace core {
namespace {

std::vector<Asset>& all() {
    static std::vector<Asset> assets;
    return assets;
}

}  // namespace

void register_assets(std::span<const Asset> assets) {
    all().insert(all().end(), assets.begin(), assets.end());
    std::ranges::sort(all(), {}, &Asset::name);
}

const Asset* find_asset(std::string_view name) {
    const auto found = std::ranges::lower_bound(all(), name, {}, &Asset::name);
    return found != all().end() && found->name == name ? &*found : nullptr;
}

std::span<const Asset> assets_below(std::string_view prefix) {
    const auto first = std::ranges::lower_bound(all(), prefix, {}, &Asset::name);
    auto last = first;
    while (last != all().end() && last->name.starts_with(prefix)) ++last;
    return {first, last};
}

}  // namespace core
