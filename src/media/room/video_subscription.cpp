#include "media/room/video_subscription.hpp"

#include <algorithm>
#include <utility>

#include "media/wire/byte_io.hpp"
#include "media/wire/rtp.hpp"

namespace media::room {

VideoSubscription::VideoSubscription(Peer& receiver, Subscription settings, std::uint16_t first_sequence,
                                     std::uint16_t first_rtx_sequence, std::uint32_t first_timestamp)
    : receiver_(receiver),
      ssrc_(settings.ssrc),
      rewriter_(first_sequence, first_timestamp),
      settings_(std::move(settings)),
      rtx_sequence_(first_rtx_sequence) {}

void VideoSubscription::renegotiate(const Subscription& settings) {
    if (settings.stream_id != settings_.stream_id) paused_ = false;
    if (settings.wish != settings_.wish) {
        // The receiver's own doing needs no patience and says nothing about its link.
        choice.patience = layers::ChoiceRules::kPatience;
        choice.changed_at = choice.raised_at = {};
    }
    settings_ = settings;
    ssrc_ = settings.ssrc;
}

VideoSubscription::Layer* VideoSubscription::find_layer(const VideoSource* source) {
    const auto known = std::span(layers_).first(layer_count_);
    const auto found = std::ranges::find(known, source, &Layer::source);
    return source == nullptr || found == known.end() ? nullptr : &*found;
}

void VideoSubscription::link(std::span<const std::unique_ptr<VideoSource>> videos, const VideoSource* named) {
    const Layer active = active_ != nullptr ? *active_ : Layer{};
    const Layer previous = previous_ != nullptr ? *previous_ : Layer{};
    const VideoSource* target = target_ != nullptr ? target_->source : nullptr;
    layers_ = {};
    layer_count_ = named_ = 0;
    for (const auto& video : videos) {
        const bool same_group = named != nullptr && named->group_id() != 0 && video->group_id() == named->group_id();
        if ((video.get() != named && !same_group) || layer_count_ == layers_.size()) continue;
        if (video.get() == named) named_ = layer_count_;
        Layer& layer = layers_[layer_count_++];
        layer.source = video.get();
        map_payloads(layer);
    }
    active_ = find_layer(active.source);
    previous_ = find_layer(previous.source);
    // A plain repeat has to be the same packet bit by bit, its payload type included: SRTP would use a key stream
    // twice.
    if (previous_ != nullptr && previous_->payloads != previous.payloads) previous_ = nullptr;
    target_ = find_layer(target);
    if (previous_ == nullptr) rewriter_.forget_previous();
    if (active_ == nullptr) {
        rewriter_.suspend();
        rewriter_.forget();
        new_line_ = true;
        previous_ = nullptr;
    } else if (active_->payloads != active.payloads) {
        rewriter_.forget();
    }
    if (target_ == nullptr) {
        choice = {};
        target_limit_ = {};
        if (layer_count_ != 0) target_ = &layers_[named_];
    }
}

void VideoSubscription::map_payloads(Layer& layer) const {
    const auto& codecs = layer.source->codecs();
    for (std::size_t i = 0; i < std::min(codecs.size(), layer.payloads.size()); ++i) {
        const auto own = std::ranges::find(settings_.codecs, codecs[i].codec, &CodecPayload::codec);
        if (own != settings_.codecs.end()) layer.payloads[i] = {own->payload_type, own->rtx_payload_type};
    }
}

void VideoSubscription::watch() {
    for (Layer& layer : std::span(layers_).first(layer_count_)) {
        const bool wanted = &layer == active_ || &layer == target_ || &layer == previous_;
        if (wanted == layer.watched) continue;
        layer.watched = wanted;
        if (wanted) {
            layer.source->add_watcher(this);
        } else {
            layer.source->remove_watcher(this);
        }
    }
}

void VideoSubscription::serve(std::size_t layer, layers::LayerLimit limit) {
    if (layer >= layer_count_) return;
    Layer* wanted = &layers_[layer];
    const bool changed = wanted != target_ || limit != target_limit_;
    target_limit_ = limit;
    if (wanted == active_) filter_.want(limit);
    if (wanted != target_) {
        target_ = wanted;
        watch();
    }
    if (changed) ask_for_key_frame();
}

void VideoSubscription::set_held(bool held) {
    held_ = held;
    if (held) rewriter_.suspend();
}

void VideoSubscription::set_paused(bool paused) {
    paused_ = paused;
    if (paused) rewriter_.suspend();
}

void VideoSubscription::set_open(bool open) {
    open_ = open;
    if (!open) rewriter_.suspend();
}

bool VideoSubscription::waits_for(const Layer& layer) const {
    if (!wants_packets()) return false;
    if (&layer == target_ && (target_ != active_ || !rewriter_.running())) return true;
    return &layer == active_ && target_ == active_ && filter_.waits_for_key_frame();
}

void VideoSubscription::ask_for_key_frame() {
    for (const Layer& layer : std::span(layers_).first(layer_count_)) {
        if (waits_for(layer)) layer.source->key_frames.request();
    }
}

void VideoSubscription::on_key_frame_request() {
    if (!wants_packets()) return;
    (active_ != nullptr && rewriter_.running() ? active_ : target_)->source->key_frames.request();
}

void VideoSubscription::look_after(Time now) {
    for (const Layer& layer : std::span(layers_).first(layer_count_)) {
        if (waits_for(layer)) layer.source->set_awaited(true);
    }
    if (previous_ != nullptr && now - switched_at_ > kLateAfterSwitch) {
        previous_ = nullptr;
        rewriter_.forget_previous();
        watch();
    }
}

/// Begins to forward a layer at a key frame.
void VideoSubscription::begin(Layer& layer, const VideoPacket& packet, Time now) {
    if (&layer == active_ && !new_line_) {
        rewriter_.start(packet.sequence, packet.timestamp);
    } else {
        VideoRewriter::Wished wished;
        if (active_ != nullptr && &layer != active_ && !new_line_) {
            previous_ = active_;
            previous_filter_ = filter_;
            if (const auto known = active_->source->clock.translate(layer.source->clock, packet.timestamp)) {
                wished = rewriter_.own_timestamp(VideoRewriter::Line::current, *known);
            }
        } else {
            previous_ = nullptr;
        }
        active_ = &layer;
        switched_at_ = now;
        rewriter_.start_line(packet.sequence, packet.timestamp, wished, now);
        if (previous_ == nullptr) rewriter_.forget_previous();
        watch();
    }
    new_line_ = false;
    caught_up_ = packet.sequence + 1;
    catch_up_to_ = layer.source->newest() + 1;
    leaving_out_.reset();
    filter_.want(&layer == target_ ? target_limit_ : layers::LayerLimit{});
    filter_.restart(packet.timestamp);
}

std::size_t VideoSubscription::filler(std::uint16_t sequence, std::uint8_t payload_type, std::span<std::uint8_t> out) {
    const std::size_t header = wire::write_rtp(out,
                                               {.payload_type = payload_type,
                                                .marker = false,
                                                .sequence = sequence,
                                                .timestamp = rewriter_.last_timestamp(),
                                                .ssrc = ssrc_},
                                               {}, {});
    if (header == 0 || header >= out.size()) return 0;
    out[0] |= 0x20;   // Padding …
    out[header] = 1;  // … of one byte, the count itself.
    return header + 1;
}

std::size_t VideoSubscription::drop(std::optional<std::uint16_t> reserved, std::uint8_t payload_type,
                                    std::span<std::uint8_t> out) {
    return reserved && payload_type != 0 ? filler(*reserved, payload_type, out) : 0;
}

std::size_t VideoSubscription::write(const Outgoing& what, core::BytesView payload, std::span<std::uint8_t> out,
                                     RouterCounters& counters) {
    const std::size_t size = wire::write_rtp(out,
                                             {.payload_type = what.payload_type,
                                              .marker = what.marker,
                                              .sequence = what.stamp.sequence,
                                              .timestamp = what.stamp.timestamp,
                                              .ssrc = ssrc_},
                                             {}, payload);
    if (size == 0) return 0;
    ++packets_;
    octets_ += static_cast<std::uint32_t>(payload.size());
    ++counters.video_forwarded;
    return size;
}

std::size_t VideoSubscription::forward(const VideoSource& from, const VideoPacket& packet, Time now,
                                       std::span<std::uint8_t> out, RouterCounters& counters) {
    const bool is_active = active_ != nullptr && active_->source == &from;
    if (packet.restarted && is_active) {
        rewriter_.suspend();
        new_line_ = true;
    }
    // Pictures that nothing can be made of would only be in the way of the key frame.
    if (packet.cut_off && is_active) rewriter_.suspend();
    // What had queued up before an outage is gone: with timestamps as before, a receiver that is used to late pictures
    // would take the new ones for early, and hold them back.
    if (packet.outage && is_active) new_line_ = true;
    if (!open_) return 0;
    if (paused_ || held_) {
        ++(paused_ ? counters.dropped_paused : counters.dropped_held);
        return 0;
    }
    if (!is_active && previous_ != nullptr && previous_->source == &from) {
        if (packet.restarted) {
            previous_ = nullptr;
            rewriter_.forget_previous();
        } else if (target_ != previous_ || !packet.starts_key_frame) {
            return forward_late(packet, out, counters);
        }
    }
    Layer* layer = is_active ? active_ : target_;
    if (layer == nullptr || layer->source != &from) return 0;
    const Payloads payloads = layer->payload_of(packet.codec);
    if (!packet.payload.empty() && payloads.media == 0) ++counters.dropped_no_payload_type;
    if (packet.payload.empty() || payloads.media == 0) {
        return is_active ? drop(rewriter_.skip(packet.sequence), payloads.media, out) : 0;
    }
    // Without a stream to go on with, the layer that is wanted is the only one to begin with.
    const bool can_begin = layer == target_ && packet.starts_key_frame &&
                           from.newest() - packet.sequence <= kMostBehind &&
                           (!is_active || new_line_ || packet.sequence >= rewriter_.next_source());
    if (!is_active || !rewriter_.running()) {
        if (!can_begin) {
            ++counters.dropped_before_key_frame;
            return 0;
        }
        begin(*layer, packet, now);
    }
    return forward_current(packet, now, out, counters);
}

std::size_t VideoSubscription::forward_current(const VideoPacket& packet, Time now, std::span<std::uint8_t> out,
                                               RouterCounters& counters) {
    const std::uint8_t payload_type = active_->payload_of(packet.codec).media;
    const layers::SvcFilter::Verdict verdict = filter_.take(packet.layer, packet.timestamp);
    if (!verdict.forward) {
        ++counters.dropped_layer;
        // Between two packets of a picture that are left out, everything is.
        const bool joined = leaving_out_ == packet.timestamp;
        leaving_out_ = packet.timestamp;
        return drop(rewriter_.skip(packet.sequence, joined), payload_type, out);
    }
    leaving_out_.reset();
    const bool marker = packet.marker || verdict.ends_picture;
    auto stamp = rewriter_.place(packet.sequence, packet.timestamp, marker, now);
    if (!stamp && !rewriter_.running()) {
        // The gap before it is too long.
        if (active_ != target_ || !packet.starts_key_frame) {
            ++counters.dropped_before_key_frame;
            target_->source->key_frames.request();
            return 0;
        }
        begin(*active_, packet, now);
        stamp = rewriter_.place(packet.sequence, packet.timestamp, marker, now);
    }
    if (!stamp) {
        ++counters.dropped_video_late;
        return 0;
    }
    return write({payload_type, marker, *stamp}, packet.payload, out, counters);
}

std::size_t VideoSubscription::catch_up(Time now, std::span<std::uint8_t> out, RouterCounters& counters) {
    while (caught_up_ < catch_up_to_ && rewriter_.running()) {
        const auto packet = active_->source->cache.find(caught_up_++);
        if (!packet || active_->payload_of(packet->codec).media == 0) continue;
        const VideoPacket again{.sequence = packet->sequence,
                                .timestamp = packet->timestamp,
                                .marker = packet->marker,
                                .codec = packet->codec,
                                .layer = packet->layer,
                                .payload = packet->payload};
        if (const std::size_t size = forward_current(again, now, out, counters)) return size;
    }
    return 0;
}

std::size_t VideoSubscription::forward_late(const VideoPacket& packet, std::span<std::uint8_t> out,
                                            RouterCounters& counters) {
    const std::uint8_t payload_type = previous_->payload_of(packet.codec).media;
    const auto verdict = previous_filter_.judge(packet.layer, packet.timestamp);
    if (packet.payload.empty() || payload_type == 0 || !verdict.forward) {
        return drop(rewriter_.skip_previous(packet.sequence), payload_type, out);
    }
    const bool marker = packet.marker || verdict.ends_picture;
    const auto stamp = rewriter_.place_previous(packet.sequence, packet.timestamp, marker);
    if (!stamp) {
        ++counters.dropped_layer;
        return 0;
    }
    return write({payload_type, marker, *stamp}, packet.payload, out, counters);
}

std::size_t VideoSubscription::repeat(std::uint16_t sequence, Time now, std::chrono::microseconds round_trip,
                                      RepeatBudget& budget, std::span<std::uint8_t> out, RouterCounters& counters) {
    const auto unknown = [&] {
        // Lost before it came to us: it is forwarded when the sender has repeated it.
        ++counters.repeats_unknown;
        return std::size_t{0};
    };
    const auto origin = wants_packets() ? rewriter_.origin_of(sequence) : std::nullopt;
    if (!origin) return unknown();
    const Layer* layer = origin->line == VideoRewriter::Line::previous ? previous_ : active_;
    if (layer == nullptr) return unknown();

    using Use = VideoRewriter::Use;
    const Use use = origin->use;
    if (use == Use::reserved) return unknown();
    const auto packet = layer->source->cache.find(origin->source);
    Payloads payloads = layer->payload_of(packet ? packet->codec : 0);
    if (settings_.rtx_ssrc == 0) payloads.rtx = 0;
    // A filler without RTX would have to be the same packet, timestamp and all.
    if (payloads.media == 0 || (use == Use::filler ? payloads.rtx == 0 : !packet)) return unknown();
    if (!repeats_.take(sequence, now, round_trip)) {
        ++counters.repeats_limited;
        return 0;
    }
    const core::BytesView payload = use == Use::filler ? core::BytesView{} : packet->payload;
    if (!budget.take(payload.size() + wire::kRtpHeaderSize, now)) {
        ++counters.repeats_over_budget;
        return 0;
    }
    ++counters.repeats_sent;
    const std::uint32_t timestamp =
        use == Use::filler ? rewriter_.last_timestamp() : rewriter_.own_timestamp(origin->line, packet->timestamp);
    return write_repeat({payloads.media, use == Use::sent_marked, {sequence, timestamp}}, payloads.rtx, payload, out);
}

std::size_t VideoSubscription::write_repeat(const Outgoing& what, std::uint8_t rtx_type, core::BytesView payload,
                                            std::span<std::uint8_t> out) {
    const auto header_of = [&](std::uint8_t type, std::uint16_t sequence, std::uint32_t ssrc) {
        return wire::RtpHeader{.payload_type = type,
                               .marker = what.marker,
                               .sequence = sequence,
                               .timestamp = what.stamp.timestamp,
                               .ssrc = ssrc};
    };
    if (rtx_type == 0) {
        return wire::write_rtp(out, header_of(what.payload_type, what.stamp.sequence, ssrc_), {}, payload);
    }
    // RFC 4588 section 4: the original number stands before the payload.
    const std::size_t header = wire::write_rtp(out, header_of(rtx_type, rtx_sequence_++, settings_.rtx_ssrc), {}, {});
    if (header == 0 || header + 2 + payload.size() > out.size()) return 0;
    wire::store_u16(&out[header], what.stamp.sequence);
    std::ranges::copy(payload, out.begin() + static_cast<std::ptrdiff_t>(header + 2));
    return header + 2 + payload.size();
}

wire::SenderInfo VideoSubscription::sender_info(std::uint64_t ntp, Time now) const {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now - rewriter_.last_time()).count();
    return {.ntp = ntp,
            .rtp_timestamp = rewriter_.last_timestamp() + static_cast<std::uint32_t>(since * 90),
            .packets = packets_,
            .octets = octets_};
}

}  // namespace media::room
