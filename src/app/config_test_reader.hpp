// For tests of the configuration: what these variables come to.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "app/config.hpp"

namespace app::test {

inline core::Result<Config> read(const Environment::Values& values) {
    Environment environment;
    environment.layer(values);
    return read_config(environment);
}

/// The line for the operator; `accepted` when there is none.
inline std::string complaint(const Environment::Values& values) {
    const auto config = read(values);
    if (config) return "accepted";
    EXPECT_EQ(config.error().kind, core::ErrorKind::invalid);
    return config.error().detail;
}

}  // namespace app::test
