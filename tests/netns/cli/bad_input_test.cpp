// SPDX-License-Identifier: Apache-2.0
//
// What goes wrong is told in one line, with the exit status of its kind, and changes nothing.
#include <csignal>

#include <fmt/format.h>

#include <beeline/base.h>
#include <beeline/kernel/hooks.hpp>
#include <beeline/kernel/link.hpp>
#include <beeline/kernel/map.hpp>
#include <beeline/kernel/prog.hpp>

#include <harness/assert.hpp>

#include "netns/cli/host.hpp"

namespace beeline::cli_test {
namespace {

using testing::HasSubstr;

constexpr uid_t kNobody = 65534;

class BadInput : public Host {
protected:
    /// One line of error with this status.
    void fails(int status, const std::vector<std::string> &arguments, const std::string &text, How how = {}) {
        const Ended ended = beeline(arguments, std::move(how));
        EXPECT_EQ(ended.status, status) << ended.out << ended.err;
        EXPECT_THAT(ended.err, testing::StartsWith("beeline: "));
        EXPECT_THAT(ended.err, HasSubstr(text));
        EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    }
    std::string good() const { return config({"udp dport 7 -> drop", "fallback -> pass"}); }
};

TEST_F(BadInput, AMissingDeviceIsNamedWithThoseThereAre) {
    const std::string file = write("c.toml", "[edge]\ndevices = [\"va\", \"eth9\"]\nrules = [\"fallback -> pass\"]\n");
    fails(1, {"up", file}, "eth9");
    fails(1, {"up", file}, "va");
    EXPECT_FALSE(std::filesystem::exists(pins()));
    ASSERT_VALUE(const auto xdp, net_->within([&] { return kernel::xdp_query(*net_->ifindex("va")); }));
    EXPECT_TRUE(xdp.empty());
}

TEST_F(BadInput, AMissingFileIsNamed) {
    for (const char *command : {"check", "plan", "up"}) {
        const Ended ended = beeline({command, path("missing.toml")});
        EXPECT_EQ(ended.status, 3);
        EXPECT_THAT(ended.err, HasSubstr("missing.toml"));
        EXPECT_THAT(ended.err, HasSubstr("No such file"));
    }
}

TEST_F(BadInput, ABrokenFileLeavesWhatIsLive) {
    expect(0, {"up", good()});
    const Ended ended = beeline({"up", config({"udp dport 70000 -> drop", "tcp flags sin -> drop"})});
    EXPECT_EQ(ended.status, 3);
    EXPECT_THAT(ended.err, HasSubstr(": 2 errors\n"));
    send(udp(7), 2);
    EXPECT_EQ(packets("udp dport 7 -> drop"), 2U);
    EXPECT_EQ(status().at("generation"), 1);
}

TEST_F(BadInput, AFileWithoutAnEdgeIsNothingToDo) {
    fails(3, {"up", write("empty.toml", "[host]\nlog = \"info\"\n")}, "has no [edge]");
}

TEST_F(BadInput, PinsOutsideABpffsAreRefusedWithTheRemedy) {
    const std::string file = good();
    const Ended ended = run_program({"--pins", path("plain-directory"), "up", file}, {.netns = net_->netns().fd()});
    EXPECT_NE(ended.status, 0);
    EXPECT_THAT(ended.err, HasSubstr("mount -t bpf"));
    EXPECT_FALSE(std::filesystem::exists(path("plain-directory")));
}

TEST_F(BadInput, WhoIsNotRootIsTold) {
    const std::string file = good();
    std::filesystem::permissions(directory_, std::filesystem::perms(0755));
    std::filesystem::permissions(file, std::filesystem::perms(0644));
    const How nobody{.uid = kNobody};
    const Ended check = beeline({"check", file}, nobody);
    EXPECT_EQ(check.status, 0) << "checking needs no privilege: " << check.err;
    fails(5, {"up", file}, "root", nobody);
    expect(0, {"up", file});
    fails(5, {"status"}, "", nobody);
    fails(5, {"down"}, "", nobody);
    fails(5, {"explain", "udp 192.0.2.1:1 > 192.0.2.2:7"}, "", nobody);
    fails(5, {"set", "list", "x"}, "", nobody);
    const Ended doctor = beeline({"doctor"}, nobody);
    EXPECT_EQ(doctor.status, 5) << doctor.err;
    EXPECT_THAT(doctor.out, testing::ContainsRegex("edge +impossible: .*CAP_BPF"));
    EXPECT_EQ(status().at("generation"), 1);
}

TEST_F(BadInput, CommandsForALiveEdgeSayThatNoneIsUp) {
    for (const std::vector<std::string> &arguments : std::vector<std::vector<std::string>>{
             {"explain", "udp 192.0.2.1:1 > 192.0.2.2:7"}, {"set", "list", "x"}, {"set", "add", "x", "1"}}) {
        const Ended ended = beeline(arguments);
        EXPECT_NE(ended.status, 0);
        EXPECT_THAT(ended.err, HasSubstr(arguments[0] == "set" ? "nothing is up" : "no edge is up")) << arguments[0];
    }
    fails(2, {"reload"}, "nothing is up");
    EXPECT_FALSE(std::filesystem::exists(pins()));
}

TEST_F(BadInput, PinsOfAnotherVersionAreRefusedAndDownTakesThemAway) {
    expect(0, {"up", good()});
    // The record is JSON in a map; another ABI number in it is what another version would have written.
    const std::filesystem::path record = std::filesystem::path(pins()) / "edge" / "edge_state";
    ASSERT_VALUE(const auto fd, kernel::pinned_object(record));
    ASSERT_VALUE(const auto info, kernel::map_info(fd.get()));
    const std::uint32_t zero = 0;
    std::string text(info.value_size, '\0');
    ASSERT_VALUE(const bool found, kernel::raw::lookup(fd.get(), info, &zero,
                                                       std::as_writable_bytes(std::span(text.data(), text.size()))));
    ASSERT_TRUE(found);
    const std::string own = fmt::format("\"abi\":{},", BL_ABI_VERSION);
    const std::size_t at = text.find(own);
    ASSERT_NE(at, std::string::npos);
    ASSERT_EQ(own.size(), 8u) << "one digit to be replaced";
    text[at + 6] = '9';
    ASSERT_OK(kernel::raw::update(fd.get(), info, &zero, text.data(), kernel::Update::any));
    fails(7, {"status"}, "ABI version 9");
    fails(7, {"up", path("beeline.toml")}, "beeline down");
    fails(7, {"explain", "udp 192.0.2.1:1 > 192.0.2.2:7"}, "ABI version 9");
    expect(0, {"down"});
    EXPECT_FALSE(std::filesystem::exists(pins()));
}

TEST_F(BadInput, AnotherProgramOnTheDeviceIsNamedAndKept) {
    ASSERT_VALUE(const auto other, kernel::load_xdp_constant(2, "somebody_else"));
    ASSERT_VALUE(const auto link, net_->within([&] {
        return kernel::Link::attach_xdp(other.get(), *net_->ifindex("va"), kernel::XdpMode::native);
    }));
    fails(6, {"up", good()}, "somebody_else");
    EXPECT_THAT(beeline({"doctor"}).out, HasSubstr("somebody_else"));
    ASSERT_VALUE(const auto info, link.info());
    EXPECT_NE(info.prog_id, 0U);
    EXPECT_FALSE(std::filesystem::exists(pins()));
}

TEST_F(BadInput, ADeviceThatVanishesIsShownAndReplacedByReload) {
    expect(0, {"up", good()});
    ASSERT_VALUE(const int index, net_->ifindex("va"));
    ASSERT_OK(net_->links().remove_device(index));
    EXPECT_TRUE(eventually([&] { return status().at("devices").at(0).at("attached") == false; }));
    const Ended shown = beeline({"status"});
    EXPECT_EQ(shown.status, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("gone: the device was removed"));
    fails(1, {"reload"}, "va");
    ASSERT_OK(harness::connect(*net_, "va", *neighbour_, "vb"));
    expect(0, {"reload"});
    EXPECT_EQ(status().at("devices").at(0).at("attached"), true);
}

TEST_F(BadInput, DownWorksWithoutTheDevice) {
    expect(0, {"up", good()});
    ASSERT_VALUE(const int index, net_->ifindex("va"));
    ASSERT_OK(net_->links().remove_device(index));
    expect(0, {"down"});
    EXPECT_FALSE(std::filesystem::exists(pins()));
}

TEST_F(BadInput, TwoAtOnceBothEndWell) {
    const std::string first = config({"udp dport 7 -> drop"}, "", "first.toml");
    const std::string second = config({"udp dport 8 -> drop"}, "", "second.toml");
    const How here{.netns = net_->netns().fd()};
    for (int round = 0; round < 5; ++round) {
        Background one({"--pins", pins(), "up", first}, here), two({"--pins", pins(), "up", second}, here);
        const int status_one = one.wait(), status_two = two.wait();
        EXPECT_THAT(status_one, testing::AnyOf(0, 6)) << one.log();
        EXPECT_THAT(status_two, testing::AnyOf(0, 6)) << two.log();
        EXPECT_TRUE(status_one == 0 || status_two == 0);
        const Json edge = status();
        EXPECT_EQ(edge.at("up"), true);
        EXPECT_EQ(edge.at("devices").at(0).at("attached"), true);
    }
}

TEST_F(BadInput, KilledHalfWayIsWholeAgain) {
    // Wherever the kill falls: either the old or the new policy is live, and the next command works.
    const std::string first = config({"udp dport 7 -> drop"}, "", "first.toml");
    const std::string second = config({"udp dport 8 -> drop"}, "", "second.toml");
    expect(0, {"up", first});
    for (int round = 0; round < 12; ++round) {
        {
            Background killed({"--pins", pins(), "up", round % 2 == 0 ? second : first}, {.netns = net_->netns().fd()});
            usleep(static_cast<useconds_t>(round) * 7000);
            killed.signal(SIGKILL);
            (void)killed.wait();
        }
        const Json edge = status();
        ASSERT_EQ(edge.at("up"), true);
        EXPECT_EQ(edge.at("rules").size(), 2U);
        expect(0, {"up", first});
    }
}

TEST_F(BadInput, AnotherNamespaceIsTold) {
    expect(0, {"up", good()});
    fails(6, {"status"}, "network namespace", {.netns = neighbour_->netns().fd()});
}

TEST_F(BadInput, ABrokenDefaultConfigIsNoReasonNotToTakeDown) {
    expect(0, {"up", good()});
    const std::string broken = write("broken.toml", "rules = [");
    const Ended ended = run_program({"-c", broken, "status"}, {.netns = net_->netns().fd()});
    EXPECT_EQ(ended.status, 3);
    EXPECT_THAT(ended.err, HasSubstr("broken.toml:1"));
    expect(0, {"-c", broken, "down"}); // --pins says it all
}

} // namespace
} // namespace beeline::cli_test
