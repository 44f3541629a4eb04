// SPDX-License-Identifier: Apache-2.0
//
// docs/rules.md has every word of the edge's vocabulary, and its examples are right.
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/policy/names.hpp>

#include "unit/rules/edge_rules.hpp"

namespace beeline {
namespace {

std::string page() {
    std::ifstream file(BEELINE_DOCS "/rules.md");
    EXPECT_TRUE(file) << BEELINE_DOCS "/rules.md";
    return {std::istreambuf_iterator<char>(file), {}};
}

bool has_word(const std::string &text, std::string_view word) {
    const auto part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-'; };
    for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        if ((at == 0 || !part(text[at - 1])) && (end == text.size() || !part(text[end])))
            return true;
    }
    return false;
}

TEST(Docs, NameEveryWord) {
    const std::string text = page();
    for (const rules::MatchWord &word : edge::vocabulary().matches)
        EXPECT_TRUE(has_word(text, word.name)) << word.name;
    for (const rules::ActionWord &action : edge::vocabulary().actions) {
        EXPECT_TRUE(has_word(text, action.name)) << action.name;
        for (const rules::Parameter &parameter : action.parameters)
            EXPECT_TRUE(has_word(text, parameter.keyword.substr(0, parameter.keyword.find(' ')))) << parameter.keyword;
    }
    std::vector<std::span<const rules::NamedNumber>> tables{policy::protocols(), policy::ethertypes(),
                                                            policy::tcp_flags(), rules::services()};
    for (const edge::Family family : {edge::Family::v4, edge::Family::v6}) {
        tables.push_back(policy::icmp_types(family));
        for (int type = 0; type < 256; ++type)
            tables.push_back(policy::icmp_codes(family, static_cast<std::uint8_t>(type)));
    }
    for (const auto &table : tables)
        for (const rules::NamedNumber &name : table)
            if (!name.name.starts_with("neighbor-")) { // the page says that both spellings do
                EXPECT_TRUE(has_word(text, name.name)) << name.name;
            }
}

TEST(Docs, ExamplesAreRules) {
    const std::string text = page();
    std::vector<std::string> rules;
    const std::size_t first = text.find("rules = ["), last = text.find("\n]", first);
    for (std::size_t open = text.find("  \"", first); open < last; open = text.find("  \"", open + 1))
        rules.push_back(text.substr(open + 3, text.find("\",\n", open) - open - 3));
    EXPECT_EQ(rules.size(), 5u);
    rules.front() = "src @block -> drop"; // the page's set is not there
    EXPECT_THAT(test::lines(test::parse(rules).diagnostics), testing::IsEmpty());
}

} // namespace
} // namespace beeline
