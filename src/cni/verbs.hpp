// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cni/request.hpp"

namespace beeline::cni {

/// Does what the environment and the input ask for. What has to be printed (an empty text: nothing), and whether it is
/// an error.
struct Outcome {
    std::string output;
    bool failed = false;
};
[[nodiscard]] Outcome serve(const Environment &environment, const std::string &input);

} // namespace beeline::cni
