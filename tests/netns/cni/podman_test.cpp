// SPDX-License-Identifier: Apache-2.0
//
// The plugin under podman: containers of a root filesystem that is one program, on a host that is a namespace.
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sched.h>
#include <sys/mount.h>

#include "../guest/scene.hpp"

namespace beeline::guest {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char *kPlugins = "/usr/lib/cni";
constexpr const char *kNetwork = "bl-test";

void write_file(const fs::path &path, const std::string &text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
}

/// A mount namespace of the test's own, with the one cgroup hierarchy that crun insists on. Empty: it is there.
std::string enter_mounts() {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        return fmt::format("no mount namespace: {}", std::strerror(errno));
    if (!fs::exists("/sys/fs/cgroup/cgroup.controllers") &&
        ::mount("none", "/sys/fs/cgroup", "cgroup2", 0, nullptr) != 0)
        return fmt::format("no cgroup2, which crun needs: {}", std::strerror(errno));
    // What libcni remembers of containers stays here, too.
    if (::mount("none", "/var/lib", "tmpfs", 0, nullptr) != 0)
        return fmt::format("no tmpfs: {}", std::strerror(errno));
    return {};
}

class CniPodman : public testing::Test {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        for (const char *program : {"podman", "crun", "busybox"})
            if (!kernel::find_program(program))
                GTEST_SKIP() << "no " << program << ": see tools/packages.txt";
        if (!fs::exists(fs::path(kPlugins) / "host-local"))
            GTEST_SKIP() << "no CNI plugins in " << kPlugins << ": package containernetworking-plugins";
        if (const std::string why = enter_mounts(); !why.empty())
            GTEST_SKIP() << why;
        ASSERT_VALUE(scene_, Scene::make(Mode::automatic));
        ASSERT_OK(scene_->host->set_sysctl("ipv4/ip_forward", "1")); // as on every container host
        here_ = scene_->lab.folder();
        make_root();
        configure();
        namespaces_ = namespaces();
    }
    void TearDown() override {
        if (scene_ && !removed_)
            (void)podman({"rm", "-f", "-t", "0", "a", "b"});
    }
    /// Enough of a system for a web server.
    void make_root() const {
        const fs::path root = here_ / "root";
        for (const char *folder : {"bin", "proc", "sys", "dev", "etc", "run", "tmp"})
            fs::create_directories(root / folder);
        fs::copy_file(*kernel::find_program("busybox"), root / "bin/busybox");
        write_file(root / "www/a/index.html", "I am a");
        write_file(root / "www/b/index.html", "I am b");
    }
    void configure() const {
        const Json plugin = {{"type", "beeline-cni"},
                             {"pins", (scene_->lab.bpffs() / "beeline").string()},
                             {"uplinks", {"up0"}},
                             {"masquerade", true},
                             {"capabilities", {{"portMappings", true}}},
                             {"ipam",
                              {{"type", "host-local"},
                               {"dataDir", (here_ / "ipam").string()},
                               {"ranges", {{{{"subnet", "10.88.0.0/24"}}}}},
                               {"routes", {{{"dst", "0.0.0.0/0"}}}}}}};
        const Json list = {{"cniVersion", "0.4.0"}, {"name", kNetwork}, {"plugins", {plugin}}};
        write_file(here_ / "net.d/bl.conflist", list.dump());
        const std::string plugins = fs::path(BEELINE_CNI).parent_path();
        write_file(here_ / "containers.conf",
                   fmt::format("[network]\nnetwork_backend = \"cni\"\nnetwork_config_dir = \"{}\"\n"
                               "cni_plugin_dirs = [\"{}\", \"{}\"]\ndefault_network = \"{}\"\n"
                               "[engine]\nlock_type = \"file\"\n",
                               (here_ / "net.d").string(), plugins, kPlugins, kNetwork));
        write_file(here_ / "storage.conf",
                   fmt::format("[storage]\ndriver = \"vfs\"\nrunroot = \"{}\"\ngraphroot = \"{}\"\n",
                               (here_ / "runroot").string(), (here_ / "storage").string()));
    }
    [[nodiscard]] Result<std::string> podman(const std::vector<std::string> &words) const {
        kernel::Command command{.words = {"podman", "--root", here_ / "storage", "--runroot", here_ / "runroot",
                                          "--tmpdir", here_ / "tmp", "--storage-driver", "vfs",
                                          "--cgroup-manager=cgroupfs", "--events-backend=file", "--runtime", "crun"},
                                .environment = {"CONTAINERS_CONF=" + (here_ / "containers.conf").string(),
                                                "CONTAINERS_STORAGE_CONF=" + (here_ / "storage.conf").string()},
                                .timeout = std::chrono::seconds(60)};
        command.words.insert(command.words.end(), words.begin(), words.end());
        return scene_->host->run(command);
    }
    /// A container whose server answers "I am NAME".
    [[nodiscard]] Result<std::string> start(const std::string &name, const std::vector<std::string> &more = {}) const {
        std::vector<std::string> words = {"run", "-d", "--name", name, "--cgroups=disabled",
                                          // The host's limits may be lower than podman's own.
                                          "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
                                          "--security-opt", "seccomp=unconfined", "--network", kNetwork};
        words.insert(words.end(), more.begin(), more.end());
        words.insert(words.end(),
                     {"--rootfs", here_ / "root", "/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/www/" + name});
        return podman(words);
    }
    [[nodiscard]] std::string address_of(const std::string &name) const {
        const auto printed =
            podman({"inspect", "--format",
                    fmt::format("{{{{(index .NetworkSettings.Networks \"{}\").IPAddress}}}}", kNetwork), name});
        return printed ? printed->substr(0, printed->find('\n')) : printed.error().message();
    }
    /// Not wget: a static program cannot look up names, which wget does first.
    static std::vector<std::string> fetch(const std::string &address, int port) {
        return {"/bin/busybox", "sh", "-c",
                fmt::format("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 2 {} {}", address, port)};
    }
    /// Asks until the server has started, two seconds at most.
    template <class Ask>
    static std::string answer(Ask ask) {
        Result<std::string> got = ask();
        for (int tries = 0; tries < 20 && !got; ++tries) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            got = ask();
        }
        return got ? *got : got.error().message();
    }
    [[nodiscard]] std::string fetch_inside(const std::string &name, const std::string &address) const {
        std::vector<std::string> words = fetch(address, 80);
        words.insert(words.begin(), {"exec", name});
        return answer([&] { return podman(words); });
    }
    [[nodiscard]] std::string fetch_published() const {
        std::vector<std::string> words = fetch("10.9.0.1", 8080);
        words[0] = *kernel::find_program("busybox");
        return answer([&] { return scene_->world->run({.words = words}); });
    }
    [[nodiscard]] bool pings_inside(const std::string &name, const std::string &to) const {
        return podman({"exec", name, "/bin/busybox", "ping", "-c", "1", "-W", "2", to}).has_value();
    }
    static std::set<std::string> namespaces() {
        std::set<std::string> names;
        for (const auto &entry : fs::directory_iterator("/run/netns"))
            if (entry.path().filename().string().starts_with("netns-")) // as podman names them
                names.insert(entry.path());
        return names;
    }
    [[nodiscard]] std::set<std::string> leases() const {
        std::set<std::string> names;
        for (const auto &entry : fs::directory_iterator(here_ / "ipam" / kNetwork))
            if (const std::string name = entry.path().filename(); name.starts_with("10."))
                names.insert(name);
        return names;
    }
    void expect_nothing_left() const {
        ASSERT_VALUE(const Status status, scene_->status());
        EXPECT_THAT(status.guests, testing::IsEmpty());
        EXPECT_THAT(leases(), testing::IsEmpty());
        EXPECT_EQ(namespaces(), namespaces_);
        ASSERT_VALUE(const std::string devices,
                     scene_->host->run({.words = {"ip", "-o", "link", "show"}, .errors_apart = true}));
        EXPECT_EQ(std::ranges::count(devices, '\n'), 2) << devices; // lo and up0
    }

    std::unique_ptr<Scene> scene_;
    fs::path here_;
    std::set<std::string> namespaces_;
    bool removed_ = false;
};

TEST_F(CniPodman, ContainersReachEachOtherTheHostAndTheWorld) {
    ASSERT_OK(start("a", {"-p", "8080:80"}));
    ASSERT_OK(start("b"));
    ASSERT_VALUE(const Status status, scene_->status());
    EXPECT_THAT(status.guests, testing::SizeIs(2));
    EXPECT_EQ(leases().size(), 2U);
    EXPECT_THAT(fetch_inside("b", address_of("a")), HasSubstr("I am a"));
    EXPECT_THAT(fetch_inside("a", address_of("b")), HasSubstr("I am b"));
    for (const char *name : {"a", "b"})
        for (const char *address : {"10.9.0.1", "10.9.0.2"})
            EXPECT_TRUE(pings_inside(name, address)) << name << " to " << address;
    EXPECT_THAT(fetch_published(), HasSubstr("I am a"));

    ASSERT_OK(podman({"restart", "-t", "0", "a"}));
    EXPECT_THAT(fetch_inside("b", address_of("a")), HasSubstr("I am a"));
    EXPECT_THAT(fetch_published(), HasSubstr("I am a"));

    ASSERT_OK(podman({"rm", "-f", "-t", "0", "a", "b"}));
    removed_ = true;
    expect_nothing_left();
}

} // namespace
} // namespace beeline::guest
