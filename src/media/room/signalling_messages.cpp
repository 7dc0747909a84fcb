#include "media/room/signalling_messages.hpp"

#include <algorithm>
#include <utility>

namespace media::room {

namespace {

bool is_topic_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::size_t cost(const DataMessage& message) {
    return message.topic.size() + message.data.size();
}

}  // namespace

bool MessageStore::valid(std::string_view topic, std::string_view data) {
    return !topic.empty() && topic.size() <= kMaxTopic && std::ranges::all_of(topic, is_topic_character) &&
           data.size() <= kMaxData;
}

const DataMessage& MessageStore::ingest(DataMessage message, Time now, core::Time wall) {
    const std::int64_t ns = std::chrono::nanoseconds(wall.time_since_epoch()).count();
    last_ingest_ns_ = std::max({ns, last_ingest_ns_ + 1, std::int64_t{1}});
    message.ingest_time_ns = last_ingest_ns_;
    if (message.lifetime_ms == 0) {
        passing_ = std::move(message);
        return passing_;
    }
    expire(now);
    bytes_ += cost(message);
    const auto lifetime =
        std::min<std::chrono::milliseconds>(std::chrono::milliseconds(message.lifetime_ms), kMaxLifetime);
    kept_.push_back({std::move(message), now + lifetime});
    while (kept_.size() > kMaxMessages || bytes_ > kMaxBytes) drop_oldest();
    return kept_.back().message;
}

bool MessageStore::empty(Time now) const {
    return std::ranges::none_of(kept_, [&](const Kept& kept) { return kept.until > now; });
}

void MessageStore::expire(Time now) {
    // Lifetimes differ, so a message in the middle may die first.
    std::erase_if(kept_, [&](const Kept& kept) {
        if (kept.until > now) return false;
        bytes_ -= cost(kept.message);
        return true;
    });
}

void MessageStore::drop_oldest() {
    bytes_ -= cost(kept_.front().message);
    kept_.pop_front();
}

}  // namespace media::room
