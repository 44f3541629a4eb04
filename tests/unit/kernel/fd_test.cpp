// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/fd.hpp>

#include <cerrno>
#include <type_traits>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <harness/assert.hpp>

namespace beeline::kernel {
namespace {

static_assert(!std::is_convertible_v<UniqueFd, int>, "a descriptor never is a number by accident");
static_assert(!std::is_convertible_v<int, UniqueFd>);
static_assert(!std::is_copy_constructible_v<UniqueFd> && !std::is_copy_assignable_v<UniqueFd>);
static_assert(std::is_nothrow_move_constructible_v<UniqueFd> && std::is_nothrow_move_assignable_v<UniqueFd>);

int open_null() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(UniqueFd, closes_what_it_owns) {
    const int raw = open_null();
    { const UniqueFd fd(raw); }
    EXPECT_FALSE(is_open(raw));
}

TEST(UniqueFd, is_empty_at_first_and_after_release) {
    UniqueFd fd;
    EXPECT_FALSE(fd.valid());
    EXPECT_EQ(fd.get(), -1);
    fd = UniqueFd(open_null());
    const int raw = fd.release();
    EXPECT_FALSE(fd.valid());
    EXPECT_TRUE(is_open(raw));
    ::close(raw);
}

TEST(UniqueFd, owns_descriptor_zero) {
    const int saved = ::fcntl(0, F_DUPFD_CLOEXEC, 3);
    ASSERT_GE(::dup2(saved >= 0 ? saved : open_null(), 0), 0);
    {
        const UniqueFd zero(0);
        EXPECT_TRUE(zero.valid());
    }
    EXPECT_FALSE(is_open(0));
    ASSERT_EQ(::dup2(saved >= 0 ? saved : open_null(), 0), 0);
}

TEST(UniqueFd, closes_the_old_one_when_assigned) {
    UniqueFd a(open_null());
    UniqueFd b(open_null());
    const int old = a.get();
    const int fresh = b.get();
    a = std::move(b);
    EXPECT_EQ(a.get(), fresh);
    EXPECT_FALSE(is_open(old));
    EXPECT_TRUE(is_open(fresh));
    EXPECT_FALSE(b.valid()); // NOLINT(bugprone-use-after-move): what a moved-from one holds is its promise
}

TEST(UniqueFd, survives_moving_into_itself) {
    UniqueFd fd(open_null());
    const int raw = fd.get();
    UniqueFd &same = fd;
    fd = std::move(same);
    EXPECT_EQ(fd.get(), raw);
    EXPECT_TRUE(is_open(raw));
}

TEST(UniqueFd, lives_in_containers) {
    std::vector<UniqueFd> fds;
    std::vector<int> raw;
    for (int i = 0; i < 20; ++i) { // beyond several growths
        fds.emplace_back(open_null());
        raw.push_back(fds.back().get());
    }
    for (const int fd : raw)
        EXPECT_TRUE(is_open(fd));
    fds.clear();
    for (const int fd : raw)
        EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFd, duplicates_close_on_exec) {
    const UniqueFd fd(open_null());
    ASSERT_VALUE(const UniqueFd copy, fd.duplicate());
    EXPECT_NE(copy.get(), fd.get());
    EXPECT_EQ(::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(UniqueFd, says_why_it_cannot_duplicate) {
    const UniqueFd none;
    const auto copy = none.duplicate();
    ASSERT_FALSE(copy);
    EXPECT_EQ(copy.error().code, EBADF);
}

} // namespace
} // namespace beeline::kernel
