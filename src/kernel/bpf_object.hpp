// SPDX-License-Identifier: Apache-2.0
//
// What maps, programs and links have in common as descriptors.
#pragma once

#include <string>
#include <string_view>

#include <beeline/result.hpp>

namespace beeline::kernel {

/// What BPF_OBJ_GET_INFO_BY_FD fills depends on the kind of object behind fd, and nothing in its answer says which that
/// was. Fails with Kind::state unless fd is of the kind wanted: "bpf-map", "bpf-prog" or "bpf-link" (the names the
/// kernel gives its anonymous inodes). Without /proc nothing is checked.
[[nodiscard]] Result<> check_object_kind(int fd, std::string_view wanted);

} // namespace beeline::kernel
