// A page of all that is held on a patient, as JSON and as a FHIR R4 Bundle (http://hl7.org/fhir/R4/). Pure.
#pragma once

#include <string>
#include <string_view>

#include "service/patient_export.hpp"

namespace api {

/// `next`: the URL of the page behind this one; empty: there is none.
std::string export_answer(const service::PatientPage& page, std::string_view next);

/// What a bundle says about where it comes from.
struct BundleSource {
    std::string base;      ///< Of the service's URLs, without a slash at the end; resources are named below `/fhir`.
    std::string self;      ///< URL of this page.
    std::string next;      ///< As above.
    std::string observer;  ///< Name of the service.
};

/// A searchset: Patient, Consent, and for each session Appointment, Encounter, DocumentReference (the doctor's notes)
/// and AuditEvent. People are named by their ids of the platform; nothing else is known of them here.
std::string fhir_bundle(const service::PatientPage& page, const BundleSource& source);

}  // namespace api
