// SPDX-License-Identifier: Apache-2.0
//
// A host with a guest, web. It is veth, which every kernel with tcx has.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <beeline/kernel/features.hpp>
#include <beeline/kernel/netns.hpp>
#include <harness/assert.hpp>

#include "netns/cli/host.hpp"

namespace beeline::cli_test {

class GuestHost : public Host {
protected:
    void SetUp() override {
        Host::SetUp();
        if (IsSkipped() || HasFatalFailure())
            return;
        if (const auto tcx = kernel::require(kernel::FeatureId::tcx); !tcx)
            GTEST_SKIP() << tcx.error().message();
        ASSERT_OK(net_->add_address("va", "198.51.100.1/24"));
        ASSERT_VALUE(auto web, harness::TestNet::create("web"));
        web_.emplace(std::move(web));
    }
    void TearDown() override {
        Host::TearDown();
        web_.reset();
    }
    /// The namespace's path: its name is `ip netns`'s.
    static std::string path_of(const harness::TestNet &net) {
        std::error_code error;
        for (const auto &entry : std::filesystem::directory_iterator("/run/netns", error)) {
            const auto found = kernel::NetNs::open(entry.path());
            if (found && found->inode() && net.netns().inode() && *found->inode() == *net.netns().inode())
                return entry.path().string();
        }
        return "/run/netns/none";
    }
    std::string web_section(const std::string &more = "") const {
        return "[[guest]]\nname = \"web\"\nnetns = \"" + path_of(*web_) +
               "\"\naddress = \"10.88.0.2/24\"\nmode = \"veth\"\nhost_device = \"blweb0\"\n" + more +
               "rules = [\"in tcp dport 80 -> pass\", \"in -> drop\", \"fallback -> pass\"]\n";
    }
    std::string head() const { return "[host]\npins = \"" + pins() + "\"\nsocket = \"" + socket() + "\"\n"; }
    std::string guests_only(const std::string &more = "") const {
        return write("guests.toml", head() + "[guests]\nuplinks = \"va\"\n" + web_section(more));
    }
    Json guests() const {
        const Ended ended = beeline({"status", "--json"});
        const Json json = Json::parse(ended.out, nullptr, false);
        return json.is_object() ? json.value("guests", Json::object()) : Json::object();
    }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const Json &guest : guests().value("guests", Json::array()))
            all.push_back(guest.at("name"));
        return all;
    }
    std::optional<harness::TestNet> web_;
};

} // namespace beeline::cli_test
