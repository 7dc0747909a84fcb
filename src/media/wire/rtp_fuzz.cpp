// Any bytes as an RTP packet: extensions, payload formats, rewriting and RTX stay within their bounds.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "media/wire/codec_payload.hpp"
#include "media/wire/rtp.hpp"
#include "media/wire/rtp_extensions.hpp"
#include "media/wire/rtx.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace media::wire;
    const core::BytesView bytes(data, size);
    peek_rtp(bytes);
    const auto view = RtpView::parse(bytes);
    if (!view) return 0;
    for (std::size_t i = 0; i < view->csrc_count(); ++i) view->csrc(i);
    for (unsigned id = 0; id < 256; ++id) {
        const auto value = view->extension(static_cast<std::uint8_t>(id));
        if (!value) continue;
        parse_audio_level(*value);
        parse_abs_send_time(*value);
        parse_transport_sequence(*value);
        parse_mid(*value);
        parse_rid(*value);
    }
    for (const auto kind : {CodecKind::vp8, CodecKind::vp9, CodecKind::h264, CodecKind::av1}) {
        starts_keyframe(kind, view->payload());
    }

    // What is written reads back with the same payload.
    std::vector<std::uint8_t> out(size + 64);
    const std::array<std::uint8_t, 3> stamp{1, 2, 3};
    const std::array<RtpExtension, 1> extensions{RtpExtension{.id = 3, .value = stamp}};
    const RtpHeader header{.payload_type = 96, .sequence = view->sequence(), .ssrc = view->ssrc()};
    const std::size_t written = write_rtp_from(out, *view, header, extensions);
    const auto back = RtpView::parse(core::BytesView(out).first(written));
    if (!back || !std::ranges::equal(back->payload(), view->payload())) std::abort();
    if (rtp_extension_in_place(std::span(out).first(written), 3).size() != 3) std::abort();

    const std::size_t wrapped = write_rtx(out, *view, {.payload_type = 97, .sequence = 1, .ssrc = 2});
    const auto unwrapped = unwrap_rtx(std::span(out).first(wrapped), view->ssrc(), view->payload_type());
    const auto repaired = RtpView::parse(unwrapped);
    if (!repaired || repaired->sequence() != view->sequence() ||
        !std::ranges::equal(repaired->payload(), view->payload()))
        std::abort();
    std::vector<std::uint8_t> copy(data, data + size);
    unwrap_rtx(copy, 1, 2);
    return 0;
}
