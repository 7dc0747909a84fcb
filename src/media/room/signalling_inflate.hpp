// Compressed offers (SdkSubscribeFrame.compressed_sdp_offer): raw DEFLATE (RFC 1951), by some clients with the offer
// before as preset dictionary. Values; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace media::room {

/// What an offer may grow to, and the longest that is read in compressed form.
inline constexpr std::size_t kMaxOffer = 256 * 1024;
/// Of the offer before, this much is the dictionary.
inline constexpr std::size_t kOfferDictionary = 31'744;

/// The offer. Tries without dictionary, then with `previous` when that is not empty. Null: it is none, or would be
/// larger than `kMaxOffer`.
std::optional<std::string> inflate_offer(std::string_view compressed, std::string_view previous);

}  // namespace media::room
