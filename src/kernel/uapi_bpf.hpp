// SPDX-License-Identifier: Apache-2.0
//
// The parts of include/uapi/linux/bpf.h (Linux 6.18) that Debian 12's headers (6.1) and libbpf 1.1 do not have, as
// layouts of their own for the raw bpf(2) call. The kernel takes a shorter attribute than its own and wants every byte
// past the members in use to be zero.
#pragma once

#include <cstddef>
#include <cstdint>

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace beeline::kernel::uapi {

/// enum bpf_attach_type.
inline constexpr std::uint32_t kTcxIngress = 46;    // Linux 6.6
inline constexpr std::uint32_t kTcxEgress = 47;     //
inline constexpr std::uint32_t kNetkitPrimary = 54; // Linux 6.7
inline constexpr std::uint32_t kNetkitPeer = 55;    //
/// enum bpf_link_type.
inline constexpr std::uint32_t kLinkTypeCgroup = 3;
inline constexpr std::uint32_t kLinkTypeXdp = 6;
inline constexpr std::uint32_t kLinkTypeTcx = 11;
inline constexpr std::uint32_t kLinkTypeNetkit = 13;
inline constexpr std::uint32_t kLinkTypeSockmap = 14; // Linux 6.10
/// Flags of attach and link creation (bpf_mprog).
inline constexpr std::uint32_t kBefore = 1U << 3;
inline constexpr std::uint32_t kAfter = 1U << 4;
inline constexpr std::uint32_t kId = 1U << 5;    ///< relative is an id, not a descriptor.
inline constexpr std::uint32_t kLink = 1U << 13; ///< relative names a link, not a program.
/// At most this many programs at a hook (include/linux/bpf_mprog.h: BPF_MPROG_MAX, one slot ends the list).
inline constexpr std::uint32_t kMprogMax = 64;

/// BPF_LINK_CREATE.
struct LinkCreate {
    std::uint32_t prog_fd = 0;
    std::uint32_t target = 0; ///< ifindex, or descriptor of a cgroup or map.
    std::uint32_t attach_type = 0;
    std::uint32_t flags = 0;
    std::uint32_t relative = 0; ///< tcx, netkit: descriptor or id.
    std::uint32_t pad = 0;
    std::uint64_t expected_revision = 0;
};
static_assert(sizeof(LinkCreate) == 32 && offsetof(LinkCreate, expected_revision) == 24);

/// BPF_LINK_UPDATE.
struct LinkUpdate {
    std::uint32_t link_fd = 0;
    std::uint32_t new_prog_fd = 0;
    std::uint32_t flags = 0;
    std::uint32_t old_prog_fd = 0; ///< With BPF_F_REPLACE.
};
static_assert(sizeof(LinkUpdate) == 16);

/// BPF_PROG_QUERY.
struct ProgQuery {
    std::uint32_t target = 0;
    std::uint32_t attach_type = 0;
    std::uint32_t query_flags = 0;
    std::uint32_t attach_flags = 0;
    std::uint64_t prog_ids = 0; ///< Address of count ids; likewise below.
    std::uint32_t count = 0;
    std::uint32_t pad = 0;
    std::uint64_t prog_attach_flags = 0;
    std::uint64_t link_ids = 0;
    std::uint64_t link_attach_flags = 0;
    std::uint64_t revision = 0;
};
static_assert(sizeof(ProgQuery) == 64 && offsetof(ProgQuery, revision) == 56);

/// struct bpf_link_info: the common head, then what the type says.
struct LinkInfoHead {
    std::uint32_t type = 0;
    std::uint32_t id = 0;
    std::uint32_t prog_id = 0;
    std::uint32_t pad = 0;
    union {
        struct {
            std::uint32_t ifindex;
            std::uint32_t attach_type; ///< Not of XDP.
        } device;
        struct {
            std::uint64_t id;
            std::uint32_t attach_type;
        } cgroup;
        struct {
            std::uint32_t id;
            std::uint32_t attach_type;
        } map;
        std::uint64_t words[14] = {}; ///< Room for the other types; the kernel fills what it knows.
    };
};
static_assert(offsetof(LinkInfoHead, device) == 16);

/// bpf(2): a descriptor or 0, or -1 with errno.
template <class Attribute>
inline int call(int command, Attribute &attribute, std::size_t size = sizeof(Attribute)) {
    return static_cast<int>(::syscall(__NR_bpf, command, &attribute, size));
}

} // namespace beeline::kernel::uapi
