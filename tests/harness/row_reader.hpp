// SPDX-License-Identifier: Apache-2.0
//
// Table entries as bpf/lib/match.h reads them, for conditions on addresses, protocols, ports and ICMP.
#pragma once

#include <cstdint>
#include <vector>

#include <beeline/match.h>
#include <beeline/policy/expand.hpp>
#include <harness/model.hpp>

namespace beeline::model {

class RowReader {
public:
    /// Both must outlive this.
    RowReader(const Fields &fields, const std::vector<policy::SetTable> &sets);

    /// Throws std::invalid_argument at a condition on something else.
    [[nodiscard]] bool fits(const bl_entry &entry, const bl_extra &extra) const;

private:
    [[nodiscard]] bool extra_fits(const bl_extra &x, std::uint32_t flags) const;
    [[nodiscard]] bool sets_fit(const bl_extra &x) const;
    [[nodiscard]] const policy::SetTable &table(std::uint32_t index) const;
    [[nodiscard]] bool in_trie(const policy::SetTable &set, const std::uint64_t (&address)[2]) const;

    const Fields &fields_;
    const std::vector<policy::SetTable> &sets_;
    std::uint64_t facts_ = 0, addr4_ = 0;
    std::uint64_t src_[2] = {}, dst_[2] = {};
    std::uint16_t sport_ = 0, dport_ = 0;
};

} // namespace beeline::model
