#include "net/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>

#include "core/log.hpp"

namespace net {
namespace asio = boost::asio;

struct TaskGroup::State {
    explicit State(asio::any_io_executor on) : executor(std::move(on)), emptied(executor) {
        emptied.expires_at(asio::steady_timer::time_point::max());
    }

    asio::any_io_executor executor;
    std::list<asio::cancellation_signal> tasks;
    asio::steady_timer emptied;  ///< Never expires; cancelled when the last task ends.
    bool cancelled = false;
};

namespace {

void report(const char* name, const std::exception_ptr& thrown) {
    if (!thrown) return;
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) return;
        core::log::error("task failed", {{"task", name}, {"error", error.code().message()}});
    } catch (const std::exception& error) {
        // The text of an unknown exception might quote what it choked on; its type cannot.
        core::log::error("task failed", {{"task", name}, {"type", typeid(error).name()}});
    } catch (...) {
        core::log::error("task failed", {{"task", name}});
    }
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}
TaskGroup::~TaskGroup() = default;

void TaskGroup::spawn(const char* name, asio::awaitable<void> task) {
    if (state_->cancelled) return;
    const auto signal = state_->tasks.emplace(state_->tasks.end());
    const auto ended = [state = state_, signal, name](const std::exception_ptr& thrown) {
        report(name, thrown);
        // The coroutine's frame still stands around this handler and points into the signal.
        asio::post(state->executor, [state, signal] {
            state->tasks.erase(signal);
            if (state->tasks.empty()) state->emptied.cancel();
        });
    };
    asio::co_spawn(state_->executor, std::move(task), asio::bind_cancellation_slot(signal->slot(), ended));
}

std::size_t TaskGroup::size() const {
    return state_->tasks.size();
}

void TaskGroup::cancel() {
    asio::dispatch(state_->executor, [state = state_] {
        state->cancelled = true;
        // A task may end inside emit, which takes its signal out of the list.
        for (auto signal = state->tasks.begin(); signal != state->tasks.end();) {
            const auto current = signal++;
            current->emit(asio::cancellation_type::terminal);
        }
    });
}

asio::awaitable<void> TaskGroup::join() {
    const auto state = state_;
    while (!state->tasks.empty()) {
        boost::system::error_code ignored;
        co_await state->emptied.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        // The joining coroutine's own cancellation must not turn into a busy loop.
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
    }
}

bool TaskGroup::stop(std::chrono::milliseconds limit) {
    cancel();
    std::promise<void> joined;
    auto done = joined.get_future();
    // The state, not the group, goes along: the wait may outlive this call.
    asio::co_spawn(
        state_->executor,
        [](std::shared_ptr<State> state, std::promise<void> promise) -> asio::awaitable<void> {
            while (!state->tasks.empty()) {
                boost::system::error_code ignored;
                co_await state->emptied.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
            }
            promise.set_value();
        }(state_, std::move(joined)),
        asio::detached);
    return done.wait_for(limit) == std::future_status::ready;
}

}  // namespace net
