// SPDX-License-Identifier: Apache-2.0
//
// Links in general: owning, pinning, updating. Making them, hook by hook: link_attach.cpp.
#include <beeline/kernel/link.hpp>

#include <cerrno>

#include <bpf/bpf.h>
#include <fmt/format.h>

#include <beeline/kernel/map.hpp>

#include "kernel/bpf_object.hpp"
#include "kernel/uapi_bpf.hpp"

namespace beeline::kernel {

Result<LinkInfo> link_info(int fd) {
    BL_CHECK(check_object_kind(fd, "bpf-link"));
    uapi::LinkInfoHead raw;
    struct {
        std::uint32_t fd, size;
        std::uint64_t info;
    } request{static_cast<std::uint32_t>(fd), sizeof raw, reinterpret_cast<std::uintptr_t>(&raw)};
    if (uapi::call(BPF_OBJ_GET_INFO_BY_FD, request) != 0)
        return fail_errno(errno, "read a link's description");
    LinkInfo info{.type = raw.type, .id = raw.id, .prog_id = raw.prog_id};
    switch (raw.type) {
    case uapi::kLinkTypeXdp:
        info.ifindex = raw.device.ifindex;
        break;
    case uapi::kLinkTypeTcx:
    case uapi::kLinkTypeNetkit:
        info.ifindex = raw.device.ifindex;
        info.attach_type = raw.device.attach_type;
        break;
    case uapi::kLinkTypeCgroup:
        info.cgroup_id = raw.cgroup.id;
        info.attach_type = raw.cgroup.attach_type;
        break;
    case uapi::kLinkTypeSockmap:
        info.map_id = raw.map.id;
        info.attach_type = raw.map.attach_type;
        break;
    default:
        break;
    }
    return info;
}

Result<UniqueFd> link_by_id(std::uint32_t id) {
    const int fd = ::bpf_link_get_fd_by_id(id);
    if (fd < 0)
        return fail_errno(errno, fmt::format("open link id {}", id));
    return UniqueFd(fd);
}

Result<std::vector<std::uint32_t>> link_ids() {
    std::vector<std::uint32_t> ids;
    std::uint32_t id = 0;
    while (::bpf_link_get_next_id(id, &id) == 0)
        ids.push_back(id);
    if (errno != ENOENT)
        return fail_errno(errno, "list the links");
    return ids;
}

Result<Link> Link::adopt(UniqueFd fd) {
    BL_CHECK(check_object_kind(fd.get(), "bpf-link"));
    return Link(std::move(fd));
}

Result<Link> Link::from_pin(const std::filesystem::path &path) {
    BL_TRY(UniqueFd fd, pinned_object(path));
    Result<Link> link = adopt(std::move(fd));
    if (!link)
        return std::unexpected(std::move(link).error().within(path.native()));
    return link;
}

Result<> Link::update(int prog_fd, std::optional<int> expected_old_fd) {
    uapi::LinkUpdate request{.link_fd = static_cast<std::uint32_t>(fd()),
                             .new_prog_fd = static_cast<std::uint32_t>(prog_fd)};
    if (expected_old_fd) {
        request.flags = BPF_F_REPLACE;
        request.old_prog_fd = static_cast<std::uint32_t>(*expected_old_fd);
    }
    if (uapi::call(BPF_LINK_UPDATE, request) == 0)
        return {};
    const int error = errno;
    if (error == ENOLINK)
        return fail(Kind::state, error, "replace the program of a link: its device is gone or it was detached");
    if (error == EPERM && expected_old_fd) // the kernel's answer to another program than the expected one
        return fail(Kind::conflict, 0, "replace the program of a link: somebody else has replaced it meanwhile");
    return fail_errno(error, "replace the program of a link");
}

Result<> Link::detach() {
    std::uint32_t request = static_cast<std::uint32_t>(fd());
    if (uapi::call(BPF_LINK_DETACH, request) != 0)
        return fail_errno(errno, "detach a link");
    return {};
}

Result<> Link::pin(const std::filesystem::path &path) const {
    return pin_object(fd(), path);
}

} // namespace beeline::kernel
