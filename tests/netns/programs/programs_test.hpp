// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <beeline/kernel/features.hpp>
#include <harness/assert.hpp>

#include "netns/programs/servers.hpp"

namespace beeline::programs {

using testing::HasSubstr;
using testing::Not;

/// Skipped where there are no programs, or no short cut.
class Programs : public testing::Test {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        for (const auto feature :
             {kernel::FeatureId::sockmap_link, kernel::FeatureId::tp_btf, kernel::FeatureId::sockmap_inq})
            if (const auto there = kernel::require(feature); !there)
                GTEST_SKIP() << there.error().message();
        auto scene = Scene::create();
        if (!scene && scene.error().kind == Kind::unsupported)
            GTEST_SKIP() << scene.error().message();
        ASSERT_VALUE(scene_, std::move(scene));
    }

    /// What went where, for a test that failed.
    [[nodiscard]] std::string told() const { return scene_->status().dump(1) + "\n" + scene_->connections().dump(1); }

    std::unique_ptr<Scene> scene_;
};

} // namespace beeline::programs
