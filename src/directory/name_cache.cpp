#include "directory/name_cache.hpp"

namespace directory {

const NameCache::Entry* NameCache::find(const std::string& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    uses_.splice(uses_.begin(), uses_, found->second.use);
    return &found->second.entry;
}

NameCache::Entry& NameCache::at(const std::string& key) {
    const auto [place, is_new] = entries_.try_emplace(key);
    if (!is_new) {
        uses_.splice(uses_.begin(), uses_, place->second.use);
        return place->second.entry;
    }
    uses_.push_front(&place->first);
    place->second.use = uses_.begin();
    if (entries_.size() > capacity_ && uses_.size() > 1) {
        const std::string oldest = *uses_.back();
        uses_.pop_back();
        entries_.erase(oldest);
    }
    return place->second.entry;
}

}  // namespace directory
