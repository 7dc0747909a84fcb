#include "consultation/access.hpp"

#include <gtest/gtest.h>

namespace consultation {
namespace {

Session session() {
    Session s;
    s.doctor_id = "12";
    s.patient_id = "34";
    return s;
}

const Caller kDoctor{"12", "DOCTOR"}, kOtherDoctor{"13", "DOCTOR"}, kPatient{"34", "PATIENT"},
    kOtherPatient{"35", "PATIENT"}, kPharmacist{"12", "PHARMACIST"}, kService{"34", "SERVICE"},
    kPatientNamedLikeTheDoctor{"12", "PATIENT"};

TEST(Access, AdminsAreAdminClinicAdminAndSysAdmin) {
    for (const auto* role : {"ADMIN", "CLINIC_ADMIN", "SYS_ADMIN"}) EXPECT_TRUE((Caller{"1", role}.is_admin())) << role;
    for (const auto* role : {"DOCTOR", "PATIENT", "PHARMACIST", "SERVICE", "admin", ""}) {
        EXPECT_FALSE((Caller{"1", role}.is_admin())) << role;
    }
}

TEST(Access, D2OnlyOwnSessionsAndOnlyByDoctorsPatientsAndAdmins) {
    EXPECT_TRUE(may_create(kDoctor, "12", "99"));
    EXPECT_TRUE(may_create(kPatient, "99", "34"));
    EXPECT_TRUE(may_create({"1", "SYS_ADMIN"}, "98", "99"));
    EXPECT_EQ(may_create(kOtherDoctor, "12", "34").error().detail, "Doctors can only create sessions for themselves");
    EXPECT_EQ(may_create(kOtherPatient, "12", "34").error().detail, "Patients can only create sessions for themselves");
    EXPECT_FALSE(may_create(kPharmacist, "12", "34"));
    EXPECT_FALSE(may_create(kService, "12", "34"));
}

TEST(Access, IdAndRoleMustBothFit) {
    EXPECT_EQ(part_of(session(), kDoctor), Role::doctor);
    EXPECT_EQ(part_of(session(), kPatient), Role::patient);
    for (const auto& stranger : {kOtherDoctor, kOtherPatient, kPharmacist, kService, kPatientNamedLikeTheDoctor}) {
        EXPECT_FALSE(part_of(session(), stranger));
        EXPECT_FALSE(may_see(session(), stranger));
        EXPECT_FALSE(may_join(session(), stranger));
        EXPECT_FALSE(may_end(session(), stranger));
        EXPECT_FALSE(may_write_notes(session(), stranger));
    }
}

TEST(Access, AdminsSeeAndEndButNeitherJoinNorWriteNotes) {
    const Caller admin{"1", "ADMIN"};
    EXPECT_TRUE(may_see(session(), admin));
    EXPECT_TRUE(may_end(session(), admin));
    EXPECT_TRUE(may_start(session(), admin));
    EXPECT_EQ(may_join(session(), admin).error().detail, "You are not authorized to join this session");
    EXPECT_FALSE(may_write_notes(session(), admin));
}

TEST(Access, ListsByPersonNeedThePersonInThatRole) {
    EXPECT_TRUE(may_list_of(kDoctor, Role::doctor, "12"));
    EXPECT_FALSE(may_list_of(kPatientNamedLikeTheDoctor, Role::doctor, "12"));
    EXPECT_TRUE(may_list_of({"1", "CLINIC_ADMIN"}, Role::patient, "34"));
    EXPECT_FALSE(may_list_of(kDoctor, Role::patient, "34"));
}

TEST(Access, D27UsageIsForDoctorsAndAdmins) {
    EXPECT_TRUE(may_see_usage(kDoctor));
    EXPECT_TRUE(may_see_usage({"1", "ADMIN"}));
    EXPECT_FALSE(may_see_usage(kPatient));
}

}  // namespace
}  // namespace consultation
