// Which layer of which video each receiver gets.
#include <algorithm>

#include "media/room/packet_router.hpp"
#include "media/room/packet_router_impl.hpp"

namespace media::room {

namespace {

constexpr auto kChoiceInterval = std::chrono::milliseconds(100);

/// The layer that stands in for one that does not flow: the next lower one that does, or else the next higher one.
std::size_t flowing_layer(const VideoSubscription& subscription, std::size_t wanted, Time now) {
    for (std::size_t i = wanted + 1; i-- > 0;) {
        if (subscription.layer(i)->flowing(now)) return i;
    }
    for (std::size_t i = wanted + 1; i < subscription.layer_count(); ++i) {
        if (subscription.layer(i)->flowing(now)) return i;
    }
    return wanted;
}

/// A source without layers that flow beside each other: its sender is told what its receivers can take.
bool has_one_quality(const VideoSubscription& subscription, Time now) {
    std::size_t flowing = 0;
    for (std::size_t i = 0; i < subscription.layer_count(); ++i) {
        if (subscription.layer(i)->rate.layered()) return false;
        flowing += subscription.layer(i)->flowing(now) ? 1 : 0;
    }
    return flowing <= 1;
}

}  // namespace

void PacketRouter::Impl::choose_all_layers(Time now) {
    next_layer_choice = now + kChoiceInterval;
    for (const auto& [stream, source] : sources) source->set_awaited(false);
    for (const auto& [id, peer] : peers) choose_layers(*peer, now);
}

/// Fills in what can be chosen for one video. False: nothing is to be chosen.
bool PacketRouter::Impl::list_choices(VideoSubscription& subscription, const Peer& receiver,
                                      layers::Candidate& candidate, Time now) {
    if (subscription.layer_count() == 0) return false;
    const bool by_server = receiver.adaptation == Adaptation::server;
    const auto& wish = subscription.settings().wish;
    const layers::QualityPreference preference = wish ? wish->preference : layers::QualityPreference::balanced;
    candidate.ladder.clear();
    candidate.state = &subscription.choice;
    candidate.priority = wish ? wish->priority : 0;
    candidate.target_bps = by_server && wish ? std::uint64_t{wish->target_kbps} * 1000 : 0;
    candidate.may_pause = by_server;
    candidate.most_bps = 0;
    const auto add = [&](std::size_t index) {
        const VideoSource& source = *subscription.layer(index);
        candidate.ladder.add_stream(static_cast<std::uint8_t>(index), source.rate, preference, source.announced_bps());
    };
    if (by_server) {
        const std::size_t highest = wish ? subscription.layer_count() - 1 : subscription.named();
        for (std::size_t i = 0; i <= highest; ++i) {
            if (subscription.layer(i)->flowing(now)) add(i);
        }
    }
    if (candidate.ladder.size() == 0) add(flowing_layer(subscription, subscription.named(), now));
    return true;
}

void PacketRouter::Impl::hold(VideoSubscription& subscription, bool held) {
    if (subscription.held() == held) return;
    subscription.set_held(held);
    if (held) drop_waiting(subscription.receiver(), subscription);
    const GroupPause change{subscription.receiver().id, subscription.group_id(), held};
    if (change.group == 0) return;
    // Stopped and started between two reports: nobody need know.
    const auto opposite = std::ranges::find_if(pauses_to_report, [&](const GroupPause& other) {
        return other.peer == change.peer && other.group == change.group && other.paused != held;
    });
    if (opposite != pauses_to_report.end()) {
        pauses_to_report.erase(opposite);
    } else {
        pauses_to_report.push_back(change);
    }
}

void PacketRouter::Impl::choose_layers(Peer& receiver, Time now) {
    std::size_t count = 0;
    for (const auto& subscription : receiver.subscriptions) {
        layers::Candidate& candidate = layer_candidates[count];
        if (!list_choices(*subscription, receiver, candidate, now)) continue;
        if (subscription->paused() || !receiver.connected) {
            // Takes nothing of the link; ready to go on with what it had.
            const layers::ChoiceState& before = subscription->choice;
            const layers::Ladder& ladder = candidate.ladder;
            const layers::Rung& rung = ladder[before.decided ? ladder.find(before.rung) : ladder.size() - 1];
            subscription->serve(rung.stream, rung.limit);
            continue;
        }
        layer_takers[count++] = subscription.get();
    }
    const auto budget = receiver.available_kbps != 0 ? std::optional(receiver.video_budget_bps()) : std::nullopt;
    if (budget && count != 0) {
        // Without it a camera that is more than the link carries would be paused instead of lowered, and for good: only
        // those who get it limit it.
        const std::uint64_t share = *budget * 100 / (100 + layers::ChoiceRules::kHeadroomPercent) / count;
        for (std::size_t i = 0; i < count; ++i) {
            if (!has_one_quality(*layer_takers[i], now)) continue;
            layer_candidates[i].most_bps = std::max(share, settings.uplink_floor_bps);
        }
    }
    layers::choose_layers(std::span(layer_candidates).first(count), budget, now);
    for (std::size_t i = 0; i < count; ++i) {
        VideoSubscription& subscription = *layer_takers[i];
        const layers::ChoiceState& choice = subscription.choice;
        const bool resumed = subscription.held() && !choice.paused;
        hold(subscription, choice.paused);
        subscription.serve(choice.rung.stream, choice.rung.limit);
        if (resumed) subscription.ask_for_key_frame();
    }
    for (const auto& subscription : receiver.subscriptions) subscription->look_after(now);
}

}  // namespace media::room
