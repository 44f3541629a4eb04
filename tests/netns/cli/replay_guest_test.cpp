// SPDX-License-Identifier: Apache-2.0
//
// replay for a guest: what it counts, against the reference model and against what live traffic counts.
#include <fstream>
#include <map>
#include <sstream>

#include <sys/socket.h>

#include <beeline/config/config.hpp>
#include <harness/assert.hpp>
#include <harness/model.hpp>

#include "netns/cli/guest_host.hpp"
#include "netns/cli/zoo.hpp"

namespace beeline::cli_test {
namespace {

using namespace harness;
using testing::AllOf;
using testing::HasSubstr;

/// The addresses that packets of the zoos come from.
constexpr const char *kZoo4 = "192.0.2.1", *kZoo6 = "2001:db8::1";

class ReplayGuest : public GuestHost {
protected:
    /// A file with a guest that has the zoos' address and these rules.
    std::string zoo_file(const std::vector<std::string> &rules, const char *six = kZoo6) const {
        std::string text = head() + "[guests]\nuplinks = \"va\"\n[[guest]]\nname = \"web\"\nnetns = \"" +
                           path_of(*web_) + "\"\naddress = [\"" + kZoo4 + "/24\", \"" + six +
                           "/64\"]\nmode = \"veth\"\nhost_device = \"blweb0\"\nmasquerade = true\nrules = [\n";
        for (const std::string &rule : rules)
            text += "  \"" + rule + "\",\n";
        return write("zoo.toml", text + "]\n");
    }
    Json replay(const std::vector<std::string> &more) const {
        std::vector<std::string> arguments = {"replay"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        arguments.insert(arguments.end(), {"--guest", "web", "--json"});
        const Ended ended = beeline(arguments);
        EXPECT_EQ(ended.status, 0) << ended.err;
        return Json::parse(ended.out, nullptr, false);
    }
    /// The same with an object for each packet, and the sum at the end.
    std::vector<Json> each(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "replay");
        arguments.insert(arguments.end(), {"--guest", "web", "--packets", "--json"});
        const Ended ended = beeline(arguments);
        EXPECT_EQ(ended.status, 0) << ended.err;
        std::istringstream lines(ended.out);
        std::vector<Json> objects;
        for (std::string line; std::getline(lines, line);)
            objects.push_back(Json::parse(line));
        return objects;
    }
    static std::vector<std::uint64_t> hits(const Json &sum) {
        std::vector<std::uint64_t> packets;
        for (const Json &rule : sum.at("rules"))
            packets.push_back(rule.at("packets"));
        return packets;
    }
    /// A question of the guest and its answer, n times.
    static std::vector<Bytes> conversation(unsigned n) {
        std::vector<Bytes> frames;
        for (unsigned i = 0; i < n; ++i) {
            frames.push_back(
                (Eth{} / Ip4{.src = "10.88.0.2", .dst = "203.0.113.9"} / Udp{.sport = 4000, .dport = 53} / Payload(10))
                    .bytes());
            frames.push_back(
                (Eth{} / Ip4{.src = "203.0.113.9", .dst = "10.88.0.2"} / Udp{.sport = 53, .dport = 4000} / Payload(90))
                    .bytes());
        }
        return frames;
    }
};

/// The model's answer for a flow that a guest begins with this packet.
std::size_t first_match(const guest::Policy &policy, const model::Fields &fields) {
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        policy::Match match = policy.rules[i].match;
        if (match.direction && *match.direction != policy::Direction::out)
            continue;
        match.direction = {};
        if (model::matches(match, policy.sets, fields, "lo"))
            return i;
    }
    return policy.rules.size();
}

bool is_the_guests(const model::Fields::Ip &ip) {
    const auto own = kernel::IpAddress::parse(ip.family == edge::Family::v6 ? kZoo6 : kZoo4);
    return own && own->bytes == ip.src;
}

/// TCP, UDP, echoes and protocols without ports, whole: what is judged as it stands.
bool is_plain(const model::Fields &fields) {
    if (!fields.ip || fields.ip->fragment || fields.reason != 0 || fields.tagged || fields.ip->routed)
        return false;
    const bool echo = fields.icmp && (fields.icmp->type == 8 || fields.icmp->type == 128);
    return fields.ports || echo;
}

TEST_F(ReplayGuest, AgreesWithTheReferenceModelOnScapysPackets) {
    const std::string pcap = path("scapy.pcap");
    std::vector<Kind> zoo = scapy_zoo(pcap);
    if (zoo.empty())
        GTEST_SKIP() << "no scapy: apt-get install python3-scapy";
    const std::string file =
        zoo_file({"out tcp dport 443 -> pass", "out udp dport {53, 123} -> drop", "out ip udp -> pass",
                  "out ipv6 udp dport 7999 -> drop", "out icmp type 8 -> pass", "in -> drop", "fallback -> drop"});
    const auto [config, diagnostics] = config::load(file);
    ASSERT_TRUE(config);
    const guest::Policy &policy = config->guests.at(0);
    const std::vector<Json> judged = each({pcap, file, "--out"});
    ASSERT_EQ(judged.size(), zoo.size() + 1);
    std::map<std::size_t, unsigned> met;
    std::vector<std::uint64_t> expected(policy.rules.size());
    unsigned compared = 0, spoofed = 0;
    for (std::size_t i = 0; i < zoo.size(); ++i) {
        const Json &one = judged[i];
        const model::Fields fields = model::parse(zoo[i].frame);
        SCOPED_TRACE(zoo[i].name + fields.text() + one.dump());
        if (!is_plain(fields)) { // what it is judged as is the program's own business
            for (const Json &rule : one.at("rules"))
                ++expected[rule.at("number").get<std::size_t>() - 1];
            continue;
        }
        ++compared;
        if (!is_the_guests(*fields.ip)) {
            EXPECT_EQ(one.at("odd"), "spoofed");
            ++spoofed;
            continue;
        }
        const std::size_t rule = first_match(policy, fields);
        const bool drop = policy.rules[rule].action.verdict == policy::Verdict::drop;
        ++met[rule];
        if (!drop && fields.ip->ttl <= 1) {
            EXPECT_EQ(one.at("odd"), "ttl") << "answered, which no rule counts";
            continue;
        }
        EXPECT_EQ(one.at("rules"), Json::array({{{"guest", "web"}, {"number", rule + 1}}}));
        EXPECT_EQ(one.at("action") == "drop", drop);
        EXPECT_EQ(one.at("odd"), drop ? Json("rule") : Json(nullptr));
        ++expected[rule];
    }
    EXPECT_EQ(hits(judged.back()), expected);
    EXPECT_GE(compared, 20U);
    EXPECT_GE(spoofed, 1U);
    EXPECT_GE(met.size(), 6U) << "the rules tell the packets apart";
}

TEST_F(ReplayGuest, AnswersFollowTheFlowThatTheCaptureBegan) {
    const std::string file = guests_only("masquerade = true\n"); // in: port 80 only
    const std::string pcap = capture(conversation(5));
    const Json sum = replay({pcap, file});
    EXPECT_EQ(hits(sum), (std::vector<std::uint64_t>{0, 0, 10})) << "answers count where the flow began";
    EXPECT_EQ(sum.at("out"), 5);
    EXPECT_EQ(sum.at("into"), 5);
    EXPECT_EQ(sum.at("rules").at(2).at("bytes"), 5 * (14 + 28 + 10) + 5 * (14 + 28 + 90));
    EXPECT_EQ(sum.at("odd"), Json::object());
    EXPECT_EQ(sum.at("rules").at(0).at("place"), file + ":13");
    // The same answers with no question before them.
    const Json into = replay({capture({conversation(1).at(1), conversation(1).at(1)}), file, "--into"});
    EXPECT_EQ(hits(into), (std::vector<std::uint64_t>{0, 2, 0}));
    EXPECT_EQ(into.at("odd"), (Json{{"rule", 2}}));
    EXPECT_FALSE(std::filesystem::exists(pins())) << "nothing is attached or pinned";
}

TEST_F(ReplayGuest, OfTheLiveGuestTouchesNoFlowAndNoCounter) {
    const std::string file = guests_only();
    expect(0, {"up", file});
    const Json before = guests();
    std::vector<Bytes> frames = conversation(50);
    frames.push_back((Eth{} / Ip4{.src = "203.0.113.9", .dst = "10.88.0.2"} / Udp{.dport = 7}).bytes());
    const std::string pcap = capture(frames);
    const Json live = replay({pcap}), aside = replay({pcap, file});
    EXPECT_EQ(hits(live), (std::vector<std::uint64_t>{0, 1, 100}));
    EXPECT_EQ(live.at("odd"), (Json{{"rule", 1}}));
    EXPECT_EQ(live.at("rules"), aside.at("rules"));
    EXPECT_EQ(live.at("odd"), aside.at("odd"));
    const Json after = guests();
    EXPECT_EQ(after.at("guests").at(0).at("rules"), before.at("guests").at(0).at("rules"));
    EXPECT_EQ(after.at("flows"), before.at("flows"));
    EXPECT_EQ(after.at("odd").at("rule"), 0) << "other reasons may have been the guest's own stack";
    const Ended shown = beeline({"replay", pcap, "--guest", "web"});
    EXPECT_THAT(shown.out, AllOf(HasSubstr("101 packets, 101 judged: 50 out of the guest, 51 into it"),
                                 HasSubstr("the live programs, with flows of their own")));
}

TEST_F(ReplayGuest, ShowsEachPacket) {
    const std::string file = guests_only();
    const Bytes forbidden =
        (Eth{} / Ip4{.src = "203.0.113.9", .dst = "10.88.0.2"} / Tcp{.dport = 22, .flags = kSyn}).bytes();
    std::vector<Bytes> frames = conversation(1);
    frames.push_back(forbidden);
    frames.push_back(Bytes(14));
    frames.push_back((Eth{} / Ip4{.src = "10.88.0.2"} / Udp{} / Payload(4000)).bytes());
    const std::string pcap = capture(frames);
    const Ended shown = beeline({"replay", pcap, file, "--guest", "web", "--packets"});
    EXPECT_THAT(shown.out, testing::ContainsRegex("1  out  redirected +web #3 +udp 10\\.88\\.0\\.2:4000"));
    EXPECT_THAT(shown.out, testing::ContainsRegex("2  into into the guest +web #3 +udp 203\\.0\\.113\\.9:53"));
    EXPECT_THAT(shown.out, testing::ContainsRegex("3  into dropped +web #2 +tcp .*\\[rule\\]"));
    EXPECT_THAT(shown.out, AllOf(HasSubstr("1 shorter than an IP header: not judged"),
                                 HasSubstr("1 longer than 3400 bytes: not judged")));
    const std::vector<Json> objects = each({pcap, file});
    ASSERT_EQ(objects.size(), 6U);
    EXPECT_EQ(objects[2].at("rules"), (Json::array({{{"guest", "web"}, {"number", 2}}})));
    EXPECT_EQ(objects[2].at("odd"), "rule");
    EXPECT_EQ(objects[3].at("judged"), false);
    EXPECT_EQ(objects[5].at("packets"), 5);
}

/// The packets that web sends through the live guest are counted there as replay counts them.
TEST_F(ReplayGuest, CountsAsLiveTrafficDoes) {
    const std::string file =
        zoo_file({"out udp dport 7999 -> drop", "out udp -> pass", "out tcp -> drop", "in -> drop", "fallback -> pass"},
                 "fd00::1");
    std::vector<Bytes> frames;
    for (const Kind &kind : packet_zoo()) {
        const model::Fields fields = model::parse(kind.frame);
        if (is_plain(fields) && fields.ip->family == edge::Family::v4 && kind.frame.size() <= 1500)
            frames.push_back(kind.frame);
    }
    ASSERT_GE(frames.size(), 12U);
    expect(0, {"up", file});
    ASSERT_VALUE(const auto sender, web_->within([] { return packet_socket("eth0"); }));
    const auto counts = [&] {
        std::vector<std::uint64_t> packets;
        const Json rules = guests().at("guests").at(0).at("rules");
        for (const Json &rule : rules)
            packets.push_back(rule.at("packets"));
        return packets;
    };
    const std::vector<std::uint64_t> before = counts();
    for (const Bytes &frame : frames)
        ASSERT_EQ(::send(sender.get(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
    std::vector<std::uint64_t> replayed = hits(replay({capture(frames), "--out"}));
    replayed.resize(3); // what the guest's own stack says besides is of no rule but the last
    EXPECT_TRUE(eventually([&] {
        std::vector<std::uint64_t> now = counts();
        for (std::size_t i = 0; i < now.size(); ++i)
            now[i] -= before[i];
        now.resize(3);
        return now == replayed;
    })) << testing::PrintToString(replayed)
        << testing::PrintToString(counts());
    EXPECT_GT(replayed[0], 0U);
    EXPECT_GT(replayed[1], 0U);
    EXPECT_GT(replayed[2], 0U);
}

TEST_F(ReplayGuest, BadInputIsOneClearError) {
    const std::string file = guests_only(), pcap = capture(conversation(1));
    const auto fails = [&](int status, const std::vector<std::string> &arguments, const std::string &text) {
        const Ended ended = beeline(arguments);
        EXPECT_EQ(ended.status, status) << ended.out;
        EXPECT_THAT(ended.err, AllOf(testing::StartsWith("beeline: "), HasSubstr(text)));
        EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    };
    fails(1, {"replay", pcap, "--guest", "web"}, "no guests are up");
    fails(2, {"replay", pcap, file, "--guest", "db"}, "no guest db; there are: web");
    fails(3, {"replay", pcap, config({"fallback -> pass"}), "--guest", "web"}, "has no [[guest]]");
    fails(3, {"replay", path("missing.pcap"), file, "--guest", "web"}, "No such file");
    fails(2, {"replay", pcap, file, "--guest", "web", "--out", "--into"}, "--out, --into or neither");
    fails(2, {"replay", pcap, file, "--out"}, "expected --guest NAME");
    fails(2, {"replay", pcap, file, "--guest", "web", "--in", "va"}, "--in is for the edge");
    std::string cooked = pcap;
    {
        std::fstream raw(pcap, std::ios::in | std::ios::out | std::ios::binary);
        raw.seekp(20); // link type: LINKTYPE_LINUX_SLL
        raw.put(113);
    }
    fails(3, {"replay", cooked, file, "--guest", "web"}, "packets of link type LINUX_SLL");
}

TEST_F(ReplayGuest, ExplainAsksAFileToo) {
    const std::string file = guests_only();
    const Ended ended =
        beeline({"explain", "--file", file, "--guest", "web", "--into", "tcp 198.51.100.1:4000 > 10.88.0.2:81"});
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_THAT(ended.out, AllOf(HasSubstr("2 of guest web: in -> drop"), HasSubstr("outcome  dropped"),
                                 HasSubstr("the programs of this file, loaded aside")));
    EXPECT_FALSE(std::filesystem::exists(pins()));
}

} // namespace
} // namespace beeline::cli_test
