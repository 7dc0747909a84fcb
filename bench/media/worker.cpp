#include "worker.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "janus_participant.hpp"
#include "media_sender.hpp"
#include "participant.hpp"

namespace bench {

Worker::Worker(const WorkerSettings& settings, const Identity& identity, const Payloads& audio, const Payloads& video)
    : settings_(settings),
      port_(settings.base_address),
      stage_{port_, identity, audio, video, window_, settings.sampling},
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      thread_([this] { run(); }) {}

Worker::~Worker() {
    call([this] {
        for (Room& room : rooms_) clear(room);
        stop_ = true;
    });
    thread_.join();
    close(epoll_);
}

void Worker::call(const std::function<void()>& what) {
    std::packaged_task<void()> task(what);
    auto done = task.get_future();
    {
        const std::lock_guard lock(mutex_);
        calls_.push_back(std::move(task));
    }
    done.get();
}

void Worker::enter(const RoomPlan& plan) {
    call([this, &plan] { fill(rooms_.emplace_back(plan)); });
}

void Worker::leave_last() {
    call([this] {
        clear(rooms_.back());
        rooms_.pop_back();
    });
}

void Worker::mend() {
    call([this] {
        for (Room& room : rooms_) {
            if (std::ranges::all_of(room.attendants,
                                    [](const auto& attendant) { return attendant->trouble().empty(); }))
                continue;
            clear(room);
            fill(room);
        }
    });
}

void Worker::fill(Room& room) {
    const RoomPlan& plan = room.plan;
    for (const std::string& token : plan.tokens) {
        const std::size_t others = plan.tokens.size() - 1;
        if (plan.janus) {
            add(std::make_unique<JanusParticipant>(stage_, take_client(2), plan.url, token, others), room);
        } else {
            add(std::make_unique<Participant>(stage_, take_client(1), plan.url, token, others), room);
        }
    }
}

std::uint32_t Worker::take_client(unsigned count) {
    // Never given out again: the server may still hold the path of whoever had it.
    const auto client = static_cast<std::uint32_t>(by_client_.size());
    by_client_.resize(by_client_.size() + count);
    return client;
}

void Worker::add(std::unique_ptr<Attendant> attendant, Room& room) {
    Attendant* raw = attendant.get();
    for (PeerConnection* connection : raw->connections()) by_client_[connection->client()] = connection;
    // The smallest slot, so that every millisecond has the same work.
    std::ranges::min_element(slots_, {}, [](const auto& slot) { return slot.size(); })->push_back(raw);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = raw;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, raw->socket().descriptor(), &event);
    room.attendants.push_back(std::move(attendant));
}

void Worker::clear(Room& room) {
    for (const auto& attendant : room.attendants) {
        attendant->leave();
        for (PeerConnection* connection : attendant->connections()) by_client_[connection->client()] = nullptr;
        for (auto& slot : slots_) std::erase(slot, attendant.get());
    }
    port_.flush();
    room.attendants.clear();
}

Worker::State Worker::state() {
    State state;
    call([&] {
        for (const Room& room : rooms_) {
            for (const auto& attendant : room.attendants) {
                ++state.attendants;
                if (attendant->flowing()) ++state.flowing;
                if (state.trouble.empty()) state.trouble = attendant->trouble();
            }
        }
    });
    return state;
}

void Worker::begin_window() {
    call([this] {
        const Nanos began = now();
        window_ = {};
        drops_before_ = port_.drops();
        failures_before_ = port_.send_failures();
        for (const Room& room : rooms_) {
            for (const auto& attendant : room.attendants) attendant->begin_window(began);
        }
    });
}

Window Worker::end_window() {
    Window result;
    call([&] {
        result = window_;
        const Nanos ended = now();
        result.socket_drops = port_.drops() - drops_before_;
        result.send_failures = port_.send_failures() - failures_before_;
        for (const Room& room : rooms_) {
            for (const auto& attendant : room.attendants) {
                attendant->end_window(result, ended);
                if (!attendant->trouble().empty()) ++result.lost_connections;
            }
        }
    });
    return result;
}

void Worker::run() {
    constexpr Nanos kSlotTime = kBeat / static_cast<Nanos>(kSlots);
    Nanos next = now();
    bool stop = false;
    while (!stop) {
        std::vector<std::packaged_task<void()>> calls;
        {
            const std::lock_guard lock(mutex_);
            calls.swap(calls_);
        }
        for (auto& task : calls) task();
        stop = stop_;
        const Nanos at = now();
        if (at >= next) window_.lag.add(at - next);
        // Who is late catches up, but never by more than a few beats at once.
        next = std::max(next, at - 4 * kBeat);
        for (; next <= at; next += kSlotTime) beat_slot(at);
        port_.flush();
        port_.receive([this](std::uint32_t client, std::span<std::uint8_t> datagram, Nanos arrived) {
            if (client < by_client_.size() && by_client_[client]) by_client_[client]->on_datagram(datagram, arrived);
        });
        port_.flush();
        read_signalling(next);
    }
}

void Worker::beat_slot(Nanos now) {
    slot_ = (slot_ + 1) % kSlots;
    for (Attendant* attendant : slots_[slot_]) attendant->beat(now);
}

void Worker::read_signalling(Nanos until) {
    std::array<epoll_event, 64> events;
    const Nanos left = std::max<Nanos>(0, until - now());
    const timespec wait{left / kSecond, left % kSecond};
    const int count = epoll_pwait2(epoll_, events.data(), events.size(), &wait, nullptr);
    for (int i = 0; i < count; ++i)
        static_cast<Attendant*>(events[static_cast<std::size_t>(i)].data.ptr)->socket().ready();
}

}  // namespace bench
