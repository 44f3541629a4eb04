// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <beeline/policy/names.hpp>
#include <beeline/policy/parse.hpp>
#include <beeline/policy/words.hpp>
#include <beeline/rules/words.hpp>

namespace beeline::policy {

namespace {

using rules::MatchWord;
using rules::NamedNumber;
using rules::ValueKind;
using rules::ValueSpec;

constexpr std::size_t kMaxDeviceName = 15; // IFNAMSIZ - 1
constexpr std::size_t kMaxProcess = 15;    // TASK_COMM_LEN - 1
constexpr std::size_t kMaxPath = 4095;     // PATH_MAX - 1

/// A flag, 'none' or 'all', or two of these with a '/' between.
Result<> check_flags(std::string_view word) {
    std::vector<std::string_view> known{"none", "all"};
    for (const NamedNumber &flag : tcp_flags())
        known.push_back(flag.name);
    const auto slash = word.find('/');
    for (const std::string_view part : {word.substr(0, slash), slash == word.npos ? "all" : word.substr(slash + 1)})
        if (std::find(known.begin(), known.end(), part) == known.end())
            return fail(Kind::config, 0, "unknown TCP flag " + rules::in_quotes(part),
                        rules::did_you_mean(part, known));
    return {};
}

bool has_control(std::string_view name) {
    return std::any_of(name.begin(), name.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<> check_process(std::string_view name) {
    if (name.size() > kMaxProcess)
        return fail(Kind::config, 0, rules::in_quotes(name) + " cannot be the name of a process",
                    "the kernel keeps the first 15 bytes: write " + rules::in_quotes(name.substr(0, kMaxProcess)));
    if (name.empty() || has_control(name))
        return fail(Kind::config, 0, rules::in_quotes(name) + " cannot be the name of a process",
                    "names have 1 to 15 bytes, and no control characters");
    return {};
}

/// Numbers must be right; whether there is a user of a name, the host says.
Result<> check_user(std::string_view user) {
    if (user.empty() || has_control(user))
        return fail(Kind::config, 0, rules::in_quotes(user) + " cannot be a user");
    if (user[0] < '0' || user[0] > '9')
        return {};
    const auto ids = rules::read_interval(user, {0, kMaxUser}, {});
    return ids ? Result<>{} : std::unexpected(ids.error());
}

constexpr NamedNumber kVlanWords[] = {{"any", kVlanAny}, {"none", kVlanNone}};
constexpr NamedNumber kFragmentWords[] = {{"first", kFirst}, {"later", kLater}, {"none", kNone}};
constexpr NamedNumber kNoneWord[] = {{"none", kNone}};

constexpr rules::WordGroup kProtocolGroup{"several protocols are written proto {tcp, udp}"};
constexpr rules::WordGroup kFamilyGroup{"a rule without either matches both"};
constexpr rules::WordGroup kDirectionGroup{"a rule without either is for both directions"};
constexpr rules::WordGroup kEthertypeGroup{"several ethertypes are written ethertype {arp, 0x88cc}"};

ValueSpec numbers(std::string_view expected, std::uint64_t high, std::span<const NamedNumber> names, bool range) {
    return {.kind = ValueKind::number,
            .expected = expected,
            .limits = {0, high},
            .names = names,
            .negatable = true,
            .list = true,
            .range = range};
}

ValueSpec ports() {
    ValueSpec spec =
        numbers("a port, a range 80-90, a service, a list {80, 443} or @set", 65535, rules::services(), true);
    spec.set = "port";
    return spec;
}

ValueSpec icmp(std::string_view expected) {
    ValueSpec spec = numbers(expected, 255, {}, false);
    spec.kind = ValueKind::symbol;
    return spec;
}

ValueSpec prefixes() {
    return {.kind = ValueKind::prefix,
            .expected = "an address, a prefix, a list {a, b} or @set",
            .negatable = true,
            .list = true,
            .set = "prefix"};
}

ValueSpec macs() {
    return {.kind = ValueKind::mac,
            .expected = "a MAC address, a list {a, b} or @set",
            .negatable = true,
            .list = true,
            .set = "mac"};
}

/// Any words that check takes.
ValueSpec checked(std::string_view expected, Result<> (*check)(std::string_view)) {
    return {.kind = ValueKind::name, .expected = expected, .negatable = true, .list = true, .check = check};
}

ValueSpec choice(std::string_view expected, std::span<const NamedNumber> names) {
    return {.kind = ValueKind::choice, .expected = expected, .names = names, .optional = true};
}

} // namespace

/// What the kernel's dev_valid_name() demands, and no control characters.
Result<> check_device(std::string_view name) {
    if (name.empty() || name.size() > kMaxDeviceName)
        return fail(Kind::config, 0, rules::in_quotes(name) + " cannot be a device", "names have 1 to 15 bytes");
    const auto bad = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == '/' || c == ':' || c == 0x7f; };
    if (name == "." || name == ".." || std::any_of(name.begin(), name.end(), bad))
        return fail(Kind::config, 0, rules::in_quotes(name) + " cannot be a device", "no '/', ':' or blank in names");
    return {};
}

/// A path as /proc/PID/cgroup has it, and nothing that would lead out of the hierarchy.
Result<> check_cgroup(std::string_view path) {
    const auto wrong = [&](std::string remedy) {
        return fail(Kind::config, 0, rules::in_quotes(path) + " cannot be a cgroup", std::move(remedy));
    };
    constexpr std::string_view kUsualMount = "/sys/fs/cgroup";
    if (path == kUsualMount || path.starts_with("/sys/fs/cgroup/"))
        return wrong("paths begin below the mount: write " +
                     (path == kUsualMount ? "/" : rules::in_quotes(path.substr(kUsualMount.size()))));
    if (!path.starts_with('/'))
        return wrong("its path below the mount begins with '/', for example /system.slice/redis.service");
    if (path.size() > kMaxPath || has_control(path))
        return wrong("at most 4095 bytes, and no control characters");
    if (path == "/")
        return {};
    for (std::size_t start = 1, end = 0; start <= path.size(); start = end + 1) {
        end = std::min(path.find('/', start), path.size());
        const std::string_view name = path.substr(start, end - start);
        if (name.empty() || name == "." || name == "..")
            return wrong(name.empty() ? "one '/' between names, and none behind the last one"
                                      : "no '.' or '..' in paths");
    }
    return {};
}

std::vector<MatchWord> match_words() {
    const ValueSpec flags{.kind = ValueKind::flags,
                          .expected = "flags out of fin, syn, rst, psh, ack, urg, ece, cwr, or flags/mask",
                          .negatable = true,
                          .check = check_flags};
    ValueSpec users = checked("the name or number of a user, a range 1000-1999, <N, >N or a list {a, b}", check_user);
    users.limits = {0, kMaxUser};
    users.range = true;
    ValueSpec vlan = numbers("an id from 0 to 4095, a list {1, 2}, 'any' or 'none'", 4095, kVlanWords, false);
    ValueSpec ethertype = numbers("an ethertype by name or number, or a list {a, b}", 65535, ethertypes(), false);
    ethertype.limits.low = 1; // 0 stands for frames too short to have one
    std::vector<MatchWord> words{
        {"in", {}, "packets to the guest", &kDirectionGroup, word::in},
        {"out", {}, "packets from the guest", &kDirectionGroup, word::out},
        {"ip", {}, "IPv4 packets", &kFamilyGroup, word::ip},
        {"ipv6", {}, "IPv6 packets", &kFamilyGroup, word::ipv6},
        {"arp", {}, "ARP frames (ethertype 0x0806)", &kEthertypeGroup, word::arp},
        {"proto", numbers("a protocol by name or number, or a list {a, b}", 255, protocols(), false),
         "IP protocol, behind IPv6 extension headers", &kProtocolGroup, word::proto},
        {"src", prefixes(), "source address", nullptr, word::src},
        {"dst", prefixes(), "destination address", nullptr, word::dst},
        {"sport", ports(), "source port", nullptr, word::sport},
        {"dport", ports(), "destination port", nullptr, word::dport},
        {"flags", flags, "TCP flags", nullptr, word::flags},
        {"type", icmp("a type by name or number, or a list {a, b}"), "type of ICMP or ICMPv6", nullptr, word::type},
        {"code", icmp("a code by name or number, or a list {a, b}"), "code of ICMP or ICMPv6", nullptr, word::code},
        {"ethertype", ethertype, "ethertype behind the VLAN tags", &kEthertypeGroup, word::ethertype},
        {"vlan", vlan, "VLAN id of the outer tag, 'any' tag or 'none'", nullptr, word::vlan},
        {"inner-vlan", numbers("an id from 0 to 4095 or a list {1, 2}", 4095, {}, false), "VLAN id of the second tag",
         nullptr, word::inner_vlan},
        {"mac src", macs(), "source MAC address", nullptr, word::mac_src},
        {"mac dst", macs(), "destination MAC address", nullptr, word::mac_dst},
        {"ttl", numbers("a number from 0 to 255, a range 1-9, <N, >N or a list", 255, {}, true), "TTL or hop limit",
         nullptr, word::ttl},
        {"dscp", numbers("a DSCP by name or number (0 to 63), or a list {a, b}", 63, dscps(), false),
         "differentiated services code point", nullptr, word::dscp},
        {"length", numbers("a number of bytes, a range 64-128, <N, >N or a list", 0xffffffff, {}, true),
         "bytes of the frame, Ethernet header included", nullptr, word::length},
        {"fragment", choice("'first', 'later', 'none' or nothing", kFragmentWords), "IP fragments", nullptr,
         word::fragment},
        {"options", choice("'none' or nothing", kNoneWord), "IPv4 options or IPv6 extension headers", nullptr,
         word::options},
        {"malformed", choice("'none' or nothing", kNoneWord), "headers lie or are cut short", nullptr, word::malformed},
        {"device", checked("the name of a device or a list {a, b}", check_device), "device that received the frame",
         nullptr, word::device},
        {"cgroup", checked("the path of a cgroup or a list {a, b}", check_cgroup),
         "cgroup of the socket, or one above it", nullptr, word::cgroup},
        {"process", checked("the name of a process or a list {a, b}", check_process), "process that reads the socket",
         nullptr, word::process},
        {"user", users, "owner of the socket", nullptr, word::user},
    };
    for (const NamedNumber &protocol : protocols())
        words.push_back({protocol.name,
                         {},
                         "IP protocol",
                         &kProtocolGroup,
                         static_cast<std::uint16_t>(word::protocol + protocol.number)});
    return words;
}

} // namespace beeline::policy
