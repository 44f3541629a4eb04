// SPDX-License-Identifier: Apache-2.0
//
// Pinned state that is not as we left it is named, changes nothing, and can be taken down.
#include <chrono>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/edge.h>
#include <beeline/kernel/map.hpp>

#include "edge/state.hpp"
#include "refused.hpp"

namespace beeline::edge {
namespace {

using testing::HasSubstr;

/// A way to spoil what is pinned.
struct Damage {
    const char *sentence;
    std::function<Result<>(const Host &)> spoil;
    std::string says;
};

Result<> overwrite_state(const Host &host, const std::function<std::string(std::string)> &change) {
    BL_TRY(const kernel::UniqueFd fd, kernel::pinned_object(host.pin(kStatePin)));
    BL_TRY(const kernel::MapInfo info, kernel::map_info(fd.get()));
    const std::uint32_t zero = 0;
    std::string text(info.value_size, '\0');
    BL_CHECK(kernel::raw::lookup(fd.get(), info, &zero, std::as_writable_bytes(std::span(text.data(), text.size()))));
    text = change(std::move(text));
    text.resize(info.value_size, '\0');
    return kernel::raw::update(fd.get(), info, &zero, text.data(), kernel::Update::any);
}

Result<> remove_pin(const Host &host, const char *name) {
    std::error_code error;
    if (!std::filesystem::remove(host.pin(name), error))
        return fail_errno(error.value(), "remove the pin");
    return {};
}

/// Another map under the name of one of ours.
Result<> exchange_pin(const Host &host, const char *name) {
    BL_CHECK(remove_pin(host, name));
    BL_TRY(const kernel::UniqueFd other, kernel::create_map({.name = "other", .key_size = 12, .value_size = 20}));
    return kernel::pin_object(other.get(), host.pin(name));
}

/// The kernel frees a link that nobody holds any more in its own time.
Result<> wait_detached(const Host &host, const std::string &device) {
    for (int tries = 0; tries < 1500; ++tries) {
        BL_TRY(const kernel::Device now, host.node().device(device));
        if (now.xdp.empty())
            return {};
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return fail(Kind::host, 0, "the link of " + device + " is still there");
}

const std::vector<Damage> &damages() {
    static const std::vector<Damage> table = {
        {"of_another_version",
         [](const Host &host) {
             return overwrite_state(host, [](std::string text) {
                 const std::string mark = "\"abi\":" + std::to_string(BL_ABI_VERSION);
                 const std::size_t at = text.find(mark);
                 EXPECT_NE(at, std::string::npos);
                 return at == std::string::npos ? text : text.replace(at, mark.size(), "\"abi\":99");
             });
         },
         "ABI version 99"},
        {"whose_record_is_cut",
         [](const Host &host) {
             return overwrite_state(host, [](const std::string &text) { return text.substr(0, text.size() / 2); });
         },
         "damaged"},
        {"whose_record_is_empty",
         [](const Host &host) { return overwrite_state(host, [](const std::string &) { return std::string(); }); },
         "damaged"},
        {"whose_record_is_something_else",
         [](const Host &host) {
             return overwrite_state(host, [](const std::string &) { return std::string("[1,2,3]"); });
         },
         "damaged"},
        {"whose_lists_do_not_belong_together",
         [](const Host &host) {
             return overwrite_state(host, [](std::string text) {
                 const std::size_t at = text.find("\"lines\":[");
                 EXPECT_NE(at, std::string::npos);
                 return at == std::string::npos ? text : text.replace(at, text.find(']', at) - at + 1, "\"lines\":[]");
             });
         },
         "damaged"},
        {"without_its_record", [](const Host &host) { return remove_pin(host, kStatePin); }, "edge_state"},
        {"without_its_policy", [](const Host &host) { return remove_pin(host, "edge_policy"); }, "edge_policy"},
        {"without_its_slot", [](const Host &host) { return remove_pin(host, "edge_progs"); }, "edge_progs"},
        {"without_its_counters", [](const Host &host) { return remove_pin(host, "edge_hits"); }, "edge_hits"},
        {"with_other_counters", [](const Host &host) { return exchange_pin(host, "edge_hits"); }, "other"},
        {"with_another_slot", [](const Host &host) { return exchange_pin(host, "edge_progs"); }, "other"},
        {"with_another_policy", [](const Host &host) { return exchange_pin(host, "edge_policy"); }, "other"},
        {"with_another_record", [](const Host &host) { return exchange_pin(host, kStatePin); }, "edge_state"},
        {"without_anything",
         [](const Host &host) -> Result<> {
             for (const auto &entry : std::filesystem::directory_iterator(host.pins() / "edge"))
                 std::filesystem::remove(entry.path());
             return wait_detached(host, "vb");
         },
         "edge_"},
    };
    return table;
}

void PrintTo(const Damage &damage, std::ostream *out) {
    *out << damage.sentence;
}

class EdgeDamaged : public EdgeRefused, public testing::WithParamInterface<Damage> {};

INSTANTIATE_TEST_SUITE_P(State, EdgeDamaged, testing::ValuesIn(damages()),
                         [](const auto &instance) { return std::string(instance.param.sentence); });

TEST_P(EdgeDamaged, is_said_to_be_so_and_can_be_taken_down) {
    ASSERT_VALUE(const World world, World::look(*pair_->b, pair_->lab.bpffs()));
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = {"udp dport 7 -> drop"}}));
    ASSERT_OK(GetParam().spoil(*host_));
    const auto up = host_->up({.devices = {"vb"}, .rules = {"udp dport 8 -> drop"}});
    ASSERT_FALSE(up);
    EXPECT_EQ(up.error().kind, Kind::state) << up.error().message();
    EXPECT_THAT(up.error().message(), HasSubstr(GetParam().says));
    EXPECT_THAT(up.error().remedy, HasSubstr("beeline down")) << up.error().message();
    const auto status = host_->status();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, Kind::state) << status.error().message();
    ASSERT_VALUE(const bool down, host_->down());
    EXPECT_TRUE(down);
    expect_unchanged(world);
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = {"udp dport 8 -> drop"}}));
}

} // namespace
} // namespace beeline::edge
