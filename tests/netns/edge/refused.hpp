// SPDX-License-Identifier: Apache-2.0
//
// An edge on a host that must be as it was after everything that is refused.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host.hpp"
#include "world.hpp"

namespace beeline::edge {

class EdgeRefused : public testing::Test {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(pair_, Pair::make({.silent = true}));
        ASSERT_VALUE(host_, pair_->host_b());
    }
    Result<int> ifindex(const std::string &name) {
        BL_TRY(const kernel::Device device, pair_->b->device(name));
        return device.ifindex;
    }
    void expect_unchanged(const World &world) {
        ASSERT_VALUE(const auto changes, world.changes_since());
        EXPECT_THAT(changes, testing::IsEmpty()) << lines(changes);
    }

    std::unique_ptr<Pair> pair_;
    std::optional<Host> host_;
};

} // namespace beeline::edge
