// SPDX-License-Identifier: Apache-2.0
//
// Frames for people. The decision about a packet is the loaded program's alone: this reader only names what it sees,
// and stops where it sees no more.
#include <beeline/edge/packet.hpp>

#include <algorithm>
#include <map>

#include <arpa/inet.h>

#include <fmt/format.h>

#include "edge/tools/packet_names.hpp"

namespace beeline::edge {
namespace {

/// Bytes of a frame; reading behind the end gives nothing.
class View {
public:
    explicit View(std::span<const std::byte> bytes) : bytes_(bytes) {}
    [[nodiscard]] bool has(std::size_t at, std::size_t count) const {
        return at <= bytes_.size() && count <= bytes_.size() - at;
    }
    [[nodiscard]] unsigned u8(std::size_t at) const { return static_cast<unsigned>(bytes_[at]); }
    [[nodiscard]] unsigned u16(std::size_t at) const { return u8(at) << 8 | u8(at + 1); }
    [[nodiscard]] std::string mac(std::size_t at) const {
        return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", u8(at), u8(at + 1), u8(at + 2), u8(at + 3),
                           u8(at + 4), u8(at + 5));
    }
    [[nodiscard]] std::string address(std::size_t at, bool v6) const {
        char text[INET6_ADDRSTRLEN] = {};
        inet_ntop(v6 ? AF_INET6 : AF_INET, bytes_.data() + at, text, sizeof text);
        return text;
    }

private:
    std::span<const std::byte> bytes_;
};

class Reader {
public:
    explicit Reader(std::span<const std::byte> frame) : view_(frame) {}

    std::vector<Field> read() {
        ethernet();
        return std::move(fields_);
    }

private:
    void add(std::string name, std::string value) { fields_.push_back({std::move(name), std::move(value)}); }
    void add(std::string name, unsigned value) { add(std::move(name), std::to_string(value)); }

    void ethernet() {
        if (!view_.has(0, 14))
            return;
        add("mac dst", view_.mac(0));
        add("mac src", view_.mac(6));
        std::size_t at = 12;
        unsigned type = view_.u16(at);
        for (const char *name : {"vlan", "inner-vlan"}) {
            if ((type != kEthVlan && type != kEthService) || !view_.has(at, 6))
                break;
            add(name, view_.u16(at + 2) & 0xfff);
            at += 4;
            type = view_.u16(at);
        }
        add("ethertype", fmt::format("0x{:04x}", type));
        if (type == kEthIpv4)
            ipv4(at + 2);
        else if (type == kEthIpv6)
            ipv6(at + 2);
    }

    void ipv4(std::size_t at) {
        if (!view_.has(at, 20) || view_.u8(at) >> 4 != 4)
            return;
        const std::size_t header = (view_.u8(at) & 0xf) * 4;
        if (header < 20)
            return;
        add("src", view_.address(at + 12, false));
        add("dst", view_.address(at + 16, false));
        add("dscp", view_.u8(at + 1) >> 2);
        add("ttl", view_.u8(at + 8));
        const unsigned proto = view_.u8(at + 9), offset = view_.u16(at + 6);
        add("proto", protocol_name(static_cast<std::uint8_t>(proto)));
        add("ip checksum", fmt::format("0x{:04x}", view_.u16(at + 10)));
        if ((offset & 0x3fff) != 0)
            add("fragment", (offset & 0x1fff) != 0 ? "later" : "first");
        if ((offset & 0x1fff) == 0)
            l4(at + header, static_cast<std::uint8_t>(proto));
    }

    void ipv6(std::size_t at) {
        if (!view_.has(at, 40) || view_.u8(at) >> 4 != 6)
            return;
        add("src", view_.address(at + 8, true));
        add("dst", view_.address(at + 24, true));
        add("dscp", (view_.u16(at) >> 6) & 0x3f);
        add("ttl", view_.u8(at + 7));
        unsigned proto = view_.u8(at + 6);
        std::size_t next = at + 40;
        std::string fragment;
        bool later = false;
        for (int i = 0; i < 8 && extension(proto) && view_.has(next, 8); ++i) {
            std::size_t length = (view_.u8(next + 1) + 1) * 8;
            if (proto == 51) // AH counts in words of four bytes, less two (RFC 4302 2.2)
                length = (view_.u8(next + 1) + 2) * 4;
            if (proto == kProtoFragment) {
                length = 8;
                later = (view_.u16(next + 2) & 0xfff8) != 0;
                if (later || (view_.u16(next + 2) & 1) != 0)
                    fragment = later ? "later" : "first";
            }
            proto = view_.u8(next);
            next += length;
            if (later)
                break;
        }
        add("proto", protocol_name(static_cast<std::uint8_t>(proto)));
        if (!fragment.empty())
            add("fragment", fragment);
        if (!later)
            l4(next, static_cast<std::uint8_t>(proto));
    }

    static bool extension(unsigned proto) {
        constexpr std::array<unsigned, 8> kExtensions = {0, 43, 44, 51, 60, 135, 139, 140};
        return std::find(kExtensions.begin(), kExtensions.end(), proto) != kExtensions.end();
    }

    void l4(std::size_t at, std::uint8_t proto) {
        if (is_icmp(proto) && view_.has(at, 8)) {
            add("type", view_.u8(at));
            add("code", view_.u8(at + 1));
            add("checksum", fmt::format("0x{:04x}", view_.u16(at + 2)));
        }
        if (!has_ports(proto) || !view_.has(at, proto == kProtoTcp ? 20 : 8))
            return;
        add("sport", view_.u16(at));
        add("dport", view_.u16(at + 2));
        if (proto == kProtoTcp)
            add("flags", tcp_flag_names(static_cast<std::uint8_t>(view_.u8(at + 13))));
        if (proto != kProtoSctp)
            add("checksum", fmt::format("0x{:04x}", view_.u16(at + (proto == kProtoTcp ? 16 : 6))));
    }

    View view_;
    std::vector<Field> fields_;
};

/// "[2001:db8::1]:443", "192.0.2.1:443", "192.0.2.1".
std::string endpoint(const std::string &address, const std::string *port) {
    if (port == nullptr)
        return address;
    return address.find(':') == std::string::npos ? address + ':' + *port : '[' + address + "]:" + *port;
}

} // namespace

std::vector<Field> fields(std::span<const std::byte> frame) {
    return Reader(frame).read();
}

std::string describe(std::span<const std::byte> frame, std::size_t length) {
    const std::vector<Field> all = fields(frame);
    const auto find = [&all](std::string_view name) -> const std::string * {
        const auto field = std::find_if(all.begin(), all.end(), [name](const Field &f) { return f.name == name; });
        return field == all.end() ? nullptr : &field->value;
    };
    std::string text;
    if (const std::string *src = find("src")) {
        text = fmt::format("{} {} > {}", *find("proto"), endpoint(*src, find("sport")),
                           endpoint(*find("dst"), find("dport")));
    } else if (const std::string *type = find("ethertype")) {
        text = *type == "0x0806" ? "arp" : "ethertype " + *type;
        text += fmt::format(" {} > {}", *find("mac src"), *find("mac dst"));
    } else {
        text = "no Ethernet header";
    }
    for (const char *name : {"flags", "type", "code", "fragment", "vlan", "inner-vlan"})
        if (const std::string *value = find(name))
            text += fmt::format(" {} {}", name, *value);
    return text + fmt::format(", {} bytes", length);
}

std::vector<Change> changes(std::span<const std::byte> before, std::span<const std::byte> after) {
    const std::vector<Field> old_fields = fields(before), new_fields = fields(after);
    std::vector<Change> found;
    const auto value_in = [](const std::vector<Field> &list, const std::string &name) {
        const auto field = std::find_if(list.begin(), list.end(), [&](const Field &f) { return f.name == name; });
        return field == list.end() ? std::string() : field->value;
    };
    for (const Field &field : old_fields)
        if (const std::string now = value_in(new_fields, field.name); now != field.value)
            found.push_back({field.name, field.value, now});
    for (const Field &field : new_fields)
        if (value_in(old_fields, field.name).empty())
            found.push_back({field.name, "", field.value});
    if (before.size() != after.size())
        found.push_back({"length", std::to_string(before.size()), std::to_string(after.size())});
    else if (found.empty() && !std::equal(before.begin(), before.end(), after.begin()))
        found.push_back({"bytes", "some", "others"});
    return found;
}

std::string protocol_name(std::uint8_t proto) {
    for (const rules::NamedNumber &known : kProtocols)
        if (known.number == proto)
            return std::string(known.name);
    return std::to_string(proto);
}

std::string tcp_flag_names(std::uint8_t flags) {
    std::string names;
    for (const rules::NamedNumber &flag : kTcpFlags)
        if ((flags & flag.number) != 0)
            names.append(names.empty() ? "" : ",").append(flag.name);
    return names.empty() ? "none" : names;
}

} // namespace beeline::edge
