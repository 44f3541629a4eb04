// SPDX-License-Identifier: Apache-2.0
//
// One run of local_tend over all watched sockets.
#pragma once

#include <filesystem>

#include <beeline/kernel/object_set.hpp>
#include <beeline/local.h>
#include <beeline/result.hpp>

namespace beeline::local {

[[nodiscard]] Result<bl_local_tended> run_tend(const kernel::ObjectSet &objects,
                                               const std::filesystem::path &directory);

} // namespace beeline::local
