// The layer of the store that keeps texts about people sealed: what goes down is sealed, what comes up is opened, and
// neither the engine below nor the service above knows of it. Made by the wiring; what it is made of must outlive it.
// Calls as in the ports. A text that cannot be opened is `internal`; the log learns its place and nothing else.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "service/archive.hpp"
#include "service/store_layer.hpp"
#include "store/sealed/key_ring.hpp"

namespace store::sealed {

/// A text that came up sealed, and where it lies; it is replaced by what it says.
struct SealedSlot {
    service::SealedColumn column;
    std::string_view row;
    std::string* text = nullptr;
};

class SealedStore final : public service::StoreLayer {
  public:
    SealedStore(service::Store& below, KeyRing& ring) : StoreLayer(below), ring_(ring) {}

    service::Task<core::Result<std::optional<consultation::Session>>> find(std::string session_id) override;
    service::Task<core::Result<std::optional<consultation::Session>>> find_by_meeting(std::string meeting_id) override;
    service::Task<core::Result<std::optional<consultation::Session>>> find_by_appointment(
        std::string appointment_id) override;
    service::Task<core::Result<service::SessionPage>> list(service::SessionQuery query) override;
    service::Task<core::Result<std::vector<consultation::AuditEntry>>> audit_trail(std::string session_id) override;
    service::Task<core::Result<std::optional<service::IdempotencyRecord>>> find_idempotency(std::string user_id,
                                                                                            std::string key) override;
    service::Task<core::Result<service::Committed>> commit(
        consultation::Change change, std::optional<service::IdempotencyRecord> idempotency = {}) override;

    service::Task<core::Result<void>> append(consultation::Event event) override;
    /// A message that cannot be opened is left out, and stays: it holds up no other.
    service::Task<core::Result<std::vector<service::OutboxMessage>>> unpublished(int limit) override;
    service::Task<core::Result<std::vector<service::Delivery>>> due_deliveries(service::Time now, int limit) override;

    service::Task<core::Result<bool>> note_threshold(std::string month, int percent,
                                                     consultation::Event event) override;
    service::Task<core::Result<void>> record_quality(std::string session_id, std::string user_id,
                                                     consultation::Provider provider, service::QualityReport report,
                                                     service::Time now) override;

    service::Task<core::Result<void>> record(std::vector<consultation::AuditEntry> entries,
                                             std::vector<consultation::Event> events) override;

  private:
    service::Task<core::Result<std::optional<consultation::Session>>> opened(
        core::Result<std::optional<consultation::Session>> found);

    KeyRing& ring_;
};

/// The archive of the same store: figures come up with their texts opened.
class SealedArchive final : public service::Archive {
  public:
    SealedArchive(service::Archive& below, KeyRing& ring) : below_(below), ring_(ring) {}

    service::Task<core::Result<std::vector<std::string>>> expired(service::Time before, int limit) override;
    service::Task<core::Result<void>> rename_people(std::string session_id,
                                                    std::vector<std::pair<std::string, std::string>> names) override;
    service::Task<core::Result<void>> mark_retired(std::string session_id, service::Time now) override;
    service::Task<core::Result<bool>> purge(std::string session_id, std::int64_t version) override;
    service::Task<core::Result<int>> prune(service::Leftover what, service::Time before, int limit) override;
    service::Task<core::Result<std::vector<std::string>>> sessions_of_patient(std::string patient_id, std::string after,
                                                                              int limit) override;
    service::Task<core::Result<std::vector<consultation::Interval>>> stays(std::string session_id) override;
    service::Task<core::Result<std::vector<service::PersonFigures>>> figures(std::string session_id) override;
    service::Task<core::Result<std::vector<service::AuditRow>>> audit_rows(std::string session_id,
                                                                           std::int64_t after_sequence,
                                                                           int limit) override;
    service::Task<core::Result<std::vector<service::Consent>>> consents_of(std::string patient_id) override;

  private:
    service::Archive& below_;
    KeyRing& ring_;
};

/// Opens every slot or none. Reads the keys again when one is unknown.
service::Task<core::Result<void>> open_slots(KeyRing& ring, std::vector<SealedSlot> slots);

}  // namespace store::sealed
