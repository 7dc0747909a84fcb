// Durable work at a meeting provider.
#include <set>

#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using consultation::Job;
using consultation::Provider;

class Jobs : public StoreTest {
  protected:
    static Job job(int number, Time due_at) {
        return {
            id(number), Job::Kind::end_meeting, id(1), Provider::chime, "meeting-" + std::to_string(number), "", due_at,
            0};
    }
    std::vector<Job> claim(Time now, int limit = 10) { return done(store->claim_jobs(now, 30s, limit)); }
    static std::vector<std::string> ids(const std::vector<Job>& jobs) {
        std::vector<std::string> ids;
        ids.reserve(jobs.size());
        for (const auto& job : jobs) ids.push_back(job.job_id);
        return ids;
    }
};
STORE_TEST_SUITE(Jobs);
SEALED_STORE_TEST_SUITE(Jobs);

TEST_P(Jobs, AChangeBringsItsWork) {
    auto change = update(created(plain_session(1)));
    change.jobs = {job(5, at()),
                   {id(6), Job::Kind::remove_attendee, id(1), Provider::chime, "meeting", "attendee", at(1s), 0}};
    EXPECT_EQ(commit(change), Committed::applied);
    const auto claimed = claim(at(1s));
    ASSERT_EQ(claimed.size(), 2U);
    EXPECT_EQ(claimed[0].job_id, id(5));
    EXPECT_EQ(claimed[0].kind, Job::Kind::end_meeting);
    EXPECT_EQ(claimed[0].attendee_id, "");
    EXPECT_EQ(claimed[1].job_id, id(6));
    EXPECT_EQ(claimed[1].kind, Job::Kind::remove_attendee);
    EXPECT_EQ(claimed[1].session_id, id(1));
    EXPECT_EQ(claimed[1].provider, Provider::chime);
    EXPECT_EQ(claimed[1].meeting_id, "meeting");
    EXPECT_EQ(claimed[1].attendee_id, "attendee");
    EXPECT_EQ(claimed[1].attempts, 1);
}

TEST_P(Jobs, D23WorkComesBackUntilItIsDone) {
    done(store->add_jobs({job(1, at())}));
    EXPECT_TRUE(claim(at(-1us)).empty());
    EXPECT_EQ(claim(at()).at(0).attempts, 1);
    // Whoever took it may have died: it comes back after the lease.
    EXPECT_TRUE(claim(at(30s - 1us)).empty());
    EXPECT_EQ(claim(at(30s)).at(0).attempts, 2);
    done(store->postpone_job(id(1), at(1h)));
    EXPECT_TRUE(claim(at(1h - 1us)).empty());
    store.reset();
    store = backend->open();
    EXPECT_EQ(claim(at(1h)).at(0).attempts, 3);
    done(store->finish_job(id(1)));
    EXPECT_TRUE(claim(at(24h)).empty());
    done(store->finish_job(id(1)));
}

TEST_P(Jobs, OldestFirstAndNoMoreThanAskedFor) {
    done(store->add_jobs({job(1, at(3s)), job(2, at(1s)), job(3, at(2s)), job(4, at(1h))}));
    EXPECT_EQ(ids(claim(at(1min), 2)), (std::vector{id(2), id(3)}));
    EXPECT_EQ(ids(claim(at(1min), 2)), (std::vector{id(1)}));
}

TEST_P(Jobs, TwoProcessesNeverTakeTheSameJob) {
    std::vector<Job> jobs;
    jobs.reserve(60);
    for (int number = 1; number <= 60; ++number) jobs.push_back(job(number, at()));
    done(store->add_jobs(jobs));
    const auto other = backend->open();
    std::multiset<std::string> taken;
    for (int round = 0; taken.size() < jobs.size() && round < 100; ++round) {
        const auto first = loop.begin(store->claim_jobs(at(), 30s, 7));
        const auto second = loop.begin(other->claim_jobs(at(), 30s, 7));
        for (const auto& job : awaited(first)) taken.insert(job.job_id);
        for (const auto& job : awaited(second)) taken.insert(job.job_id);
    }
    EXPECT_EQ(taken.size(), 60U);
    EXPECT_EQ(std::set(taken.begin(), taken.end()).size(), 60U);
}

TEST_P(Jobs, AddingAgainChangesNothing) {
    auto odd = job(1, at());
    odd.meeting_id = R"({"a,b\)";
    odd.attendee_id = "NULL";
    done(store->add_jobs({odd, job(2, at())}));
    EXPECT_EQ(claim(at()).at(0).meeting_id, odd.meeting_id);
    done(store->add_jobs({odd, job(3, at())}));
    done(store->add_jobs({}));
    EXPECT_EQ(ids(claim(at())), (std::vector{id(3)}));
    EXPECT_EQ(claim(at(30s)).at(0).attendee_id, "NULL");
}

TEST_P(Jobs, TheBacklogSaysSinceWhen) {
    EXPECT_EQ(done(store->job_backlog()).waiting, 0);
    EXPECT_EQ(done(store->job_backlog()).oldest, std::nullopt);
    done(store->add_jobs({job(1, at(2s)), job(2, at(1s))}));
    claim(at(1min));
    done(store->postpone_job(id(2), at(2h)));
    EXPECT_EQ(done(store->job_backlog()).waiting, 2);
    EXPECT_EQ(done(store->job_backlog()).oldest, at(1s));
    done(store->finish_job(id(2)));
    EXPECT_EQ(done(store->job_backlog()).oldest, at(2s));
}

}  // namespace
}  // namespace store::contract
