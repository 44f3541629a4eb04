// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/netns.hpp>

#include <cerrno>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include <harness/assert.hpp>
#include <harness/names.hpp>

namespace beeline::kernel {
namespace {

std::uint64_t here() {
    const auto current = NetNs::current();
    return current ? current->inode().value_or(0) : 0;
}

class NetNamespaces : public testing::Test {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        start_ = here();
        ASSERT_NE(start_, 0U);
    }
    void TearDown() override { EXPECT_EQ(here(), start_) << "the test's thread is where it began"; }
    std::uint64_t start_ = 0;
};

TEST_F(NetNamespaces, with_a_name_are_seen_by_others_and_go_with_the_object) {
    const std::string name = harness::unique_name("n");
    {
        ASSERT_VALUE(const NetNs netns, NetNs::create(name));
        ASSERT_VALUE(const std::uint64_t inode, netns.inode());
        EXPECT_NE(inode, start_);
        ASSERT_VALUE(const NetNs same, NetNs::by_name(name));
        EXPECT_EQ(same.inode(), inode);
        EXPECT_EQ(netns.path(), "/run/netns/" + name);
        const auto twice = NetNs::create(name);
        ASSERT_FALSE(twice);
        EXPECT_EQ(twice.error().kind, Kind::conflict);
    }
    EXPECT_EQ(::access(("/run/netns/" + name).c_str(), F_OK), -1);
    EXPECT_EQ(NetNs::by_name(name).error().code, ENOENT);
}

TEST_F(NetNamespaces, can_be_kept_and_removed_by_name) {
    const std::string name = harness::unique_name("n");
    {
        ASSERT_VALUE(NetNs netns, NetNs::create(name));
        netns.keep();
    }
    ASSERT_OK(NetNs::by_name(name));
    ASSERT_OK(NetNs::remove(name));
    ASSERT_OK(NetNs::remove(name));
    EXPECT_FALSE(NetNs::by_name(name));
}

TEST_F(NetNamespaces, are_destroyed_once) {
    ASSERT_VALUE(NetNs netns, NetNs::create(harness::unique_name("n")));
    NetNs moved = std::move(netns);
    ASSERT_OK(moved.destroy());
    EXPECT_FALSE(NetNs::by_name(moved.name()));
    ASSERT_OK(moved.destroy());
    EXPECT_TRUE(moved.inode()) << "the descriptor still holds the namespace";
}

TEST_F(NetNamespaces, are_entered_and_left_again) {
    ASSERT_VALUE(const NetNs netns, NetNs::anonymous());
    ASSERT_VALUE(const std::uint64_t inside, netns.inode());
    {
        ASSERT_VALUE(const auto outer, netns.enter());
        EXPECT_EQ(here(), inside);
        ASSERT_VALUE(const NetNs second, NetNs::anonymous());
        {
            ASSERT_VALUE(const auto inner, second.enter());
            EXPECT_EQ(here(), second.inode());
        }
        EXPECT_EQ(here(), inside);
        std::uint64_t elsewhere = 0;
        std::thread([&elsewhere] { elsewhere = here(); }).join();
        EXPECT_EQ(elsewhere, inside) << "a new thread starts where its maker is";
    }
    EXPECT_EQ(here(), start_);
}

TEST_F(NetNamespaces, run_callables_of_any_kind) {
    ASSERT_VALUE(const NetNs netns, NetNs::anonymous());
    ASSERT_VALUE(const std::uint64_t inside, netns.inode());
    EXPECT_EQ(netns.within(here), inside); // a value becomes a Result
    EXPECT_TRUE(netns.within([] {}));      // nothing, too
    const auto failed = netns.within([]() -> Result<int> { return fail_errno(ENOTTY, "inside"); });
    ASSERT_FALSE(failed); // a Result stays one
    EXPECT_EQ(failed.error().code, ENOTTY);
    EXPECT_EQ(here(), start_);
}

TEST_F(NetNamespaces, are_found_by_process) {
    ASSERT_VALUE(const NetNs own, NetNs::of_process(::getpid()));
    EXPECT_EQ(own.inode(), start_);
    EXPECT_FALSE(NetNs::of_process(0x7ffffffe));
}

TEST_F(NetNamespaces, have_names_without_slashes) {
    for (const char *name : {"", ".", "..", "a/b", "../../etc/passwd"}) {
        EXPECT_FALSE(NetNs::create(name)) << name;
        EXPECT_FALSE(NetNs::remove(name)) << name;
    }
}

TEST_F(NetNamespaces, are_not_any_file) {
    ASSERT_VALUE(const NetNs wrong, NetNs::open("/dev/null"));
    EXPECT_FALSE(wrong.enter());
}

} // namespace
} // namespace beeline::kernel
