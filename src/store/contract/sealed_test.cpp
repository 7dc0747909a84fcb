// Texts at rest: what lies in the tables, what comes back, and what becomes of both when keys change.
#include "service/archive.hpp"
#include "store/contract/harness.hpp"
#include "store/sealed/columns.hpp"
#include "store/sealed/reseal.hpp"
#include "store/sealed/whole_store.hpp"

namespace store::contract {
namespace {

using sealed::MasterKey;
using sealed::MasterKeys;
using sealed::WholeStore;

MasterKey master(const std::string& id) {
    return {id, core::Aes256Gcm(core::hmac_sha256(core::as_bytes(id), core::as_bytes("of the tests")))};
}

/// An engine below, and processes above it, each with keys of its own.
class Sealed : public testing::TestWithParam<std::string> {
  protected:
    struct Process {
        std::unique_ptr<WholeStore> store;
        service::KeyStore* keys = nullptr;
        bool loaded = false;
        core::Error error;  ///< Why not.
    };

    Process start(std::vector<std::string> masters) {
        auto engine = backend->open();
        Process process;
        process.keys = dynamic_cast<service::KeyStore*>(engine.get());
        auto& archive = dynamic_cast<service::Archive&>(*engine);
        std::vector<MasterKey> keys;
        keys.reserve(masters.size());
        for (const auto& id : masters) keys.push_back(master(id));
        process.store =
            std::make_unique<WholeStore>(std::move(engine), *process.keys, archive, MasterKeys(std::move(keys)), clock);
        const auto loaded = loop.run(process.store->ring().load());
        process.loaded = loaded.has_value();
        if (!loaded) process.error = loaded.error();
        return process;
    }
    Session book(Process& process, int number) {
        auto session = full_session(number);
        auto change = creation(session);
        change.audit.push_back(
            {id(number + 700), session.session_id, "SESSION_CREATED", "marked description", "34", at()});
        change.events.push_back(event(number + 800, session.session_id));
        change.events.back().data.emplace_back("complaint", *session.chief_complaint);
        const service::IdempotencyRecord record{"34", "key-" + std::to_string(number), "marked-hash",
                                                session.session_id};
        EXPECT_EQ(loop.run(process.store->commit(change, record)).value(), Committed::applied);
        return session;
    }
    core::Result<std::optional<Session>> find(Process& process, int number) {
        return loop.run(process.store->find(id(number)));
    }
    std::string column(const std::string& name, const std::string& table, const std::string& where) {
        return backend->value("SELECT " + name + " FROM video_consultation_" + table + " WHERE " + where);
    }
    std::string notes(int number) { return column("session_notes", "sessions", "session_id = '" + id(number) + "'"); }

    std::unique_ptr<Backend> backend = make_backend(GetParam());
    core::SystemClock clock;
    Loop loop;
};
STORE_TEST_SUITE(Sealed);

TEST_P(Sealed, NothingThatWasSaidLiesInTheTables) {
    auto process = start({"a"});
    const auto session = book(process, 1);
    service::QualityReport report;
    report.issue_description = "marked issue";
    ASSERT_TRUE(loop.run(process.store->record_quality(id(1), "34", consultation::Provider::chime, report, at())));

    const std::string row = "session_id = '" + id(1) + "'";
    for (const auto& text :
         {column("chief_complaint", "sessions", row), notes(1), column("cancellation_reason", "sessions", row),
          column("browser_info", "attendees", "browser_info IS NOT NULL"),
          column("event_description", "events", "event_id = '" + id(701) + "'"),
          column("issue_description", "metrics", row), column("body_hash", "idempotency", row)}) {
        EXPECT_TRUE(text.starts_with("enc1:1:")) << text;
    }
    EXPECT_TRUE(column("payload", "outbox", row).starts_with(R"({"sealed":"enc1:1:)"));

    EXPECT_EQ(find(process, 1).value(), session);
    EXPECT_EQ(loop.run(process.store->audit_trail(id(1))).value().at(0).event_description, "marked description");
    EXPECT_EQ(loop.run(process.store->find_idempotency("34", "key-1")).value()->body_hash, "marked-hash");
    const auto people = loop.run(process.store->archive().figures(id(1))).value();
    EXPECT_EQ(people.at(0).issue_description, "marked issue");
    const auto payload = loop.run(process.store->unpublished(1)).value().at(0).payload;
    EXPECT_TRUE(payload.starts_with(R"({"number":801,"complaint":"Kopfschmerz)")) << payload;
}

TEST_P(Sealed, TextsFromBeforeStayReadable) {
    const auto session = full_session(1);
    {
        auto engine = backend->open();
        ASSERT_EQ(loop.run(engine->commit(creation(session))).value(), Committed::applied);
        ASSERT_TRUE(loop.run(engine->append(event(5, id(1)))));
    }
    auto process = start({"a"});
    EXPECT_EQ(find(process, 1).value(), session);
    EXPECT_EQ(loop.run(process.store->unpublished(1)).value().at(0).payload, R"({"number":5})");

    const auto done = loop.run(sealed::reseal(*process.keys, process.store->ring(), 1)).value();
    EXPECT_EQ(done.texts, 5);  // Complaint, notes, reason, browser, payload.
    EXPECT_TRUE(notes(1).starts_with("enc1:1:"));
    EXPECT_EQ(find(process, 1).value(), session);
    EXPECT_EQ(loop.run(process.store->unpublished(1)).value().at(0).payload, R"({"number":5})");
    EXPECT_EQ(loop.run(sealed::reseal(*process.keys, process.store->ring(), 1)).value().texts, 0);
}

TEST_P(Sealed, ATextInAnotherPlaceOrDamagedIsRefusedAndOnlyItsPlaceIsTold) {
    auto process = start({"a"});
    book(process, 1);
    book(process, 2);
    const auto kept = notes(1);
    const auto put = [&](const std::string& text) {
        backend->value("UPDATE video_consultation_sessions SET session_notes = '" + text + "' WHERE session_id = '" +
                       id(1) + "'");
    };
    auto damaged = kept;
    damaged[40] = damaged[40] == 'A' ? 'B' : 'A';
    const auto complaint = column("chief_complaint", "sessions", "session_id = '" + id(1) + "'");
    for (const auto& text :
         {notes(2), complaint, damaged, kept.substr(0, 60), std::string{"enc1:1:"}, std::string{"enc1:1:%%%"}}) {
        put(text);
        const auto found = find(process, 1);
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().kind, core::ErrorKind::internal);
        EXPECT_EQ(found.error().detail,
                  "a sealed text is damaged: video_consultation_sessions.session_notes of " + id(1));
    }
    put("enc1:9:AAAA");
    EXPECT_EQ(find(process, 1).error().detail,
              "sealed under an unknown key: video_consultation_sessions.session_notes of " + id(1));
    put(kept);
    EXPECT_TRUE(find(process, 1));
    EXPECT_TRUE(find(process, 2));
}

TEST_P(Sealed, ADamagedMessageHoldsUpNoOther) {
    auto process = start({"a"});
    for (int number = 1; number <= 3; ++number) ASSERT_TRUE(loop.run(process.store->append(event(number, "s"))));
    backend->value("UPDATE video_consultation_outbox SET payload = '{\"sealed\":\"enc1:1:AAAA\"}' WHERE event_id = '" +
                   id(2) + "'");
    // Cut off, it is no sealed text any more, and goes as it is.
    backend->value("UPDATE video_consultation_outbox SET payload = '{\"sealed\":\"}' WHERE event_id = '" + id(3) + "'");
    const auto messages = loop.run(process.store->unpublished(10)).value();
    ASSERT_EQ(messages.size(), 2U);
    EXPECT_EQ(messages[0].event_id, id(1));
    EXPECT_EQ(messages[1].event_id, id(3));
}

TEST_P(Sealed, ANewDataKeyIsTakenUpByRunningProcessesAndOldTextsAreTakenOver) {
    auto one = start({"a"});
    auto other = start({"a"});
    ASSERT_TRUE(one.loaded && other.loaded);
    const auto first = book(one, 1);
    EXPECT_EQ(loop.run(one.store->ring().rotate()).value(), 2);
    const auto second = book(one, 2);
    EXPECT_TRUE(notes(2).starts_with("enc1:2:"));
    // The other process has not looked since, and meets the key in a text.
    EXPECT_EQ(find(other, 2).value(), second);
    EXPECT_EQ(other.store->ring().keys()->current(), 2);
    EXPECT_EQ(find(other, 1).value(), first);

    const auto trail = column("event_description", "events", "event_id = '" + id(701) + "'");
    EXPECT_GT(loop.run(sealed::reseal(*one.keys, one.store->ring(), 2)).value().texts, 0);
    EXPECT_TRUE(notes(1).starts_with("enc1:2:"));
    EXPECT_EQ(find(other, 1).value(), first);
    // The trail's MACs cover what is stored.
    EXPECT_EQ(column("event_description", "events", "event_id = '" + id(701) + "'"), trail);
    EXPECT_EQ(loop.run(other.store->audit_trail(id(1))).value().at(0).event_description, "marked description");
    EXPECT_EQ(loop.run(other.store->find_idempotency("34", "key-1")).value()->body_hash, "marked-hash");
}

TEST_P(Sealed, TheMasterKeyIsChangedStepByStep) {
    auto old_one = start({"old"});
    const auto session = book(old_one, 1);
    // Every process knows the new key first; then it becomes the current one.
    auto knowing = start({"old", "new"});
    EXPECT_EQ(find(knowing, 1).value(), session);
    auto moved = start({"new", "old"});
    ASSERT_TRUE(moved.loaded);
    EXPECT_EQ(loop.run(moved.keys->data_keys()).value().at(0).master_id, "new");
    // Running ones do not mind, and old texts need no new seal.
    EXPECT_EQ(find(old_one, 1).value(), session);
    EXPECT_EQ(loop.run(moved.store->ring().rotate()).value(), 2);
    const auto second = book(moved, 2);
    EXPECT_EQ(find(knowing, 2).value(), second);
    auto rid = start({"new"});
    ASSERT_TRUE(rid.loaded);
    EXPECT_EQ(find(rid, 1).value(), session);
    EXPECT_EQ(find(rid, 2).value(), second);
    // Only who was left out of the first step cannot read what is new.
    const auto found = find(old_one, 2);
    ASSERT_FALSE(found);
    EXPECT_NE(found.error().detail.find("master key 'new'"), std::string::npos);
}

TEST_P(Sealed, AMissingOrWrongMasterKeyIsRefusedAtTheStart) {
    {
        ASSERT_TRUE(start({"a"}).loaded);
    }
    const auto missing = start({"b"});
    ASSERT_FALSE(missing.loaded);
    EXPECT_EQ(missing.error.kind, core::ErrorKind::invalid);
    EXPECT_NE(missing.error.detail.find("master key 'a'"), std::string::npos);

    backend->value("UPDATE video_consultation_data_keys SET master_id = 'b'");
    const auto wrong = start({"b"});
    ASSERT_FALSE(wrong.loaded);
    EXPECT_NE(wrong.error.detail.find("does not open data key 1"), std::string::npos);
}

TEST_P(Sealed, ProcessesThatStartTogetherAgreeOnTheFirstKey) {
    auto one = start({"a"});
    auto other = start({"a"});
    EXPECT_EQ(loop.run(one.keys->data_keys()).value().size(), 1U);
    EXPECT_FALSE(loop.run(one.keys->add_data_key({1, "a", "x", at()})).value());
    const auto session = book(one, 1);
    EXPECT_EQ(find(other, 1).value(), session);
    EXPECT_EQ(one.store->ring().keys()->mark("p", "x"), other.store->ring().keys()->mark("p", "x"));
}

TEST_P(Sealed, SealingAnewPassesOverWhatIsDamagedAndWhatHasChanged) {
    auto process = start({"a"});
    book(process, 1);
    const auto second = book(process, 2);
    backend->value("UPDATE video_consultation_sessions SET session_notes = 'enc1:1:AAAA' WHERE session_id = '" + id(1) +
                   "'");
    ASSERT_EQ(loop.run(process.store->ring().rotate()).value(), 2);
    const auto done = loop.run(sealed::reseal(*process.keys, process.store->ring(), 1)).value();
    EXPECT_EQ(done.damaged, 1);
    EXPECT_EQ(notes(1), "enc1:1:AAAA");
    EXPECT_EQ(find(process, 2).value(), second);
    EXPECT_EQ(loop.run(process.keys->replace_texts(sealed::kNotes, {{id(2), "not what is there", "x"}})).value(), 0);
}

}  // namespace
}  // namespace store::contract
