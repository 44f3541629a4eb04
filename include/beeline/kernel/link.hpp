// SPDX-License-Identifier: Apache-2.0
//
// BPF links: the attachment of a program to a hook as an object with an owner.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <beeline/kernel/fd.hpp>
#include <beeline/kernel/hooks.hpp>
#include <beeline/result.hpp>

namespace beeline::kernel {

/// Where in the list of a tcx or netkit hook a program goes. expected_revision: fail with ESTALE when the list changed
/// since it was queried; 0: do not care.
struct Order {
    enum class Place : std::uint8_t { last, first, before, after };
    enum class Of : std::uint8_t { program, link };
    Place place = Place::last;
    Of of = Of::program; ///< What id names, for before and after.
    std::uint32_t id = 0;
    std::uint64_t expected_revision = 0;

    [[nodiscard]] static Order first() { return {.place = Place::first}; }
    [[nodiscard]] static Order last() { return {}; }
    [[nodiscard]] static Order before(std::uint32_t prog_id) { return {.place = Place::before, .id = prog_id}; }
    [[nodiscard]] static Order after(std::uint32_t prog_id) { return {.place = Place::after, .id = prog_id}; }
    [[nodiscard]] static Order before_link(std::uint32_t id) {
        return {.place = Place::before, .of = Of::link, .id = id};
    }
    [[nodiscard]] static Order after_link(std::uint32_t id) {
        return {.place = Place::after, .of = Of::link, .id = id};
    }
};

struct LinkInfo {
    std::uint32_t type = 0; ///< BPF_LINK_TYPE_*: 3 cgroup, 6 XDP, 11 tcx, 13 netkit, 14 sockmap.
    std::uint32_t id = 0;
    std::uint32_t prog_id = 0;     ///< 0: the link is detached.
    std::uint32_t ifindex = 0;     ///< XDP, tcx, netkit; 0: the device is gone or the link was detached.
    std::uint32_t attach_type = 0; ///< tcx, netkit, cgroup, sockmap.
    std::uint64_t cgroup_id = 0;   ///< cgroup.
    std::uint32_t map_id = 0;      ///< sockmap.
};

[[nodiscard]] Result<LinkInfo> link_info(int fd);
[[nodiscard]] Result<UniqueFd> link_by_id(std::uint32_t id);
/// Of all links of this host, whoever made them.
[[nodiscard]] Result<std::vector<std::uint32_t>> link_ids();
/// For messages and `status`: "program xdp_pass (id 3), link id 5".
[[nodiscard]] std::string describe_xdp_holder(const XdpState &state, int ifindex);

/// Owns the descriptor of one link. The attachment lasts as long as somebody holds or pins the link; so destroying an
/// unpinned Link detaches. Devices are looked up in the network namespace of the calling thread.
class [[nodiscard]] Link {
public:
    /// One XDP program per device and mode; never falls back from one mode to another. The error of a held hook (EBUSY,
    /// EEXIST) names the program that holds it; the error of a refused native attach gives the kernel's own words and
    /// what is known about the device.
    [[nodiscard]] static Result<Link> attach_xdp(int prog_fd, int ifindex, XdpMode mode);
    [[nodiscard]] static Result<Link> attach_tcx(int prog_fd, int ifindex, TcxHook hook, const Order &order = {});
    /// ifindex is the primary's for both hooks.
    [[nodiscard]] static Result<Link> attach_netkit(int prog_fd, int ifindex, NetkitHook hook, const Order &order = {});
    /// attach_type: BPF_CGROUP_*. Other programs at the hook stay (links are BPF_F_ALLOW_MULTI).
    [[nodiscard]] static Result<Link> attach_cgroup(int prog_fd, int cgroup_fd, std::uint32_t attach_type);
    /// attach_type: BPF_SK_MSG_VERDICT, BPF_SK_SKB_STREAM_PARSER, BPF_SK_SKB_STREAM_VERDICT, BPF_SK_SKB_VERDICT.
    [[nodiscard]] static Result<Link> attach_sockmap(int prog_fd, int map_fd, std::uint32_t attach_type);

    /// A program of type "tp_btf/NAME": the tracepoint is in it.
    [[nodiscard]] static Result<Link> attach_tracepoint(int prog_fd);
    /// An iterator over the elements of a map. It runs as its pin is read.
    [[nodiscard]] static Result<Link> attach_iterator(int prog_fd, int map_fd);

    [[nodiscard]] static Result<Link> adopt(UniqueFd fd);
    [[nodiscard]] static Result<Link> from_pin(const std::filesystem::path &path);

    /// Replaces the program in one step; its place in the order stays. With expected_old_fd only if that is the one.
    [[nodiscard]] Result<> update(int prog_fd, std::optional<int> expected_old_fd = std::nullopt);
    /// From now on the link does nothing, pinned or not (BPF_LINK_DETACH). Fails for a device that is gone.
    [[nodiscard]] Result<> detach();
    [[nodiscard]] Result<> pin(const std::filesystem::path &path) const;
    [[nodiscard]] Result<LinkInfo> info() const { return link_info(fd()); }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

private:
    explicit Link(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

} // namespace beeline::kernel
