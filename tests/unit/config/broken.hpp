// SPDX-License-Identifier: Apache-2.0
//
// What the tests of broken config files share.
#pragma once

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/config/config.hpp>

namespace beeline::config {

/// A file and all that is said about it, one line each.
struct Broken {
    std::string text;
    std::vector<std::string> said;
};

inline void check(const Broken &broken) {
    const auto [config, diagnostics] = parse(broken.text, "c.toml");
    std::vector<std::string> said;
    for (const rules::Diagnostic &diagnostic : diagnostics)
        said.push_back(diagnostic.one_line());
    EXPECT_EQ(said, broken.said) << broken.text;
    EXPECT_EQ(config.has_value(), !rules::has_errors(diagnostics)) << broken.text;
}

} // namespace beeline::config
