// SPDX-License-Identifier: Apache-2.0
#include "harness/need_feature.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace beeline::harness {

bool must_have(kernel::FeatureId id) {
    const char *list = std::getenv("BEELINE_MUST_HAVE");
    std::string_view rest = list != nullptr ? list : "";
    while (!rest.empty()) {
        const std::string_view title = rest.substr(0, rest.find(';'));
        if (title == kernel::probe(id).title)
            return true;
        rest.remove_prefix(std::min(rest.size(), title.size() + 1));
    }
    return false;
}

} // namespace beeline::harness
