// SPDX-License-Identifier: Apache-2.0
#include <harness/row_reader.hpp>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace beeline::model {

using policy::Family;
using policy::SetTable;

RowReader::RowReader(const Fields &fields, const std::vector<SetTable> &sets) : fields_(fields), sets_(sets) {
    if (!fields.ip)
        return;
    facts_ |= fields.ip->family == Family::v4 ? BL_FACT_V4 : BL_FACT_V6;
    facts_ |= std::uint64_t{fields.ip->proto} << BL_FACT_PROTO_SHIFT;
    if (fields.ports) {
        facts_ |= BL_FACT_PORTS;
        sport_ = fields.ports->src;
        dport_ = fields.ports->dst;
    }
    if (fields.icmp)
        facts_ |= BL_FACT_ICMP | std::uint64_t{fields.icmp->type} << BL_FACT_ICMP_TYPE_SHIFT |
                  std::uint64_t{fields.icmp->code} << BL_FACT_ICMP_CODE_SHIFT;
    std::memcpy(src_, fields.ip->src.data(), sizeof src_);
    std::memcpy(dst_, fields.ip->dst.data(), sizeof dst_);
    if (fields.ip->family == Family::v4) {
        std::memcpy(&addr4_, src_, 4);
        std::memcpy(reinterpret_cast<char *>(&addr4_) + 4, dst_, 4);
    }
}

bool RowReader::fits(const bl_entry &e, const bl_extra &extra) const {
    return (facts_ & e.facts_mask) == e.facts_value && (addr4_ & e.addr4_mask) == e.addr4_value &&
           static_cast<std::uint16_t>(sport_ - e.sport_low) <= e.sport_span &&
           static_cast<std::uint16_t>(dport_ - e.dport_low) <= e.dport_span &&
           (e.extra_flags == 0 || extra_fits(extra, e.extra_flags));
}

bool RowReader::extra_fits(const bl_extra &x, std::uint32_t flags) const {
    constexpr std::uint32_t kKnown = BL_EXTRA_SRC | BL_EXTRA_NOT_SRC | BL_EXTRA_DST | BL_EXTRA_NOT_DST |
                                     BL_EXTRA_NOT_FACTS | BL_EXTRA_SETS | BL_EXTRA_IP;
    if ((flags & ~kKnown) != 0)
        throw std::invalid_argument("a condition that these rows have not");
    const auto compare = [](const std::uint64_t(&field)[2], const auto &value, const auto &mask) {
        return (field[0] & mask[0]) == value[0] && (field[1] & mask[1]) == value[1];
    };
    if ((flags & BL_EXTRA_IP) != 0 && !fields_.ip)
        return false;
    if ((flags & BL_EXTRA_SRC) != 0 && compare(src_, x.src_value, x.src_mask) == ((flags & BL_EXTRA_NOT_SRC) != 0))
        return false;
    if ((flags & BL_EXTRA_DST) != 0 && compare(dst_, x.dst_value, x.dst_mask) == ((flags & BL_EXTRA_NOT_DST) != 0))
        return false;
    for (unsigned i = 0; i < BL_NOT_FACTS && (flags & BL_EXTRA_NOT_FACTS) != 0; ++i)
        if (x.not_mask[i] != 0 && (facts_ & x.not_mask[i]) == x.not_value[i])
            return false;
    return (flags & BL_EXTRA_SETS) == 0 || sets_fit(x);
}

bool RowReader::sets_fit(const bl_extra &x) const {
    const auto asked = [&](unsigned field, auto within) {
        return x.sets[field] == BL_SET_NONE ||
               (fields_.ip && within(table(x.sets[field])) != (x.sets_negated[field] != 0));
    };
    const auto member = [](std::uint16_t port) {
        return [port](const SetTable &set) {
            return std::any_of(set.members.begin(), set.members.end(), [&](const auto &m) { return m.data == port; });
        };
    };
    return asked(BL_SET_SRC, [&](const SetTable &set) { return in_trie(set, src_); }) &&
           asked(BL_SET_DST, [&](const SetTable &set) { return in_trie(set, dst_); }) &&
           asked(BL_SET_SPORT, member(sport_)) && asked(BL_SET_DPORT, member(dport_));
}

const SetTable &RowReader::table(std::uint32_t index) const {
    const auto set = std::find_if(sets_.begin(), sets_.end(), [&](const SetTable &s) { return s.index == index; });
    if (set == sets_.end())
        throw std::out_of_range("no set of this number");
    return *set;
}

bool RowReader::in_trie(const SetTable &set, const std::uint64_t (&address)[2]) const {
    const auto starts = [&](const void *prefix, unsigned bits) {
        const auto *a = static_cast<const std::uint8_t *>(prefix);
        const auto *b = reinterpret_cast<const std::uint8_t *>(address);
        for (unsigned i = 0; i < bits; ++i)
            if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1) != 0)
                return false;
        return true;
    };
    if (fields_.ip->family == Family::v4)
        return std::any_of(set.prefixes4.begin(), set.prefixes4.end(),
                           [&](const bl_lpm4 &key) { return starts(&key.address, key.bits); });
    return std::any_of(set.prefixes6.begin(), set.prefixes6.end(),
                       [&](const bl_lpm6 &key) { return starts(key.address, key.bits); });
}

} // namespace beeline::model
