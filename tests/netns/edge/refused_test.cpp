// SPDX-License-Identifier: Apache-2.0
//
// What an edge refuses, and that a refusal changes nothing; other people's programs.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include <beeline/kernel/link.hpp>
#include <beeline/kernel/prog.hpp>

#include "refused.hpp"

namespace beeline::edge {
namespace {

using testing::HasSubstr;

/// A way to fail. The second device of b is "wb", which has somebody's program.
struct Failure {
    const char *sentence;
    Text text;
    Kind kind;
    std::vector<std::string> says;
    std::vector<std::string> commands = {}; ///< In b, before.
};

std::vector<std::string> many_rules(unsigned count) {
    std::vector<std::string> rules;
    for (unsigned i = 0; i < count; ++i)
        rules.push_back("src 10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".1 -> drop");
    return rules;
}

const std::vector<Failure> &failures() {
    static const std::vector<Failure> table = {
        {"a_missing_device", {.devices = {"vb", "nix0"}, .rules = {}}, Kind::host, {"nix0"}},
        {"a_missing_redirect_target",
         {.devices = {"vb"}, .rules = {"udp -> redirect nix0"}},
         Kind::host,
         {"nix0", "rule 1 'udp -> redirect nix0'"}},
        {"a_redirect_target_that_takes_no_frames",
         {.devices = {"vb"}, .rules = {"udp -> redirect wb"}},
         Kind::unsupported,
         {"redirect to wb", "gro on"},
         {"ip link set dev wb xdp off"}},
        {"native_on_lo", {.devices = {"lo"}, .rules = {}, .mode = "native"}, Kind::unsupported, {"lo", "generic"}},
        {"native_on_lo_as_the_second_device",
         {.devices = {"vb", "lo"}, .rules = {}, .mode = "native"},
         Kind::unsupported,
         {"lo"}},
        {"too_many_rules", {.devices = {"vb"}, .rules = many_rules(1024)}, Kind::config, {"more than 1024 rules"}},
        {"too_many_entries",
         {.devices = {"vb"},
          .rules =
              {"tcp sport {1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33} dport {1, 3, 5, 7, 9, 11, "
               "13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33} ttl {1, 3, 5, 7} -> drop"}},
         Kind::config,
         {"1024 table entries", "use a set"}},
        {"a_device_with_a_program_as_the_second",
         {.devices = {"vb", "wb"}, .rules = {"udp -> drop"}},
         Kind::conflict,
         {"wb", "their_filter", "replace = true"}},
        {"a_cpu_that_is_not_there", {.devices = {"vb"}, .rules = {"udp -> cpu 255"}}, Kind::host, {"cpu 255"}},
    };
    return table;
}

void PrintTo(const Failure &failure, std::ostream *out) {
    *out << failure.sentence;
}

class EdgeFailure : public EdgeRefused, public testing::WithParamInterface<Failure> {
protected:
    void SetUp() override {
        EdgeRefused::SetUp();
        if (IsSkipped() || HasFatalFailure())
            return;
        ASSERT_OK(pair_->lab.cable({.node = pair_->a, .device = "wa"}, {.node = pair_->b, .device = "wb"}));
        ASSERT_VALUE(theirs_, kernel::load_xdp_constant(XDP_PASS, "their_filter"));
        ASSERT_VALUE(const int wb, ifindex("wb"));
        ASSERT_OK(pair_->b->within([&]() -> Result<> {
            if (const int error = bpf_xdp_attach(wb, theirs_.get(), XDP_FLAGS_DRV_MODE, nullptr))
                return fail_errno(-error, "attach their program");
            return {};
        }));
        for (const std::string &command : GetParam().commands)
            ASSERT_OK(pair_->b->run({.words = {"sh", "-c", command}}));
    }
    void expect_failure() {
        ASSERT_VALUE(const World world, World::look(*pair_->b, pair_->lab.bpffs()));
        const auto report = host_->up(GetParam().text);
        ASSERT_FALSE(report) << "it works";
        EXPECT_EQ(report.error().kind, GetParam().kind) << report.error().message();
        for (const std::string &part : GetParam().says)
            EXPECT_THAT(report.error().message(), HasSubstr(part));
        EXPECT_THAT(report.error().message(), testing::Not(HasSubstr("\n")));
        expect_unchanged(world);
    }
    kernel::UniqueFd theirs_;
};

TEST_P(EdgeFailure, of_the_first_up_changes_nothing) {
    expect_failure();
    EXPECT_FALSE(std::filesystem::exists(host_->pins()));
}

TEST_P(EdgeFailure, of_a_reload_changes_nothing) {
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = {"udp dport 7 -> drop"}}));
    expect_failure();
    ASSERT_VALUE(const Status status, host_->status());
    EXPECT_EQ(status.generation, 1U);
}

TEST_P(EdgeFailure, of_a_trial_changes_nothing) {
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = {"udp dport 7 -> drop"}}));
    ASSERT_VALUE(const World world, World::look(*pair_->b, pair_->lab.bpffs()));
    EXPECT_FALSE(host_->up(GetParam().text, std::chrono::seconds(300)));
    expect_unchanged(world);
}

INSTANTIATE_TEST_SUITE_P(Of, EdgeFailure, testing::ValuesIn(failures()),
                         [](const auto &instance) { return std::string(instance.param.sentence); });

TEST_F(EdgeRefused, more_queues_at_the_peer_are_an_obstacle_to_native_mode_that_is_named) {
    ASSERT_OK(pair_->b->run({.words = {"ip", "link", "add", "wb", "type", "veth", "peer", "name", "wa"}}));
    ASSERT_OK(pair_->b->run({.words = {"ip", "link", "add", "xb", "numrxqueues", "1", "type", "veth", "peer", "name",
                                       "xa", "numtxqueues", "4", "numrxqueues", "4"}}));
    ASSERT_OK(pair_->b->run({.words = {"ethtool", "-L", "xa", "tx", "4"}}));
    for (const char *device : {"wb", "wa", "xb", "xa"})
        ASSERT_OK(pair_->b->run({.words = {"ip", "link", "set", device, "up"}}));
    ASSERT_VALUE(const World world, World::look(*pair_->b, pair_->lab.bpffs()));
    const auto native = host_->up({.devices = {"wb", "xb"}, .rules = {}, .mode = "native"});
    ASSERT_FALSE(native);
    EXPECT_EQ(native.error().kind, Kind::unsupported);
    EXPECT_THAT(native.error().message(), HasSubstr("edge on xb"));
    EXPECT_THAT(native.error().message(), HasSubstr("queues"));
    EXPECT_THAT(native.error().remedy, HasSubstr("ethtool -L xa tx 1"));
    expect_unchanged(world);
    ASSERT_VALUE(const UpReport report, host_->up({.devices = {"wb", "xb"}, .rules = {}}));
    EXPECT_EQ(report.devices.at(0).mode, Mode::native);
    EXPECT_EQ(report.devices.at(1).mode, Mode::generic);
    EXPECT_THAT(report.devices.at(1).why, HasSubstr("queues"));
}

TEST_F(EdgeRefused, auto_takes_generic_on_lo_and_says_why) {
    ASSERT_VALUE(const UpReport report, host_->up({.devices = {"lo"}, .rules = {}}));
    ASSERT_EQ(report.devices.size(), 1U);
    EXPECT_EQ(report.devices[0].mode, Mode::generic);
    EXPECT_THAT(report.devices[0].why, HasSubstr("native"));
    ASSERT_VALUE(const Status status, host_->status());
    EXPECT_EQ(status.devices[0].why, report.devices[0].why);
    EXPECT_EQ(status.hooks.at(0).hook, "xdp generic");
}

TEST_F(EdgeRefused, offload_needs_a_nic_that_has_it) {
    ASSERT_VALUE(const World world, World::look(*pair_->b, pair_->lab.bpffs()));
    const auto report = host_->up({.devices = {"vb"}, .rules = {}, .mode = "offload"});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, Kind::unsupported) << report.error().message();
    expect_unchanged(world);
}

TEST_F(EdgeRefused, another_mode_for_a_device_that_is_up_is_a_conflict) {
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = {}, .mode = "generic"}));
    ASSERT_VALUE(const World world, World::look(*pair_->b, pair_->lab.bpffs()));
    const auto report = host_->up({.devices = {"vb"}, .rules = {}, .mode = "native"});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, Kind::conflict);
    EXPECT_THAT(report.error().remedy, HasSubstr("down"));
    expect_unchanged(world);
}

/// Somebody else's program on vb.
class EdgeForeign : public EdgeRefused, public testing::WithParamInterface<bool> {
protected:
    void SetUp() override {
        EdgeRefused::SetUp();
        if (IsSkipped() || HasFatalFailure())
            return;
        ASSERT_VALUE(theirs_, kernel::load_xdp_constant(XDP_PASS, "their_filter"));
        ASSERT_VALUE(const kernel::ProgInfo info, kernel::prog_info(theirs_.get()));
        id_ = info.id;
        ASSERT_VALUE(const int vb, ifindex("vb"));
        ASSERT_OK(pair_->b->within([&]() -> Result<> {
            if (GetParam()) {
                BL_TRY(auto link, kernel::Link::attach_xdp(theirs_.get(), vb, kernel::XdpMode::native));
                link_.emplace(std::move(link));
            } else if (const int error = bpf_xdp_attach(vb, theirs_.get(), XDP_FLAGS_DRV_MODE, nullptr)) {
                return fail_errno(-error, "attach their program");
            }
            return {};
        }));
    }
    std::uint32_t on_vb() {
        const auto device = pair_->b->device("vb");
        return device ? device->xdp.native_id : 0;
    }
    kernel::UniqueFd theirs_;
    std::uint32_t id_ = 0;
    std::optional<kernel::Link> link_;
};

INSTANTIATE_TEST_SUITE_P(Attached, EdgeForeign, testing::Bool(),
                         [](const auto &instance) { return instance.param ? "by_link" : "by_netlink"; });

TEST_P(EdgeForeign, is_named_and_left_alone) {
    ASSERT_VALUE(const World world, World::look(*pair_->b, pair_->lab.bpffs()));
    for (const char *mode : {"auto", "native", "generic"}) {
        const auto report = host_->up({.devices = {"vb"}, .rules = {}, .mode = mode});
        ASSERT_FALSE(report) << mode;
        EXPECT_EQ(report.error().kind, Kind::conflict);
        EXPECT_THAT(report.error().message(), HasSubstr("program their_filter (id " + std::to_string(id_)));
        EXPECT_THAT(report.error().remedy, HasSubstr("replace = true"));
    }
    expect_unchanged(world);
}

TEST_P(EdgeForeign, is_replaced_when_told_so) {
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = {}, .replace = true}));
    ASSERT_VALUE(const Status status, host_->status());
    ASSERT_EQ(status.hooks.size(), 1U);
    EXPECT_TRUE(status.hooks[0].ours);
    ASSERT_OK(host_->down());
    EXPECT_EQ(on_vb(), 0U);
}

TEST_P(EdgeForeign, has_its_hook_back_when_replacing_it_fails) {
    const auto report = host_->up({.devices = {"vb", "lo"}, .rules = {}, .mode = "native", .replace = true});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, Kind::unsupported) << report.error().message();
    EXPECT_EQ(on_vb(), id_);
}

TEST_F(EdgeRefused, two_namespaces_with_equal_ifindex_do_not_share_pins) {
    ASSERT_VALUE(const int vb, ifindex("vb"));
    ASSERT_VALUE(const lab::Node *c, pair_->lab.add("c"));
    ASSERT_OK(c->run(
        {.words = {"ip", "link", "add", "vb", "index", std::to_string(vb), "type", "veth", "peer", "name", "va"}}));
    ASSERT_OK(host_->up({.devices = {"vb"}, .rules = {"udp dport 7 -> drop"}}));
    ASSERT_VALUE(Host other, Host::on(*c, host_->pins()));
    ASSERT_VALUE(const World world, World::look(*pair_->b, pair_->lab.bpffs()));
    const auto refused = [&](const auto &result, const char *what) {
        ASSERT_FALSE(result) << what;
        EXPECT_EQ(result.error().kind, Kind::conflict) << what;
        EXPECT_THAT(result.error().message(), HasSubstr("network namespace")) << what;
        EXPECT_FALSE(result.error().remedy.empty()) << what;
    };
    refused(other.up({.devices = {"vb"}, .rules = {"udp dport 9 -> drop"}, .mode = "generic"}), "up");
    refused(other.status(), "status");
    refused(other.plan({.devices = {"vb"}, .rules = {}}), "plan");
    refused(other.sweep(), "sweep");
    refused(other.down(), "down");
    expect_unchanged(world);
}

TEST_F(EdgeRefused, what_a_dead_namespace_left_can_be_taken_down_from_anywhere) {
    ASSERT_VALUE(const lab::Node *c, pair_->lab.add("c"));
    {
        ASSERT_VALUE(auto dying, c->within([] { return kernel::NetNs::anonymous(); }));
        ASSERT_OK(dying.within([&]() -> Result<> {
            BL_TRY(Edge edge, Edge::open(host_->pins()));
            BL_TRY(const Policy policy, edge::policy({.devices = {"lo"}, .rules = {"udp dport 7 -> drop"}}));
            BL_TRY(const auto report, edge.up(policy, {.file = "edge.toml", .confirm = {}}));
            return {};
        }));
    }
    // The kernel takes its devices apart in its own time.
    Result<bool> gone = host_->down();
    for (int tries = 0; !gone && tries < 100; ++tries) {
        EXPECT_EQ(gone.error().kind, Kind::conflict) << gone.error().message();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        gone = host_->down();
    }
    ASSERT_TRUE(gone) << gone.error().message();
    EXPECT_TRUE(*gone);
    EXPECT_FALSE(std::filesystem::exists(host_->pins()));
}

TEST_F(EdgeRefused, a_directory_that_is_on_no_bpffs_is_refused_with_the_mount_command) {
    ASSERT_VALUE(Host host, Host::on(*pair_->b, pair_->lab.folder() / "plain"));
    const auto report = host.up({.devices = {"vb"}, .rules = {}});
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().message(), HasSubstr("mount"));
    EXPECT_FALSE(std::filesystem::exists(pair_->lab.folder() / "plain"));
}

} // namespace
} // namespace beeline::edge
