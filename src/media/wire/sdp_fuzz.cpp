// Any text as an offer; one that reads can be answered, and the answer reads with the same lines.
#include <cstdlib>

#include "media/wire/sdp.hpp"
#include "media/wire/sdp_write.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace media::wire;
    const auto offer = parse_sdp(core::as_text({data, size}));
    if (!offer) {
        if (offer.error().detail.empty()) std::abort();
        return 0;
    }
    SdpAnswer answer{.ice_ufrag = "ufrag", .ice_pwd = "passwordpasswordpassword"};
    answer.fingerprint_sha256.assign(32, 1);
    answer.udp_candidates = {TransportAddress::v4(127, 0, 0, 1, 9)};
    for (const auto& line : offer->media) {
        for (const auto& codec : line.codecs) {
            codec_capability(codec_identity(codec));
            rtx_apt(codec);
        }
        // A line without any payload type is no line that could be accepted.
        answer.media.push_back({.kind = line.kind,
                                .mid = line.mid,
                                .rejected = line.rejected() || line.codecs.empty(),
                                .type = line.type,
                                .protocol = line.protocol,
                                .rejected_formats = line.formats,
                                .direction = reversed(line.direction),
                                .codecs = line.codecs,
                                .extensions = line.extensions,
                                .receive_rids = line.send_rids});
    }
    const auto back = parse_sdp(write_answer(answer));
    if (!back || back->media.size() != offer->media.size()) std::abort();
    for (std::size_t i = 0; i < back->media.size(); ++i) {
        if (back->media[i].mid != offer->media[i].mid) std::abort();
        if (!answer.media[i].rejected && back->media[i].codecs != offer->media[i].codecs) std::abort();
    }
    return 0;
}
