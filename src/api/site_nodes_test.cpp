// The site of a node among others.
#include "api/site_test_parts.hpp"

namespace api {
namespace {

using SiteOfANode = testing_parts::SiteTest;

TEST_F(SiteOfANode, OneThatDrainsIsNotReady) {
    settings_.vitals = [] {
        service::Vitals vitals;
        vitals.nodes.draining = true;
        return vitals;
    };
    const auto response = ask("GET", "/health/ready");
    EXPECT_EQ(response.status, 503U);
    EXPECT_EQ(response.body, R"({"status":"draining"})");
    EXPECT_EQ(store_.asked, 0);
}

}  // namespace
}  // namespace api
