// SPDX-License-Identifier: Apache-2.0
//
// [local] as its users meet it: config, daemon, status. What becomes of the bytes is tests/netns/local's matter.
#include <array>
#include <fstream>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <beeline/kernel/features.hpp>
#include <beeline/kernel/netns.hpp>
#include <harness/assert.hpp>

#include "netns/cli/host.hpp"

namespace beeline::cli_test {
namespace {

using kernel::UniqueFd;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint16_t kPort = 7411;

/// Two ends of a connection that can take the short cut.
class Pair {
public:
    static Result<Pair> connect() {
        const auto make = [] { return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); };
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(kPort);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto *name = reinterpret_cast<const sockaddr *>(&address);
        const int on = 1;
        UniqueFd listener = make(), client = make();
        if (::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
            ::bind(listener.get(), name, sizeof address) != 0 || ::listen(listener.get(), 1) != 0 ||
            ::connect(client.get(), name, sizeof address) != 0)
            return fail_errno(errno, "connect to ourselves");
        UniqueFd server(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!server.valid() || ::fcntl(client.get(), F_SETFL, O_NONBLOCK) != 0)
            return fail_errno(errno, "accept");
        return Pair(std::move(client), std::move(server));
    }

    /// A request and its answer; false when they do not come as they went.
    [[nodiscard]] bool turn() const { return carry(client_, server_) && carry(server_, client_); }
    [[nodiscard]] bool turns(int count) const {
        for (int i = 0; i < count; ++i)
            if (!turn())
                return false;
        return true;
    }
    [[nodiscard]] bool send() const { return ::send(client_.get(), kText.data(), kText.size(), 0) == kSize; }
    [[nodiscard]] bool receive() const { return take(server_); }

private:
    Pair(UniqueFd client, UniqueFd server) : client_(std::move(client)), server_(std::move(server)) {}
    static constexpr std::string_view kText = "0123456789abcdefghijklmnopqrstuvwxyz";
    static constexpr auto kSize = static_cast<ssize_t>(kText.size());

    static bool take(const UniqueFd &from) {
        std::array<char, 64> got{};
        pollfd ready{.fd = from.get(), .events = POLLIN, .revents = 0};
        return ::poll(&ready, 1, 5000) == 1 && ::recv(from.get(), got.data(), got.size(), 0) == kSize &&
               std::string_view(got.data(), kText.size()) == kText;
    }
    static bool carry(const UniqueFd &from, const UniqueFd &to) {
        return ::send(from.get(), kText.data(), kText.size(), 0) == kSize && take(to);
    }
    UniqueFd client_, server_;
};

class LocalHost : public Host {
protected:
    void SetUp() override {
        Host::SetUp();
        if (IsSkipped() || HasFatalFailure())
            return;
        for (const auto feature :
             {kernel::FeatureId::sockmap_link, kernel::FeatureId::tp_btf, kernel::FeatureId::sockmap_inq})
            if (const auto there = kernel::require(feature); !there)
                GTEST_SKIP() << there.error().message();
    }
    [[nodiscard]] std::string head() const {
        return "[host]\npins = \"" + pins() + "\"\nsocket = \"" + socket() + "\"\n";
    }
    [[nodiscard]] std::string local_config(const std::string &more = {}) const {
        return write("local.toml", head() + more + "[local]\nrules = [\"dport 7411 -> accelerate\"]\n");
    }
    [[nodiscard]] Json local() const {
        const Json json = Json::parse(beeline({"status", "--json"}).out, nullptr, false);
        return json.is_object() ? json.value("local", Json::object()) : Json::object();
    }
    /// That of the one connection with our port: "on", or "tcp" and why.
    [[nodiscard]] std::string state(const How &how = {}) const {
        const Json json = Json::parse(beeline({"local", "list", "--json"}, how).out, nullptr, false);
        for (const Json &one : json.is_object() ? json.value("connections", Json::array()) : Json::array())
            for (const Json &end : one.at("ends"))
                if (end.is_object() && end.at("connected") == true && end.at("peer_port") == kPort)
                    return one.at("state").get<std::string>() +
                           (one.at("reason") == "" ? "" : " " + one.at("reason").get<std::string>());
        return "none";
    }
    [[nodiscard]] Result<Pair> connected() const { return net_->within(Pair::connect); }
    /// Turns of the pair until it is on the short cut, and some more that take it.
    [[nodiscard]] bool gets_on(const Pair &pair) const {
        return eventually([&] { return pair.turns(10) && state() == "on"; }) && pair.turns(100);
    }
};

TEST_F(LocalHost, ProvenConnectionsTakeTheShortCutAndStatusTells) {
    const auto running = daemon(local_config());
    ASSERT_VALUE(const Pair pair, connected());
    ASSERT_TRUE(gets_on(pair)) << state() << running->log();
    const Json rule = local().at("rules").at(0);
    EXPECT_EQ(rule.at("connections"), 1);
    EXPECT_GE(rule.at("short_messages"), 200) << "a hundred turns of two messages each";
    EXPECT_EQ(rule.at("short_bytes"), rule.at("short_messages").get<int>() * 36);
    EXPECT_EQ(local().at("connections").at("on"), 1);
    const std::string text = beeline({"status"}).out;
    EXPECT_THAT(text, HasSubstr("dport 7411 -> accelerate"));
    EXPECT_THAT(text, HasSubstr("tcpdump, ss and nftables do not see"));
    EXPECT_THAT(beeline({"local", "list"}).out, testing::ContainsRegex("on +- +1 +127.0.0.1:[0-9]+.* 127.0.0.1:7411"));
}

TEST_F(LocalHost, TheDaemonTellsThoseWhoMayNotReadPins) {
    const auto running = daemon(local_config("group = \"nogroup\"\n"));
    ASSERT_VALUE(const Pair pair, connected());
    ASSERT_TRUE(gets_on(pair));
    std::filesystem::permissions(directory_, std::filesystem::perms::all);
    const How nobody{.uid = 65534};
    const Ended shown = beeline({"-c", path("local.toml"), "status"}, nobody);
    EXPECT_THAT(shown.out, HasSubstr("dport 7411 -> accelerate")) << shown.err;
    const Ended listed = beeline({"-c", path("local.toml"), "local", "list"}, nobody);
    EXPECT_THAT(listed.out, HasSubstr("127.0.0.1:7411")) << listed.err;
}

TEST_F(LocalHost, NoAccelerateTakesConnectionsOfAnAddressBackToTcpUntilTheNextReload) {
    const auto running = daemon(local_config());
    ASSERT_VALUE(const Pair pair, connected());
    ASSERT_TRUE(gets_on(pair));
    expect(0, {"reload", "--no-accelerate", "127.0.0.1"});
    EXPECT_TRUE(pair.turns(10));
    EXPECT_THAT(state(), testing::AnyOf("tcp not_chosen", "none")) << "forgotten as soon as it is out";
    EXPECT_EQ(local().at("rules").at(0).at("text"), "dst 127.0.0.1 -> tcp");
    EXPECT_THAT(beeline({"-c", path("local.toml"), "plan"}).out, HasSubstr("- rule    src 127.0.0.1 -> tcp"));
    ASSERT_VALUE(const Pair second, connected());
    EXPECT_TRUE(second.turns(50));
    expect(0, {"reload"});
    ASSERT_VALUE(const Pair third, connected());
    EXPECT_TRUE(eventually([&] { return third.turns(10) && local().at("connections").at("on") == 1; })) << local();
    expect(2, {"reload", "--no-accelerate", "nonsense"});
    expect(2, {"reload", "--no-accelerate", "127.0.0.1 -> accelerate #"});
}

TEST_F(LocalHost, DownWaitsForWhatIsUnreadAndKeepsConnections) {
    const auto running = daemon(local_config());
    ASSERT_VALUE(const Pair pair, connected());
    ASSERT_TRUE(gets_on(pair));
    ASSERT_TRUE(pair.send());
    const Ended refused = beeline({"down"});
    EXPECT_EQ(refused.status, 6) << refused.out;
    EXPECT_THAT(refused.err, HasSubstr("have not read"));
    EXPECT_THAT(beeline({"status"}).out, HasSubstr("going down"));
    EXPECT_TRUE(pair.receive()) << "the byte is still there";
    const Ended down = beeline({"down"});
    EXPECT_EQ(down.status, 0) << down.err;
    EXPECT_THAT(down.out, HasSubstr("[local] is down"));
    EXPECT_TRUE(pair.turns(10)) << "by TCP";
    EXPECT_THAT(beeline({"status"}).out, HasSubstr("nothing is up"));
    EXPECT_THAT(beeline({"local", "list"}).out, HasSubstr("not up"));
}

TEST_F(LocalHost, TheDaemonFollowsDownAndUpOfOthers) {
    const auto running = daemon(local_config());
    expect(0, {"down"});
    expect(0, {"up", path("local.toml")});
    ASSERT_VALUE(const Pair pair, connected());
    EXPECT_TRUE(gets_on(pair)) << "one second later at most the daemon tends the new one" << running->log();
}

TEST_F(LocalHost, AFileWithoutItTakesItDown) {
    expect(0, {"up", local_config()});
    EXPECT_EQ(local().at("up"), true);
    const std::string edge = config({"fallback -> pass"});
    EXPECT_THAT(beeline({"-c", edge, "plan"}).out, HasSubstr("- [local]: the file has none"));
    EXPECT_THAT(beeline({"up", edge}).out, HasSubstr("[local] is down"));
    EXPECT_EQ(local().at("up"), false);
}

TEST_F(LocalHost, WhenItCannotBeTheEdgeIsAsBefore) {
    const std::string file = config({"fallback -> pass"});
    std::ofstream(file, std::ios::app) << "[local]\nrules = [\"cgroup /there/is/none -> accelerate\"]\n";
    const Ended refused = beeline({"up", file});
    EXPECT_NE(refused.status, 0);
    EXPECT_THAT(refused.err, HasSubstr("/there/is/none"));
    EXPECT_EQ(status().at("up"), false);
    expect(0, {"up", config({"udp dport 9 -> drop", "fallback -> pass"}, {}, "edge.toml")});
    EXPECT_NE(beeline({"up", file}).status, 0);
    EXPECT_EQ(status().at("generation"), 1) << "not touched";
}

TEST_F(LocalHost, ChangesThatNeedADownSaySo) {
    expect(0, {"up", local_config()});
    const std::string other =
        write("other.toml", head() + "[local]\nconnections = 2048\nrules = [\"dport 7411 -> accelerate\"]\n");
    const Ended refused = beeline({"up", other});
    EXPECT_EQ(refused.status, 6);
    EXPECT_THAT(refused.err, HasSubstr("`beeline down` first"));
    EXPECT_EQ(beeline({"-c", other, "plan"}).status, 6) << "plan says what up will say";
    const std::string limit =
        write("limit.toml", head() + "[local]\nlimit = 100000\nrules = [\"dport 7411 -> accelerate\"]\n");
    EXPECT_THAT(beeline({"-c", limit, "plan"}).out, HasSubstr("~ limit, lowat or trusted"));
    expect(0, {"up", limit});
    EXPECT_EQ(local().at("limit"), 100000);
    EXPECT_THAT(beeline({"-c", limit, "plan"}).out, HasSubstr("no difference"));
}

} // namespace
} // namespace beeline::cli_test
