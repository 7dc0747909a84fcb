// Where AWS can carry a Chime meeting: the values of MediaRegion in
// https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_meeting-chime_CreateMeeting.html
#pragma once

#include <span>
#include <string_view>

namespace meetings::chime {

/// All of them, sorted.
std::span<const std::string_view> media_regions();

bool is_media_region(std::string_view name);

/// A control region makes meetings only in media regions of its own partition: GovCloud in GovCloud, all others
/// in all others. https://docs.aws.amazon.com/chime-sdk/latest/dg/chime-sdk-meetings-regions.html
bool can_carry(std::string_view control_region, std::string_view media_region);

}  // namespace meetings::chime
