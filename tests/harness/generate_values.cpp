// SPDX-License-Identifier: Apache-2.0
#include <harness/generate.hpp>

#include <algorithm>

namespace beeline::model {

using edge::Family;
using edge::Prefix;

Prefix masked_prefix(Prefix prefix, unsigned bits) {
    prefix.bits = static_cast<std::uint8_t>(bits);
    for (unsigned bit = bits; bit < 128; ++bit)
        prefix.address[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> bit % 8));
    return prefix;
}

Prefix random_address(Random &r, Family family) {
    static const harness::Addr4 kFour[] = {"192.0.2.1",  "198.51.100.2", "10.1.2.3",  "10.1.2.255",
                                           "172.16.0.1", "0.0.0.0",      "127.0.0.1", "255.255.255.255"};
    static const harness::Addr6 kSix[] = {
        "2001:db8::1", "2001:db8:1::2", "fe80::1", "::", "::1", "ff02::1", "::ffff:192.0.2.1", "2001:db8:ffff:ffff::"};
    Prefix address{.family = family, .bits = static_cast<std::uint8_t>(family == Family::v4 ? 32 : 128), .address = {}};
    if (family == Family::v4)
        std::copy_n(kFour[r.below(8)].bytes.begin(), 4, address.address.begin());
    else
        address.address = kSix[r.below(8)].bytes;
    if (r.chance(25)) // a bit away
        address.address[r.below(address.bits) / 8] ^= static_cast<std::uint8_t>(1 << r.below(8));
    return address;
}

Prefix random_prefix(Random &r) {
    const Prefix address = random_address(r, r.pick({Family::v4, Family::v6}));
    const unsigned full = address.bits;
    const unsigned bits = r.pick<unsigned>(
        {full, full, full - 1, full / 2, full / 4, 24, 8, 1, 0, static_cast<unsigned>(r.below(full + 1))});
    return masked_prefix(address, bits);
}

std::uint16_t random_port(Random &r) {
    return r.chance(90) ? r.pick<std::uint16_t>({0, 1, 22, 53, 80, 443, 1023, 1024, 7998, 7999, 65534, 65535})
                        : static_cast<std::uint16_t>(r.bits());
}

edge::Mac random_mac(Random &r) {
    if (r.chance(5))
        return {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    return {static_cast<std::uint8_t>(r.chance(5) ? 3 : 2), 0, 0, 0, 0, static_cast<std::uint8_t>(r.below(4))};
}

std::uint16_t random_vlan(Random &r) {
    return r.pick<std::uint16_t>({0, 1, 2, 7, 100, 4094, 4095});
}

std::uint16_t random_ethertype(Random &r) {
    return r.pick<std::uint16_t>({0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x88b5, 0x0000, 0xffff});
}

std::uint8_t random_proto(Random &r) {
    return r.pick<std::uint8_t>({6, 6, 6, 17, 17, 17, 1, 58, 0, 33, 132, 136, 43, 44, 50, 51, 59, 60, 47, 135, 253});
}

std::uint8_t random_byte(Random &r) {
    return r.chance(70) ? r.pick<std::uint8_t>({0, 1, 2, 63, 64, 65, 128, 254, 255})
                        : static_cast<std::uint8_t>(r.bits());
}

} // namespace beeline::model
