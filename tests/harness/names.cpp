// SPDX-License-Identifier: Apache-2.0
#include <harness/names.hpp>

#include <cstdint>
#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace beeline::harness {

namespace {

/// FNV-1a: the same in every run and build, unlike std::hash by its contract.
std::uint32_t hash(std::string_view text) {
    std::uint32_t value = 2166136261U;
    for (const char c : text)
        value = (value ^ static_cast<unsigned char>(c)) * 16777619U;
    return value;
}

std::string test_name() {
    const testing::TestInfo *test = testing::UnitTest::GetInstance()->current_test_info();
    return test == nullptr ? "no test" : fmt::format("{}.{}", test->test_suite_name(), test->name());
}

} // namespace

std::string unique_name(std::string_view suffix) {
    return fmt::format("bl-{:08x}-{}-{}", hash(test_name()), ::getpid(), suffix);
}

std::string device_name(std::string_view suffix) {
    if (suffix.size() > 7)
        std::abort();
    return fmt::format("bl{:06x}{}", hash(fmt::format("{} {}", test_name(), ::getpid())) & 0xffffff, suffix);
}

} // namespace beeline::harness
