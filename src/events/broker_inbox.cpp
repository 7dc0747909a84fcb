#include "events/broker_inbox.hpp"

#include <algorithm>
#include <utility>

namespace events {
namespace {

std::unexpected<core::Error> broken(const char* why) {
    return core::fail(core::ErrorKind::unavailable, why);
}
constexpr auto kNonsense = "the broker breaks the protocol";

/// No memory is set aside for a body beyond this before it arrives.
constexpr std::uint64_t kReserve = 64 * 1024;

}  // namespace

core::Result<void> BrokerInbox::take(const amqp_frame_t& frame) {
    switch (frame.frame_type) {
        case AMQP_FRAME_METHOD:
            return take_method(frame.payload.method);
        case AMQP_FRAME_HEADER:
            return take_header(frame);
        case AMQP_FRAME_BODY:
            return take_body(frame.payload.body_fragment);
        default:
            return {};
    }
}

core::Result<void> BrokerInbox::take_method(const amqp_method_t& method) {
    switch (method.id) {
        case AMQP_BASIC_ACK_METHOD: {
            const auto& ack = *static_cast<const amqp_basic_ack_t*>(method.decoded);
            settle(ack.delivery_tag, ack.multiple != 0, true);
            return {};
        }
        case AMQP_BASIC_NACK_METHOD: {
            const auto& nack = *static_cast<const amqp_basic_nack_t*>(method.decoded);
            settle(nack.delivery_tag, nack.multiple != 0, false);
            return {};
        }
        case AMQP_BASIC_DELIVER_METHOD: {
            if (incoming_) return broken(kNonsense);
            const auto& deliver = *static_cast<const amqp_basic_deliver_t*>(method.decoded);
            incoming_.emplace();
            incoming_->delivery.tag = deliver.delivery_tag;
            return {};
        }
        case AMQP_BASIC_RETURN_METHOD:
            if (incoming_) return broken(kNonsense);
            incoming_.emplace();
            incoming_->returned = true;
            return {};
        case AMQP_CONNECTION_BLOCKED_METHOD:
            blocked_ = true;
            return {};
        case AMQP_CONNECTION_UNBLOCKED_METHOD:
            blocked_ = false;
            return {};
        case AMQP_BASIC_CANCEL_METHOD:
            return broken("the broker has taken the queue of requests away");
        case AMQP_CHANNEL_CLOSE_METHOD:
            return broken("the broker refuses what was asked of it and has closed the channel");
        case AMQP_CONNECTION_CLOSE_METHOD:
            return broken("the broker has closed the connection");
        default:
            return {};
    }
}

core::Result<void> BrokerInbox::take_header(const amqp_frame_t& frame) {
    const auto& header = frame.payload.properties;
    if (!incoming_ || incoming_->has_header || header.class_id != AMQP_BASIC_CLASS) return broken(kNonsense);
    incoming_->has_header = true;
    incoming_->size = header.body_size;
    if (!incoming_->returned) {
        incoming_->delivery.properties = std::make_shared<const MessageProperties>(
            *static_cast<const amqp_basic_properties_t*>(header.decoded), header.raw.len);
        incoming_->delivery.body.reserve(std::min(header.body_size, kReserve));
    }
    finish_if_complete();
    return {};
}

core::Result<void> BrokerInbox::take_body(amqp_bytes_t part) {
    if (!incoming_ || !incoming_->has_header) return broken(kNonsense);
    auto& body = incoming_->delivery.body;
    if (part.len > incoming_->size - body.size()) return broken(kNonsense);
    body += from_amqp(part);
    finish_if_complete();
    return {};
}

void BrokerInbox::finish_if_complete() {
    if (incoming_->delivery.body.size() < incoming_->size) return;
    if (incoming_->returned) {
        returned_ = true;
    } else {
        deliveries.push_back(std::move(incoming_->delivery));
    }
    incoming_.reset();
}

void BrokerInbox::settle(std::uint64_t tag, bool multiple, bool confirmed) {
    const auto last = expected_.upper_bound(tag);
    for (auto entry = multiple ? expected_.begin() : expected_.find(tag); entry != last && entry != expected_.end();) {
        const auto [settled_tag, must_arrive] = *entry;
        // What could not be delivered comes back before it is confirmed.
        settled.push_back({settled_tag, confirmed && !(must_arrive && std::exchange(returned_, false))});
        entry = expected_.erase(entry);
    }
}

}  // namespace events
