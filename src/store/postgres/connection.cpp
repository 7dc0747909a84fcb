#include "store/postgres/connection.hpp"

namespace store::postgres {

using boost::asio::posix::descriptor_base;

Connection::Connection(const boost::asio::any_io_executor& executor, Link link, Kind role, Owner& owner)
    : descriptor_(executor), pipeline_(std::move(link)), role_(role), owner_(owner) {
    descriptor_.assign(pipeline_.socket());
}

Connection::~Connection() {
    close();
}

void Connection::close() {
    if (closed_) return;
    closed_ = true;
    // The socket belongs to libpq, which closes it.
    descriptor_.release();
}

void Connection::lose() {
    const auto self = shared_from_this();
    if (!closed_) owner_.lost(*this);
}

void Connection::send(Segment segment) {
    if (!pipeline_.send(std::move(segment), Pipeline::Clock::now())) return lose();
    flush();
}

void Connection::flush() {
    switch (pipeline_.flush()) {
        case Pipeline::Flushed::broken:
            return lose();
        case Pipeline::Flushed::all:
            return;
        case Pipeline::Flushed::more:
            break;
    }
    if (std::exchange(awaiting_writable_, true)) return;
    descriptor_.async_wait(descriptor_base::wait_write, [self = shared_from_this()](boost::system::error_code error) {
        self->awaiting_writable_ = false;
        if (self->closed_) return;
        error ? self->lose() : self->flush();
    });
}

void Connection::await_readable() {
    descriptor_.async_wait(descriptor_base::wait_read, [self = shared_from_this()](boost::system::error_code error) {
        if (self->closed_) return;
        if (error || !self->pipeline_.receive(Pipeline::Clock::now())) return self->lose();
        self->await_readable();
        self->flush();
        if (!self->closed_) self->owner_.progressed(*self);
    });
}

}  // namespace store::postgres
