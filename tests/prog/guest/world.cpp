// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

#include <array>
#include <cstring>
#include <ostream>

#include <arpa/inet.h>

#include <beeline/guest/parse.hpp>
#include <beeline/kernel/counters.hpp>
#include <beeline/kernel/map_in_map.hpp>
#include <beeline/kernel/ring_buffer.hpp>
#include <beeline/kernel/sysctl.hpp>

namespace beeline::guest::test {

namespace {

constexpr std::array<std::string_view, BL_GUEST_REASONS> kReasonNames = BL_GUEST_REASON_NAMES;
constexpr std::uint64_t kSecond = 1'000'000'000;

Result<kernel::UniqueFd> inner_table(const std::vector<bl_guest_row> &rows) {
    BL_TRY(kernel::UniqueFd fd, kernel::create_map({.type = BPF_MAP_TYPE_ARRAY,
                                                    .name = "guest_rows",
                                                    .value_size = sizeof(bl_guest_row),
                                                    .max_entries = static_cast<std::uint32_t>(rows.size()),
                                                    .flags = BPF_F_INNER_MAP}));
    BL_TRY(auto map, (kernel::Map<std::uint32_t, bl_guest_row>::share(fd.get())));
    for (std::uint32_t i = 0; i < rows.size(); ++i)
        BL_CHECK(map.update(i, rows[i]));
    return fd;
}

template <class Key>
Result<> fill_trie(kernel::MapInMap &outer, std::uint32_t index, const std::vector<Key> &prefixes) {
    BL_TRY(kernel::UniqueFd fd, kernel::create_map({.type = BPF_MAP_TYPE_LPM_TRIE,
                                                    .name = "guest_set",
                                                    .key_size = sizeof(Key),
                                                    .value_size = sizeof(bl_set_entry),
                                                    .max_entries = static_cast<std::uint32_t>(prefixes.size()) + 1,
                                                    .flags = BPF_F_NO_PREALLOC}));
    BL_TRY(auto map, (kernel::Map<Key, bl_set_entry>::share(fd.get())));
    for (const Key &prefix : prefixes)
        BL_CHECK(map.update(prefix, bl_set_entry{}));
    return outer.update(index, fd.get());
}

} // namespace

std::uint32_t word(const char *address4) {
    std::uint32_t value = 0;
    EXPECT_EQ(::inet_pton(AF_INET, address4, &value), 1) << address4;
    return value;
}

void set_words(std::uint32_t (&to)[4], const char *address) {
    std::memset(to, 0, sizeof to);
    const int family = std::strchr(address, ':') != nullptr ? AF_INET6 : AF_INET;
    EXPECT_EQ(::inet_pton(family, address, to), 1) << address;
}

Ends ends_of(const Bytes &frame) {
    Ends ends;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (frame.size() < 14 + 28)
        return ends;
    const auto *ip = reinterpret_cast<const std::uint8_t *>(frame.data()) + 14;
    const bool six = ip[0] >> 4 == 6;
    const auto address = [&](std::size_t at) {
        return std::string(::inet_ntop(six ? AF_INET6 : AF_INET, ip + at, text.data(), text.size()));
    };
    ends.src = address(six ? 8 : 12);
    ends.dst = address(six ? 24 : 16);
    ends.ttl = ip[six ? 7 : 8];
    const std::size_t l4 = six ? 40 : 20;
    if (frame.size() < 14 + l4 + 8)
        return ends;
    const int proto = ip[six ? 6 : 9];
    const std::size_t at = proto == 1 || proto == 58 ? l4 + 4 : l4;
    ends.sport = static_cast<std::uint16_t>(ip[at] << 8 | ip[at + 1]);
    ends.dport = at == l4 ? static_cast<std::uint16_t>(ip[at + 2] << 8 | ip[at + 3]) : std::uint16_t{0};
    return ends;
}

std::ostream &operator<<(std::ostream &out, const Ends &e) {
    return out << e.src << ":" << e.sport << " > " << e.dst << ":" << e.dport << " ttl " << e.ttl;
}

void World::SetUp() {
    BL_NEED_ROOT();
    ASSERT_VALUE(auto opened, kernel::Opened<guest_bpf>::open());
    ASSERT_VALUE(auto loaded, std::move(opened).load());
    programs_.emplace(std::move(loaded));
    ASSERT_NO_FATAL_FAILURE(wire_up());
    ASSERT_NO_FATAL_FAILURE(add_guests());
    settle(generation_);
    auto jumps = map<std::uint32_t, std::uint32_t>(programs()->maps.guest_progs);
    const auto fd = [](const bpf_program *program) { return static_cast<std::uint32_t>(bpf_program__fd(program)); };
    ASSERT_OK(jumps.update(BL_GUEST_PROG_OUT, fd(programs()->progs.guest_out)));
    ASSERT_OK(jumps.update(BL_GUEST_PROG_IN, fd(programs()->progs.guest_in)));
    ASSERT_OK(jumps.update(BL_GUEST_PROG_ANSWER, fd(programs()->progs.guest_answer)));
}

void World::wire_up() {
    ASSERT_VALUE(auto net, harness::TestNet::create("w"));
    net_.emplace(std::move(net));
    for (const std::string device : {"up", "back", "g1", "g2", "g3"})
        ASSERT_OK(harness::connect(*net_, device, *net_, device + "peer"));
    ASSERT_OK(net_->within([]() -> Result<> {
        BL_CHECK(kernel::write_net_sysctl("ipv4/conf/all/forwarding", "1"));
        return kernel::write_net_sysctl("ipv6/conf/all/forwarding", "1");
    }));
    ASSERT_VALUE(const int up, net_->ifindex("up"));
    ASSERT_VALUE(const int back, net_->ifindex("back"));
    uplink_ = static_cast<std::uint32_t>(up);
    ASSERT_OK(net_->add_address("up", "203.0.113.1/24"));
    ASSERT_OK(net_->add_address("up", "2001:db8:f::1/64"));
    ASSERT_OK(net_->add_address("back", "192.168.7.1/24"));
    ASSERT_OK(add_routes());
    auto uplinks = map<std::uint32_t, bl_uplink>(programs()->maps.guest_uplinks);
    bl_uplink uplink{.addr4 = word(kHost4), .addr6 = {}, .mtu = 1500};
    set_words(uplink.addr6, kHost6);
    ASSERT_OK(uplinks.update(uplink_, uplink));
    ASSERT_GT(back, 0);
}

Result<> World::add_routes() {
    for (const auto &[to, via] :
         {std::pair{"198.51.100.0/24", "203.0.113.254"}, {"2001:db8:1::/64", "2001:db8:f::fe"}}) {
        kernel::Route route{.ifindex = static_cast<int>(uplink_)};
        BL_TRY(route.to, kernel::IpPrefix::parse(to));
        BL_TRY(route.via, kernel::IpAddress::parse(via));
        BL_CHECK(net_->links().add_route(route));
        BL_CHECK(net_->links().add_neighbour(route.ifindex, *route.via, {0x02, 0, 0, 0, 0, 0xfe}));
    }
    return {};
}

Result<> World::set_uplink(bool up) {
    BL_CHECK(net_->links().set_up(static_cast<int>(uplink_), up));
    if (!up)
        return {};
    BL_CHECK(net_->add_address("up", "2001:db8:f::1/64")); // going down takes it away, not so IPv4's
    return add_routes();
}

void World::add_guest(std::uint32_t slot, const char *device, std::uint32_t kind, std::uint32_t flags, const char *four,
                      const char *six) {
    ASSERT_VALUE(const int ifindex, net_->ifindex(device));
    bl_guest guest{};
    guest.addr4 = word(four);
    if (six != nullptr)
        set_words(guest.addr6, six);
    guest.ifindex = static_cast<std::uint32_t>(ifindex);
    guest.flags = flags | BL_GUEST_UP | BL_GUEST_CARRIES_MARK;
    guest.kind = kind;
    guest.mtu = 1500;
    if (kind != BL_GUEST_NETKIT_L3) {
        const std::uint8_t mac[6] = {0x02, 0, 0, 0, 0x88, static_cast<std::uint8_t>(slot)};
        std::memcpy(guest.mac, mac, 6);
        std::memcpy(guest.host_mac, mac, 6);
        guest.host_mac[3] = 1;
    }
    set_guest(slot, guest);
    auto addresses = map<bl_guest_address, std::uint32_t>(programs()->maps.guest_addresses);
    auto near = map<std::uint32_t, std::uint32_t>(programs()->maps.guest_near);
    for (const char *text : {four, six}) {
        if (text == nullptr)
            continue;
        bl_guest_address key{.address = {}, .family = std::strchr(text, ':') != nullptr ? 6u : 4u};
        set_words(key.address, text);
        ASSERT_OK(addresses.update(key, slot));
        const std::uint32_t last = key.address[key.family == 6 ? 3 : 0] >> 16; // its last two bytes, as they stand
        ASSERT_OK(near.update(last, slot + 1));
    }
    rules(slot, {});
}

void World::add_guests() {
    add_guest(kWeb, "g1", BL_GUEST_NETKIT_L3, BL_GUEST_MASQUERADE, kWeb4, kWeb6);
    add_guest(kMail, "g2", BL_GUEST_NETKIT_L2, BL_GUEST_MASQUERADE, kMail4, kMail6);
    add_guest(kPlain, "g3", BL_GUEST_VETH, 0, kPlain4, nullptr);
}

void World::set_guest(std::uint32_t slot, const bl_guest &guest) {
    auto list = map<std::uint32_t, bl_guest>(programs()->maps.guest_list);
    ASSERT_OK(list.update(slot, guest));
}

bl_guest World::guest(std::uint32_t slot) {
    const auto found = map<std::uint32_t, bl_guest>(programs()->maps.guest_list).lookup(slot);
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : bl_guest{};
}

void World::open(std::uint32_t slot) {
    bl_guest open = guest(slot);
    open.flags |= BL_GUEST_OPEN;
    open.out_counter = open.in_counter = counter(slot, 0);
    set_guest(slot, open);
}

void World::settle(std::uint32_t generation, std::uint16_t low, std::uint16_t high) {
    auto settings = map<std::uint32_t, bl_guest_settings>(programs()->maps.guest_settings);
    ASSERT_OK(settings.update(0, {.generation = generation, .nat_low = low, .nat_high = high}));
}

void World::rules(std::uint32_t slot, const std::vector<std::string> &rules, std::vector<policy::Set> sets) {
    std::vector<rules::SourceString> sources;
    for (const std::string &rule : rules)
        sources.emplace_back(rule);
    rules::Diagnostics diagnostics;
    policy::ParsedRules parsed = parse_rules(sources, sets, diagnostics);
    ASSERT_FALSE(rules::has_errors(diagnostics)) << diagnostics.front().text();
    Policy policy;
    policy.sets = std::move(sets);
    policy.sets.insert(policy.sets.end(), parsed.sets.begin(), parsed.sets.end());
    policy.rules = std::move(parsed.rules);
    load(slot, policy);
}

void World::load(std::uint32_t slot, const Policy &policy) {
    Binding binding;
    binding.counter = [this](const std::string &) -> Result<std::uint32_t> { return next_counter_++; };
    ASSERT_VALUE(tables_[slot], compile(policy, binding));
    const Tables &tables = tables_[slot];
    ASSERT_VALUE(auto outer, kernel::MapInMap::share(bpf_map__fd(programs()->maps.guest_tables)));
    ASSERT_VALUE(const auto in_rows, inner_table(tables.in));
    ASSERT_VALUE(const auto out_rows, inner_table(tables.out));
    ASSERT_OK(outer.update(slot * 2 + BL_GUEST_IN, in_rows.get()));
    ASSERT_OK(outer.update(slot * 2 + BL_GUEST_OUT, out_rows.get()));
    ASSERT_VALUE(auto fours, kernel::MapInMap::share(bpf_map__fd(programs()->maps.guest_sets4)));
    ASSERT_VALUE(auto sixes, kernel::MapInMap::share(bpf_map__fd(programs()->maps.guest_sets6)));
    auto members = map<bl_set_key, bl_set_entry>(programs()->maps.guest_members);
    ASSERT_OK(members.clear());
    for (const policy::SetTable &set : tables.sets) {
        ASSERT_OK(fill_trie(fours, set.index, set.prefixes4));
        ASSERT_OK(fill_trie(sixes, set.index, set.prefixes6));
        for (const bl_set_key &member : set.members)
            ASSERT_OK(members.update(member, bl_set_entry{}));
    }
}

void World::erase_rules(std::uint32_t slot, std::uint32_t direction) {
    ASSERT_VALUE(auto outer, kernel::MapInMap::share(bpf_map__fd(programs()->maps.guest_tables)));
    ASSERT_VALUE(const bool erased, outer.erase(slot * 2 + direction));
    EXPECT_TRUE(erased);
}

void World::publish(const char *address, std::uint16_t port, std::uint8_t proto, std::uint32_t slot,
                    std::uint16_t guest_port, bool six) {
    bl_port_key key{
        .address = {}, .port = htons(port), .proto = proto, .family = static_cast<std::uint8_t>(six ? 6 : 4)};
    if (address != nullptr)
        set_words(key.address, address);
    bl_port to{.address = {}, .slot = static_cast<std::uint16_t>(slot), .port = htons(guest_port)};
    const bl_guest g = guest(slot);
    if (six)
        std::memcpy(to.address, g.addr6, sizeof to.address);
    else
        to.address[0] = g.addr4;
    auto ports = map<bl_port_key, bl_port>(programs()->maps.guest_ports);
    ASSERT_OK(ports.update(key, to));
}

Ran World::run(const bpf_program *program, const Bytes &frame, const __sk_buff &skb) {
    kernel::TestRun run{.data = frame};
    run.skb = skb;
    auto result = net_->within([&] { return kernel::test_run(bpf_program__fd(program), run); });
    if (!result) {
        ADD_FAILURE() << result.error().message();
        return {};
    }
    return {.verdict = result->retval, .frame = std::move(result->data_out), .skb = *result->skb_out};
}

Ran World::out(std::uint32_t slot, const Bytes &frame, __sk_buff skb, bool no_device) {
    skb.cb[0] = slot;
    skb.ifindex = no_device ? 0 : guest(slot).ifindex;
    return run(programs()->progs.guest_out, frame, skb);
}

Ran World::in(std::uint32_t slot, const Bytes &frame, __sk_buff skb) {
    skb.cb[0] = slot;
    skb.ifindex = guest(slot).ifindex;
    return run(programs()->progs.guest_in, frame, skb);
}

Ran World::wire(const Bytes &frame, __sk_buff skb) {
    skb.ifindex = uplink_;
    return run(programs()->progs.guest_wire, frame, skb);
}

std::vector<Flow> World::flows() {
    auto entries = map<bl_tuple, bl_flow>(programs()->maps.guest_flows).entries();
    EXPECT_TRUE(entries) << entries.error().message();
    return *std::move(entries);
}

std::optional<bl_flow> World::flow(const bl_tuple &key) {
    const auto found = map<bl_tuple, bl_flow>(programs()->maps.guest_flows).lookup(key);
    EXPECT_TRUE(found) << found.error().message();
    return *found;
}

void World::write_flow(const bl_tuple &key, const bl_flow &flow) {
    auto all = map<bl_tuple, bl_flow>(programs()->maps.guest_flows);
    ASSERT_OK(all.update(key, flow));
}

void World::forget_flows() {
    auto all = map<bl_tuple, bl_flow>(programs()->maps.guest_flows);
    ASSERT_OK(all.clear());
}

void World::age_flows(std::uint64_t seconds) {
    for (auto [key, flow] : flows()) {
        flow.seen_ns -= seconds * kSecond;
        flow.routed_ns -= seconds * kSecond;
        write_flow(key, flow);
    }
}

std::map<std::string, std::uint64_t> World::counted() {
    std::map<std::string, std::uint64_t> news;
    auto map = kernel::CounterMap::share(bpf_map__fd(programs()->maps.guest_reasons));
    EXPECT_TRUE(map) << map.error().message();
    const auto counters = kernel::read_counters(*map, kReasonNames);
    EXPECT_TRUE(counters) << counters.error().message();
    for (const auto &[name, count] : *counters) {
        if (count != counted_[name])
            news[name] = count - counted_[name];
        counted_[name] = count;
    }
    return news;
}

std::vector<bl_guest_event> World::logged() {
    std::vector<bl_guest_event> events;
    auto ring = kernel::RingBuffer::open_typed<bl_guest_event>(
        bpf_map__fd(programs()->maps.guest_events), [&](const bl_guest_event &event) { events.push_back(event); });
    EXPECT_TRUE(ring) << ring.error().message();
    EXPECT_TRUE(ring->consume());
    return events;
}

std::uint64_t World::hits(std::uint32_t slot, std::size_t rule) {
    const auto map = kernel::PerCpuMap<std::uint32_t, bl_hits>::share(bpf_map__fd(programs()->maps.guest_hits));
    EXPECT_TRUE(map) << map.error().message();
    const auto sum = map->sum(counter(slot, rule), [](bl_hits &total, const bl_hits &cpu) {
        total.packets += cpu.packets;
        total.bytes += cpu.bytes;
    });
    EXPECT_TRUE(sum) << sum.error().message();
    return sum->packets;
}

} // namespace beeline::guest::test
