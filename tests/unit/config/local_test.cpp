// SPDX-License-Identifier: Apache-2.0
//
// [local], right and wrong.
#include <fstream>
#include <iterator>

#include <beeline/policy/parse.hpp>

#include "unit/config/broken.hpp"

namespace beeline::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

local::Policy good(const std::string &text) {
    auto [config, diagnostics] = parse(text, "c.toml");
    for (const rules::Diagnostic &diagnostic : diagnostics)
        ADD_FAILURE() << diagnostic.text();
    if (!config || !config->local)
        throw std::runtime_error("no [local] in: " + text);
    return std::move(*config->local);
}

TEST(LocalConfig, IsThereWhenTheFileHasIt) {
    EXPECT_FALSE(parse("", "c.toml").first->local);
    EXPECT_TRUE(parse("[local]\nrules = []\n", "c.toml").first->local);
}

TEST(LocalConfig, HasDefaults) {
    const local::Policy policy = good("[local]\nrules = []\n"), plain;
    ASSERT_EQ(policy.rules.size(), 1u);
    EXPECT_EQ(policy.rules[0].text, "fallback -> tcp");
    EXPECT_THAT(policy.sets, IsEmpty());
    EXPECT_EQ(policy.cgroup, "/");
    EXPECT_EQ(policy.limit, plain.limit);
    EXPECT_EQ(policy.lowat, plain.lowat);
    EXPECT_THAT(policy.trusted, IsEmpty());
    EXPECT_EQ(policy.connections, plain.connections);
}

TEST(LocalConfig, TakesEveryKey) {
    const local::Policy policy = good(R"(
[sets.unused]
type = "port"
[sets.web]
type = "port"
entries = ["80"]
[local]
rules = [
  "dport @web user root -> accelerate",
  "src !{10.0.0.1, 10.0.0.2} -> tcp",
  "fallback -> accelerate",
]
cgroup = "/system.slice"
limit = 65536
lowat = 4096
trusted = ["/usr/bin/redis-server", "/opt/a b/c"]
connections = 1048576
)");
    std::vector<std::string> sets, texts;
    for (const policy::Set &set : policy.sets)
        sets.push_back(set.name);
    EXPECT_THAT(sets, ElementsAre("web", "$1"));
    for (const policy::Rule &rule : policy.rules)
        texts.push_back(std::to_string(rule.where.line) + " " + policy::to_text(rule, policy.sets));
    EXPECT_THAT(texts, ElementsAre("9 dport @web user 0 -> accelerate", "10 ip src !{10.0.0.1, 10.0.0.2} -> tcp",
                                   "11 fallback -> accelerate"));
    EXPECT_EQ(policy.cgroup, "/system.slice");
    EXPECT_EQ(policy.limit, 65536u);
    EXPECT_EQ(policy.lowat, 4096u);
    EXPECT_THAT(policy.trusted, ElementsAre("/usr/bin/redis-server", "/opt/a b/c"));
    EXPECT_EQ(policy.connections, 1048576u);
    EXPECT_EQ(good("[local]\nrules = []\nlowat = 0\n").lowat, 0u);
}

TEST(LocalConfig, ExampleOfTheDocsIsOne) {
    std::ifstream file(BEELINE_DOCS "/config.md");
    ASSERT_TRUE(file);
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    const std::size_t start = page.find("```toml\n", page.find("## [local]")) + 8;
    EXPECT_EQ(good(page.substr(start, page.find("```", start) - start)).rules.size(), 3u);
}

const Broken kBroken[] = {
    {"local = 5\n", {"c.toml:1:9: error: 'local' is an integer; expected a table"}},
    {"[[local]]\n", {"c.toml:1:1: error: 'local' is an array; expected a table"}},
    {"[local]\n", {"c.toml:1:1: error: [local] has no rules; for example: rules = [\"dport 5432 -> accelerate\"]"}},
    {"[local]\nrules = \"tcp -> tcp\"\n",
     {"c.toml:2:9: error: 'rules' in [local] is a string; expected an array of strings"}},
    {"[local]\nrules = []\nlimits = 5\n",
     {"c.toml:3:1: error: unknown key 'limits' in [local]; did you mean 'limit'?"}},
    {"[local]\nrules = []\nprograms = []\n",
     {"c.toml:3:1: error: unknown key 'programs' in [local]; known: rules, cgroup, limit, lowat, trusted, "
      "connections"}},
    {"[local]\nrules = []\ncgroup = 5\n", {"c.toml:3:10: error: 'cgroup' in [local] is an integer; expected a string"}},
    {"[local]\nrules = []\ncgroup = \"/a/..\"\n",
     {"c.toml:3:11: error: '/a/..' cannot be a cgroup; no '.' or '..' in paths"}},
    {"[local]\nrules = []\nlimit = \"4M\"\n",
     {"c.toml:3:9: error: 'limit' in [local] is a string; expected an integer"}},
    {"[local]\nrules = []\nlimit = 65535\n",
     {"c.toml:3:9: error: 'limit' in [local] is 65535; expected 65536 to 67108864"}},
    {"[local]\nrules = []\nlimit = 67108865\n",
     {"c.toml:3:9: error: 'limit' in [local] is 67108865; expected 65536 to 67108864"}},
    {"[local]\nrules = []\nlowat = 4095\n",
     {"c.toml:3:9: error: 'lowat' in [local] is 4095; expected 4096 to 16777216, or 0 to leave sockets alone"}},
    {"[local]\nrules = []\nlowat = 16777217\n",
     {"c.toml:3:9: error: 'lowat' in [local] is 16777217; expected 0 to 16777216"}},
    {"[local]\nrules = []\nlowat = -1\n", {"c.toml:3:9: error: 'lowat' in [local] is -1; expected 0 to 16777216"}},
    {"[local]\nrules = []\nconnections = 1023\n",
     {"c.toml:3:15: error: 'connections' in [local] is 1023; expected 1024 to 1048576"}},
    {"[local]\nrules = []\ntrusted = \"/a\"\n",
     {"c.toml:3:11: error: 'trusted' in [local] is a string; expected an array of strings"}},
    {"[local]\nrules = []\ntrusted = [\"redis-server\", \"/a\", \"/b/\", \"/a\"]\n",
     {"c.toml:3:13: error: 'redis-server' is not the absolute path of a program; for example /usr/bin/redis-server",
      "c.toml:3:35: error: '/b/' is not the absolute path of a program; for example /usr/bin/redis-server",
      "c.toml:3:42: error: '/a' twice in 'trusted'"}},
    {"[local]\nrules = []\ntrusted = [\"/a\\u0000\"]\n",
     {"c.toml:3:13: error: a program's path has at most 4095 bytes, none of them zero"}},
    // Inside the strings of rules, over several lines.
    {"[local]\nrules = [\n  'cgroup redis -> accelerate',\n]\n",
     {"c.toml:3:11: error: 'redis' cannot be a cgroup; its path below the mount begins with '/', for example "
      "/system.slice/redis.service"}},
    {"[local]\nrules = [\n  \"\"\"\n  user {0,\n   no-such-user} -> tcp\n\"\"\",\n]\n",
     {"c.toml:5:4: error: unknown user 'no-such-user'; expected one of this host's, or a number"}},
    {"[local]\nrules = ['dport @wbe -> tcp']\n[sets.web]\ntype = 'port'\n",
     {"c.toml:2:17: error: unknown set '@wbe'; did you mean '@web'?"}},
    {"[local]\nrules = ['udp -> tcp']\n",
     {"c.toml:2:11: error: 'udp' is not in local rules; every connection that can take the short cut is of TCP: leave "
      "it out"}},
    // Warnings leave a config.
    {"[local]\nrules = ['dport 80 -> tcp', 'dport 80 user 5 -> accelerate']\n",
     {"c.toml:2:30: warning: rule 2 can never match: rule 1 takes all its packets: 'dport 80 -> tcp'; put it before "
      "rule 1 or remove it"}},
};

TEST(BrokenLocalConfig, IsExplainedWithItsPlace) {
    for (const Broken &broken : kBroken)
        check(broken);
}

} // namespace
} // namespace beeline::config
