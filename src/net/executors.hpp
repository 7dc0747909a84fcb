// The threads of the control plane: one single-threaded event loop per core. Whatever is spawned on one loop stays
// there, so it needs no locks; loops exchange values by `post`.
//
// Owned by `app` (or a test). Start and stop from one thread that is not one of the loops.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace net {

class Executors {
  public:
    /// `count` loops on threads named `<name>-0` …; nothing runs before `start`.
    explicit Executors(std::size_t count, std::string name = "http");
    /// Stops and drops.
    ~Executors();
    Executors(const Executors&) = delete;
    Executors& operator=(const Executors&) = delete;

    void start();
    /// Abandons what still runs and joins the threads. Twice is fine.
    void stop();

    /// After `stop`: destroys what is still suspended on the loops, so everything that it refers to must still exist.
    /// Sockets and timers of the loops may outlive this, but not the Executors.
    void drop();

    std::size_t size() const { return loops_.size(); }
    boost::asio::io_context& context(std::size_t index) { return loops_.at(index)->context; }
    boost::asio::any_io_executor executor(std::size_t index) { return context(index).get_executor(); }

  private:
    /// Can drop what is suspended on it while it still exists.
    class Context : public boost::asio::io_context {
      public:
        using boost::asio::io_context::io_context;
        void drop() { shutdown(); }
    };
    struct Loop {
        Context context{1};
        boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work = make_work_guard(context);
        std::thread thread;
    };
    std::string name_;
    std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace net
