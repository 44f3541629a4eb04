// SPDX-License-Identifier: Apache-2.0
//
// The plugin as runtimes run it: its verbs in every order that the specification allows, alone and in a list with
// Debian's plugins.
#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../guest/scene.hpp"

namespace beeline::guest {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char *kPlugins = "/usr/lib/cni"; // package containernetworking-plugins

struct Reply {
    int status = 0;
    std::string output;
    [[nodiscard]] Json json() const { return Json::parse(output, nullptr, false); }
};

class CniVerbs : public testing::Test {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        if (!fs::exists(fs::path(kPlugins) / "host-local"))
            GTEST_SKIP() << "no CNI plugins in " << kPlugins << ": package containernetworking-plugins";
        ASSERT_VALUE(scene_, Scene::make(Mode::automatic));
        for (const char *name : {"c1", "c2"})
            ASSERT_OK(scene_->add_node(name));
        ASSERT_OK(scene_->host->set_sysctl("ipv4/ip_forward", "1")); // as on every container host
    }
    [[nodiscard]] Json config(const std::string &version = "1.0.0") const {
        return {{"cniVersion", version},
                {"name", "bl-test"},
                {"type", "beeline-cni"},
                {"pins", (scene_->lab.bpffs() / "beeline").string()},
                {"uplinks", {"up0"}},
                {"masquerade", true},
                {"ipam",
                 {{"type", "host-local"},
                  {"dataDir", (scene_->lab.folder() / "ipam").string()},
                  {"ranges", {{{{"subnet", "10.88.0.0/24"}}}, {{{"subnet", "fd88::/64"}}}}},
                  {"routes", {{{"dst", "0.0.0.0/0"}}, {{"dst", "::/0"}}}}}}};
    }
    /// Runs one plugin as a runtime does. container: name of a node, and the container's id.
    Reply run(const std::string &program, const std::string &verb, const std::string &container, const Json &input,
              bool netns = true) {
        kernel::Command command{
            .words = {program},
            .input = input.dump(),
            .environment = {"CNI_COMMAND=" + verb, "CNI_CONTAINERID=" + container, "CNI_IFNAME=eth0",
                            std::string("CNI_PATH=") + kPlugins,
                            "CNI_NETNS=" + (netns ? scene_->node(container).netns().path().string() : "")},
            .errors_apart = true};
        const auto finished = scene_->host->within([&] { return kernel::run(command); });
        if (!finished)
            return {.status = -1, .output = finished.error().message()};
        return {finished->status, finished->output};
    }
    Reply call(const std::string &verb, const std::string &container, const Json &input, bool netns = true) {
        return run(BEELINE_CNI, verb, container, input, netns);
    }
    [[nodiscard]] std::size_t guests() const {
        const auto up = scene_->host->within([this] { return scene_->guests.is_up(); });
        if (!up || !*up)
            return 0;
        const auto status = scene_->status();
        return status ? status->guests.size() : 999;
    }
    /// Files of host-local: one for each address that is given out.
    [[nodiscard]] std::set<std::string> leases() const {
        std::set<std::string> names;
        std::error_code error;
        for (const auto &entry : fs::directory_iterator(scene_->lab.folder() / "ipam" / "bl-test", error))
            if (const std::string name = entry.path().filename(); name.starts_with("10.") || name.starts_with("fd"))
                names.insert(name);
        return names;
    }
    static std::string address_of(const Reply &added, std::size_t which = 0) {
        const std::string text = added.json()["ips"][which]["address"];
        return text.substr(0, text.find('/'));
    }
    std::unique_ptr<Scene> scene_;
};

TEST_F(CniVerbs, AddCheckDel) {
    for (const char *version : {"0.3.1", "0.4.0", "1.0.0", "1.1.0"}) {
        SCOPED_TRACE(version);
        const Reply added = call("ADD", "c1", config(version));
        ASSERT_EQ(added.status, 0) << added.output;
        const Json result = added.json();
        EXPECT_EQ(result["cniVersion"], version);
        EXPECT_EQ(result["ips"].size(), 2U);
        EXPECT_EQ(leases().size(), 2U);
        EXPECT_TRUE(pings(*scene_->host, address_of(added)));
        EXPECT_TRUE(pings(*scene_->nodes.at("c1"), "10.9.0.2")) << "the world";
        EXPECT_TRUE(pings(*scene_->nodes.at("c1"), "fd09::2")) << "the world";
        if (std::string(version) != "0.3.1") {
            Json check = config(version);
            check["prevResult"] = result;
            EXPECT_EQ(call("CHECK", "c1", check).status, 0);
            check["prevResult"]["ips"][0]["address"] = "10.88.0.77/24";
            const Reply wrong = call("CHECK", "c1", check);
            EXPECT_EQ(wrong.status, 1);
            EXPECT_THAT(wrong.output, HasSubstr("10.88.0.77"));
        }
        EXPECT_EQ(call("DEL", "c1", config(version)).status, 0);
        EXPECT_EQ(guests(), 0U);
        EXPECT_EQ(leases().size(), 0U);
        EXPECT_FALSE(scene_->nodes.at("c1")->device("eth0"));
    }
}

TEST_F(CniVerbs, ContainersReachEachOther) {
    const Reply one = call("ADD", "c1", config()), two = call("ADD", "c2", config());
    ASSERT_EQ(one.status, 0) << one.output;
    ASSERT_EQ(two.status, 0) << two.output;
    EXPECT_TRUE(pings(*scene_->nodes.at("c1"), address_of(two)));
    EXPECT_TRUE(pings(*scene_->nodes.at("c2"), address_of(one, 1)));
    EXPECT_EQ(call("DEL", "c2", config()).status, 0);
    EXPECT_TRUE(pings(*scene_->nodes.at("c1"), "10.9.0.2")) << "the other one stays";
}

TEST_F(CniVerbs, ASecondAddIsAnErrorAndChangesNothing) {
    const Reply first = call("ADD", "c1", config());
    ASSERT_EQ(first.status, 0) << first.output;
    const Reply second = call("ADD", "c1", config());
    EXPECT_EQ(second.status, 1);
    EXPECT_EQ(second.json()["code"], 101);
    EXPECT_EQ(leases().size(), 2U);
    EXPECT_TRUE(pings(*scene_->host, address_of(first)));
}

TEST_F(CniVerbs, DelIsIdempotentAndWorksWithoutANamespace) {
    EXPECT_EQ(call("DEL", "c1", config()).status, 0) << "never added";
    ASSERT_EQ(call("ADD", "c1", config()).status, 0);
    EXPECT_EQ(call("DEL", "c1", config(), false).status, 0);
    EXPECT_EQ(call("DEL", "c1", config(), false).status, 0);
    EXPECT_EQ(guests(), 0U);
    EXPECT_EQ(leases().size(), 0U);
    EXPECT_EQ(call("ADD", "c1", config()).status, 0) << "and it can come again";
}

TEST_F(CniVerbs, CheckKnowsWhatIsNotThere) {
    Json check = config();
    check["prevResult"] = {{"cniVersion", "1.0.0"}};
    const Reply unknown = call("CHECK", "c1", check);
    EXPECT_EQ(unknown.status, 1);
    EXPECT_EQ(unknown.json()["code"], 3);
}

TEST_F(CniVerbs, GcRemovesWhatIsNotValid) {
    ASSERT_EQ(call("ADD", "c1", config("1.1.0")).status, 0);
    ASSERT_EQ(call("ADD", "c2", config("1.1.0")).status, 0);
    Json gc = config("1.1.0");
    gc.erase("ipam"); // host-local 1.1 does not know the verb
    gc["cni.dev/valid-attachments"] = {{{"containerID", "c2"}, {"ifname", "eth0"}}};
    EXPECT_EQ(call("GC", "c1", gc).status, 0);
    EXPECT_EQ(guests(), 1U);
    EXPECT_FALSE(scene_->nodes.at("c1")->device("eth0"));
    EXPECT_TRUE(scene_->nodes.at("c2")->device("eth0").has_value());
}

TEST_F(CniVerbs, StatusIsGood) {
    EXPECT_EQ(call("STATUS", "c1", config("1.1.0")).status, 0);
    ASSERT_EQ(call("ADD", "c1", config("1.1.0")).status, 0);
    EXPECT_EQ(call("STATUS", "c1", config("1.1.0")).status, 0);
}

TEST_F(CniVerbs, AFailedAddGivesTheAddressBack) {
    Json input = config();
    const Reply added = run(BEELINE_CNI, "ADD", "c1", input);
    ASSERT_EQ(added.status, 0);
    ASSERT_EQ(call("DEL", "c1", input).status, 0);
    kernel::Command command{.words = {BEELINE_CNI},
                            .input = input.dump(),
                            .environment = {"CNI_COMMAND=ADD", "CNI_CONTAINERID=c9", "CNI_IFNAME=eth0",
                                            std::string("CNI_PATH=") + kPlugins, "CNI_NETNS=/run/netns/bl-none"},
                            .errors_apart = true};
    ASSERT_VALUE(const auto failed, scene_->host->within([&] { return kernel::run(command); }));
    EXPECT_EQ(failed.status, 1);
    EXPECT_EQ(leases().size(), 0U);
    EXPECT_EQ(guests(), 0U);
}

TEST_F(CniVerbs, APortMappingOfTheRuntimeIsPublished) {
    Json input = config();
    input["runtimeConfig"] = {{"portMappings", {{{"hostPort", 8080}, {"containerPort", 80}, {"protocol", "tcp"}}}}};
    ASSERT_EQ(call("ADD", "c1", input).status, 0);
    ASSERT_VALUE(const GuestStatus guest, [&]() -> Result<GuestStatus> {
        BL_TRY(const Status status, scene_->status());
        return status.guests.at(0);
    }());
    ASSERT_EQ(guest.publish.size(), 1U);
    EXPECT_EQ(guest.publish[0].host_port, 8080);
}

/// A list: ours, then portmap and tuning, with what the one before said as prevResult; DEL in reverse order.
TEST_F(CniVerbs, WorksFirstInAChain) {
    for (const char *plugin : {"portmap", "tuning"})
        ASSERT_TRUE(fs::exists(fs::path(kPlugins) / plugin)) << plugin;
    const Reply added = call("ADD", "c1", config());
    ASSERT_EQ(added.status, 0) << added.output;
    const auto chained = [&](const char *type, const Reply &before) {
        return Json{{"cniVersion", "1.0.0"}, {"name", "bl-test"}, {"type", type}, {"prevResult", before.json()}};
    };
    Json portmap = chained("portmap", added);
    portmap["runtimeConfig"] = {{"portMappings", {{{"hostPort", 8081}, {"containerPort", 7998}, {"protocol", "tcp"}}}}};
    const Reply mapped = run(std::string(kPlugins) + "/portmap", "ADD", "c1", portmap);
    ASSERT_EQ(mapped.status, 0) << mapped.output;
    const Json tuning = chained("tuning", mapped);
    const Reply tuned = run(std::string(kPlugins) + "/tuning", "ADD", "c1", tuning);
    ASSERT_EQ(tuned.status, 0) << tuned.output;
    Json check = config();
    check["prevResult"] = tuned.json();
    EXPECT_EQ(call("CHECK", "c1", check).status, 0);
    EXPECT_TRUE(pings(*scene_->nodes.at("c1"), "10.9.0.2"));
    EXPECT_EQ(run(std::string(kPlugins) + "/tuning", "DEL", "c1", tuning).status, 0);
    EXPECT_EQ(run(std::string(kPlugins) + "/portmap", "DEL", "c1", portmap).status, 0);
    EXPECT_EQ(call("DEL", "c1", config()).status, 0);
    EXPECT_EQ(guests(), 0U);
}

} // namespace
} // namespace beeline::guest
