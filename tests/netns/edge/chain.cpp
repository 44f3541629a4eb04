// SPDX-License-Identifier: Apache-2.0
#include "chain.hpp"

namespace beeline::edge {

Result<std::unique_ptr<Chain>> Chain::make(std::uint32_t mtu) {
    BL_TRY(lab::Lab lab, test_lab());
    auto chain = std::make_unique<Chain>(std::move(lab));
    BL_TRY(chain->a, chain->lab.add("a"));
    BL_TRY(chain->m, chain->lab.add("m"));
    BL_TRY(chain->b, chain->lab.add("b"));
    for (const lab::Node *node : {chain->a, chain->m, chain->b})
        BL_CHECK(silence(*node));
    BL_CHECK(chain->lab.cable({.node = chain->a, .device = "va"}, {.node = chain->m, .device = "ma"},
                              {.gro = true, .mtu = mtu}));
    BL_CHECK(chain->lab.cable({.node = chain->m, .device = "mb"}, {.node = chain->b, .device = "vb"},
                              {.gro = true, .mtu = mtu}));
    BL_TRY(chain->host, Host::on(*chain->m, chain->lab.bpffs() / "m"));
    BL_TRY(chain->from, Wire::open(*chain->a, "va"));
    BL_TRY(chain->stack, Wire::open(*chain->m, "ma"));
    BL_TRY(chain->far, Wire::open(*chain->b, "vb"));
    return chain;
}

} // namespace beeline::edge
