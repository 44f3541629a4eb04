// SPDX-License-Identifier: Apache-2.0
#include "lab/lab.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <set>

#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include <beeline/kernel/capabilities.hpp>
#include <beeline/kernel/device.hpp>
#include <beeline/kernel/sysctl.hpp>

#include "lab/interrupt.hpp"
#include "lab/leftovers.hpp"

namespace beeline::lab {
namespace {

namespace fs = std::filesystem;

/// Two labs of one name in one process would remove each other.
std::mutex names_lock;
std::set<std::string> &live_names() {
    static std::set<std::string> names;
    return names;
}

Result<> mount_bpffs(const fs::path &at) {
    std::error_code error;
    fs::create_directories(at, error);
    if (error)
        return fail_errno(error.value(), "make " + at.string());
    if (::mount("bpf", at.c_str(), "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") != 0)
        return fail_errno(errno, "mount a bpffs at " + at.string(), "run this as root");
    return {};
}

Result<> bring_up(const End &end) {
    return end.node->within([&]() -> Result<> {
        BL_TRY(auto links, kernel::RtNetlink::open());
        BL_TRY(const kernel::Device device, links.device(end.device));
        for (const std::string &text : end.addresses) {
            BL_TRY(const auto address, kernel::IpPrefix::parse(text));
            BL_CHECK(links.add_address(device.ifindex, address));
        }
        return links.set_up(device.ifindex);
    });
}

/// Uses up device numbers, two for each node that is there already. The kernel reports a veth's carrier at once only
/// when its two ends have different numbers (net/core/link_watch.c, linkwatch_urgent_event), and a second later else:
/// of hundreds of nodes some pay that second, for it takes time to use up numbers, too.
Result<> skip_numbers(kernel::RtNetlink &links, std::size_t nodes) {
    constexpr std::size_t kDifferent = 8;
    std::vector<int> used;
    for (std::size_t i = 0; i < nodes % kDifferent; ++i) {
        const std::string name = "skip" + std::to_string(i);
        BL_CHECK(links.create_veth({.name = name + "a"}, {.name = name + "b"}));
        BL_TRY(const auto device, links.device(name + "a"));
        used.push_back(device.ifindex);
    }
    return links.remove_devices(used);
}

/// The device carries, and its addresses take packets.
Result<> wait_until_running(const End &end) {
    constexpr std::chrono::seconds kLongest(3);
    return end.node->within([&]() -> Result<> {
        BL_TRY(auto links, kernel::RtNetlink::open());
        BL_TRY(const auto device, links.device(end.device));
        BL_TRY(bool running, links.wait_until_running(device.ifindex, kLongest));
        for (const std::string &text : end.addresses) {
            BL_TRY(const auto prefix, kernel::IpPrefix::parse(text));
            BL_TRY(const bool local, links.wait_until_local(prefix.address, kLongest));
            running = running && local;
        }
        return running ? Result<>{} : fail(Kind::host, ETIMEDOUT, "wait until " + end.device + " is running");
    });
}

} // namespace

Result<std::string> Node::run(const Command &command) const {
    return within([&] { return run_checked(command); });
}

Result<> Node::nft(const std::string &rules) const {
    BL_TRY([[maybe_unused]] const auto said, run({.words = {"nft", "-f", "-"}, .input = rules}));
    return {};
}

Result<kernel::Device> Node::device(std::string_view device_name) const {
    return within([&]() -> Result<kernel::Device> {
        BL_TRY(auto links, kernel::RtNetlink::open());
        return links.device(device_name);
    });
}

Result<> Node::set_offload(const std::string &device_name, std::string_view word, bool on) const {
    for (const auto offload : {kernel::Offload::tx_checksum, kernel::Offload::gro, kernel::Offload::tso,
                               kernel::Offload::rx_vlan, kernel::Offload::tx_vlan}) {
        if (kernel::ethtool_word(offload) == word)
            return within([&]() -> Result<> {
                BL_TRY(const auto ethtool, kernel::Ethtool::open());
                return ethtool.set_offload(device_name, offload, on);
            });
    }
    return fail(Kind::usage, EINVAL, fmt::format("set offload {} of {}", word, device_name));
}

Result<> Node::set_sysctl(const std::string &setting, const std::string &value) const {
    return within([&] { return kernel::write_net_sysctl(setting, value); });
}

struct Lab::State {
    std::string name;
    pid_t pid = ::getpid();
    std::mutex lock; ///< Held while anything is made or removed: the watcher removes from its own thread.
    std::deque<Node> nodes;
    std::unique_ptr<OnInterrupt> watcher;
    bool removed = false;

    Result<> remove() {
        const std::scoped_lock guard(lock);
        if (std::exchange(removed, true))
            return {};
        nodes.clear();
        sweep(name, pid);
        const auto left = traces(name, pid);
        if (!left.empty())
            return fail(Kind::host, 0, fmt::format("the lab could not remove {}", fmt::join(left, ", ")));
        return {};
    }

    ~State() {
        watcher.reset();
        (void)remove();
        const std::scoped_lock guard(names_lock);
        live_names().erase(name);
    }
};

Result<Lab> Lab::create(std::string name) {
    BL_CHECK(kernel::require_root_or_caps());
    const bool plain = std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0; });
    if (name.empty() || !plain)
        return fail(Kind::usage, EINVAL, fmt::format("name a lab '{}'", name), "use letters and digits");
    {
        const std::scoped_lock guard(names_lock);
        if (!live_names().insert(name).second)
            return fail(Kind::conflict, EEXIST, fmt::format("make lab {}", name), "this process has one of that name");
    }
    auto state = std::make_unique<State>();
    state->name = name;
    sweep(name, 0);
    sweep(name, state->pid); // Of a dead process that had our number.
    State *const raw = state.get();
    BL_TRY(state->watcher, OnInterrupt::arm([raw] {
               raw->lock.lock(); // For good: nothing is made any more.
               sweep(raw->name, raw->pid);
           }));
    {
        const std::scoped_lock guard(raw->lock);
        BL_CHECK(mount_bpffs(folder_of(name, raw->pid) / "bpf"));
    }
    return Lab(std::move(state));
}

Lab::Lab(std::unique_ptr<State> state) : state_(std::move(state)) {}
Lab::Lab(Lab &&) noexcept = default;
Lab::~Lab() = default;

Result<const Node *> Lab::add(const std::string &name) {
    const std::scoped_lock guard(state_->lock);
    BL_TRY(auto netns, kernel::NetNs::create(namespace_name(state_->name, name, state_->pid)));
    const std::size_t nodes = state_->nodes.size();
    const Node &node = state_->nodes.emplace_back(name, std::move(netns));
    const auto prepare = [nodes]() -> Result<> {
        BL_TRY(auto links, kernel::RtNetlink::open());
        BL_CHECK(skip_numbers(links, nodes));
        BL_TRY(const auto lo, links.device("lo"));
        return links.set_up(lo.ifindex);
    };
    BL_CHECK(node.within(prepare));
    return &node;
}

Result<> Lab::cable(const End &a, const End &b, const CableOptions &options) {
    const std::scoped_lock guard(state_->lock);
    BL_CHECK(a.node->within([&]() -> Result<> {
        BL_TRY(auto links, kernel::RtNetlink::open());
        const auto end = [&](const std::string &name) {
            return kernel::VethEnd{
                .name = name, .mtu = options.mtu, .rx_queues = options.queues, .tx_queues = options.queues};
        };
        kernel::VethEnd far = end(b.device);
        far.netns_fd = b.node->netns().fd();
        return links.create_veth(end(a.device), far);
    }));
    BL_CHECK(bring_up(a));
    BL_CHECK(bring_up(b));
    BL_CHECK(wait_until_running(a));
    BL_CHECK(wait_until_running(b));
    // Only now: veth tells the peer that it may be redirected to when GRO is switched on while both are up.
    for (const End *end : {&a, &b}) {
        BL_CHECK(end->node->set_offload(end->device, "tx", options.tx_checksum));
        BL_CHECK(end->node->set_offload(end->device, "gro", options.gro));
    }
    return {};
}

fs::path Lab::folder() const {
    return folder_of(state_->name, state_->pid);
}
fs::path Lab::bpffs() const {
    return folder() / "bpf";
}
Result<> Lab::remove() {
    return state_->remove();
}

std::vector<std::string> Lab::traces(std::string_view name, int pid) {
    std::vector<std::string> found;
    for (const Leftover &left : leftovers(name)) {
        if (pid == 0 || left.pid == pid)
            found.push_back(left.path);
    }
    return found;
}

} // namespace beeline::lab
