// Nodes, places and orders of an installation on SQLite. Its file has one process, and none of this has to outlive it:
// so it is kept in memory, and a meeting costs no write to the disk more.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "service/node_store.hpp"

namespace store::sqlite {

/// Any thread; never blocks for long. As the port of the same names says.
class NodeBook {
  public:
    void enroll(service::Node self);
    std::vector<std::string> beat(service::Node self, const std::vector<service::Place>& held);
    service::Survey survey(const std::string& meeting_id) const;
    std::optional<service::Place> claim_place(std::string meeting_id, std::string region, std::string node_id,
                                              const std::optional<service::Place>& from);
    void vacate(const std::string& node_id, const std::vector<std::string>& meeting_ids);
    int vacate_others(const std::string& node_id, const std::vector<std::string>& but, std::chrono::milliseconds grace);
    bool send_order(service::MeetingOrder order, const std::string& sender);
    std::vector<service::MeetingOrder> take_orders(const std::string& node_id);
    void tidy(std::chrono::seconds age);

  private:
    using Clock = std::chrono::steady_clock;
    struct Known {
        service::Node node;
        Clock::time_point heard;
    };
    struct Placed {
        service::Place place;
        Clock::time_point at;
    };
    struct Sent {
        service::MeetingOrder order;
        Clock::time_point at;
    };

    const Placed* find(const std::string& meeting_id) const;

    mutable std::mutex mutex_;
    std::map<std::string, Known> nodes_;
    std::map<std::string, Placed> places_;
    std::deque<Sent> orders_;
};

}  // namespace store::sqlite
