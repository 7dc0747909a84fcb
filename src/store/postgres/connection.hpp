// A pipeline on an event loop: moves its bytes when the socket is ready and tells its pool what has happened.
// Owned by the pool; the loop's thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>

#include "store/postgres/pipeline.hpp"

namespace store::postgres {

class Connection : public std::enable_shared_from_this<Connection> {
  public:
    /// Who hears of it.
    class Owner {
      public:
        virtual void progressed(Connection& connection) = 0;
        /// The connection is broken; the owner has to close it.
        virtual void lost(Connection& connection) = 0;

      protected:
        ~Owner() = default;
    };

    Connection(const boost::asio::any_io_executor& executor, Link link, Kind role, Owner& owner);
    ~Connection();

    /// Begins to listen; the connection must be in a shared_ptr.
    void start() { await_readable(); }
    void send(Segment segment);
    /// Hangs up. The owner hears nothing any more.
    void close();

    Kind role() const { return role_; }
    Pipeline& pipeline() { return pipeline_; }

  private:
    void await_readable();
    void flush();
    void lose();

    boost::asio::posix::stream_descriptor descriptor_;
    Pipeline pipeline_;
    const Kind role_;
    Owner& owner_;
    bool closed_ = false;
    bool awaiting_writable_ = false;
};

}  // namespace store::postgres
