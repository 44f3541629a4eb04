// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <beeline/rules/source_string.hpp>
#include <beeline/rules/words.hpp>

#include "unit/rules/edge_rules.hpp"

namespace beeline::rules {
namespace {

Diagnostic at(std::string line, std::uint32_t column, std::uint32_t length, std::string hint = "do this") {
    return {Severity::error, {"a.toml", 7, column, length}, "wrong", std::move(line), std::move(hint)};
}

TEST(Diagnostic, ShowsTheLineAndUnderlinesTheWord) {
    EXPECT_EQ(at("  \"tcp dpotr 22 -> drop\",", 8, 5).text(), "a.toml:7:8: error: wrong\n"
                                                              "    \"tcp dpotr 22 -> drop\",\n"
                                                              "         ^~~~~\n"
                                                              "    do this");
}

TEST(Diagnostic, IsOneLineOnDemand) {
    EXPECT_EQ(at("x", 1, 1).one_line(), "a.toml:7:1: error: wrong; do this");
    EXPECT_EQ(at("x", 1, 1, "").one_line(), "a.toml:7:1: error: wrong");
    Diagnostic warning = at("x", 1, 1, "");
    warning.severity = Severity::warning;
    EXPECT_EQ(warning.one_line(), "a.toml:7:1: warning: wrong");
}

TEST(Diagnostic, LeavesOutAPlaceItDoesNotHave) {
    Diagnostic none = at("ignored", 0, 1, "");
    none.where.line = 0;
    EXPECT_EQ(none.text(), "a.toml: error: wrong");
    none.where.file.clear();
    EXPECT_EQ(none.text(), "error: wrong");
    EXPECT_EQ(at("line", 0, 1, "").text(), "a.toml:7: error: wrong\n    line");
}

TEST(Diagnostic, CountsCharactersAndNotBytesUnderTheLine) {
    // "ü" is two bytes, one character.
    EXPECT_EQ(at("\"\xc3\xbc x\"", 5, 1, "").text(), "a.toml:7:5: error: wrong\n    \"\xc3\xbc x\"\n       ^");
}

TEST(Diagnostic, ControlsNoTerminal) {
    // ESC, a C1 control character (U+009B), bytes that are no UTF-8, a tab.
    Diagnostic d = at("a\x1b[31m\xc2\x9b\xff\tb", 1, 1, "hint\n\x07");
    d.message = "see \x1b]0;title\x07";
    d.where.file = "a\nb";
    EXPECT_EQ(d.text(), "a?b:7:1: error: see ?]0;title?\n    a?[31m??? b\n    ^\n    hint??");
    EXPECT_EQ(d.one_line(), "a?b:7:1: error: see ?]0;title?; hint??");
}

TEST(Diagnostic, CutsLongLinesAroundTheCaret) {
    const std::string text = at(std::string(500, 'a') + "here" + std::string(500, 'b'), 501, 4, "").text();
    const std::string shown = text.substr(text.find('\n') + 1);
    const std::string line = shown.substr(0, shown.find('\n')), caret = shown.substr(shown.find('\n') + 1);
    EXPECT_LE(line.size(), 80u);
    EXPECT_EQ(line.substr(caret.find('^'), 4), "here");
    EXPECT_EQ(caret.substr(caret.find('^')), "^~~~");
}

TEST(Diagnostic, WrapsLongHints) {
    const std::string text = at("", 1, 1, std::string(70, 'a') + " " + std::string(70, 'b')).text();
    EXPECT_EQ(text, "a.toml:7:1: error: wrong\n    " + std::string(70, 'a') + "\n    " + std::string(70, 'b'));
}

TEST(Diagnostic, StaysInsideTheLineWhateverTheSpanSays) {
    EXPECT_EQ(at("abc", 90, 1000, "").text(), "a.toml:7:90: error: wrong\n    abc\n       ^");
    EXPECT_EQ(at("abc", 2, 4000000000u, "").text(), "a.toml:7:2: error: wrong\n    abc\n     ^~");
}

TEST(Diagnostics, HaveErrorsOrOnlyWarnings) {
    Diagnostic warning = at("", 1, 1);
    warning.severity = Severity::warning;
    EXPECT_FALSE(has_errors({}));
    EXPECT_FALSE(has_errors({warning}));
    EXPECT_TRUE(has_errors({warning, at("", 1, 1)}));
}

TEST(SourceString, KnowsThePlacesOfALineOfItsOwn) {
    const SourceString source("tcp dport 5\n -> drop", "file");
    EXPECT_EQ(source.span(4, 5).column, 5u);
    EXPECT_EQ(source.span(4, 5).length, 5u);
    EXPECT_EQ(source.span(13, 2).line, 2u);
    EXPECT_EQ(source.span(13, 2).column, 2u);
    // Over the line's end: up to it. Behind the text: right behind its last byte.
    EXPECT_EQ(source.span(4, 12).length, 7u);
    EXPECT_EQ(source.span(1000, 5).line, 2u);
    EXPECT_EQ(source.span(1000, 5).column, 9u);
    EXPECT_EQ(SourceString("").span(0, 1).line, 1u);
}

TEST(Words, FindTheNearestByEditDistance) {
    const std::vector<std::string_view> known{"dport", "sport", "src", "drop", "redirect"};
    EXPECT_EQ(nearest("dpotr", known), "dport");  // neighbours swapped
    EXPECT_EQ(nearest("dort", known), "dport");   // one missing
    EXPECT_EQ(nearest("spport", known), "sport"); // one too many
    EXPECT_EQ(nearest("REDIRECT", known), "redirect");
    EXPECT_EQ(nearest("redrict", known), "redirect");
    EXPECT_EQ(nearest("xyz", known), "");
    EXPECT_EQ(nearest("d", known), ""); // nothing of it would be left
    EXPECT_EQ(nearest("", known), "");
    EXPECT_EQ(nearest(std::string(10000, 'd'), known), "");
}

TEST(Words, AreCutWhenQuoted) {
    EXPECT_EQ(in_quotes("abc"), "'abc'");
    EXPECT_EQ(in_quotes(std::string(1000, 'x')), "'" + std::string(45, 'x') + "...'");
    EXPECT_EQ(in_quotes(std::string(44, 'x') + std::string("\xc3\xbc") + std::string(10, 'y')),
              "'" + std::string(44, 'x') + "...'"); // not within a character
}

} // namespace
} // namespace beeline::rules
