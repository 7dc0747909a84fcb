// What patients agree to before their first call, and that they have: one versioned text, and one record for each
// patient and version that is never changed.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/result.hpp"
#include "core/time.hpp"
#include "service/booking_store.hpp"
#include "service/task.hpp"
#include "service/token_verifier.hpp"

namespace service {

struct ConsentText {
    std::string version;
    std::string text;    ///< Markdown, UTF-8.
    std::string sha256;  ///< Of the text, in hex.
};

/// Owns nothing but the text; the references must outlive it. Any control-plane thread.
class Consents {
  public:
    Consents(ConsentText text, BookingStore& store, const core::Clock& clock)
        : text_(std::move(text)), store_(store), clock_(clock) {}

    const ConsentText& text() const { return text_; }

    /// Fails with `precondition_required` unless the patient has agreed to the present version.
    Task<core::Result<void>> demand(std::string patient_id) const;
    Task<core::Result<std::optional<Consent>>> given_by(std::string patient_id) const;

    struct Given {
        Consent consent;
        bool is_new = true;  ///< False: they had agreed to this version before, and this is that record.
    };
    /// The caller is the patient. `conflict` when `version` is not the present one.
    Task<core::Result<Given>> give(Caller caller, std::string version, std::optional<std::string> session_id) const;

  private:
    ConsentText text_;
    BookingStore& store_;
    const core::Clock& clock_;
};

}  // namespace service
