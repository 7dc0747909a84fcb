#include "media/server/media_thread.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "core/log.hpp"
#include "media/server/addresses.hpp"
#include "media/server/turn_credentials.hpp"

namespace media::server {

namespace asio = boost::asio;

namespace {

constexpr auto kTick = std::chrono::milliseconds(5);
/// Without media only deadlines count.
constexpr auto kIdleTick = std::chrono::milliseconds(100);
constexpr auto kPortCheck = std::chrono::seconds(1);
constexpr auto kLatenessPeriod = std::chrono::seconds(30);
constexpr std::size_t kMaxEnded = 8192;

/// The `number`th of the cores that this process may use, counted from the last: the first ones are busy with all else.
void pin_to_core(std::size_t number) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    std::vector<int> cores;
    for (int core = CPU_SETSIZE - 1; core >= 0; --core) {
        if (CPU_ISSET(core, &allowed)) cores.push_back(core);
    }
    if (cores.empty()) return;
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET(cores[number % cores.size()], &own);
    pthread_setaffinity_np(pthread_self(), sizeof own, &own);
}

room::Moment moment() {
    return {room::Time::clock::now(),
            std::chrono::time_point_cast<core::Time::duration>(std::chrono::system_clock::now())};
}

}  // namespace

MediaThread::MediaThread(Settings settings, Observer& observer) : settings_(std::move(settings)), observer_(observer) {}

MediaThread::~MediaThread() {
    stop();
}

core::Result<void> MediaThread::open() {
    for (const std::string& address : settings_.announced_addresses) {
        if (!wire::TransportAddress::parse(address, 1)) {
            return core::fail(core::ErrorKind::invalid, "not an IP address to announce: " + address);
        }
    }
    if (auto opened = port_.open(settings_.listen_addresses, settings_.port); !opened) return opened;
    if (candidates().empty()) {
        return core::fail(core::ErrorKind::invalid,
                          "no address to announce to clients: name one that clients can reach");
    }
    return {};
}

void MediaThread::start(std::size_t number) {
    port_.start();
    thread_ = std::thread([this, number] {
        pthread_setname_np(pthread_self(), ("media-" + std::to_string(number)).c_str());
        if (settings_.pinned) pin_to_core(number);
        context_.run();
    });
}

void MediaThread::stop() {
    if (stopped_.exchange(true)) return;
    if (!thread_.joinable()) return;
    asio::post(context_, [this] {
        for (const auto& [id, host] : meetings_) host->close_all(room::close_code::kReconnect);
        meetings_.clear();  // Their sockets belong to loops that may not outlive this object.
        port_.flush();
        const PortCounters& counters = port_.counters();
        core::log::debug("media port closed", {{"delivered", std::to_string(counters.delivered)},
                                               {"unknown_kind", std::to_string(counters.unknown_kind)},
                                               {"malformed_stun", std::to_string(counters.malformed_stun)},
                                               {"unknown_user", std::to_string(counters.unknown_user)},
                                               {"stranger", std::to_string(counters.stranger)},
                                               {"hasty", std::to_string(counters.hasty)}});
        context_.stop();
    });
    thread_.join();
}

void MediaThread::connect(room::PeerId peer, std::shared_ptr<net::WebSocket> socket, Participant participant) {
    asio::post(context_, [this, peer, socket = std::move(socket), participant = std::move(participant)]() mutable {
        do_connect(peer, std::move(socket), std::move(participant));
    });
}

void MediaThread::do_connect(room::PeerId peer, std::shared_ptr<net::WebSocket> socket, Participant participant) {
    if (ended_.contains(participant.meeting_id)) return socket->close(room::close_code::kEnded);
    auto& host = meetings_[participant.meeting_id];
    if (!host) {
        host = std::make_unique<MeetingHost>(participant.meeting_id, meeting_settings(participant), port_, dtls_,
                                             static_cast<Chronicle&>(*this));
    }
    meeting_of_.emplace(peer, participant.meeting_id);
    room::TurnCredentials turn = turn_credentials(participant);
    host->connect(peer, std::move(socket),
                  {std::move(participant.attendee_id), std::move(participant.external_user_id), participant.content,
                   participant.capabilities},
                  std::move(turn), moment());
    count_meetings();
    schedule();
}

bool MediaThread::receive(room::PeerId peer, std::string message, const std::shared_ptr<Backlog>& backlog) {
    const std::size_t size = message.size();
    if (backlog->messages.fetch_add(1) >= Backlog::kMaxMessages) return false;
    if (backlog->bytes.fetch_add(size) + size > Backlog::kMaxBytes) return false;
    asio::post(context_, [this, peer, size, message = std::move(message), backlog] {
        backlog->messages.fetch_sub(1);
        backlog->bytes.fetch_sub(size);
        MeetingHost* host = host_of(peer);
        if (!host) return;
        host->receive(peer, message, moment());
        port_.flush();
        schedule();
    });
    return true;
}

void MediaThread::lost(room::PeerId peer) {
    asio::post(context_, [this, peer] {
        if (MeetingHost* host = host_of(peer)) host->lost(peer, moment());
        meeting_of_.erase(peer);
        count_meetings();
    });
}

void MediaThread::end_meeting(std::string meeting_id) {
    asio::post(context_, [this, meeting_id = std::move(meeting_id)] {
        remember_ended(meeting_id);
        if (const auto found = meetings_.find(meeting_id); found != meetings_.end()) found->second->end(moment());
    });
}

void MediaThread::remove_attendee(std::string meeting_id, std::string attendee_id) {
    asio::post(context_, [this, meeting_id = std::move(meeting_id), attendee_id = std::move(attendee_id)] {
        const auto found = meetings_.find(meeting_id);
        if (found != meetings_.end()) found->second->remove_attendee(attendee_id, moment());
    });
}

void MediaThread::set_capabilities(std::string meeting_id, std::string attendee_id, core::Capabilities capabilities) {
    asio::post(context_,
               [this, meeting_id = std::move(meeting_id), attendee_id = std::move(attendee_id), capabilities] {
                   const auto found = meetings_.find(meeting_id);
                   if (found != meetings_.end()) found->second->set_capabilities(attendee_id, capabilities, moment());
               });
}

void MediaThread::send_transcript(std::string meeting_id, std::string frame) {
    asio::post(context_, [this, meeting_id = std::move(meeting_id), frame = std::move(frame)] {
        const auto found = meetings_.find(meeting_id);
        if (found != meetings_.end()) found->second->send_transcript(frame, moment());
    });
}

void MediaThread::release_meeting(std::string meeting_id) {
    asio::post(context_, [this, meeting_id = std::move(meeting_id)] {
        const auto found = meetings_.find(meeting_id);
        if (found == meetings_.end()) return;
        found->second->close_all(room::close_code::kReconnect);
        for (const std::string& attendee : found->second->attendees()) forget_present(attendee);
        retire(*found->second);
        meetings_.erase(found);
        port_.flush();
        count_meetings();
        publish_vitals();
    });
}

std::vector<std::string> MediaThread::present() const {
    const std::lock_guard lock(present_mutex_);
    std::vector<std::string> list;
    list.reserve(present_.size());
    for (const auto& [attendee, count] : present_) list.push_back(attendee);
    return list;
}

MeetingHost* MediaThread::host_of(room::PeerId peer) {
    const auto meeting = meeting_of_.find(peer);
    if (meeting == meeting_of_.end()) return nullptr;
    const auto host = meetings_.find(meeting->second);
    return host == meetings_.end() ? nullptr : host->second.get();
}

void MediaThread::remember_ended(const std::string& meeting_id) {
    if (!ended_.insert(meeting_id).second) return;
    ended_order_.push_back(meeting_id);
    if (ended_order_.size() <= kMaxEnded) return;
    ended_.erase(ended_order_.front());
    ended_order_.pop_front();
}

void MediaThread::count_meetings() {
    occupied_ = static_cast<std::size_t>(
        std::ranges::count_if(meetings_, [](const auto& entry) { return entry.second->occupied(); }));
}

void MediaThread::publish_vitals() {
    const auto now = room::Time::clock::now();
    if (now >= period_ends_) {
        period_ends_ = now + kLatenessPeriod;
        worst_behind_before_ = std::exchange(worst_behind_, {});
    }
    worst_behind_ = std::max(worst_behind_, port_.take_worst_behind());
    MediaVitals vitals;
    vitals.meetings = occupied_;
    vitals.router = retired_;
    for (const auto& [id, host] : meetings_) {
        vitals.attendees += host->people();
        vitals.peers += host->peers();
        add_up(vitals.router, host->counters());
        add_up(vitals.links, host->links());
    }
    const auto behind =
        std::chrono::duration_cast<std::chrono::microseconds>(std::max(worst_behind_, worst_behind_before_));
    vitals.behind_micros = static_cast<std::uint64_t>(behind.count());
    vitals.hurried = port_.hurried();
    vitals.port = port_.counters();
    vitals.udp = port_.udp_counters();
    vitals.streams = port_.stream_counters();
    board_.write(vitals);
}

void MediaThread::schedule() {
    if (meetings_.empty()) return;
    const bool media = std::ranges::any_of(meetings_, [](const auto& entry) { return entry.second->has_peers(); });
    if (timer_set_ && timer_is_fast_ >= media) return;
    timer_set_ = true;
    timer_is_fast_ = media;
    // Setting a timer that is set abandons the wait before, whose handler then does nothing.
    timer_.expires_after(media ? std::chrono::milliseconds(kTick) : std::chrono::milliseconds(kIdleTick));
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        timer_set_ = false;
        tick();
        schedule();
    });
}

void MediaThread::tick() {
    const room::Moment now = moment();
    for (auto entry = meetings_.begin(); entry != meetings_.end();) {
        entry->second->tick(now);
        if (!entry->second->idle(now)) {
            ++entry;
            continue;
        }
        retire(*entry->second);
        entry = meetings_.erase(entry);
    }
    if (now.steady >= port_check_at_) {
        port_check_at_ = now.steady + kPortCheck;
        port_.check_time(now.steady);
        count_meetings();
        publish_vitals();
    } else if (meetings_.empty()) {
        publish_vitals();  // The last look for now.
    }
    port_.flush();
}

room::TurnCredentials MediaThread::turn_credentials(const Participant& participant) const {
    if (settings_.turn.uris.empty()) return {};
    room::TurnCredentials turn = make_turn_credentials(settings_.turn, moment().wall);
    turn.at_once = participant.wants_relay;
    return turn;
}

std::vector<wire::TransportAddress> MediaThread::candidates() const {
    std::vector<std::string> texts = settings_.announced_addresses;
    const auto is_any = [](const std::string& text) { return text == "0.0.0.0" || text == "::"; };
    if (texts.empty() && !settings_.listen_addresses.empty() &&
        std::ranges::none_of(settings_.listen_addresses, is_any)) {
        texts = settings_.listen_addresses;
    }
    const bool guessed = texts.empty();
    if (guessed) texts = machine_addresses();
    const std::uint16_t number = settings_.announced_port != 0 ? settings_.announced_port : port_.port();
    std::vector<wire::TransportAddress> list;
    for (const std::string& text : texts) {
        const auto address = wire::TransportAddress::parse(text, number);
        if (!address) continue;
        if (guessed && !(address->is_v6 ? port_.has_v6() : port_.has_v4())) continue;
        list.push_back(*address);
    }
    return list;
}

room::MeetingSettings MediaThread::meeting_settings(const Participant& first) const {
    room::MeetingSettings settings;
    settings.max_attendees = first.max_attendees;
    settings.gone_after = settings_.gone_after;
    const auto& digest = dtls_.fingerprint().digest;
    settings.fingerprint_sha256.assign(digest.begin(), digest.end());
    settings.udp_candidates = candidates();
    settings.tcp_candidates = settings.udp_candidates;
    settings.seed = core::random_u32();
    return settings;
}

void MediaThread::happened(core::MeetingEvent event) {
    using Kind = core::MeetingEvent::Kind;
    if (event.kind == Kind::attendee_joined) {
        const std::lock_guard lock(present_mutex_);
        ++present_[event.attendee_id];
    } else if (event.kind == Kind::attendee_left || event.kind == Kind::attendee_dropped) {
        forget_present(event.attendee_id);
    }
    observer_.happened(std::move(event));
}

void MediaThread::forget_present(const std::string& attendee_id) {
    const std::lock_guard lock(present_mutex_);
    const auto entry = present_.find(attendee_id);
    if (entry != present_.end() && --entry->second == 0) present_.erase(entry);
}

}  // namespace media::server
