// SPDX-License-Identifier: Apache-2.0
#include "netns/programs/scene.hpp"

#include <fstream>
#include <thread>

#include <unistd.h>

#include <fmt/format.h>

#include <harness/names.hpp>

namespace beeline::programs {
namespace {

const std::filesystem::path kPrograms = BEELINE_PROGRAMS; ///< Where tools/programs puts them.
constexpr const char *kLibraries = "usr/lib/x86_64-linux-gnu";

std::string quoted(const std::vector<std::string> &texts) {
    std::string list;
    for (const std::string &text : texts)
        list += "\"" + text + "\", ";
    return "[" + list + "]";
}

} // namespace

Scene::Scene(harness::TestNet net, harness::TempBpffs bpffs, kernel::Cgroup home, kernel::Cgroup cgroup,
             std::filesystem::path directory)
    : net_(std::move(net)), bpffs_(std::move(bpffs)), home_(std::move(home)), cgroup_(std::move(cgroup)),
      cgroup_cleanup_(harness::Leftover::cgroup, cgroup_.directory()), directory_(std::move(directory)) {}

Result<std::unique_ptr<Scene>> Scene::create() {
    if (!std::filesystem::exists(kPrograms / "complete"))
        return fail(Kind::unsupported, 0, "no programs in " + kPrograms.string(), "tools/programs fetches them");
    BL_TRY(auto net, harness::TestNet::create("programs"));
    BL_TRY(auto bpffs, harness::TempBpffs::mount());
    BL_TRY(auto home, kernel::Cgroup::of_process(::getpid()));
    BL_TRY(auto cgroup, kernel::Cgroup::create("/" + harness::unique_name("programs")));
    std::string name = (std::filesystem::temp_directory_path() / "bl-programs-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        return fail_errno(errno, "make " + name);
    std::filesystem::permissions(name, std::filesystem::perms(0755)); // unprivileged servers have theirs in it
    auto scene =
        std::unique_ptr<Scene>(new Scene(std::move(net), std::move(bpffs), std::move(home), std::move(cgroup), name));
    BL_CHECK(scene->cgroup_.add(0));
    return scene;
}

Scene::~Scene() {
    plain();
    (void)home_.add(0);
    std::ofstream(cgroup_.directory() / "cgroup.kill") << 1; // what servers have started and left: socat's children
    (void)eventually([&] { return cgroup_.remove().has_value(); }); // they take a while to go
    std::error_code error;
    std::filesystem::remove_all(directory_, error);
}

std::string Scene::write(const std::string &name, const std::string &text) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
}

cli_test::How Scene::how(const std::string &program) const {
    return {.program = program.empty() || program.front() == '/' ? program : (kPrograms / program).string(),
            .netns = net_.netns().fd(),
            .env = {"LD_LIBRARY_PATH=" + (kPrograms / kLibraries).string(), "LC_ALL=C.UTF-8"}};
}

Ended Scene::run(const std::string &program, const std::vector<std::string> &arguments,
                 std::chrono::seconds limit) const {
    cli_test::How how = this->how(program);
    how.limit = limit;
    return cli_test::run_program(arguments, how);
}

std::unique_ptr<Background> Scene::start(const std::string &program, const std::vector<std::string> &arguments) const {
    return std::make_unique<Background>(arguments, how(program));
}

std::vector<std::string> Scene::unprivileged(const std::string &home, const std::string &command) const {
    constexpr const char *kScript = R"(set -e
        mkdir -p "$1" "$2/programs"
        chown 65534:65534 "$1"
        mount --bind "$3" "$2/programs"
        programs=$2/programs
        export programs LD_LIBRARY_PATH=$programs/$4
        exec setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "exec $5")";
    return {"--mount", "sh", "-c", kScript, "sh", home, directory_.string(), kPrograms.string(), kLibraries, command};
}

Ended Scene::beeline(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"-c", path("beeline.toml")});
    return cli_test::run_program(arguments, how(""));
}

Result<> Scene::accelerate(const std::vector<std::string> &rules, const std::vector<std::string> &trusted) {
    std::vector<std::string> programs;
    for (const std::string &program : trusted)
        programs.push_back((kPrograms / program).string());
    BL_TRY(const auto mount, kernel::cgroup2_mount());
    const std::string config =
        write("beeline.toml",
              fmt::format("[host]\npins = \"{}/beeline\"\nsocket = \"{}\"\n"
                          "[local]\ncgroup = \"/{}\"\nrules = {}\ntrusted = {}\n",
                          bpffs_.path().string(), path("beeline.sock"),
                          cgroup_.directory().lexically_relative(mount).string(), quoted(rules), quoted(programs)));
    daemon_ = std::make_unique<Background>(std::vector<std::string>{"run", "-c", config}, how(""));
    if (!daemon_->logged("control socket"))
        return fail(Kind::state, 0, "beeline run: " + daemon_->log());
    return {};
}

void Scene::plain() {
    if (!daemon_)
        return;
    daemon_.reset();
    (void)beeline({"down"});
}

Json Scene::connections() const {
    const Json json = Json::parse(beeline({"local", "list", "--json"}).out, nullptr, false);
    return json.is_object() ? json.value("connections", Json::array()) : Json::array();
}

Json Scene::status() const {
    const Json json = Json::parse(beeline({"status", "--json"}).out, nullptr, false);
    return json.is_object() ? json.value("local", Json::object()) : Json::object();
}

std::uint64_t Scene::short_bytes() const {
    std::uint64_t sum = 0;
    for (const Json &rule : status().value("rules", Json::array()))
        sum += rule.value("short_bytes", std::uint64_t{0});
    return sum;
}

std::uint64_t Scene::count(const std::string &reason) const {
    return status().value("reasons", Json::object()).value(reason, std::uint64_t{0});
}

std::uint64_t Scene::on() const {
    return status().value("connections", Json::object()).value("on", std::uint64_t{0});
}

bool Scene::eventually(const std::function<bool()> &condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < until) {
        if (condition())
            return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return condition();
}

} // namespace beeline::programs
