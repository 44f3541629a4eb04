// SPDX-License-Identifier: Apache-2.0
#include "policy/interval_set.hpp"

#include <algorithm>
#include <utility>

namespace beeline::policy {

IntervalSet::IntervalSet(std::vector<Piece> pieces) {
    std::sort(pieces.begin(), pieces.end(), [](const Piece &a, const Piece &b) { return a.low < b.low; });
    for (const Piece &piece : pieces) {
        const Wide last = pieces_.empty() ? Wide{} : pieces_.back().high;
        if (!pieces_.empty() && (piece.low <= last || piece.low == last.next()))
            pieces_.back().high = std::max(last, piece.high);
        else
            pieces_.push_back(piece);
    }
}

bool IntervalSet::contains(const IntervalSet &other) const {
    auto mine = pieces_.begin();
    for (const Piece &piece : other.pieces_) {
        mine =
            std::lower_bound(mine, pieces_.end(), piece.high, [](const Piece &p, const Wide &v) { return p.high < v; });
        if (mine == pieces_.end() || piece.low < mine->low)
            return false;
    }
    return true;
}

IntervalSet IntervalSet::intersected(const IntervalSet &other) const {
    IntervalSet result;
    for (auto a = pieces_.begin(), b = other.pieces_.begin(); a != pieces_.end() && b != other.pieces_.end();) {
        const Piece common{std::max(a->low, b->low), std::min(a->high, b->high)};
        if (common.low <= common.high)
            result.pieces_.push_back(common);
        ++(a->high < b->high ? a : b);
    }
    return result;
}

IntervalSet IntervalSet::complement(Piece domain) const {
    IntervalSet result;
    Wide from = domain.low;
    for (const Piece &piece : pieces_) {
        if (from < piece.low)
            result.pieces_.push_back({from, piece.low.previous()});
        if (piece.high == domain.high)
            return result;
        from = piece.high.next();
    }
    result.pieces_.push_back({from, domain.high});
    return result;
}

} // namespace beeline::policy
