#include "meetings/chime/chime_names.hpp"

#include <gtest/gtest.h>

namespace meetings::chime {
namespace {

TEST(ChimeNames, OrdinaryIdsStayAsTheyAre) {
    EXPECT_EQ(external_user_id_for("doctor-12"), "doctor-12");
    EXPECT_EQ(external_user_id_for("guest-5f0c21d3a9b4"), "guest-5f0c21d3a9b4");
    EXPECT_EQ(external_user_id_for("patient-a@b.example"), "patient-a@b.example");
    EXPECT_EQ(external_meeting_id_for("54a780e9-cdea-473a-ad93-801d19d54ff4"),
              "pulseone-54a780e9-cdea-473a-ad93-801d19d54ff4");
    EXPECT_EQ(request_token_for("54a780e9-cdea-473a-ad93-801d19d54ff4", 2), "54a780e9-cdea-473a-ad93-801d19d54ff4-2");
}

TEST(ChimeNames, D18LongAndOddUserIdsAreMadeToFit) {
    const std::string just_fits = "doctor-" + std::string(57, 'x');
    EXPECT_EQ(external_user_id_for(just_fits), just_fits);
    for (const auto& odd : {"doctor-" + std::string(58, 'x'), std::string{"doctor-łódź"}, std::string{"doctor-a!b"},
                            std::string{"doctor-a\nb"}, std::string{"doctor-<b>"}}) {
        const auto fitted = external_user_id_for(odd);
        EXPECT_EQ(fitted.size(), 39u);
        EXPECT_TRUE(fitted.starts_with("doctor-")) << fitted;
        EXPECT_EQ(fitted, external_user_id_for(odd));
        EXPECT_EQ(fitted, external_user_id_for(fitted));
    }
    EXPECT_TRUE(external_user_id_for("patient-" + std::string(100, 'x')).starts_with("patient-"));
    EXPECT_TRUE(external_user_id_for("aws:x").starts_with("patient-"));
    EXPECT_NE(external_user_id_for("doctor-a!"), external_user_id_for("doctor-b!"));
    EXPECT_NE(external_user_id_for("doctor-!"), external_user_id_for("patient-!"));
}

TEST(ChimeNames, OddSessionIdsAreMadeToFit) {
    const std::string odd = "an odd/session id, " + std::string(80, 'x');
    EXPECT_EQ(request_token_for(odd, 1).size(), 64u);
    EXPECT_NE(request_token_for(odd, 1), request_token_for(odd, 2));
    EXPECT_EQ(external_meeting_id_for(odd).size(), 41u);
    EXPECT_EQ(request_token_for("", 1), "-1");
}

TEST(ChimeNames, TagsHoldOnlyWhatTheyMay) {
    EXPECT_EQ(tag_value_for("a b_c+d-e=f.g:h/i@j"), "a b_c+d-e=f.g:h/i@j");
    EXPECT_EQ(tag_value_for("łódź <1>\n"), "__d_ _1__");
    EXPECT_EQ(tag_value_for(std::string(300, 'x')).size(), 256u);
    EXPECT_EQ(tag_value_for(""), "");
}

TEST(ChimeNames, IdsOfAwsAreLettersDigitsAndDashes) {
    EXPECT_TRUE(is_chime_id("e3338f73-c769-4d65-b8ce-bf4314b488ef"));
    for (const auto* odd : {"", "x", "..", "a/b", "a b", "a%2Fb", "é"}) EXPECT_FALSE(is_chime_id(odd)) << odd;
    EXPECT_FALSE(is_chime_id(std::string(65, 'a')));
}

}  // namespace
}  // namespace meetings::chime
