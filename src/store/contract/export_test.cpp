// All that is held on a patient, page by page, from tables as the service has them.
#include <algorithm>
#include <set>

#include "service/patient_export.hpp"
#include "store/contract/harness.hpp"
#include "store/sealed/whole_store.hpp"

namespace store::contract {
namespace {

using service::PatientExport;
using service::PatientPage;

class Exported : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        auto engine = backend->open();
        auto& keys = dynamic_cast<service::KeyStore&>(*engine);
        auto& below = dynamic_cast<service::Archive&>(*engine);
        store = std::make_unique<sealed::WholeStore>(std::move(engine), keys, below,
                                                     sealed::MasterKeys({sealed::derived_master_key("x")}), clock);
        ASSERT_TRUE(loop.run(store->ring().load()));
        trail = std::make_unique<service::AccessTrail>(*store, clock, service::AdminAccess::open);
        exports = std::make_unique<PatientExport>(*store, store->archive(), *trail, clock);
    }

    void book(int number, const std::string& patient, int rows) {
        auto session = plain_session(number);
        session.patient_id = patient;
        ASSERT_EQ(loop.run(store->commit(creation(session))).value(), Committed::applied);
        std::vector<consultation::AuditEntry> entries;
        entries.reserve(static_cast<std::size_t>(rows));
        for (int row = 0; row < rows; ++row) {
            entries.push_back({id(number * 10000 + row), session.session_id, "NOTE", "row", patient, at()});
        }
        if (rows > 0) ASSERT_TRUE(loop.run(store->record(std::move(entries), {})));
    }
    core::Result<PatientPage> page(const std::string& patient, service::PageWanted wanted) {
        return loop.run(exports->page({.user_id = patient, .role = "PATIENT"}, patient, std::move(wanted)));
    }

    std::unique_ptr<Backend> backend = make_backend(GetParam());
    core::SystemClock clock;
    Loop loop;
    std::unique_ptr<sealed::WholeStore> store;
    std::unique_ptr<service::AccessTrail> trail;
    std::unique_ptr<PatientExport> exports;
};
STORE_TEST_SUITE(Exported);

TEST_P(Exported, ALongTrailGoesOnOverPagesAndNothingIsTwiceOrLeftOut) {
    const int most = PatientExport::kMostAuditRows;
    book(1, "p", 3);
    book(2, "p", most + 700);
    book(3, "p", most - 697);  // With what is left of the one before: a page to the brim.
    book(4, "p", 1);
    std::multiset<std::string> rows;
    std::vector<std::string> sessions;
    int pages = 0;
    for (service::PageWanted wanted{{}, 3};; ++pages) {
        const auto got = page("p", wanted).value();
        std::size_t held = 0;
        for (const auto& exported : got.sessions) {
            if (!exported.continued) sessions.push_back(exported.session.session_id);
            for (const auto& entry : exported.audit) rows.insert(entry.event_id);
            held += exported.audit.size();
        }
        EXPECT_LE(held, static_cast<std::size_t>(most));
        EXPECT_LE(got.sessions.size(), 3U);
        if (!got.next) break;
        wanted.after = *got.next;
        ASSERT_LT(pages, 10);
    }
    EXPECT_EQ(sessions, (std::vector<std::string>{id(1), id(2), id(3), id(4)}));
    EXPECT_EQ(rows.size(), static_cast<std::size_t>(3 + most + 700 + most - 697 + 1));
    EXPECT_EQ(std::set<std::string>(rows.begin(), rows.end()).size(), rows.size());
}

TEST_P(Exported, APlaceThatSomebodyMadeUpShowsNothingOfOthers) {
    book(1, "p", 5);
    book(2, "q", 5);
    for (const auto& after :
         std::vector<std::string>{id(1) + "~1", id(1) + "~9999999999999999999", id(1) + "~-4", id(1) + "~x",
                                  std::string{"~"}, std::string{"~~~"}, std::string(3000, 'z')}) {
        const auto got = page("q", {after, 10}).value();
        for (const auto& exported : got.sessions) EXPECT_EQ(exported.session.patient_id, "q") << after;
    }
}

TEST_P(Exported, OthersAreRefusedAndThatIsWrittenDown) {
    book(1, "p", 1);
    const auto refused = loop.run(exports->page({.user_id = "q", .role = "PATIENT"}, "p", {}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, core::ErrorKind::forbidden);
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_events WHERE event_type = 'ACCESS_DENIED'"), "1");
}

}  // namespace
}  // namespace store::contract
