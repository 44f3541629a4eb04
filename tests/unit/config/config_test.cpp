// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/config/config.hpp>
#include <beeline/edge/parse.hpp>

namespace beeline::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> lines(const rules::Diagnostics &diagnostics) {
    std::vector<std::string> result;
    for (const rules::Diagnostic &diagnostic : diagnostics)
        result.push_back(diagnostic.one_line());
    return result;
}

/// A folder of the test's own, gone afterwards.
class Files : public testing::Test {
protected:
    Files() {
        std::string name = (std::filesystem::temp_directory_path() / "beeline-config-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr)
            throw std::runtime_error("mkdtemp " + name);
        folder_ = name;
    }
    ~Files() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string &name, const std::string &text) {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return (folder_ / name).string();
    }

    std::filesystem::path folder_;
};

TEST(Config, OfAnEmptyFileHasDefaults) {
    const auto [config, diagnostics] = parse("", "c.toml");
    EXPECT_THAT(diagnostics, IsEmpty());
    ASSERT_TRUE(config);
    EXPECT_EQ(config->file, "c.toml");
    EXPECT_EQ(config->pins, "/sys/fs/bpf/beeline");
    EXPECT_EQ(config->control.socket, "/run/beeline/beeline.sock");
    EXPECT_EQ(config->control.group, "");
    EXPECT_FALSE(config->metrics.enabled());
    EXPECT_EQ(config->log, LogLevel::info);
    EXPECT_FALSE(config->edge);
}

TEST(Config, TakesEveryKey) {
    const auto [config, diagnostics] = parse(R"(
[host]
pins = "/sys/fs/bpf/other"
socket = "/tmp/b.sock"
group = "netops"
metrics = "[::1]:9469"
log = "debug"

[sets.blocklist]
type = "prefix"
entries = ["10.0.0.0/8", "2001:db8::/32", "10.0.0.0/8"]
[sets.web]
type = "port"
entries = ["http", "443", "8000-8100"]
[sets.cards]
type = "mac"
entries = ["02:00:00:00:00:01"]

[edge]
devices = ["eth0", "eth1"]
mode = "generic"
replace = true
rules = [
  "src @blocklist -> drop",
  "dst !{10.0.0.0/8, 192.168.0.0/16} dport @web -> drop",
  "mac src @cards device eth1 -> log pass",
  "fallback -> drop",
]
)",
                                             "c.toml");
    EXPECT_THAT(lines(diagnostics), IsEmpty());
    ASSERT_TRUE(config);
    EXPECT_EQ(config->pins, "/sys/fs/bpf/other");
    EXPECT_EQ(config->control.socket, "/tmp/b.sock");
    EXPECT_EQ(config->control.group, "netops");
    EXPECT_EQ(config->metrics.address, "::1");
    EXPECT_EQ(config->metrics.port, 9469);
    EXPECT_EQ(config->log, LogLevel::debug);
    ASSERT_TRUE(config->edge);
    const edge::Policy &policy = *config->edge;
    EXPECT_THAT(policy.devices, ElementsAre("eth0", "eth1"));
    EXPECT_EQ(policy.mode, edge::Mode::generic);
    EXPECT_TRUE(policy.replace);
    std::vector<std::string> names, texts;
    for (const edge::Set &set : policy.sets)
        names.push_back(set.name);
    EXPECT_THAT(names, ElementsAre("blocklist", "cards", "web", "$1"));
    EXPECT_EQ(policy.sets[0].prefixes.size(), 2u);
    EXPECT_EQ(policy.sets[2].ports.size(), 3u);
    for (const edge::Rule &rule : policy.rules)
        texts.push_back(std::to_string(rule.where.line) + " " + edge::to_text(rule, policy.sets));
    EXPECT_THAT(texts,
                ElementsAre("24 src @blocklist -> drop", "25 ip dst !{10.0.0.0/8, 192.168.0.0/16} dport @web -> drop",
                            "26 device eth1 mac src @cards -> log pass", "27 fallback -> drop"));
}

TEST(Config, ExampleOfTheDocsIsOne) {
    std::ifstream file(BEELINE_DOCS "/config.md");
    ASSERT_TRUE(file);
    std::string page{std::istreambuf_iterator<char>(file), {}};
    const std::size_t start = page.find("```toml\n") + 8;
    std::string example = page.substr(start, page.find("```", start) - start);
    const std::size_t set_file = example.find("file = ");
    ASSERT_NE(set_file, std::string::npos);
    example.erase(set_file, example.find('\n', set_file) - set_file); // it is not there
    const auto [config, diagnostics] = parse(example, "c.toml");
    EXPECT_THAT(lines(diagnostics), IsEmpty());
    ASSERT_TRUE(config && config->edge);
    EXPECT_EQ(config->edge->rules.size(), 2u);
}

TEST(Config, HasAFallbackEvenWithoutRules) {
    const auto [config, diagnostics] = parse("[edge]\ndevices = [\"eth0\"]\nrules = []\n", "c.toml");
    ASSERT_TRUE(config && config->edge);
    ASSERT_EQ(config->edge->rules.size(), 1u);
    EXPECT_EQ(config->edge->rules[0].text, "fallback -> pass");
}

TEST(Config, WarnsAndGoesOn) {
    const auto [config, diagnostics] =
        parse("[edge]\ndevices = [\"eth0\"]\nrules = [\"tcp -> drop\", \"tcp dport 80 -> pass\"]\n", "c.toml");
    EXPECT_EQ(diagnostics.size(), 1u);
    EXPECT_TRUE(config);
}

TEST_F(Files, SetsAreReadRelativeToTheConfig) {
    write("list.txt", "# comment\n10.0.0.0/8\n\n  2001:db8::/32  # both families\r\n192.0.2.1");
    const std::string absolute = write("ports.txt", "80\nhttps\n");
    const auto [config, diagnostics] = load(write(
        "c.toml", "[sets.a]\ntype = \"prefix\"\nfile = \"list.txt\"\nentries = [\"192.0.2.1\", \"198.51.100.1\"]\n"
                  "[sets.b]\ntype = \"port\"\nfile = \"" +
                      absolute +
                      "\"\n"
                      "[edge]\ndevices = [\"eth0\"]\nrules = [\"src @a dport @b -> drop\"]\n"));
    EXPECT_THAT(lines(diagnostics), IsEmpty());
    ASSERT_TRUE(config && config->edge);
    EXPECT_EQ(config->edge->sets[0].prefixes.size(), 4u);
    EXPECT_EQ(config->edge->sets[1].ports.size(), 2u);
}

TEST_F(Files, ErrorsInSetFilesNameTheirLine) {
    const std::string list = write("list.txt", "10.0.0.0/8\n\t10.0.0.1/8 # here\nx\n");
    const auto [config, diagnostics] = load(write("c.toml", "[sets.a]\ntype = \"prefix\"\nfile = \"list.txt\"\n"));
    EXPECT_FALSE(config);
    EXPECT_THAT(
        lines(diagnostics),
        ElementsAre(
            list + ":2:2: error: '10.0.0.1/8' has host bits set; write 10.0.0.0/8, or 10.0.0.1 for the one address",
            list + ":3:1: error: 'x' is not an address; expected an address or a prefix"));
    EXPECT_EQ(diagnostics[0].line, "\t10.0.0.1/8 # here");
}

TEST_F(Files, ErrorsInSetFilesHaveAnEnd) {
    write("list.txt", [] {
        std::string text;
        for (int i = 0; i < 1000; ++i)
            text += "x\n";
        return text;
    }());
    const auto [config, diagnostics] = load(write("c.toml", "[sets.a]\ntype = \"prefix\"\nfile = \"list.txt\"\n"));
    EXPECT_EQ(diagnostics.size(), 11u);
    EXPECT_EQ(diagnostics.back().message, "too many errors; the rest of the file was not read");
}

TEST_F(Files, ThatCannotBeReadAreErrors) {
    const std::string missing = (folder_ / "missing.toml").string();
    EXPECT_THAT(lines(load(missing).second), ElementsAre("error: open " + missing + ": No such file or directory"));
    EXPECT_FALSE(load(missing).first);
    EXPECT_THAT(lines(load(folder_.string()).second),
                ElementsAre("error: " + folder_.string() + " is not a regular file"));
    const std::string zero = std::string("a\0b", 3);
    EXPECT_THAT(lines(load(zero).second), ElementsAre("error: a file name with a zero byte"));
}

TEST_F(Files, NamesWithZeroBytesAreRefused) {
    const auto [config, diagnostics] =
        load(write("c.toml", "[sets.a]\ntype = \"prefix\"\nfile = \"list\\u0000.txt\"\n"));
    ASSERT_EQ(diagnostics.size(), 1u);
    EXPECT_EQ(diagnostics[0].message, "a file name with a zero byte");
}

} // namespace
} // namespace beeline::config
