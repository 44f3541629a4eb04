// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/device.hpp>

#include <cerrno>
#include <cstring>
#include <memory>
#include <span>

#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace beeline::kernel {

namespace {

/// One ethtool command; 0 or an errno. command points to the structure that begins with its number.
int command_errno(int socket, const std::string &device, void *command) {
    ifreq request{};
    if (device.empty() || device.size() >= sizeof request.ifr_name)
        return ENODEV;
    std::memcpy(request.ifr_name, device.data(), device.size());
    request.ifr_data = static_cast<char *>(command);
    return ::ioctl(socket, SIOCETHTOOL, &request) < 0 ? errno : 0;
}

std::unexpected<Error> ethtool_error(int code, std::string_view verb, const std::string &device) {
    if (code == EOPNOTSUPP)
        return fail(Kind::unsupported, code, fmt::format("{} of {}", verb, device), "the driver does not offer it");
    return fail_errno(code, fmt::format("{} of {}", verb, device));
}

/// Storage for the structures of ethtool.h that end in an array.
template <class Head>
class WithTail {
public:
    explicit WithTail(std::size_t tail_bytes)
        : words_((sizeof(Head) + tail_bytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t)) {}
    Head *operator->() { return reinterpret_cast<Head *>(words_.data()); }
    Head *get() { return reinterpret_cast<Head *>(words_.data()); }

private:
    std::vector<std::uint64_t> words_;
};

/// The names of a string set, in the order of their numbers.
Result<std::vector<std::string>> string_set(int socket, const std::string &device, std::uint32_t set) {
    WithTail<ethtool_sset_info> info(sizeof(std::uint32_t));
    info->cmd = ETHTOOL_GSSET_INFO;
    info->sset_mask = 1ULL << set;
    if (const int code = command_errno(socket, device, info.get()); code != 0)
        return ethtool_error(code, "read a list of names", device);
    const std::uint32_t count = info->sset_mask == 0 ? 0 : info->data[0];
    WithTail<ethtool_gstrings> strings(std::size_t{count} * ETH_GSTRING_LEN);
    strings->cmd = ETHTOOL_GSTRINGS;
    strings->string_set = set;
    strings->len = count;
    if (count > 0)
        if (const int code = command_errno(socket, device, strings.get()); code != 0)
            return ethtool_error(code, "read a list of names", device);
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < std::min(count, strings->len); ++i) {
        const auto *name = reinterpret_cast<const char *>(strings->data) + std::size_t{i} * ETH_GSTRING_LEN;
        names.emplace_back(name, ::strnlen(name, ETH_GSTRING_LEN));
    }
    return names;
}

/// The kernel's names that an `ethtool -K` word stands for (ethtool.c, off_flag_def).
bool belongs_to(std::string_view feature, Offload offload) {
    switch (offload) {
    case Offload::tx_checksum:
        return feature.starts_with("tx-checksum-");
    case Offload::tso:
        return feature.starts_with("tx-tcp") && feature.ends_with("-segmentation");
    case Offload::gro:
        return feature == "rx-gro";
    case Offload::lro:
        return feature == "rx-lro";
    case Offload::rx_vlan:
        return feature == "rx-vlan-hw-parse";
    case Offload::tx_vlan:
        return feature == "tx-vlan-hw-insert";
    }
    return false;
}

struct FeatureBits {
    std::vector<std::string> names;
    std::vector<ethtool_get_features_block> blocks;
    [[nodiscard]] OffloadState state(std::size_t i) const {
        const ethtool_get_features_block &block = blocks[i / 32];
        const std::uint32_t bit = 1U << (i % 32);
        return {.on = (block.active & bit) != 0,
                .fixed = (block.available & bit) == 0 || (block.never_changed & bit) != 0};
    }
};

Result<FeatureBits> feature_bits(int socket, const std::string &device) {
    BL_TRY(std::vector<std::string> names, string_set(socket, device, ETH_SS_FEATURES));
    const std::size_t blocks = (names.size() + 31) / 32;
    WithTail<ethtool_gfeatures> features(blocks * sizeof(ethtool_get_features_block));
    features->cmd = ETHTOOL_GFEATURES;
    features->size = static_cast<std::uint32_t>(blocks);
    if (const int code = command_errno(socket, device, features.get()); code != 0)
        return ethtool_error(code, "read the features", device);
    return FeatureBits{std::move(names), {features->features, features->features + blocks}};
}

OffloadState combined(const FeatureBits &bits, Offload offload) {
    OffloadState all{.on = false, .fixed = true};
    for (std::size_t i = 0; i < bits.names.size(); ++i)
        if (belongs_to(bits.names[i], offload)) {
            all.on = all.on || bits.state(i).on;
            all.fixed = all.fixed && bits.state(i).fixed;
        }
    return all;
}

} // namespace

std::string_view ethtool_word(Offload offload) {
    switch (offload) {
    case Offload::tx_checksum:
        return "tx";
    case Offload::tso:
        return "tso";
    case Offload::gro:
        return "gro";
    case Offload::lro:
        return "lro";
    case Offload::rx_vlan:
        return "rxvlan";
    case Offload::tx_vlan:
        return "txvlan";
    }
    return "?";
}

Result<Ethtool> Ethtool::open() {
    UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket.valid())
        return fail_errno(errno, "open a socket for ethtool");
    return Ethtool(std::move(socket));
}

Result<std::string> Ethtool::driver(const std::string &device) const {
    ethtool_drvinfo info{};
    info.cmd = ETHTOOL_GDRVINFO;
    const int code = command_errno(socket_.get(), device, &info);
    if (code == EOPNOTSUPP)
        return std::string();
    if (code != 0)
        return ethtool_error(code, "read the driver", device);
    return std::string(info.driver, ::strnlen(info.driver, sizeof info.driver));
}

Result<std::map<std::string, OffloadState>> Ethtool::features(const std::string &device) const {
    BL_TRY(const FeatureBits bits, feature_bits(socket_.get(), device));
    std::map<std::string, OffloadState> features;
    for (std::size_t i = 0; i < bits.names.size(); ++i)
        if (!bits.names[i].empty())
            features[bits.names[i]] = bits.state(i);
    return features;
}

Result<OffloadState> Ethtool::offload(const std::string &device, Offload offload) const {
    BL_TRY(const FeatureBits bits, feature_bits(socket_.get(), device));
    return combined(bits, offload);
}

Result<> Ethtool::set_offload(const std::string &device, Offload offload, bool on) const {
    BL_TRY(const FeatureBits bits, feature_bits(socket_.get(), device));
    if (combined(bits, offload).on == on)
        return {};
    const std::string what = fmt::format("switch {} {} on {}", ethtool_word(offload), on ? "on" : "off", device);
    WithTail<ethtool_sfeatures> request(bits.blocks.size() * sizeof(ethtool_set_features_block));
    request->cmd = ETHTOOL_SFEATURES;
    request->size = static_cast<std::uint32_t>(bits.blocks.size());
    bool any = false;
    for (std::size_t i = 0; i < bits.names.size(); ++i) {
        if (!belongs_to(bits.names[i], offload) || bits.state(i).fixed)
            continue;
        any = true;
        request->features[i / 32].valid |= 1U << (i % 32);
        request->features[i / 32].requested |= on ? 1U << (i % 32) : 0;
    }
    if (!any)
        return fail(Kind::unsupported, 0, what + ": fixed by the driver");
    if (const int code = command_errno(socket_.get(), device, request.get()); code != 0)
        return ethtool_error(code, what, device);
    BL_TRY(const OffloadState now, this->offload(device, offload));
    if (now.on != on)
        return fail(Kind::host, 0, what + ": the device kept it " + (now.on ? "on" : "off"),
                    "something it depends on forbids it (ethtool -k shows all)");
    return {};
}

Result<Channels> Ethtool::channels(const std::string &device) const {
    ethtool_channels raw{};
    raw.cmd = ETHTOOL_GCHANNELS;
    if (const int code = command_errno(socket_.get(), device, &raw); code != 0)
        return ethtool_error(code, "read the channels", device);
    return Channels{.rx = raw.rx_count,
                    .tx = raw.tx_count,
                    .combined = raw.combined_count,
                    .max_rx = raw.max_rx,
                    .max_tx = raw.max_tx,
                    .max_combined = raw.max_combined};
}

Result<> Ethtool::set_channels(const std::string &device, const Channels &channels) const {
    ethtool_channels raw{};
    raw.cmd = ETHTOOL_GCHANNELS; // what Channels does not have stays as it is
    if (const int code = command_errno(socket_.get(), device, &raw); code != 0)
        return ethtool_error(code, "read the channels", device);
    raw.cmd = ETHTOOL_SCHANNELS;
    raw.rx_count = channels.rx;
    raw.tx_count = channels.tx;
    raw.combined_count = channels.combined;
    if (const int code = command_errno(socket_.get(), device, &raw); code != 0)
        return ethtool_error(code, "set the channels", device);
    return {};
}

Result<std::map<std::string, std::uint64_t>> Ethtool::statistics(const std::string &device) const {
    BL_TRY(const std::vector<std::string> names, string_set(socket_.get(), device, ETH_SS_STATS));
    // A device that grows queues between the two calls may write more than it announced: leave room for it.
    const std::size_t room = names.size() * 2 + 64;
    WithTail<ethtool_stats> stats(room * sizeof(std::uint64_t));
    stats->cmd = ETHTOOL_GSTATS;
    stats->n_stats = static_cast<std::uint32_t>(names.size());
    if (!names.empty())
        if (const int code = command_errno(socket_.get(), device, stats.get()); code != 0)
            return ethtool_error(code, "read the statistics", device);
    std::map<std::string, std::uint64_t> values;
    for (std::size_t i = 0; i < names.size() && i < stats->n_stats; ++i)
        values[names[i]] = stats->data[i];
    return values;
}

} // namespace beeline::kernel
