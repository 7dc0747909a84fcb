// One media thread: an event loop of its own, the shared port, and the meetings that live here.
//
// The calls under "any thread" only post or copy. Everything else happens on the media thread.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/result.hpp"
#include "media/server/media_port.hpp"
#include "media/server/media_vitals.hpp"
#include "media/server/meeting_host.hpp"
#include "media/server/meeting_server.hpp"
#include "media/transport/certificate.hpp"
#include "media/transport/dtls.hpp"

namespace media::server {

/// What a connection has sent and the media thread has not looked at yet.
struct Backlog {
    static constexpr std::size_t kMaxMessages = 256;
    static constexpr std::size_t kMaxBytes = 2 * 1024 * 1024;

    /// So long a connection is not read while its backlog is full; then it is dropped.
    static constexpr std::chrono::seconds kPatience{5};

    std::atomic<std::size_t> messages{0};
    std::atomic<std::size_t> bytes{0};
    /// Room for at least one more message of any length.
    bool has_room() const { return messages < kMaxMessages && bytes < kMaxBytes / 2; }
};

class MediaThread final : private Chronicle {
  public:
    MediaThread(Settings settings, Observer& observer);
    ~MediaThread() override;
    MediaThread(const MediaThread&) = delete;
    MediaThread& operator=(const MediaThread&) = delete;

    /// Before `start`.
    core::Result<void> open();
    /// `number`: among the media threads.
    void start(std::size_t number = 0);

    // Any thread.
    void connect(room::PeerId peer, std::shared_ptr<net::WebSocket> socket, Participant participant);
    /// False when the connection sends faster than it is read: drop it.
    bool receive(room::PeerId peer, std::string message, const std::shared_ptr<Backlog>& backlog);
    void lost(room::PeerId peer);
    void end_meeting(std::string meeting_id);
    void remove_attendee(std::string meeting_id, std::string attendee_id);
    void set_capabilities(std::string meeting_id, std::string attendee_id, core::Capabilities capabilities);
    void send_transcript(std::string meeting_id, std::string frame);
    std::vector<std::string> present() const;
    std::size_t meetings() const { return occupied_; }
    /// A second old at most, while there are meetings.
    MediaVitals vitals() const { return board_.read(); }
    void release_meeting(std::string meeting_id);
    bool stopped() const { return stopped_; }
    /// Sends everybody to reconnect and joins the thread. Twice is fine.
    void stop();

  private:
    void do_connect(room::PeerId peer, std::shared_ptr<net::WebSocket> socket, Participant participant);
    MeetingHost* host_of(room::PeerId peer);
    void remember_ended(const std::string& meeting_id);
    void count_meetings();
    /// A meeting goes: what it counted stays.
    void retire(const MeetingHost& host) { add_up(retired_, host.counters()); }
    void publish_vitals();
    void forget_present(const std::string& attendee_id);
    void schedule();
    void tick();
    room::MeetingSettings meeting_settings(const Participant& first) const;
    room::TurnCredentials turn_credentials(const Participant& participant) const;
    std::vector<wire::TransportAddress> candidates() const;

    void happened(core::MeetingEvent event) override;

    Settings settings_;
    Observer& observer_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ = make_work_guard(context_);
    transport::Certificate certificate_;
    transport::DtlsContext dtls_{certificate_};
    MediaPort port_{context_};
    boost::asio::steady_timer timer_{context_};
    bool timer_set_ = false;
    bool timer_is_fast_ = false;
    room::Time port_check_at_{};
    room::RouterCounters retired_;  ///< Of meetings that are over.
    /// Of the present half minute, and of the one before.
    transport::Duration worst_behind_{}, worst_behind_before_{};
    room::Time period_ends_{};
    VitalsBoard board_;

    std::unordered_map<std::string, std::unique_ptr<MeetingHost>> meetings_;
    std::unordered_map<room::PeerId, std::string> meeting_of_;
    std::deque<std::string> ended_order_;  ///< The oldest first.
    std::unordered_set<std::string> ended_;

    mutable std::mutex present_mutex_;
    std::map<std::string, std::size_t> present_;  ///< Attendee ids, and in how many meetings.

    std::atomic<std::size_t> occupied_{0};
    std::atomic<bool> stopped_{false};
    std::thread thread_;
};

}  // namespace media::server
