// One thread with a share of the rooms: their sockets, their beats, their windows. Everything of a room happens here;
// other threads only `call`.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "attendant.hpp"

namespace bench {

/// What the driver said of a room.
struct RoomPlan {
    bool janus = false;
    std::string url;
    std::vector<std::string> tokens;  ///< One for each participant; with Janus the room's number, as often.
};

struct WorkerSettings {
    std::uint32_t base_address = 0;
    unsigned sampling = 1;
};

class Worker {
  public:
    Worker(const WorkerSettings& settings, const Identity& identity, const Payloads& audio, const Payloads& video);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Any thread.
    void enter(const RoomPlan& plan);
    void leave_last();
    /// Rooms in which something went wrong are left and entered anew.
    void mend();
    /// How many attendants there are, how many get everything they should; the first trouble.
    struct State {
        std::size_t attendants = 0;
        std::size_t flowing = 0;
        std::string trouble;
    };
    State state();
    void begin_window();
    Window end_window();

  private:
    /// A beat's attendants are spread over as many slots of a millisecond.
    static constexpr std::size_t kSlots = 5;
    struct Room {
        RoomPlan plan;
        std::vector<std::unique_ptr<Attendant>> attendants;
    };

    void call(const std::function<void()>& what);
    void run();
    void fill(Room& room);
    void clear(Room& room);
    void add(std::unique_ptr<Attendant> attendant, Room& room);
    void beat_slot(Nanos now);
    void read_signalling(Nanos until);
    std::uint32_t take_client(unsigned count);

    WorkerSettings settings_;
    Window window_;
    UdpPort port_;
    Stage stage_;
    int epoll_ = -1;
    std::vector<Room> rooms_;
    std::array<std::vector<Attendant*>, kSlots> slots_;
    std::size_t slot_ = 0;
    std::vector<PeerConnection*> by_client_;
    std::uint64_t drops_before_ = 0;
    std::uint64_t failures_before_ = 0;

    std::mutex mutex_;
    std::vector<std::packaged_task<void()>> calls_;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace bench
