#include "media/server/meeting_server.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <utility>

#include "media/server/media_thread.hpp"
#include "media/server/media_vitals.hpp"

namespace media::server {

namespace {

/// Spreads meetings over media threads.
class ThreadedMeetingServer final : public MeetingServer {
  public:
    explicit ThreadedMeetingServer(std::vector<std::shared_ptr<MediaThread>> threads) : threads_(std::move(threads)) {}
    ~ThreadedMeetingServer() override { stop_all(); }

    boost::asio::awaitable<void> serve(std::shared_ptr<net::WebSocket> socket, Participant participant) override {
        auto thread = thread_of(participant.meeting_id);
        return converse(std::move(thread), ++last_peer_, std::move(socket), std::move(participant));
    }

    void end_meeting(std::string meeting_id) override { thread_of(meeting_id)->end_meeting(std::move(meeting_id)); }

    void remove_attendee(std::string meeting_id, std::string attendee_id) override {
        thread_of(meeting_id)->remove_attendee(std::move(meeting_id), std::move(attendee_id));
    }

    void set_capabilities(std::string meeting_id, std::string attendee_id, core::Capabilities capabilities) override {
        thread_of(meeting_id)->set_capabilities(std::move(meeting_id), std::move(attendee_id), capabilities);
    }

    void send_transcript(std::string meeting_id, std::string frame) override {
        thread_of(meeting_id)->send_transcript(std::move(meeting_id), std::move(frame));
    }

    boost::asio::awaitable<std::vector<std::string>> connected() override {
        std::vector<std::string> everybody;
        for (const auto& thread : threads_) {
            auto present = thread->present();
            everybody.insert(everybody.end(), std::make_move_iterator(present.begin()),
                             std::make_move_iterator(present.end()));
        }
        co_return everybody;
    }

    std::size_t meetings() const override {
        std::size_t count = 0;
        for (const auto& thread : threads_) count += thread->meetings();
        return count;
    }

    MediaVitals vitals() const override {
        MediaVitals all;
        std::uint64_t behind = 0;
        for (const auto& thread : threads_) {
            const auto one = thread->vitals();
            add_up(all, one);
            behind = std::max(behind, one.behind_micros);
        }
        all.behind_micros = behind;
        return all;
    }

    void release_meeting(std::string meeting_id) override {
        thread_of(meeting_id)->release_meeting(std::move(meeting_id));
    }

    void stop() override { stop_all(); }

  private:
    void stop_all() {
        for (const auto& thread : threads_) thread->stop();
    }

    const std::shared_ptr<MediaThread>& thread_of(const std::string& meeting_id) const {
        return threads_[std::hash<std::string>{}(meeting_id) % threads_.size()];
    }

    /// Who sends faster than the media thread looks is not read for a while, and notices by itself.
    static boost::asio::awaitable<void> until_there_is_room(const Backlog& backlog) {
        if (backlog.has_room()) co_return;
        boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
        const auto deadline = std::chrono::steady_clock::now() + Backlog::kPatience;
        while (!backlog.has_room() && std::chrono::steady_clock::now() < deadline) {
            timer.expires_after(std::chrono::milliseconds(5));
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
    }

    /// Has nothing of the server but the thread, which it keeps alive: it may outlive the server.
    static boost::asio::awaitable<void> converse(std::shared_ptr<MediaThread> thread, room::PeerId peer,
                                                 std::shared_ptr<net::WebSocket> socket, Participant participant) {
        const auto backlog = std::make_shared<Backlog>();
        thread->connect(peer, socket, std::move(participant));
        // What a stopped thread is given stays undone.
        if (thread->stopped()) socket->close(room::close_code::kReconnect);
        for (;;) {
            std::optional<std::string> message = co_await socket->read();
            if (!message) break;
            co_await until_there_is_room(*backlog);
            if (!thread->receive(peer, std::move(*message), backlog)) {
                socket->abort();
                break;
            }
        }
        thread->lost(peer);
    }

    std::vector<std::shared_ptr<MediaThread>> threads_;
    std::atomic<room::PeerId> last_peer_{0};
};

}  // namespace

core::Result<std::unique_ptr<MeetingServer>> MeetingServer::start(Settings settings, Observer& observer) {
    std::vector<std::shared_ptr<MediaThread>> threads;
    for (std::size_t i = 0; i < std::max<std::size_t>(settings.threads, 1); ++i) {
        Settings own = settings;
        if (own.port != 0) own.port = static_cast<std::uint16_t>(own.port + i);
        if (own.announced_port != 0) own.announced_port = static_cast<std::uint16_t>(own.announced_port + i);
        threads.push_back(std::make_shared<MediaThread>(std::move(own), observer));
        if (auto opened = threads.back()->open(); !opened) return std::unexpected(std::move(opened.error()));
    }
    for (std::size_t i = 0; i < threads.size(); ++i) threads[i]->start(i);
    return std::make_unique<ThreadedMeetingServer>(std::move(threads));
}

}  // namespace media::server
