#include "net/http_client.hpp"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/this_coro.hpp>
#include <csignal>
#include <fstream>
#include <list>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include "net/completion.hpp"
#include "net/http_transfer.hpp"
#include "net/loop_guard.hpp"

namespace net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;
using Answer = core::Result<OutgoingResponse>;

/// A name server that hangs costs a thread for as long as it does (libcurl cannot interrupt it), so a host whose name
/// has been given up so often is left alone for a while.
constexpr std::size_t kGivenUpNames = 4;
constexpr std::chrono::seconds kNameRest{30};
/// The thread is woken when there is something to do; this is only how long it sleeps at most.
constexpr int kLongestSleepMs = 60'000;

struct CloseHandle {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, CloseHandle>;
struct CloseMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

/// What the thread knows of one origin.
struct Host {
    std::size_t calls = 0;  ///< Waiting or under way.
    std::size_t under_way = 0;
    std::vector<SteadyTime> given_up_names;  ///< The last few; each was left behind with a thread of its own.

    void forget_before(SteadyTime time) {
        std::erase_if(given_up_names, [&](SteadyTime at) { return at < time; });
    }
};

/// Shared by the coroutine that waits and the client's thread.
struct Call {
    Call(OutgoingRequest request, OutgoingTarget target, asio::any_io_executor on)
        : transfer(std::move(request), std::move(target)),
          deadline(std::chrono::steady_clock::now() + transfer.timeout()),
          executor(std::move(on)),
          loop(LoopGuard::of(executor)) {}

    Transfer transfer;  ///< The thread's, once the call is handed over.
    const SteadyTime deadline;
    const asio::any_io_executor executor;
    const std::shared_ptr<LoopGuard> loop;
    Completion<Answer> done;  ///< The loop's.

    // The thread's.
    enum class Phase { waiting, under_way, over };
    Phase phase = Phase::waiting;
    Host* host = nullptr;  ///< Unless over.
    Handle handle;         ///< While under way.
};
using CallPtr = std::shared_ptr<Call>;

core::Error stopped() {
    return {core::ErrorKind::unavailable, "the service is stopping", {}};
}

/// W3C Trace Context, section 3.
void hand_on(const core::trace::Context& context, HeaderList& headers) {
    if (!context.valid()) return;
    headers.emplace_back("traceparent", core::trace::traceparent(context));
    if (!context.state.empty()) headers.emplace_back("tracestate", context.state);
}

void initialise_curl() {
    static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (done != CURLE_OK) throw std::runtime_error("libcurl does not start");
}

}  // namespace

class HttpClient::Impl {
  public:
    explicit Impl(HttpClientSettings settings);
    void start();
    void stop();

    static asio::awaitable<Answer> send(std::shared_ptr<Impl> self, OutgoingRequest request);

  private:
    class Abandonment;

    core::Result<void> submit(const CallPtr& call);
    void give_up(CallPtr call);

    // The thread's.
    void run();
    bool take_inbox();
    void start_waiting();
    bool start_call(const CallPtr& call);
    void collect();
    void end_call(const CallPtr& call, Answer answer);
    void leave(const CallPtr& call, bool given_up);
    void release(Call& call, bool given_up);
    Handle new_handle();
    void end_all();

    const HttpClientSettings settings_;
    const std::unique_ptr<CURLM, CloseMulti> multi_;

    std::mutex mutex_;
    std::vector<CallPtr> inbox_;
    std::vector<CallPtr> abandoned_;
    std::size_t queued_ = 0;  ///< In the inbox or in `waiting_`.
    bool stopping_ = false;

    std::mutex stop_mutex_;
    std::thread thread_;

    // The thread's.
    std::list<CallPtr> waiting_;  ///< In the order of arrival.
    std::unordered_map<CURL*, CallPtr> under_way_;
    std::unordered_map<std::string, Host> hosts_;
    std::vector<Handle> spare_;
    bool look_again_ = false;  ///< Something came or went since the waiting calls were looked at.
};

/// Ends with the coroutine that waits: if it went without an answer, the transfer is given up.
class HttpClient::Impl::Abandonment {
  public:
    Abandonment(std::shared_ptr<Impl> impl, CallPtr call) : impl_(std::move(impl)), call_(std::move(call)) {}
    ~Abandonment() {
        if (call_) impl_->give_up(std::move(call_));
    }
    Abandonment(const Abandonment&) = delete;
    Abandonment& operator=(const Abandonment&) = delete;
    void answered() { call_.reset(); }

  private:
    std::shared_ptr<Impl> impl_;
    CallPtr call_;
};

HttpClient::Impl::Impl(HttpClientSettings settings) : settings_(std::move(settings)), multi_(curl_multi_init()) {
    if (!multi_) throw std::bad_alloc();
    if (!settings_.ca_file.empty() && !std::ifstream(settings_.ca_file)) {
        throw std::runtime_error("the file of certificate authorities cannot be read: " + settings_.ca_file);
    }
    curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(settings_.max_connections));
    // Counts idle connections as well, which are closed for others when there are too many.
    curl_multi_setopt(multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(settings_.max_connections));
}

void HttpClient::Impl::start() {
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), settings_.thread_name.substr(0, 15).c_str());
}

void HttpClient::Impl::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    curl_multi_wakeup(multi_.get());
    const std::scoped_lock lock(stop_mutex_);
    if (thread_.joinable()) thread_.join();
}

asio::awaitable<Answer> HttpClient::Impl::send(std::shared_ptr<Impl> self, OutgoingRequest request) {
    auto target = examine(request);
    if (!target) co_return std::unexpected(std::move(target.error()));
    core::trace::Work span(request.trace, request.purpose, core::trace::Kind::client);
    hand_on(span.context(), request.headers);
    if (span.recorded()) {
        span.note("http.request.method", request.method);
        span.note("server.address", target->host);
        // Until it is known better: whoever waited may be gone before there is an answer.
        span.fail();
    }
    const auto executor = co_await asio::this_coro::executor;
    const auto call = std::make_shared<Call>(std::move(request), std::move(*target), executor);
    const auto limit = call->transfer.timeout();
    const auto late = call->transfer.timed_out();
    if (auto taken = self->submit(call); !taken) co_return std::unexpected(std::move(taken.error()));
    Abandonment abandonment(std::move(self), call);
    auto answer = co_await Completion<Answer>::wait({call, &call->done}, limit);
    if (!answer) co_return std::unexpected(late);
    abandonment.answered();
    if (*answer && span.recorded()) {
        span.note("http.response.status_code", std::int64_t{(*answer)->status});
        span.fail((*answer)->status >= 400);
    }
    co_return std::move(*answer);
}

core::Result<void> HttpClient::Impl::submit(const CallPtr& call) {
    {
        const std::scoped_lock lock(mutex_);
        if (stopping_) return std::unexpected(stopped());
        if (queued_ >= settings_.queue_limit) {
            return std::unexpected(call->transfer.unavailable("is waited for by too many requests"));
        }
        ++queued_;
        inbox_.push_back(call);
    }
    curl_multi_wakeup(multi_.get());
    return {};
}

void HttpClient::Impl::give_up(CallPtr call) {
    {
        const std::scoped_lock lock(mutex_);
        if (stopping_) return;
        abandoned_.push_back(std::move(call));
    }
    curl_multi_wakeup(multi_.get());
}

void HttpClient::Impl::run() {
    // OpenSSL writes to sockets that the other side may have closed.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    while (take_inbox()) {
        start_waiting();
        int running = 0;
        curl_multi_perform(multi_.get(), &running);
        collect();
        if (look_again_ && !waiting_.empty()) continue;
        if (curl_multi_poll(multi_.get(), nullptr, 0, kLongestSleepMs, nullptr) != CURLM_OK) {
            std::this_thread::sleep_for(milliseconds{10});
        }
    }
    end_all();
}

/// False once the client stops.
bool HttpClient::Impl::take_inbox() {
    std::vector<CallPtr> arrived;
    std::vector<CallPtr> abandoned;
    {
        const std::scoped_lock lock(mutex_);
        if (stopping_) return false;
        arrived.swap(inbox_);
        abandoned.swap(abandoned_);
    }
    for (auto& call : arrived) {
        call->host = &hosts_[call->transfer.target().origin];
        ++call->host->calls;
        waiting_.push_back(std::move(call));
        look_again_ = true;
    }
    for (const auto& call : abandoned) leave(call, true);
    return true;
}

void HttpClient::Impl::start_waiting() {
    if (!std::exchange(look_again_, false)) return;
    std::size_t gone = 0;
    for (auto next = waiting_.begin(); next != waiting_.end();) {
        if ((*next)->phase == Call::Phase::waiting && !start_call(*next)) {
            ++next;
            continue;
        }
        next = waiting_.erase(next);
        ++gone;
    }
    std::erase_if(hosts_,
                  [](const auto& host) { return host.second.calls == 0 && host.second.given_up_names.empty(); });
    const std::scoped_lock lock(mutex_);
    queued_ -= gone;
}

/// False: it has to wait on.
bool HttpClient::Impl::start_call(const CallPtr& call) {
    auto& host = *call->host;
    if (under_way_.size() >= settings_.max_connections || host.under_way >= settings_.max_connections_per_host) {
        return false;
    }
    const auto now = std::chrono::steady_clock::now();
    host.forget_before(now - kNameRest);
    if (host.given_up_names.size() >= kGivenUpNames) {
        end_call(call, std::unexpected(call->transfer.unavailable("is a name that could not be resolved lately")));
        return true;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(call->deadline - now);
    if (left <= milliseconds::zero()) {
        end_call(call, std::unexpected(call->transfer.timed_out()));
        return true;
    }
    auto handle = new_handle();
    if (!handle || !call->transfer.prepare(handle.get(), settings_, left) ||
        curl_multi_add_handle(multi_.get(), handle.get()) != CURLM_OK) {
        end_call(call, core::fail(core::ErrorKind::internal, "libcurl: out of memory"));
        return true;
    }
    call->handle = std::move(handle);
    call->phase = Call::Phase::under_way;
    under_way_.emplace(call->handle.get(), call);
    ++host.under_way;
    return true;
}

/// Ends what libcurl is through with.
void HttpClient::Impl::collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        const auto found = under_way_.find(message->easy_handle);
        if (found == under_way_.end()) continue;
        const auto call = found->second;
        const auto code = message->data.result;  // The message goes with the handle.
        auto answer = call->transfer.outcome(message->easy_handle, code);
        leave(call, code == CURLE_OPERATION_TIMEDOUT);
        end_call(call, std::move(answer));
    }
}

void HttpClient::Impl::end_call(const CallPtr& call, Answer answer) {
    leave(call, false);
    call->loop->post(call->executor,
                     [call, answer = std::move(answer)]() mutable { call->done.complete(std::move(answer)); });
}

/// Takes a call off libcurl, if it is there, and away from its host. One that waits is taken out of the list later.
void HttpClient::Impl::leave(const CallPtr& call, bool given_up) {
    if (call->phase == Call::Phase::under_way) release(*call, given_up);
    if (call->host != nullptr) --std::exchange(call->host, nullptr)->calls;
    call->phase = Call::Phase::over;
    look_again_ = true;
}

void HttpClient::Impl::release(Call& call, bool given_up) {
    auto handle = std::move(call.handle);
    curl_off_t resolved_after = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_NAMELOOKUP_TIME_T, &resolved_after);
    if (given_up && resolved_after == 0) call.host->given_up_names.push_back(std::chrono::steady_clock::now());
    curl_multi_remove_handle(multi_.get(), handle.get());
    under_way_.erase(handle.get());
    --call.host->under_way;
    curl_easy_reset(handle.get());
    spare_.push_back(std::move(handle));
}

Handle HttpClient::Impl::new_handle() {
    if (spare_.empty()) return Handle{curl_easy_init()};
    auto handle = std::move(spare_.back());
    spare_.pop_back();
    return handle;
}

void HttpClient::Impl::end_all() {
    std::vector<CallPtr> calls;
    {
        const std::scoped_lock lock(mutex_);
        calls.swap(inbox_);
        abandoned_.clear();
    }
    calls.insert(calls.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
    for (const auto& [handle, call] : under_way_) calls.push_back(call);
    for (const auto& call : calls) {
        if (call->phase != Call::Phase::over) end_call(call, std::unexpected(stopped()));
    }
}

HttpClient::HttpClient(HttpClientSettings settings) {
    initialise_curl();
    impl_ = std::make_shared<Impl>(std::move(settings));
    impl_->start();
}

HttpClient::~HttpClient() {
    stop();
}

// Not a coroutine itself: it would begin only when awaited, and look for a client that may have gone by then.
asio::awaitable<core::Result<OutgoingResponse>> HttpClient::send(OutgoingRequest request) {
    return Impl::send(impl_, std::move(request));
}

void HttpClient::stop() {
    impl_->stop();
}

}  // namespace net
