#include "events/send_window.hpp"

#include <string_view>

namespace events {

SendWindow::SendWindow(const std::vector<Outgoing>& batch, std::size_t limit)
    : batch_(batch), limit_(limit), progress_(batch.size()), confirmed_(batch.size()) {
    std::unordered_map<std::string_view, std::size_t> last;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        progress_[i].open_routes = batch[i].routes.size();
        const auto [entry, first] = last.emplace(batch[i].session_id, i);
        if (first) {
            ready_.push_back(i);
        } else {
            progress_[entry->second].successor = i;
            entry->second = i;
        }
    }
}

std::optional<SendWindow::Next> SendWindow::next() const {
    if (ready_.empty() || tags_.size() >= limit_) return std::nullopt;
    return Next{ready_.front(), next_route_};
}

void SendWindow::sent(std::uint64_t tag) {
    const std::size_t message = ready_.front();
    tags_.emplace(tag, message);
    if (++next_route_ < batch_[message].routes.size()) return;
    next_route_ = 0;
    ready_.pop_front();
}

void SendWindow::settle(std::uint64_t tag, bool confirmed) {
    const auto entry = tags_.find(tag);
    if (entry == tags_.end()) return;
    const std::size_t message = entry->second;
    tags_.erase(entry);
    auto& progress = progress_[message];
    if (!confirmed) progress.refused = true;
    if (--progress.open_routes > 0 || progress.refused) return;
    confirmed_[message] = true;
    if (progress.successor != kNone) ready_.push_back(progress.successor);
}

}  // namespace events
