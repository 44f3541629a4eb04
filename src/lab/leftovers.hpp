// SPDX-License-Identifier: Apache-2.0
//
// What labs leave on a host, found by name: bl-LAB-NODE-PID below /run/netns, and the folder /run/bl-LAB-PID with a
// bpffs mounted at its "bpf".
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace beeline::lab {

struct Leftover {
    bool is_namespace = false; ///< Otherwise a folder.
    std::filesystem::path path;
    pid_t pid = 0;
};

[[nodiscard]] std::string namespace_name(std::string_view lab, std::string_view node, pid_t pid);
[[nodiscard]] std::filesystem::path folder_of(std::string_view lab, pid_t pid);

/// All of this lab name, of any process.
[[nodiscard]] std::vector<Leftover> leftovers(std::string_view lab);
/// Of one process, living or dead; pid 0: of every process that is dead. Best effort: what stays is found again.
void sweep(std::string_view lab, pid_t pid);

} // namespace beeline::lab
