// SPDX-License-Identifier: Apache-2.0
//
// A program outside the tree.
#include <beeline/base.h>
#include <beeline/result.hpp>

int main() {
    const beeline::Result<int> refused = beeline::fail(beeline::Kind::usage, 0, "nothing asked for");
    return !refused && refused.error().message() == "nothing asked for" && BL_ABI_VERSION > 0 ? 0 : 1;
}
