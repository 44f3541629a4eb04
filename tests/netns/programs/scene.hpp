// SPDX-License-Identifier: Apache-2.0
//
// A host for other people's programs (tools/programs): a network namespace, a cgroup, a directory; with Beeline or
// without.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <beeline/kernel/cgroup.hpp>
#include <harness/temp_bpffs.hpp>
#include <harness/test_net.hpp>

#include "netns/cli/program.hpp"

namespace beeline::programs {

using cli_test::Background;
using cli_test::Ended;
using Json = nlohmann::json;

/// While it lives this process is in the scene's cgroup, and so are those that it starts.
class Scene {
public:
    /// Kind::unsupported when tools/programs has not been run.
    [[nodiscard]] static Result<std::unique_ptr<Scene>> create();
    Scene(const Scene &) = delete;
    Scene &operator=(const Scene &) = delete;
    ~Scene();

    [[nodiscard]] const kernel::NetNs &netns() const { return net_.netns(); }
    [[nodiscard]] std::string path(const std::string &name) const { return (directory_ / name).string(); }
    /// Writes a file into the scene's own directory; returns its path.
    [[nodiscard]] std::string write(const std::string &name, const std::string &text) const;

    /// Runs a program of tools/programs ("usr/bin/wrk") to its end; a path that begins with / is one of the host.
    [[nodiscard]] Ended run(const std::string &program, const std::vector<std::string> &arguments,
                            std::chrono::seconds limit = std::chrono::seconds(60)) const;
    /// Starts one that runs until the object is destroyed.
    [[nodiscard]] std::unique_ptr<Background> start(const std::string &program,
                                                    const std::vector<std::string> &arguments) const;
    /// The shell command `exec COMMAND` as an unprivileged user that owns the directory `home`. $programs is where the
    /// programs are; they can be read there even when the repository cannot.
    [[nodiscard]] std::vector<std::string> unprivileged(const std::string &home, const std::string &command) const;

    /// Beeline with these rules for sockets of the scene, its daemon running; connections from now on are watched.
    [[nodiscard]] Result<> accelerate(const std::vector<std::string> &rules,
                                      const std::vector<std::string> &trusted = {});
    /// Without Beeline again.
    void plain();

    /// What `beeline local list --json` and `status --json` say.
    [[nodiscard]] Json connections() const;
    [[nodiscard]] Json status() const;
    /// Bytes that took the short cut so far, of all rules.
    [[nodiscard]] std::uint64_t short_bytes() const;
    /// So many connections are on TCP for this reason, or messages went by it.
    [[nodiscard]] std::uint64_t count(const std::string &reason) const;
    /// Connections that are on the short cut now.
    [[nodiscard]] std::uint64_t on() const;

    /// True once condition holds; false when it still does not after half a minute.
    [[nodiscard]] static bool eventually(const std::function<bool()> &condition);

private:
    Scene(harness::TestNet net, harness::TempBpffs bpffs, kernel::Cgroup home, kernel::Cgroup cgroup,
          std::filesystem::path directory);
    [[nodiscard]] cli_test::How how(const std::string &program) const;
    [[nodiscard]] Ended beeline(std::vector<std::string> arguments) const;

    harness::TestNet net_;
    harness::TempBpffs bpffs_;
    kernel::Cgroup home_, cgroup_;
    harness::OnExit cgroup_cleanup_;
    std::filesystem::path directory_;
    std::unique_ptr<Background> daemon_;
};

} // namespace beeline::programs
