#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a capture with one packet of each kind, made by scapy: scapy_kinds.py FILE. Prints the names, a line each."""
import logging
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import (  # noqa: E402
    AH, ARP, BOOTP, DHCP, DNS, DNSQR, ESP, GRE, ICMP, IP, Dot1AD, Dot1Q, Dot3, Ether, ICMPv6DestUnreach,
    ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6PacketTooBig, IPOption_Router_Alert,
    IPOption_Timestamp, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, LLC, NTP,
    Pad1, PadN, PPPoE, PPP, RIP, Raw, RouterAlert, SCTP, SCTPChunkInit, SNAP, STP, TCP, UDP, VXLAN, fragment,
    fragment6, wrpcap)

# To nobody: the stack must neither answer nor count what is passed to it.
ETH = Ether(dst="02:ff:00:00:00:99", src="02:ff:00:00:00:98")
IP4 = IP(src="192.0.2.1", dst="198.51.100.7")
IP6 = IPv6(src="2001:db8::1", dst="2001:db8::7")


def kinds():
    tcp, udp = TCP(sport=40000, dport=443), UDP(sport=40000, dport=7999)
    yield "syn", ETH / IP4 / TCP(sport=40000, dport=443, options=[("MSS", 1460), ("SAckOK", b""), ("WScale", 7)])
    yield "syn ack", ETH / IP4 / TCP(sport=40000, dport=443, flags="SA")
    yield "ack with timestamps", ETH / IP4 / TCP(flags="A", options=[("Timestamp", (1, 2))]) / b"data"
    yield "rst", ETH / IP4 / TCP(flags="R")
    yield "fin urg psh", ETH / IP4 / TCP(flags="FPU")
    yield "null scan", ETH / IP4 / TCP(flags=0)
    yield "ecn setup", ETH / IP4 / TCP(flags="SEC")
    yield "doff 4", ETH / IP4 / TCP(dataofs=4)
    yield "doff 15", ETH / IP4 / TCP(dataofs=15)
    yield "full size", ETH / IP4 / TCP(flags="A") / (b"x" * 1448)
    yield "udp", ETH / IP4 / udp / b"hello"
    yield "udp empty", ETH / IP4 / udp
    yield "udp no checksum", ETH / IP4 / UDP(sport=40000, dport=7999, chksum=0) / b"hello"
    yield "udp long length", ETH / IP4 / UDP(len=400) / b"hello"
    yield "udp short length", ETH / IP4 / UDP(len=3) / b"hello"
    yield "dns", ETH / IP4 / UDP(sport=40000, dport=53) / DNS(rd=1, qd=DNSQR(qname="example.org"))
    yield "ntp", ETH / IP4 / UDP(sport=123, dport=123) / NTP()
    yield "rip", ETH / IP(src="192.0.2.1", dst="224.0.0.9", ttl=2) / UDP(sport=520, dport=520) / RIP()
    yield "dhcp", ETH / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / BOOTP() / DHCP(
        options=[("message-type", "discover"), "end"])
    yield "vxlan", ETH / IP4 / UDP(dport=4789) / VXLAN(vni=7) / ETH / IP4 / udp
    yield "echo", ETH / IP4 / ICMP() / b"ping"
    yield "echo reply", ETH / IP4 / ICMP(type=0)
    yield "unreachable", ETH / IP4 / ICMP(type=3, code=4) / IP4 / udp
    yield "sctp", ETH / IP4 / SCTP(sport=40000, dport=7) / SCTPChunkInit()
    yield "gre", ETH / IP4 / GRE() / IP4 / udp
    yield "esp", ETH / IP4 / ESP(spi=7, seq=1) / b"secret"
    yield "ah", ETH / IP4 / AH(nh=6, spi=7) / tcp
    yield "ip in ip", ETH / IP4 / IP4 / udp
    yield "6in4", ETH / IP(proto=41) / IP6 / udp
    yield "router alert", ETH / IP(options=[IPOption_Router_Alert()]) / udp
    yield "timestamp option", ETH / IP(options=[IPOption_Timestamp(flg=0)]) / tcp
    yield "ttl 1", ETH / IP(ttl=1) / udp
    yield "dscp ef", ETH / IP(tos=0xb8) / udp
    yield "ihl 4", ETH / IP(ihl=4) / udp
    yield "ihl 15", ETH / IP(ihl=15) / udp
    yield "version 7", ETH / IP(version=7) / udp
    yield "length lies", ETH / IP(len=1500) / udp
    for number, part in enumerate(fragment(IP4 / UDP(sport=1, dport=7999) / (b"f" * 2000), 800)):
        yield f"fragment {number}", ETH / part
    yield "tcp6", ETH / IP6 / tcp
    yield "udp6", ETH / IP6 / udp / b"hello"
    yield "echo6", ETH / IP6 / ICMPv6EchoRequest()
    yield "too big", ETH / IP6 / ICMPv6PacketTooBig(mtu=1280) / IP6 / udp
    yield "unreachable6", ETH / IP6 / ICMPv6DestUnreach() / IP6 / udp
    yield "solicitation", ETH / IP6 / ICMPv6ND_NS(tgt="2001:db8::7")
    yield "advertisement", ETH / IP6 / ICMPv6ND_NA(tgt="2001:db8::7")
    yield "router advertisement", ETH / IP6 / ICMPv6ND_RA()
    yield "mld", ETH / IP6 / IPv6ExtHdrHopByHop(options=[RouterAlert(), PadN(optdata=b"")]) / ICMPv6EchoRequest()
    yield "hop-by-hop", ETH / IP6 / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 12)]) / udp
    yield "destination options", ETH / IP6 / IPv6ExtHdrDestOpt(options=[Pad1(), Pad1()]) / tcp
    yield "routing header", ETH / IP6 / IPv6ExtHdrRouting(addresses=["2001:db8::9"]) / udp
    yield "chain of four", (ETH / IP6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting() /
                            IPv6ExtHdrDestOpt() / tcp)
    for number, part in enumerate(fragment6(IP6 / IPv6ExtHdrFragment() / UDP(sport=1, dport=7999) / (b"f" * 2000), 900)):
        yield f"fragment6 {number}", ETH / part
    yield "ah6", ETH / IP6 / AH(nh=17, spi=7) / udp
    yield "no next header", ETH / IPv6(nh=59)
    yield "vlan", ETH / Dot1Q(vlan=7) / IP4 / udp
    yield "vlan priority", ETH / Dot1Q(vlan=0, prio=5) / IP6 / tcp
    yield "qinq", ETH / Dot1AD(vlan=8) / Dot1Q(vlan=9) / IP6 / tcp
    yield "two c-tags", ETH / Dot1Q(vlan=8) / Dot1Q(vlan=9) / IP4 / tcp
    yield "three tags", ETH / Dot1AD(vlan=8) / Dot1Q(vlan=9) / Dot1Q(vlan=10) / IP4 / udp
    yield "arp request", ETH / ARP(psrc="192.0.2.1", pdst="192.0.2.9")
    yield "pppoe", ETH / PPPoE() / PPP() / IP4 / udp
    yield "mpls", Ether(dst=ETH.dst, src=ETH.src, type=0x8847) / (b"\0\0\x71\x40" + bytes(IP4 / udp))
    yield "snap", Dot3(dst=ETH.dst, src=ETH.src) / LLC() / SNAP() / Raw(b"hello")
    yield "stp", Dot3(dst="02:ff:00:00:00:99", src=ETH.src) / LLC() / STP()
    for size in (15, 17, 21, 33, 35, 41):
        yield f"cut at {size}", Ether(bytes(ETH / IP4 / tcp)[:size])


def main():
    names, packets = zip(*kinds())
    wrpcap(sys.argv[1], [Raw(bytes(packet)) for packet in packets], linktype=1)
    print("\n".join(names))


main()
