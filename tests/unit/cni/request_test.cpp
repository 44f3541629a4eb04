// SPDX-License-Identifier: Apache-2.0
//
// What the plugin says to requests, before it looks at the host.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cni/request.hpp"
#include "cni/result.hpp"
#include "cni/verbs.hpp"

namespace beeline::cni {
namespace {

using testing::HasSubstr;

class Cni : public testing::Test {
protected:
    Cni() {
        set("CNI_COMMAND", "ADD");
        set("CNI_CONTAINERID", "c1");
        set("CNI_IFNAME", "eth0");
        set("CNI_NETNS", "/run/netns/bl-none");
        set("CNI_PATH", "/nonexistent");
    }
    void set(const std::string &name, const std::string &value) { variables_[name] = value; }
    void unset(const std::string &name) { variables_.erase(name); }
    [[nodiscard]] Environment environment() const {
        return [this](const char *name) -> std::optional<std::string> {
            const auto found = variables_.find(name);
            return found == variables_.end() ? std::nullopt : std::optional(found->second);
        };
    }
    [[nodiscard]] static Json config() { return {{"cniVersion", "1.0.0"}, {"name", "net"}, {"type", "beeline-cni"}}; }
    /// The error object for this input; null when it was no error.
    [[nodiscard]] Json error(const std::string &input) const {
        const Outcome outcome = serve(environment(), input);
        return outcome.failed ? Json::parse(outcome.output) : Json();
    }
    [[nodiscard]] Answer<guest::Policy> policy(const Json &input) const {
        BL_TRY(const Request request, read_request(environment(), input.dump()));
        return read_policy(request);
    }
    std::map<std::string, std::string> variables_;
};

TEST_F(Cni, VersionNeedsNoConfiguration) {
    set("CNI_COMMAND", "VERSION");
    const Outcome outcome = serve(environment(), R"({"cniVersion":"0.4.0"})");
    EXPECT_FALSE(outcome.failed);
    const Json answer = Json::parse(outcome.output);
    EXPECT_EQ(answer["cniVersion"], "0.4.0");
    EXPECT_EQ(answer["supportedVersions"], (Json{"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"}));
}

TEST_F(Cni, ErrorsAreInTheVersionThatWasAskedFor) {
    Json input = config();
    input["mode"] = "fast";
    EXPECT_EQ(error(input.dump())["cniVersion"], "1.0.0");
    input["cniVersion"] = "9.9.9";
    EXPECT_EQ(error(input.dump())["code"], 1);
    EXPECT_EQ(error(input.dump())["cniVersion"], "9.9.9");
}

TEST_F(Cni, WhatIsMissingInTheEnvironmentIsNamed) {
    for (const char *name : {"CNI_COMMAND", "CNI_CONTAINERID", "CNI_IFNAME", "CNI_NETNS"}) {
        const std::string value = variables_.at(name);
        unset(name);
        const Json said = error(config().dump());
        EXPECT_EQ(said["code"], 4) << name;
        EXPECT_THAT(said["msg"].get<std::string>(), HasSubstr(name));
        set(name, value);
    }
    set("CNI_COMMAND", "FETCH");
    EXPECT_EQ(error(config().dump())["code"], 4);
}

TEST_F(Cni, MalformedNamesAreRefused) {
    for (const char *id : {"", "-x", "a b", "a/b", "\xc3\xa4"}) {
        set("CNI_CONTAINERID", id);
        EXPECT_EQ(error(config().dump())["code"], 4) << id;
    }
    set("CNI_CONTAINERID", "c1");
    for (const char *device : {"a/b", "..", "with space", "sixteen-bytes-ab"}) {
        set("CNI_IFNAME", device);
        EXPECT_EQ(error(config().dump())["code"], 4) << device;
    }
}

TEST_F(Cni, WhatIsNoConfigurationIsNotDecoded) {
    for (const char *input : {"", "{", "[]", "7", "null"})
        EXPECT_EQ(error(input)["code"], 6) << input;
    EXPECT_EQ(error(R"({"cniVersion":1})")["code"], 6);
    EXPECT_EQ(error(R"({"cniVersion":"1.0.0"})")["code"], 7) << "no name";
}

TEST_F(Cni, VerbsOfLaterVersionsAreRefused) {
    set("CNI_COMMAND", "GC");
    EXPECT_EQ(error(config().dump())["code"], 1);
    set("CNI_COMMAND", "STATUS");
    EXPECT_EQ(error(config().dump())["code"], 1);
    set("CNI_COMMAND", "CHECK");
    Json old = config();
    old["cniVersion"] = "0.3.1";
    EXPECT_EQ(error(old.dump())["code"], 1);
}

TEST_F(Cni, TheGuestIsWhatTheConfigurationSays) {
    Json input = config();
    input["mode"] = "veth";
    input["mtu"] = 1400;
    input["masquerade"] = true;
    input["rules"] = {"in tcp dport 80 -> pass", "in -> drop"};
    input["runtimeConfig"] = {
        {"portMappings",
         {{{"hostPort", 8080}, {"containerPort", 80}},
          {{"hostPort", 53}, {"containerPort", 5353}, {"protocol", "udp"}, {"hostIP", "127.0.0.1"}},
          {{"hostPort", 0}, {"containerPort", 9}}}}};
    const auto made = policy(input);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->mode, guest::Mode::veth);
    EXPECT_EQ(made->mtu, 1400U);
    EXPECT_TRUE(made->masquerade);
    EXPECT_EQ(made->rules.size(), 3U) << "with the fallback";
    ASSERT_EQ(made->publish.size(), 2U);
    EXPECT_EQ(made->publish[0].host_port, 8080);
    EXPECT_FALSE(made->publish[0].address);
    EXPECT_EQ(made->publish[1].proto, 17);
    EXPECT_EQ(kernel::to_string(*made->publish[1].address), "127.0.0.1");
    EXPECT_EQ(made->device, "eth0");
    EXPECT_EQ(made->place.name, "/run/netns/bl-none");
}

TEST_F(Cni, WhatMakesNoSenseInTheConfigurationIsRefused) {
    const std::vector<std::pair<const char *, Json>> wrong = {
        {"mode", "ipvlan"},
        {"mtu", 10},
        {"mtu", "big"},
        {"masquerade", 1},
        {"rules", "in -> drop"},
        {"rules", {1}},
        {"rules", {"in tcp flags syn -> pass"}},
        {"runtimeConfig", {{"portMappings", {{{"hostPort", 70000}, {"containerPort", 80}}}}}},
        {"runtimeConfig", {{"portMappings", {{{"hostPort", 80}, {"containerPort", 80}, {"hostIP", "nowhere"}}}}}},
    };
    for (const auto &[key, value] : wrong) {
        Json input = config();
        input[key] = value;
        const auto made = policy(input);
        ASSERT_FALSE(made) << key << " " << value;
        EXPECT_EQ(made.error().code, Code::config) << key << " " << value;
    }
    Json sctp = config();
    sctp["runtimeConfig"] = {{"portMappings", {{{"hostPort", 80}, {"containerPort", 80}, {"protocol", "sctp"}}}}};
    EXPECT_EQ(policy(sctp).error().code, Code::unsupported_field);
}

TEST_F(Cni, AnAttachmentHasOneNameWhateverTheVerb) {
    const Attachment a{"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "eth0"};
    EXPECT_EQ(guest_name("net", a), guest_name("net", a));
    EXPECT_NE(guest_name("net", a), guest_name("other", a));
    EXPECT_NE(guest_name("net", a), guest_name("net", {a.container, "eth1"}));
    EXPECT_NE(guest_name("net", {"ab", "c"}), guest_name("net", {"a", "bc"}));
    EXPECT_TRUE(guest_name("net", a).starts_with(name_prefix("net")));
    EXPECT_LE(guest_name("net", a).size(), 63U);
    EXPECT_LE(host_device("net", a).size(), 15U);
}

TEST_F(Cni, AMissingIpamPluginIsNamed) {
    Json input = config();
    input["ipam"] = {{"type", "bl-no-such-plugin"}};
    const Json said = error(input.dump());
    EXPECT_EQ(said["code"], 7);
    EXPECT_THAT(said["msg"].get<std::string>(), HasSubstr("bl-no-such-plugin"));
    input["ipam"]["type"] = "../sh";
    EXPECT_EQ(error(input.dump())["code"], 7);
}

TEST_F(Cni, TheResultIsInTheVersionsForm) {
    guest::GuestStatus guest;
    guest.host_device = "blc0", guest.device = "eth0", guest.mtu = 1500;
    const Json ipam = {{"ips", {{{"version", "4"}, {"address", "10.1.0.2/24"}, {"gateway", "10.1.0.1"}}}},
                       {"routes", {{{"dst", "0.0.0.0/0"}}}}};
    for (const std::string &version : versions()) {
        Json input = config();
        input["cniVersion"] = version;
        const auto request = read_request(environment(), input.dump());
        ASSERT_TRUE(request);
        const Json result = add_result(*request, guest, ipam);
        EXPECT_EQ(result["cniVersion"], version);
        EXPECT_EQ(result["ips"][0].contains("version"), version.starts_with("0."));
        EXPECT_EQ(result["ips"][0]["interface"], 1);
        EXPECT_EQ(result["interfaces"][1]["sandbox"], "/run/netns/bl-none");
        EXPECT_EQ(result["interfaces"][1].contains("mtu"), version == "1.1.0");
        EXPECT_EQ(result["routes"].size(), 1U);
    }
}

} // namespace
} // namespace beeline::cni
