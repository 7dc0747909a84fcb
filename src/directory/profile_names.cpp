#include "directory/profile_names.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <deque>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "core/log.hpp"
#include "directory/name_cache.hpp"
#include "directory/neighbour_text.hpp"
#include "directory/strict_object.hpp"
#include "net/completion.hpp"
#include "net/loop_guard.hpp"

namespace directory {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kMaxId = 100;
constexpr std::size_t kMaxAnswer = 64UL * 1024;
constexpr std::size_t kMaxWaiters = 1000;  ///< For one name; more go without.

/// Whose name: the kind, then the id.
using Key = std::string;
constexpr char kDoctor = 'd';
constexpr char kPatient = 'p';
constexpr char kClinic = 'c';

/// A request that waits for names, at most so long.
struct Waiter {
    explicit Waiter(asio::any_io_executor on) : executor(std::move(on)), loop(net::LoopGuard::of(executor)) {}

    const asio::any_io_executor executor;
    const std::shared_ptr<net::LoopGuard> loop;
    net::Completion<bool> all_known;  ///< The loop's.
    std::size_t missing = 0;          ///< Under the cache's mutex.
};
using WaiterPtr = std::shared_ptr<Waiter>;

/// What came of a question.
struct Outcome {
    enum class Kind { known, nobody, no_answer };
    Kind kind = Kind::no_answer;
    ProfileName name;
};

/// Ids go into a path and into a header.
bool can_be_asked(std::string_view id) {
    return !id.empty() && id.size() <= kMaxId && std::ranges::all_of(id, [](char c) { return c > ' ' && c < 0x7f; });
}

std::vector<Key> keys_of(const std::vector<service::NamesWanted>& wanted) {
    std::vector<Key> keys;
    std::unordered_set<Key> seen;
    const auto add = [&](char kind, const std::string& id) {
        if (auto key = kind + id; can_be_asked(id) && seen.insert(key).second) keys.push_back(std::move(key));
    };
    for (const auto& one : wanted) {
        add(kDoctor, one.doctor_id);
        add(kPatient, one.patient_id);
        if (one.clinic_id) add(kClinic, std::to_string(*one.clinic_id));
    }
    return keys;
}

net::OutgoingRequest question(const ProfileNamesSettings& settings, const Key& key) {
    net::OutgoingRequest request;
    const auto id = key.substr(1);
    request.headers = {{"Accept", "application/json"}};
    if (key.front() == kPatient) {
        // The service has no other way to ask for a patient.
        request.url = address_of(settings.base_url, "/patient/me");
        request.headers.emplace_back("X-User-ID", id);
        request.headers.emplace_back("X-User-Role", "PATIENT");
    } else {
        request.url = address_of(settings.base_url, key.front() == kDoctor ? "/doctor/" : "/clinic/", id);
    }
    request.timeout = settings.timeout;
    request.max_body = kMaxAnswer;
    return request;
}

std::optional<std::string> full_name(const boost::json::object& person) {
    auto name = name_in(person, "firstName");
    auto last = name_in(person, "lastName");
    if (!name) return last;
    if (last) *name += " " + *last;
    return name;
}

Outcome outcome_of(const core::Result<net::OutgoingResponse>& answer, const Key& key) {
    using Kind = Outcome::Kind;
    if (!answer) return {};
    const auto status = answer->status;
    // A refusal is an answer: the service is there.
    if (status >= 400 && status < 500 && status != 408 && status != 429) return {Kind::nobody, {}};
    if (status != 200) return {};
    const auto object = parse_strict_object(answer->body);
    if (!object) return {};
    if (key.front() == kClinic) return {Kind::known, {name_in(*object, "name"), {}}};
    const bool is_doctor = key.front() == kDoctor;
    return {Kind::known, {full_name(*object), is_doctor ? name_in(*object, "specialty") : std::nullopt}};
}

}  // namespace

/// Shared with the coroutines that ask. Any thread.
class ProfileNames::Cache : public std::enable_shared_from_this<Cache> {
  public:
    Cache(ProfileNamesSettings settings, net::HttpClient& client, const core::Clock& clock)
        : settings_(std::move(settings)), client_(client), clock_(clock), names_(settings_.capacity) {}

    static service::Task<std::vector<service::SessionNames>> answer(std::shared_ptr<Cache> self,
                                                                    std::vector<service::NamesWanted> wanted);
    void close();

  private:
    class Turn;
    struct Question {
        std::vector<WaiterPtr> waiters;
    };

    bool ask(const std::vector<Key>& keys, const WaiterPtr& waiter);
    void consider(const Key& key, const WaiterPtr& waiter, core::Time now);
    std::vector<service::SessionNames> collect(const std::vector<service::NamesWanted>& wanted);
    const ProfileName* usable(char kind, const std::string& id, core::Time now);
    void landed(const Key& key, Outcome outcome);
    void remember(const Key& key, Outcome outcome, core::Time now);
    void count_failure(core::Time now);
    void settle(const Key& key);
    static asio::awaitable<void> work(std::unique_ptr<Turn> turn);

    const ProfileNamesSettings settings_;
    net::HttpClient& client_;
    const core::Clock& clock_;

    std::mutex mutex_;
    NameCache names_;
    std::unordered_map<Key, Question> questions_;  ///< Under way, or waiting for their turn.
    std::deque<Key> queue_;                        ///< Those that wait.
    std::size_t workers_ = 0;
    std::size_t failures_ = 0;  ///< In a row.
    core::Time rest_until_;
    bool closed_ = false;
};

/// A worker's place among those at work, and the question in its hand. Lets go of both when the worker's loop is
/// destroyed.
class ProfileNames::Cache::Turn {
  public:
    explicit Turn(std::shared_ptr<Cache> cache) : cache_(std::move(cache)) {}
    ~Turn() {
        if (key_) cache_->landed(std::exchange(key_, {}).value(), {});
        if (!ended_) end();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    /// False when there is nothing left to ask; the place is then given up.
    bool next() {
        const std::scoped_lock lock(cache_->mutex_);
        if (cache_->closed_ || cache_->queue_.empty()) {
            --cache_->workers_;
            ended_ = true;
            return false;
        }
        key_ = std::move(cache_->queue_.front());
        cache_->queue_.pop_front();
        return true;
    }
    const Key& key() const { return *key_; }
    asio::awaitable<core::Result<net::OutgoingResponse>> send() const {
        return cache_->client_.send(question(cache_->settings_, *key_));
    }
    void land(Outcome outcome) { cache_->landed(std::exchange(key_, {}).value(), std::move(outcome)); }

  private:
    void end() {
        const std::scoped_lock lock(cache_->mutex_);
        --cache_->workers_;
    }

    std::shared_ptr<Cache> cache_;
    std::optional<Key> key_;
    bool ended_ = false;
};

service::Task<std::vector<service::SessionNames>> ProfileNames::Cache::answer(
    std::shared_ptr<Cache> self, std::vector<service::NamesWanted> wanted) {
    const auto waiter = std::make_shared<Waiter>(co_await asio::this_coro::executor);
    if (self->ask(keys_of(wanted), waiter)) {
        co_await net::Completion<bool>::wait({waiter, &waiter->all_known}, self->settings_.patience);
    }
    co_return self->collect(wanted);
}

/// Sees to it that what is missing or old is asked for; true when there is something to wait for.
bool ProfileNames::Cache::ask(const std::vector<Key>& keys, const WaiterPtr& waiter) {
    std::size_t hands = 0;
    bool waits = false;
    {
        const std::scoped_lock lock(mutex_);
        const auto now = clock_.now();
        if (closed_ || now < rest_until_) return false;
        for (const auto& key : keys) consider(key, waiter, now);
        waits = waiter->missing > 0;
        hands = std::min(queue_.size(), settings_.at_a_time - std::min(workers_, settings_.at_a_time));
        workers_ += hands;
    }
    for (; hands > 0; --hands) {
        asio::co_spawn(waiter->executor, work(std::make_unique<Turn>(shared_from_this())), asio::detached);
    }
    return waits;
}

void ProfileNames::Cache::consider(const Key& key, const WaiterPtr& waiter, core::Time now) {
    const auto* entry = names_.find(key);
    const bool is_known = entry != nullptr && entry->known && now - entry->known_at < settings_.usable;
    if (is_known && now - entry->known_at < settings_.fresh) return;
    auto found = questions_.find(key);
    if (found == questions_.end()) {
        if (entry != nullptr && now < entry->not_before) return;
        if (queue_.size() >= settings_.queue_limit) return;
        found = questions_.try_emplace(key).first;
        queue_.push_back(key);
    }
    if (is_known || found->second.waiters.size() >= kMaxWaiters) return;
    found->second.waiters.push_back(waiter);
    ++waiter->missing;
}

std::vector<service::SessionNames> ProfileNames::Cache::collect(const std::vector<service::NamesWanted>& wanted) {
    std::vector<service::SessionNames> all;
    all.reserve(wanted.size());
    const std::scoped_lock lock(mutex_);
    const auto now = clock_.now();
    for (const auto& one : wanted) {
        auto& names = all.emplace_back();
        if (const auto* doctor = usable(kDoctor, one.doctor_id, now)) {
            names.doctor_name = doctor->name;
            names.doctor_specialty = doctor->specialty;
        }
        if (const auto* patient = usable(kPatient, one.patient_id, now)) names.patient_name = patient->name;
        if (!one.clinic_id) continue;
        if (const auto* clinic = usable(kClinic, std::to_string(*one.clinic_id), now)) names.clinic_name = clinic->name;
    }
    return all;
}

const ProfileName* ProfileNames::Cache::usable(char kind, const std::string& id, core::Time now) {
    const auto* entry = names_.find(kind + id);
    if (entry == nullptr || !entry->known || now - entry->known_at >= settings_.usable) return nullptr;
    return &*entry->known;
}

asio::awaitable<void> ProfileNames::Cache::work(std::unique_ptr<Turn> turn) {
    while (turn->next()) turn->land(outcome_of(co_await turn->send(), turn->key()));
}

void ProfileNames::Cache::landed(const Key& key, Outcome outcome) {
    const bool good = outcome.kind != Outcome::Kind::no_answer;
    bool changed = false;
    {
        const std::scoped_lock lock(mutex_);
        const auto now = clock_.now();
        const bool was_good = failures_ < settings_.failures_in_a_row;
        remember(key, std::move(outcome), now);
        if (good) {
            failures_ = 0;
        } else {
            count_failure(now);
        }
        changed = was_good != (failures_ < settings_.failures_in_a_row);
        settle(key);
    }
    if (changed && good) core::log::info("the profile service answers again");
    if (changed && !good) core::log::warning("the profile service does not answer; names are left out");
}

void ProfileNames::Cache::remember(const Key& key, Outcome outcome, core::Time now) {
    auto& entry = names_.at(key);
    if (outcome.kind == Outcome::Kind::known) {
        entry = {std::move(outcome.name), now, now};
        return;
    }
    if (outcome.kind == Outcome::Kind::nobody) entry.known.reset();
    entry.not_before = now + settings_.failure_memory;
}

/// The service is given a rest after a few; whoever waits for his turn then goes without.
void ProfileNames::Cache::count_failure(core::Time now) {
    if (++failures_ < settings_.failures_in_a_row) return;
    rest_until_ = now + settings_.rest;
    for (const auto& key : std::exchange(queue_, {})) settle(key);
}

/// Ends a question; tells those who have waited for nothing else.
void ProfileNames::Cache::settle(const Key& key) {
    const auto found = questions_.find(key);
    if (found == questions_.end()) return;
    for (const auto& waiter : found->second.waiters) {
        if (--waiter->missing > 0) continue;
        waiter->loop->post(waiter->executor, [waiter] { waiter->all_known.complete(true); });
    }
    questions_.erase(found);
}

void ProfileNames::Cache::close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    for (const auto& key : std::exchange(queue_, {})) settle(key);
}

ProfileNames::ProfileNames(ProfileNamesSettings settings, net::HttpClient& client, const core::Clock& clock)
    : cache_(std::make_shared<Cache>(std::move(settings), client, clock)) {}

ProfileNames::~ProfileNames() {
    cache_->close();
}

service::Task<std::vector<service::SessionNames>> ProfileNames::names_of(std::vector<service::NamesWanted> wanted) {
    return Cache::answer(cache_, std::move(wanted));
}

}  // namespace directory
