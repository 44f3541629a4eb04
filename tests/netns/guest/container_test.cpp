// SPDX-License-Identifier: Apache-2.0
//
// Guests that are containers, by `container =`: podman's own, and those of a CRI runtime that only crictl knows. Its
// part is played by a script that prints what crictl prints (cri-tools, docs/crictl.md: `status` and `info` of the
// runtime; info.runtimeSpec is the OCI runtime specification's config.json, config-linux.md).
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "guest_test.hpp"
#include "netns/cli/program.hpp"

namespace beeline::guest {
namespace {

namespace fs = std::filesystem;
using cli_test::Ended;
using testing::AllOf, testing::HasSubstr;

class ContainerGuests : public OnScene<testing::Test> {
protected:
    void SetUp() override {
        if (!has_scene(Mode::veth))
            return;
        here_ = scene_->lab.folder();
        fs::create_directories(here_ / "path");
    }
    /// In front of all others in PATH.
    void script(const std::string &name, const std::string &text) const {
        const fs::path path = here_ / "path" / name;
        std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
        ::chmod(path.c_str(), 0755);
    }
    [[nodiscard]] std::string config(const std::string &container,
                                     const std::string &rules = "\"in tcp dport 80 -> pass\", \"in -> drop\"") const {
        const std::string path = here_ / "guests.toml";
        std::ofstream(path) << fmt::format(
            "[host]\npins = \"{}\"\nsocket = \"{}\"\n[guests]\nuplinks = \"up0\"\n[[guest]]\nname = \"web\"\n"
            "container = \"{}\"\nmode = \"veth\"\naddress = \"10.88.0.2/24\"\nrules = [{}]\n",
            (scene_->lab.bpffs() / "beeline").string(), (here_ / "sock").string(), container, rules);
        return path;
    }
    [[nodiscard]] cli_test::How here() const {
        return {.netns = scene_->host->netns().fd(),
                .env = {"PATH=" + (here_ / "path").string() + ":/usr/sbin:/usr/bin:/sbin:/bin"}};
    }
    [[nodiscard]] Ended beeline(std::vector<std::string> words) const {
        words.insert(words.begin(), {"--pins", (scene_->lab.bpffs() / "beeline").string()});
        return cli_test::run_program(words, here());
    }
    /// crictl's answer to inspectp and inspect, with a network namespace or without.
    void play_crictl(const std::string &id, const std::string &netns) const {
        const std::string network = netns.empty() ? "" : fmt::format(R"(, {{"type": "network", "path": "{}"}})", netns);
        script("podman", "echo \"Error: inspecting object: no such object: \\\"$4\\\"\" >&2; exit 125");
        script("crictl", fmt::format(R"sh([ "$2" = {0} ] && [ "$1" = inspect ] || {{
  echo "FATA[0000] getting the status of the pod sandbox \"$2\": rpc error: code = NotFound" >&2; exit 1; }}
cat <<'END'
{{"status": {{"id": "{0}", "metadata": {{"attempt": 0, "name": "web"}}, "state": "CONTAINER_RUNNING"}},
 "info": {{"sandboxID": "77aa", "pid": 4711, "runtimeType": "io.containerd.runc.v2",
  "runtimeSpec": {{"ociVersion": "1.1.0", "linux": {{"cgroupsPath": "kubelet.slice:cri-containerd:{0}",
   "namespaces": [{{"type": "pid"}}, {{"type": "ipc", "path": "/proc/4700/ns/ipc"}}, {{"type": "mount"}}{1}]}}}}}}}}
END)sh",
                                     id, network));
    }
    fs::path here_;
};

TEST_F(ContainerGuests, crictl_is_asked_where_podman_does_not_know_it) {
    ASSERT_OK(scene_->add_node("web"));
    play_crictl("f3a240d625b1", "/run/netns/" + scene_->node("web").netns().name());
    const Ended up = beeline({"up", config("f3a240d625b1", "\"in udp dport 4000 -> pass\", \"in -> drop\"")});
    ASSERT_EQ(up.status, 0) << up.err;
    EXPECT_TRUE(talks(*scene_->host, scene_->node("web"), "10.88.0.2"));
    EXPECT_FALSE(talks(*scene_->host, scene_->node("web"), "10.88.0.2", 4001));
    EXPECT_EQ(beeline({"down"}).status, 0);
}

TEST_F(ContainerGuests, one_without_a_network_of_its_own_is_refused) {
    play_crictl("f3a240d625b1", "");
    const Ended up = beeline({"up", config("f3a240d625b1")});
    EXPECT_NE(up.status, 0);
    EXPECT_THAT(up.err, AllOf(HasSubstr("container f3a240d625b1: no network namespace found"),
                              HasSubstr("crictl inspect: it tells no namespace"), HasSubstr("is it running")));
    script("podman", "echo \"$PPID \""); // who asks is in the host's namespace
    const Ended host = beeline({"up", config("f3a240d625b1")});
    EXPECT_NE(host.status, 0);
    EXPECT_THAT(host.err, HasSubstr("the host's own network namespace"));
}

TEST_F(ContainerGuests, one_that_nobody_knows_is_an_error_that_says_who_was_asked) {
    play_crictl("f3a240d625b1", "/run/netns/none");
    const Ended up = beeline({"up", config("lost")});
    EXPECT_NE(up.status, 0);
    EXPECT_THAT(up.err, AllOf(HasSubstr("container lost"), HasSubstr("podman inspect"), HasSubstr("no such object"),
                              HasSubstr("crictl inspect"), HasSubstr("NotFound")));
    EXPECT_EQ(beeline({"status", "--json"}).out.find("\"web\""), std::string::npos);
}

/// A mount namespace with what podman needs; empty: it is there.
std::string enter_mounts() {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        return fmt::format("no mount namespace: {}", std::strerror(errno));
    if (!fs::exists("/sys/fs/cgroup/cgroup.controllers") &&
        ::mount("none", "/sys/fs/cgroup", "cgroup2", 0, nullptr) != 0)
        return fmt::format("no cgroup2, which crun needs: {}", std::strerror(errno));
    return {};
}

class PodmanGuests : public ContainerGuests {
protected:
    void SetUp() override {
        for (const char *program : {"podman", "crun", "busybox"})
            if (!kernel::find_program(program))
                GTEST_SKIP() << "no " << program << ": see tools/packages.txt";
        BL_NEED_ROOT();
        if (const std::string why = enter_mounts(); !why.empty())
            GTEST_SKIP() << why;
        ContainerGuests::SetUp();
        if (IsSkipped() || HasFatalFailure())
            return;
        for (const char *folder : {"bin", "proc", "sys", "dev", "etc", "run", "tmp", "www"})
            fs::create_directories(here_ / "root" / folder);
        fs::copy_file(*kernel::find_program("busybox"), here_ / "root/bin/busybox");
        std::ofstream(here_ / "root/www/index.html") << "I am web";
        std::ofstream(here_ / "containers.conf") << "[engine]\nlock_type = \"file\"\n";
        std::ofstream(here_ / "storage.conf") << fmt::format(
            "[storage]\ndriver = \"vfs\"\nrunroot = \"{0}/runroot\"\ngraphroot = \"{0}/storage\"\n", here_.string());
        // The podman that the program finds: the real one, with a storage of the test's own.
        script("podman", fmt::format("CONTAINERS_CONF={0}/containers.conf CONTAINERS_STORAGE_CONF={0}/storage.conf "
                                     "exec {1} --root {0}/storage --runroot {0}/runroot --tmpdir {0}/tmp "
                                     "--storage-driver vfs --cgroup-manager=cgroupfs --events-backend=file "
                                     "--runtime crun \"$@\"",
                                     here_.string(), *kernel::find_program("podman")));
    }
    void TearDown() override {
        if (started_)
            (void)podman({"rm", "-f", "-t", "0", "web"});
    }
    [[nodiscard]] Result<std::string> podman(std::vector<std::string> words) const {
        words.insert(words.begin(), here_ / "path/podman");
        return scene_->host->run({.words = words, .timeout = std::chrono::seconds(60)});
    }
    [[nodiscard]] Result<std::string> start() {
        started_ = true;
        return podman({"run", "-d", "--name", "web", "--cgroups=disabled", "--ulimit", "nofile=1024:1024", "--ulimit",
                       "nproc=1024:1024", "--security-opt", "seccomp=unconfined", "--network", "none", "--rootfs",
                       here_ / "root", "/bin/busybox", "sh", "-c",
                       "busybox httpd -p 80 -h /www; busybox httpd -f -p 81 -h /www"});
    }
    [[nodiscard]] std::string fetch(int port) const {
        const std::vector<std::string> words = {
            *kernel::find_program("busybox"), "sh", "-c",
            fmt::format("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 2 10.88.0.2 {}", port)};
        const auto got = scene_->world->run({.words = words});
        return got ? *got : got.error().message();
    }
    /// The server starts a moment after the container.
    [[nodiscard]] bool serves(int port) const {
        for (int tries = 0; tries < 20; ++tries) {
            if (fetch(port).find("I am web") != std::string::npos)
                return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        return false;
    }
    bool started_ = false;
};

TEST_F(PodmanGuests, a_container_is_connected_ruled_and_let_go) {
    EXPECT_THAT(beeline({"up", config("web")}).err, HasSubstr("container web: no network namespace found"));
    ASSERT_OK(start());
    const Ended up = beeline({"up", config("web")});
    ASSERT_EQ(up.status, 0) << up.err;
    EXPECT_TRUE(serves(80));
    EXPECT_EQ(fetch(81).find("I am web"), std::string::npos) << "a rule says drop";
    EXPECT_EQ(beeline({"up", config("web", "\"in tcp dport 81 -> pass\", \"in -> drop\"")}).status, 0);
    EXPECT_TRUE(serves(81));
    EXPECT_EQ(fetch(80).find("I am web"), std::string::npos);

    cli_test::Background daemon({"run", "-c", config("web")}, here());
    ASSERT_TRUE(daemon.logged("control socket")) << daemon.log();
    ASSERT_OK(podman({"rm", "-f", "-t", "0", "web"}));
    EXPECT_TRUE(daemon.logged("guest web: its device or namespace is gone")) << daemon.log();
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), 0);

    ASSERT_OK(start()); // another namespace under the same name
    EXPECT_EQ(beeline({"up", config("web")}).status, 0);
    EXPECT_TRUE(serves(80));
    EXPECT_EQ(beeline({"down"}).status, 0);
}

} // namespace
} // namespace beeline::guest
