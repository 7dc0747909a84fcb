#include "meetings/chime/media_regions.hpp"

#include <algorithm>
#include <array>

namespace meetings::chime {
namespace {

constexpr std::array<std::string_view, 20> kRegions{
    "af-south-1",     "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1",
    "ap-southeast-2", "ca-central-1",   "eu-central-1",   "eu-north-1", "eu-south-1",
    "eu-west-1",      "eu-west-2",      "eu-west-3",      "sa-east-1",  "us-east-1",
    "us-east-2",      "us-gov-east-1",  "us-gov-west-1",  "us-west-1",  "us-west-2"};
static_assert(std::ranges::is_sorted(kRegions));

bool is_gov_cloud(std::string_view region) {
    return region.starts_with("us-gov-");
}

}  // namespace

std::span<const std::string_view> media_regions() {
    return kRegions;
}

bool is_media_region(std::string_view name) {
    return std::ranges::binary_search(kRegions, name);
}

bool can_carry(std::string_view control_region, std::string_view media_region) {
    return is_media_region(media_region) && is_gov_cloud(control_region) == is_gov_cloud(media_region);
}

}  // namespace meetings::chime
