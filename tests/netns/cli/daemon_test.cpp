// SPDX-License-Identifier: Apache-2.0
#include <csignal>

#include <fstream>

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <beeline/edge/capture.hpp>

#include <harness/assert.hpp>

#include "daemon/client.hpp"
#include "daemon/json.hpp"
#include "netns/cli/host.hpp"

namespace beeline::cli_test {
namespace {

using daemon::Client;
using testing::HasSubstr;

class Daemon : public Host {
protected:
    std::string file(const std::string &more = {}) const {
        return config({"udp dport 7 -> drop", "udp dport 9 -> log drop", "fallback -> pass"}, more);
    }
    /// Capabilities of a process, as in /proc.
    static std::uint64_t capabilities(pid_t pid, const std::string &set) {
        std::ifstream status("/proc/" + std::to_string(pid) + "/status");
        for (std::string line; std::getline(status, line);)
            if (line.starts_with(set + ":"))
                return std::stoull(line.substr(set.size() + 1), nullptr, 16);
        return ~std::uint64_t{0};
    }
};

TEST_F(Daemon, BringsUpServesAndEndsWithoutTouchingTraffic) {
    auto running = daemon(file());
    const Client client(socket());
    ASSERT_VALUE(const auto json, client.get("/v1/status"));
    EXPECT_EQ(json.at("edge").at("generation"), 1);
    send(udp(7), 3);
    running->signal(SIGTERM);
    EXPECT_EQ(running->wait(), 0);
    EXPECT_FALSE(std::filesystem::exists(socket()));
    send(udp(7), 4);
    EXPECT_EQ(packets("udp dport 7 -> drop"), 7U) << "the edge lives on in the kernel";
    EXPECT_EQ(status().at("generation"), 1);
}

TEST_F(Daemon, KilledAndStartedAgainTakesOver) {
    auto first = daemon(file());
    send(udp(7), 3);
    first->signal(SIGKILL);
    EXPECT_EQ(first->wait(), 128 + SIGKILL);
    EXPECT_TRUE(std::filesystem::exists(socket())) << "a stale socket is what kill -9 leaves";
    send(udp(7), 4);
    EXPECT_EQ(packets("udp dport 7 -> drop"), 7U);
    auto second = daemon(file());
    send(udp(7), 5);
    EXPECT_EQ(packets("udp dport 7 -> drop"), 12U) << "counters go on";
    EXPECT_EQ(status().at("devices").at(0).at("attached"), true);
    EXPECT_TRUE(Client(socket()).reachable());
}

TEST_F(Daemon, ASecondOneIsRefusedBeforeItTouchesAnything) {
    auto first = daemon(file());
    const Ended second = run_program({"run", "-c", file()}, {.netns = net_->netns().fd()});
    EXPECT_EQ(second.status, 6);
    EXPECT_THAT(second.err, HasSubstr("a daemon answers on"));
    EXPECT_EQ(status().at("generation"), 1);
    EXPECT_TRUE(Client(socket()).reachable());
}

TEST_F(Daemon, ReloadsOnSighupAndBearsABrokenFile) {
    auto running = daemon(file());
    send(udp(7), 2);
    (void)config({"udp dprot 7 -> drop"});
    running->signal(SIGHUP);
    ASSERT_TRUE(running->logged("what was live stays")) << running->log();
    EXPECT_THAT(running->log(), HasSubstr("beeline.toml:8:"));
    EXPECT_EQ(status().at("generation"), 1);
    send(udp(7), 2);
    EXPECT_EQ(packets("udp dport 7 -> drop"), 4U);
    (void)config({"udp dport 8 -> drop", "udp dport 7 -> drop"});
    running->signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return status().at("generation") == 2; }));
    send(udp(8), 2);
    EXPECT_EQ(packets("udp dport 8 -> drop"), 2U);
    EXPECT_EQ(packets("udp dport 7 -> drop"), 4U);
    running->signal(SIGTERM);
    EXPECT_EQ(running->wait(), 0);
}

TEST_F(Daemon, ABrokenFileAtTheStartIsStatus3) {
    const Ended ended = run_program({"run", "-c", config({"udp dprot 7 -> drop"})}, {.netns = net_->netns().fd()});
    EXPECT_EQ(ended.status, 3);
    EXPECT_THAT(ended.err, HasSubstr("did you mean 'dport'"));
    EXPECT_FALSE(std::filesystem::exists(pins()));
    EXPECT_FALSE(std::filesystem::exists(socket()));
}

TEST_F(Daemon, ControlSocketDoesWhatTheCommandsDo) {
    auto running = daemon(file("[sets.bad]\ntype = \"prefix\"\n"));
    const Client client(socket());
    ASSERT_VALUE(const auto added, client.post("/v1/sets/bad", {{"entry", "203.0.113.0/24"}, {"for_seconds", 3600}}));
    EXPECT_EQ(added.at("added"), true);
    ASSERT_VALUE(const auto list, client.get("/v1/sets/bad"));
    EXPECT_EQ(list.at("entries").at(0).at("entry"), "203.0.113.0/24");
    ASSERT_VALUE(const auto removed, client.remove("/v1/sets/bad?entry=203.0.113.0%2F24"));
    EXPECT_EQ(removed.at("removed"), true);
    (void)file(); // without the set
    ASSERT_VALUE(const auto plan, client.get("/v1/plan"));
    EXPECT_EQ(plan.at("sets_removed").at(0), "bad");
    ASSERT_VALUE(const auto report, client.post("/v1/reload", {{"confirm_seconds", 3600}}));
    EXPECT_EQ(report.at("generation"), 2);
    ASSERT_VALUE(const auto status, client.get("/v1/status"));
    EXPECT_GT(status.at("edge").at("rollback_in_seconds"), 3000);
    ASSERT_VALUE(const auto confirmed, client.post("/v1/confirm"));
    EXPECT_EQ(confirmed.at("confirmed"), true);
}

TEST_F(Daemon, ControlSocketTellsWhatIsWrong) {
    auto running = daemon(file());
    const Client client(socket());
    const auto kind = [](const Result<daemon::Json> &result) {
        return result ? 0 : static_cast<int>(result.error().kind);
    };
    EXPECT_EQ(kind(client.get("/v1/nonsense")), 2);
    EXPECT_EQ(kind(client.get("/v1/events?since=x")), 2);
    EXPECT_EQ(kind(client.get("/v1/sets/nosuchset")), 2);
    EXPECT_EQ(kind(client.post("/v1/sets/x", daemon::Json::object())), 2);
    EXPECT_EQ(kind(client.post("/v1/reload", {{"confirm_seconds", "soon"}})), 2);
    EXPECT_EQ(kind(client.post("/v1/reload", {{"confirm_seconds", -1}})), 2);
    EXPECT_EQ(kind(client.post("/v1/confirm")), 2);
    EXPECT_EQ(kind(client.remove("/v1/sets/x")), 2);
    (void)config({"udp dprot 7 -> drop"});
    EXPECT_EQ(kind(client.post("/v1/reload")), 3);
    EXPECT_EQ(kind(client.get("/v1/plan")), 3);
    ASSERT_VALUE(const auto json, client.get("/v1/status"));
    EXPECT_EQ(json.at("edge").at("generation"), 1) << "after all that";
}

TEST_F(Daemon, ConfirmOverTheSocketRollsBackToo) {
    auto running = daemon(file());
    (void)config({"udp dport 8 -> drop"});
    ASSERT_VALUE(const auto report, Client(socket()).post("/v1/reload", {{"confirm_seconds", 1}}));
    EXPECT_EQ(report.at("generation"), 2);
    EXPECT_TRUE(running->logged("was not confirmed: rolled back")) << running->log();
    send(udp(7), 2);
    EXPECT_EQ(packets("udp dport 7 -> drop"), 2U);
}

TEST_F(Daemon, TakesUpsOfOthersWithoutAGuard) {
    auto running = daemon(file());
    // The guard of the command is killed; the daemon is there as well.
    const std::string other = config({"udp dport 8 -> drop"}, "", "other.toml");
    expect(0, {"up", other, "--confirm", "1s"});
    EXPECT_TRUE(eventually([&] { return packets("udp dport 7 -> drop") == 0; }));
}

TEST_F(Daemon, EventsGoToTheSocketToTopAndToTheFile) {
    auto running = daemon(file(), {"--events", path("log.pcapng")});
    send(udp(9), 3);
    const Client client(socket());
    daemon::Json page;
    ASSERT_TRUE(eventually([&] {
        const auto json = client.get("/v1/events");
        if (json)
            page = *json;
        return json && page.at("events").size() == 3;
    }));
    EXPECT_EQ(page.at("last"), 3);
    const auto &event = page.at("events").at(2);
    EXPECT_EQ(event.at("device"), "va");
    EXPECT_EQ(event.at("rule"), 2);
    EXPECT_EQ(event.at("rule_text"), "udp dport 9 -> log drop");
    EXPECT_EQ(event.at("verdict"), "drop");
    ASSERT_VALUE(const auto later, client.get("/v1/events?since=2"));
    EXPECT_EQ(later.at("events").size(), 1U);
    const Ended top = run_program({"-c", path("beeline.toml"), "top", "--once"}, {.netns = net_->netns().fd()});
    EXPECT_THAT(top.out, HasSubstr("log (from the daemon):"));
    EXPECT_THAT(top.out, HasSubstr("#2 drop udp 192.0.2.1:40000 > 198.51.100.2:9"));
    running->signal(SIGTERM);
    EXPECT_EQ(running->wait(), 0);
    ASSERT_VALUE(auto capture, edge::CaptureReader::open(path("log.pcapng")));
    for (int i = 0; i < 3; ++i) {
        ASSERT_VALUE(const auto packet, capture.next());
        ASSERT_TRUE(packet.has_value());
    }
}

TEST_F(Daemon, FollowsDownAndUpOfOthers) {
    auto running = daemon(file());
    expect(0, {"down"});
    ASSERT_VALUE(const auto down, Client(socket()).get("/v1/status"));
    EXPECT_EQ(down.at("edge").at("up"), false);
    expect(0, {"up", file()});
    send(udp(9), 2);
    EXPECT_TRUE(eventually([&] {
        const auto json = Client(socket()).get("/v1/events");
        return json && json->at("events").size() == 2;
    })) << running->log();
}

TEST_F(Daemon, MetricsArePrometheus) {
    ASSERT_TRUE(net_->add_address("va", "192.0.2.254/24").has_value());
    auto running = daemon(file("metrics = \"127.0.0.1:9469\"\n"));
    send(udp(7), 6);
    const auto scrape = [&] {
        const auto text = net_->within([&] {
            std::unique_ptr<std::FILE, int (*)(std::FILE *)> pipe(
                popen("bash -c 'exec 3<>/dev/tcp/127.0.0.1/9469; printf \"GET /metrics HTTP/1.0\\r\\n\\r\\n\" >&3; cat "
                      "<&3'",
                      "r"),
                pclose);
            std::string all;
            std::array<char, 4096> buffer{};
            while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
                all.append(buffer.data(), got);
            return all;
        });
        return text.value_or("");
    };
    const std::string text = scrape();
    EXPECT_THAT(text, HasSubstr("200 OK"));
    EXPECT_THAT(text, HasSubstr("beeline_edge_packets_total{rule=\"udp dport 7 -> drop\",verdict=\"drop\"} 6\n"));
    EXPECT_THAT(text, HasSubstr("beeline_edge_device_attached{device=\"va\",mode=\"native\"} 1\n"));
}

TEST_F(Daemon, KeepsOnlyTheCapabilitiesItNeeds) {
    auto running = daemon(file());
    // CAP_DAC_READ_SEARCH 2, CAP_NET_ADMIN 12, CAP_SYS_PTRACE 19, CAP_SYS_ADMIN 21, CAP_PERFMON 38, CAP_BPF 39.
    const std::uint64_t allowed = 1ULL << 2 | 1ULL << 12 | 1ULL << 19 | 1ULL << 21 | 1ULL << 38 | 1ULL << 39;
    for (const char *set : {"CapEff", "CapPrm", "CapInh", "CapAmb"})
        EXPECT_EQ(capabilities(running->pid(), set) & ~allowed, 0U) << set;
    (void)file("[sets.bad]\ntype = \"prefix\"\n");
    ASSERT_VALUE(const auto report, Client(socket()).post("/v1/reload"));
    EXPECT_EQ(report.at("generation"), 2) << "what is left is enough";
    ASSERT_VALUE(const auto added,
                 Client(socket()).post("/v1/sets/bad", {{"entry", "203.0.113.1"}, {"for_seconds", 1}}));
    EXPECT_TRUE(eventually([&] { return status().at("sets").at(0).at("entries") == 0; })) << "swept";
}

TEST_F(Daemon, TheSocketIsRootsOrAGroups) {
    struct stat status {};
    {
        auto running = daemon(file());
        ASSERT_EQ(stat(socket().c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777, 0600U);
        running->signal(SIGTERM);
        EXPECT_EQ(running->wait(), 0);
    }
    const group *nogroup = getgrgid(65534);
    if (nogroup == nullptr)
        GTEST_SKIP() << "no group with number 65534";
    std::filesystem::permissions(directory_, std::filesystem::perms(0755));
    auto running = daemon(file(std::string("group = \"") + nogroup->gr_name + "\"\n"));
    ASSERT_EQ(stat(socket().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0660U);
    EXPECT_EQ(status.st_gid, 65534U);
    // Somebody of the group sees the status without seeing the pins.
    std::filesystem::permissions(path("beeline.toml"), std::filesystem::perms(0644));
    const Ended shown =
        run_program({"-c", path("beeline.toml"), "status"}, {.netns = net_->netns().fd(), .uid = 65534});
    EXPECT_EQ(shown.status, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("udp dport 7 -> drop"));
}

TEST_F(Daemon, WrongPlacesAreTold) {
    const auto fails = [&](const std::string &text, int status, const std::string &error) {
        const std::string name =
            write("wrong.toml", "[host]\n" + text + "\n[edge]\ndevices = [\"va\"]\nrules = [\"fallback -> pass\"]\n");
        const Ended ended = run_program({"--pins", pins(), "run", "-c", name}, {.netns = net_->netns().fd()});
        EXPECT_EQ(ended.status, status) << ended.err;
        EXPECT_THAT(ended.err, HasSubstr(error));
        EXPECT_FALSE(std::filesystem::exists(pins()));
    };
    fails("socket = \"" + write("file", "x") + "\"", 6, "exists and is no socket");
    fails("socket = \"" + socket() + "\"\ngroup = \"no-such-group\"", 3, "there is no group 'no-such-group'");
    fails("socket = \"" + socket() + "\"\nmetrics = \"203.0.113.9:9469\"", 1, "metrics on 203.0.113.9 port 9469");
    fails("socket = \"/proc/nowhere/sock\"", 1, "/proc/nowhere");
}

TEST_F(Daemon, TellsSystemd) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = path("notify");
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    const kernel::UniqueFd listener(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address), 0);
    const auto told = [&] {
        std::array<char, 256> buffer{};
        const ssize_t got = recv(listener.get(), buffer.data(), buffer.size(), 0);
        return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : "";
    };
    Background running({"run", "-c", file()}, {.netns = net_->netns().fd(), .env = {"NOTIFY_SOCKET=" + name}});
    std::string message;
    ASSERT_TRUE(eventually([&] { return !(message = told()).empty(); })) << running.log();
    EXPECT_EQ(message, "READY=1");
    running.signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return !(message = told()).empty(); }));
    EXPECT_THAT(message, testing::StartsWith("RELOADING=1\nMONOTONIC_USEC="));
    ASSERT_TRUE(eventually([&] { return !(message = told()).empty(); }));
    EXPECT_EQ(message, "READY=1");
    running.signal(SIGTERM);
    EXPECT_EQ(running.wait(), 0);
    EXPECT_EQ(told(), "STOPPING=1");
}

} // namespace
} // namespace beeline::cli_test
