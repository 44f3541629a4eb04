// SPDX-License-Identifier: Apache-2.0
#include <beeline/rules/words.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

namespace beeline::rules {

namespace {

constexpr std::size_t kMaxWord = 32; ///< Longer words are no known words misspelt.
constexpr std::size_t kMaxQuoted = 48;

char lower(char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

/// Optimal string alignment distance; case does not count.
std::size_t distance(std::string_view a, std::string_view b) {
    using Row = std::array<std::size_t, kMaxWord + 1>;
    Row before{}, previous{}, current{};
    for (std::size_t j = 0; j <= b.size(); ++j)
        previous[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = previous[j - 1] + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                current[j] = std::min(current[j], before[j - 2] + 1);
        }
        before = previous;
        previous = current;
    }
    return previous[b.size()];
}

} // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view> &candidates) {
    if (word.empty() || word.size() > kMaxWord)
        return {};
    std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
    std::string_view found;
    for (const std::string_view candidate : candidates) {
        // The beginning of a word is as near as one wrong letter.
        if (word.size() >= 3 && candidate.size() > word.size() && candidate.starts_with(word) && best > 1) {
            best = 1;
            found = candidate;
            continue;
        }
        if (candidate.size() > kMaxWord || candidate.size() + best < word.size() ||
            word.size() + best < candidate.size())
            continue;
        const std::size_t d = distance(word, candidate);
        if (d < best && d < std::max(word.size(), candidate.size())) {
            best = d;
            found = candidate;
        }
    }
    return found;
}

std::string in_quotes(std::string_view word) {
    std::string text = "'";
    if (word.size() <= kMaxQuoted)
        return text.append(word).append("'");
    std::size_t end = kMaxQuoted - 3;
    while (end > 0 && (static_cast<unsigned char>(word[end]) & 0xc0) == 0x80) // not inside a UTF-8 sequence
        --end;
    return text.append(word.substr(0, end)).append("...'");
}

std::string joined(std::string first, std::string_view second) {
    if (!first.empty() && !second.empty())
        first.append("; ");
    return first.append(second);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view> &candidates) {
    const std::string_view near = nearest(word, candidates);
    return near.empty() ? std::string{} : "did you mean " + in_quotes(near) + "?";
}

} // namespace beeline::rules
